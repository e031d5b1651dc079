"""``secret`` and ``check --env`` without a daemon, on real files, over a real store."""

import io
import json
import os
import re

import pytest

from integrationd.cli.main import cli, run_command
from integrationd.vault.master import MAKE_ONE, parse_master_key

CANARY = "canary-9d2f"
KEY, OTHER = bytes(range(32)).hex(), bytes(range(32, 64)).hex()
ACME = """\
integration: acme
secrets: {token: {}, password: {env: INTEGRATIOND_SECRET_P}, signing: {store: shared}}
http:
  base_url: https://acme.test
  auth: {type: bearer, token: "{{ secrets.token }}"}
  headers: {x-a: "{{ secrets.password }}", x-b: "{{ secrets.signing }}"}
  paginate: {type: none}
streams:
  orders: {get: /orders, records: body, key: id}
"""
PASSWORD_MISSING = "integration acme needs secret 'password'; looked in env INTEGRATIOND_SECRET_P"
SIGNING_MISSING = (
    "integration acme needs secret 'signing'; looked in the encrypted store under 'shared'; "
    "set it with: integrationd secret set acme signing"
)


class Place:
    """A configuration and a state directory, and commands on them in this process."""

    def __init__(self, root, capsys, monkeypatch):
        self.root, self.capsys, self.monkeypatch = root, capsys, monkeypatch

    def run(self, *words, given: bytes = b""):
        """Run a command with something on its stdin: exit code, stdout, stderr."""
        self.monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(given)))
        places = ["--config", str(self.root / "config"), "--state", str(self.root / "state")]
        code = run_command(
            lambda: cli.main([*places, *words], prog_name="integrationd", standalone_mode=False)
        )
        out, err = self.capsys.readouterr()
        assert CANARY not in out + err
        return code, out, err

    def rows(self, *words):
        """Return what ``secret list`` tells: name, found and whether a key is named."""
        code, out, _ = self.run("secret", "list", *words, "--json")
        assert code == 0
        lines = [json.loads(line) for line in out.splitlines()]
        return [(line["name"], line["found"], line["key"] is not None) for line in lines]


@pytest.fixture
def place(tmp_path, capsys, monkeypatch):
    """Give a place with one integration and a master key in the environment."""
    files = tmp_path / "config" / "integrations"
    files.mkdir(parents=True)
    (files / "acme.yaml").write_text(ACME)
    for name in ("CREDENTIALS_DIRECTORY", "INTEGRATIOND_SECRET_P"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("INTEGRATIOND_MASTER_KEY", KEY)
    return Place(tmp_path, capsys, monkeypatch)


def test_set_keeps_what_is_piped_without_its_last_newline(place):
    """The value is sealed; what else is missing is told on stderr."""
    done = place.run("secret", "set", "acme", "token", given=f"{CANARY}\n".encode())

    assert done == (
        0,
        "kept: secret token of acme\n",
        f"{PASSWORD_MISSING}\n{SIGNING_MISSING}\n",
    )
    assert place.rows("acme") == [
        ("password", "missing", False),
        ("signing", "missing", False),
        ("token", "store", True),
    ]
    database = (place.root / "state" / "integrationd.db").read_bytes()
    assert CANARY.encode() not in database


def test_set_of_a_stored_name_is_found_by_its_reference(place):
    """``{store: shared}`` is set by the secret's own name and listed once."""
    code, _, err = place.run("secret", "set", "acme", "signing", given=b"x")

    assert (code, err.count("signing")) == (0, 0)
    assert ("signing", "store", True) in place.rows()
    assert len(place.rows()) == 3


@pytest.mark.parametrize(
    ("words", "given", "told"),
    [
        (
            ("acme", "tokn"),
            b"x",
            "integration 'acme' declares no secret 'tokn'; did you mean 'token'?",
        ),
        (("acne", "token"), b"x", "no integration 'acne'; did you mean 'acme'?"),
        (
            ("acme", "password"),
            b"x",
            (
                "the file of integration 'acme' says that secret 'password' is in "
                "{env: INTEGRATIOND_SECRET_P}; take that out of it, or write {store: password}"
            ),
        ),
        (("acme", "token"), b"", "nothing was given, and an empty secret is none"),
        (("acme", "token"), b"\n", "nothing was given, and an empty secret is none"),
        (("acme", "token"), b"\xff", "what was given is not UTF-8 text"),
        (
            ("acme", "token", CANARY),
            b"",
            (
                "a secret is not given on the command line, where others see it; leave it out to "
                "be asked for it, or pipe it in: … | integrationd secret set INTEGRATION NAME -"
            ),
        ),
    ],
)
def test_what_cannot_be_set_is_wrong_usage(place, words, given, told):
    """Exit 2 and one line; nothing is kept, and a value on the command line is not repeated."""
    assert place.run("secret", "set", *words, given=given) == (2, "", f"integrationd: {told}\n")
    assert {found for _, found, _ in place.rows()} == {"missing"}


def test_set_without_a_master_key_tells_how_to_make_one(place):
    """Exit 78: it is the daemon's own configuration that lacks something."""
    place.monkeypatch.delenv("INTEGRATIOND_MASTER_KEY")

    assert place.run("secret", "set", "acme", "token", given=CANARY.encode()) == (
        78,
        "",
        (
            "integrationd: secret 'token' of acme cannot be kept: there is no master key; make "
            f"one: {MAKE_ONE}, then give it to the daemon as the systemd credential "
            "integrationd.master-key, or in the settings as secrets: {master_key: {file: "
            "/etc/integrationd/master-key}}, and restart it\n"
        ),
    )


def test_command_that_makes_a_key_makes_one(place, tmp_path):
    """What the advice says works as it stands, but for the path, and only the owner can read it."""
    target = tmp_path / "master-key"
    command = MAKE_ONE.replace("/etc/integrationd/master-key", str(target))
    assert os.system(command) == 0
    (place.root / "config" / "integrationd.yaml").write_text(
        f"secrets: {{master_key: {{file: {target}}}}}\n"
    )
    place.monkeypatch.delenv("INTEGRATIOND_MASTER_KEY")

    code, _, _ = place.run("secret", "set", "acme", "token", given=b"x")

    assert code == 0
    assert target.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "words",
    [
        ("sync", "acme"),
        ("secret", "set", "acme", "token"),
        ("secret", "list"),
        ("check", "--env"),
        ("run",),
    ],
)
def test_wrong_master_key_refuses(place, words):
    """Every command that needs secrets exits 78 and names both keys by their ids."""
    place.run("secret", "set", "acme", "token", given=b"x")
    place.monkeypatch.setenv("INTEGRATIOND_MASTER_KEY", OTHER)
    own, other = (parse_master_key(key, "").id for key in (KEY, OTHER))

    assert place.run(*words, given=b"x") == (
        78,
        "",
        (
            f"integrationd: the master key in env INTEGRATIOND_MASTER_KEY is {other}, but the "
            f"secrets in the database were sealed with {own}; put that one back, or restore the "
            "database that belongs to this one\n"
        ),
    )


def test_lost_master_key_degrades_what_needs_it(place):
    """Without any key the sealed secret is unusable, and all else works."""
    place.run("secret", "set", "acme", "token", given=b"x")
    place.monkeypatch.delenv("INTEGRATIOND_MASTER_KEY")
    place.monkeypatch.setenv("INTEGRATIOND_SECRET_P", CANARY)

    listed = place.rows()
    code, out, _ = place.run("status", "--json")

    assert listed == [
        ("password", "env INTEGRATIOND_SECRET_P", False),
        ("signing", "missing", False),
        ("token", "unusable", True),
    ]
    assert code == 0
    [acme] = json.loads(out)["integrations"]
    assert acme["status"] == "error"
    assert "there is no master key to open it" in acme["last_error"]


def test_list_shows_what_no_file_declares_any_more(place):
    """It is told as kept, and can be removed by its name."""
    place.run("secret", "set", "acme", "token", given=b"x")
    (place.root / "config" / "integrations" / "acme.yaml").unlink()

    before = place.rows("acme")
    removed = place.run("secret", "remove", "acme", "token")

    assert before == [("token", "kept", True)]
    assert removed == (0, "removed: secret token of acme\n", "")
    assert place.rows() == []


def test_removed_secret_is_missing(place):
    """What the integration lacks now is told at once."""
    place.run("secret", "set", "acme", "signing", given=b"x")

    code, out, err = place.run("secret", "remove", "acme", "signing")

    assert (code, out) == (0, "removed: secret signing of acme\n")
    assert SIGNING_MISSING in err
    assert place.run("secret", "remove", "acme", "signing") == (
        2,
        "",
        "integrationd: the encrypted store has no secret 'signing' of 'acme'\n",
    )


def test_list_of_an_unknown_integration_is_wrong_usage(place):
    """With the nearest name."""
    assert place.run("secret", "list", "acne") == (
        2,
        "",
        "integrationd: no integration 'acne'; did you mean 'acme'?\n",
    )


def test_rotation_tells_what_it_did(place):
    """New keys, and how many secrets are under them now."""
    place.run("secret", "set", "acme", "token", given=b"x")
    place.run("secret", "set", "acme", "signing", given=b"y")

    assert place.run("secret", "rotate") == (0, "1 new keys: 2 secrets sealed anew\n", "")


def test_new_master_key_takes_the_place_of_the_old_one(place, tmp_path):
    """After the exchange the new key opens everything, and the old one is refused."""
    place.run("secret", "set", "acme", "token", given=b"x")
    new = tmp_path / "new-key"
    new.write_text(OTHER)
    new.chmod(0o600)

    code, out, err = place.run("secret", "rotate", "--master-key-file", str(new))
    refused, _, _ = place.run("secret", "list")
    place.monkeypatch.setenv("INTEGRATIOND_MASTER_KEY", OTHER)

    assert (code, out) == (0, f"the key ring (1 keys) opens with the master key in {new} now\n")
    assert re.fullmatch(r"put it \([0-9a-f]{16}\) in place of the old one before .*\n", err)
    assert refused == 78
    assert ("token", "store", True) in place.rows()


@pytest.mark.parametrize(
    ("text", "mode", "told"),
    [
        (CANARY, 0o600, "is not 32 bytes, written as base64 or as hexadecimal digits; make one: "),
        (OTHER, 0o644, "everybody can read "),
        (None, 0o600, "does not exist; make a key: "),
    ],
)
def test_new_master_key_has_to_be_one(place, tmp_path, text, mode, told):
    """A file that holds none, or that others can read, changes nothing."""
    new = tmp_path / "new-key"
    if text is not None:
        new.write_text(text)
        new.chmod(mode)

    code, out, err = place.run("secret", "rotate", "--master-key-file", str(new))

    assert (code, out) == (78, "")
    assert told in err


def test_value_that_cannot_be_opened_makes_a_rotation_fail(place):
    """Exit 1, how many there are, and where to look."""
    place.run("secret", "set", "acme", "token", given=b"x")
    place.run("secret", "set", "acme", "signing", given=b"y")
    damage(place.root / "state" / "integrationd.db")

    code, out, err = place.run("secret", "rotate")

    assert (code, out) == (1, "1 new keys: 1 secrets sealed anew\n")
    assert err == (
        "integrationd: 1 secrets cannot be opened and stay under their old keys; "
        "see: integrationd secret list\n"
    )
    assert ("token", "unusable", True) in place.rows()


def damage(database) -> None:
    """Change one sealed value."""
    import sqlite3  # noqa: PLC0415 - only here

    with sqlite3.connect(database) as conn:
        conn.execute("UPDATE secrets SET sealed = x'01' WHERE name = 'token'")
    conn.close()


def test_check_env_tells_missing_secrets_and_exits_78(place):
    """Each with the file whose integration needs it; without --env nothing is looked for."""
    plain = place.run("check")
    missing = place.run("check", "--env")

    assert plain == (0, "", "1 files, 0 errors, 0 warnings\n")
    assert missing == (
        78,
        (
            f"integrations/acme.yaml: {PASSWORD_MISSING}\n"
            f"integrations/acme.yaml: {SIGNING_MISSING}\n"
            "integrations/acme.yaml: integration acme needs secret 'token'; looked in the "
            "encrypted store, then in the credential acme.token, then in env "
            "INTEGRATIOND_SECRET_ACME__TOKEN; set it with: integrationd secret set acme token\n"
        ),
        "1 files, 0 errors, 0 warnings, 3 secrets missing\n",
    )


def test_check_env_is_content_where_all_is_there(place):
    """From the environment and from the encrypted store."""
    place.monkeypatch.setenv("INTEGRATIOND_SECRET_P", CANARY)
    for name in ("token", "signing"):
        place.run("secret", "set", "acme", name, given=CANARY.encode())

    assert place.run("check", "--env") == (
        0,
        "",
        "1 files, 0 errors, 0 warnings, 0 secrets missing\n",
    )


def test_check_env_as_json_has_the_place_in_the_file(place):
    """An editor can jump there; there is no code, as it is not the file that is wrong."""
    code, out, _ = place.run("check", "--env", "--json")

    first = json.loads(out)[0]
    assert code == 78
    assert first == {
        "file": "integrations/acme.yaml",
        "line": 1,
        "column": 14,
        "code": None,
        "message": PASSWORD_MISSING,
    }


def test_status_and_records_are_told_with_another_master_key(place):
    """They need no secret: `status` says that none can be read, and why."""
    place.run("secret", "set", "acme", "token", given=b"x")
    place.monkeypatch.setenv("INTEGRATIOND_MASTER_KEY", OTHER)

    code, out, err = place.run("status")
    told = json.loads(place.run("status", "--json")[1])

    assert (code, err) == (0, "")
    assert told["master_key"].startswith("the master key in env INTEGRATIOND_MASTER_KEY is ")
    assert f"master key: {told['master_key']}\n" in out
    assert place.run("runs", "list")[0] == 0
