"""Blocks of providers.yaml: what is told of them, aliases, secrets, and one that is used."""

import pytest

from integrationd.importers.nango.block import BlockError
from integrationd.importers.nango.provider import import_nango
from tests.unit.importers.nango_samples import desk, imported, losses, notes
from tests.unit.importers.serving import SETTINGS, run, serving


@pytest.mark.parametrize(
    ("mode", "lines", "told"),
    [
        ("APP", "", ["4:3: auth_mode: credentials of the kind APP"]),
        (
            "API_KEY",
            "",
            [("4:3: auth_mode: nothing says where the key goes; a Bearer token is sent")],
        ),
        (
            "NONE",
            "  post_connection_script: deskPostConnection\n  webhook_routing_script: deskWebhook\n",
            [
                (
                    "6:3: post_connection_script: a program of Nango's own, which is "
                    "not read here; what it finds out is to be supplied"
                ),
                (
                    "7:3: webhook_routing_script: what the provider posts is not read; "
                    "write 'webhooks' by hand"
                ),
            ],
        ),
        (
            "NONE",
            "  token_url: https://desk.test\n  surprise: 1\n",
            [
                (
                    "6:3: token_url: not where this field belongs, or not of this kind "
                    "of credentials"
                ),
                "7:3: surprise: not known here",
            ],
        ),
        (
            "OAUTH2_CC",
            (
                "  token_url: https://desk.test/t\n  body_format: xml\n"
                "  token_params: {at: '${now}', sig: '${hmacSha1Hex(a)}'}\n"
            ),
            [
                "7:3: body_format: a token request as xml",
                "8:18: token_params.at: the variable 'now' is not known here",
                "8:32: token_params.sig: hmacSha1Hex inside a text is not known here",
            ],
        ),
    ],
)
def test_what_cannot_be_said_is_told(mode, lines, told):
    """Each line with its place and why."""
    assert losses(desk(mode, lines)) == told


def test_names_that_are_misspelled_are_told():
    """With the nearest one; what only Nango's pages use is told as well."""
    told = notes(desk("NONE", "  categoris: [crm]\n  docs_connect: https://docs.test\n"))

    assert told == [
        "categoris: no field that is known here; was 'categories' meant?",
        "docs_connect: for Nango's own pages",
    ]


def test_alias_is_laid_over_what_it_stands_for():
    """In the same file; what it says itself wins."""
    other = "other:\n  alias: desk\n  display_name: Other\n  proxy: {base_url: https://o.test}\n"
    proxy = "  proxy: {base_url: https://api.desk.test, headers: {x-a: b}}\n"
    text = desk("BASIC", proxy=proxy) + other
    (file,) = imported(text, block="other").files.values()
    alone = imported("other:\n  alias: desk\n  display_name: Other\n")

    assert "provider: other\ntitle: Other\n" in file
    assert "base_url: https://o.test\n" in file
    assert "type: basic\n" in file
    assert "x-a: b\n" in file
    assert str(alone.losses[0]) == (
        "p.yaml:2:3: unsaid: alias: the block that it stands for is not in this file; add it"
    )


CANARY = "hunter2canary"


@pytest.mark.parametrize(
    "lines",
    [
        f"  token_url: https://a.test/t\n  token_params: {{client_secret: {CANARY}}}\n",
        f"  token_url: https://a.test/t\n  token_headers: {{x-api-key: {CANARY}}}\n",
        (
            f"  token_url: https://a.test/t\n  credentials: {{password: {{example: {CANARY},"
            f" default_value: {CANARY}, secret: true}}}}\n"
        ),
        f"  token_url: https://a.test/t\n  proxy_header_authorization: {CANARY}\n",
        f"  token_url: https://a.test/t\n  passwrd: {CANARY}\n  unknown: {CANARY}\n",
    ],
)
def test_no_secret_of_a_block_is_taken_over(lines):
    """Literal ones, examples and defaults of secrets, and what stands in fields unknown here."""
    made = imported(desk("OAUTH2_CC", lines))

    everything = "\n".join([*made.files.values(), *map(str, made.findings)])
    assert CANARY not in everything


@pytest.mark.parametrize(
    ("text", "block", "message"),
    [
        ("a: 1", None, "p.yaml: no block of a provider, expected 'auth_mode' in it"),
        ("- a", None, "p.yaml: no block of a provider, expected 'auth_mode' in it"),
        (
            "a: {auth_mode: NONE}\nb: {auth_mode: NONE}",
            None,
            "p.yaml has a, b; say which with --block NAME",
        ),
        (
            "desk: {auth_mode: NONE}\nb: {auth_mode: NONE}",
            "desc",
            "p.yaml has no block 'desc'; did you mean 'desk'?",
        ),
    ],
)
def test_block_that_is_not_there_is_told(text, block, message):
    """With what there is."""
    with pytest.raises(BlockError) as caught:
        import_nango(text.encode(), file="p.yaml", block=block)

    assert str(caught.value) == message


def test_imported_login_is_used(tmp_path, capsys, monkeypatch):
    """A block with a login, a stream of an integration, a real server: the token is sent."""
    monkeypatch.setenv("INTEGRATIOND_SECRET_PASS", "hunter2")

    def respond(path, _query):
        return {"data": {"token": "t-1"}} if path == "/login" else [{"id": 1}]

    with serving(respond) as (address, asked):
        source = tmp_path / "p.yaml"
        proxy = f"  proxy: {{base_url: '{address}', verification: {{endpoint: /me}}}}\n"
        lines = (
            f"  token_url: {address}/login\n"
            "  token_params: {user: '${credentials.username}', pass: '${credentials.password}'}\n"
            "  token_response: {token: data.token}\n"
        )
        source.write_text(desk("TWO_STEP", lines, proxy))
        code = run("import", "nango", source, "-o", tmp_path)
        (tmp_path / "integrations").mkdir()
        (tmp_path / "integrations" / "me.yaml").write_text(
            "integration: me\nuses: desk\nconfig: {username: ann}\n"
            "secrets: {password: {env: INTEGRATIOND_SECRET_PASS}}\n"
            "streams: {all: {get: /all, paginate: none, key: id}}\n"
        )
        (tmp_path / "integrationd.yaml").write_text(SETTINGS)
        synced = run("--config", tmp_path, "--state", tmp_path / "state", "sync", "me/all")

    assert (code, synced) == (0, 0), capsys.readouterr()
    assert [(path, body) for _, path, _, body in asked] == [
        ("/login", b'{"user":"ann","pass":"hunter2"}'),
        ("/all", b""),
    ]
    assert {k.lower(): v for k, v in asked[1][2].items()}["authorization"] == "Bearer t-1"
    assert "hunter2" not in "".join(capsys.readouterr())
