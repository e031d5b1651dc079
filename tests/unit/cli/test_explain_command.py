"""``explain``: the next request for people and for programs, with nothing sent."""

import json

import pytest

from integrationd.cli.main import cli, run_command

SHOP = """\
integration: shop
http: {base_url: "https://shop.test", paginate: none}
secrets: {key: {env: INTEGRATIOND_SECRET_NONE}}
streams:
  orders: {post: /orders, json: {a: 1}, key: id, schedule: 1h}
  pushed: {key: id}
"""


@pytest.fixture
def explain(tmp_path, capsys):
    """Return what runs the command: exit code, stdout, stderr."""
    files = tmp_path / "config" / "integrations"
    files.mkdir(parents=True)
    (files / "shop.yaml").write_text(SHOP)
    places = ["--config", str(tmp_path / "config"), "--state", str(tmp_path / "state")]

    def run(*words):
        code = run_command(
            lambda: cli.main(
                [*places, "explain", *words], prog_name="integrationd", standalone_mode=False
            )
        )
        return code, *capsys.readouterr()

    return run


def test_request_comes_first_and_then_what_made_it(explain):
    """Also before anything was ever stored, and with a secret that is missing."""
    code, out, err = explain("shop/orders")

    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "POST https://shop.test/orders",
        "content-type: application/json",
        "accept: application/json",
        "",
        '{"a":1}',
        "",
        "reading: full, from cursor null",
        'paginate: {"type":"none"}',
        "records: body",
        'key: ["id"]',
        "entity: shop.orders",
        "schedule: 1h",
        "secret key: integration shop needs secret 'key'; looked in env INTEGRATIOND_SECRET_NONE",
        "files: integrations/shop.yaml",
    ]


def test_program_gets_all_of_it(explain):
    """As one object."""
    code, out, _ = explain("shop/orders", "--json")

    told = json.loads(out)
    assert (code, told["request"]["body"], told["secrets"][0]["name"]) == (0, '{"a":1}', "key")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("shop", "'shop' names no stream; write NAME/STREAM, as in shop/orders"),
        ("shpo/orders", "no integration 'shpo'; did you mean 'shop'?"),
        ("shop/ordres", "integration 'shop' has no stream 'ordres'; did you mean 'orders'?"),
        ("shop/pushed", "stream shop/pushed makes no request, only webhooks fill it"),
    ],
)
def test_wrong_names_are_told(explain, name, told):
    """Exit 2, with the nearest name."""
    assert explain(name) == (2, "", f"integrationd: {told}\n")
