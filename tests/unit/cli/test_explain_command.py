"""``explain``: the next request for people and for programs, with nothing sent."""

import json
import re

import pytest

from integrationd.cli.main import cli, run_command

SHOP = """\
integration: shop
http: {base_url: "https://shop.test", paginate: none}
secrets: {key: {env: INTEGRATIOND_SECRET_NONE}}
streams:
  orders: {post: /orders, json: {a: 1}, key: id, schedule: 1h}
  pushed: {key: id}
  nightly: {get: /n, key: id, schedule: {at: "02:00", timezone: UTC}, enabled: false}
operations:
  hold:
    description: Hold one.
    post: "/holds/{{ input.id }}"
    json: {key: "{{ secrets.key }}", many: [1, "{{ input.many }}"]}
    input: {id: {type: string}, many: {type: integer, default: 2}}
    output: {number: body.id}
  ask: {get: /ask, query: {q: x}, cache: 5m}
"""
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"


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
    assert re.sub(TIME, "TIME", out).splitlines() == [
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
        "schedule: 1h, due TIME",
        "secret key: integration shop needs secret 'key'; looked in env INTEGRATIOND_SECRET_NONE",
        "files: integrations/shop.yaml",
    ]


def test_program_gets_all_of_it(explain):
    """As one object."""
    code, out, _ = explain("shop/orders", "--json")

    told = json.loads(out)
    assert (code, told["request"]["body"], told["secrets"][0]["name"]) == (0, '{"a":1}', "key")


def test_streams_and_operations_are_listed(explain):
    """With when each stream is due; nothing is said of one that no schedule reads."""
    code, out, err = explain("shop")

    assert (code, err) == (0, "")
    assert re.sub(TIME, "TIME", out).splitlines() == [
        "stream orders: 1h, due TIME",
        "stream pushed: webhook",
        "stream nightly: at 02:00 UTC, not enabled",
        "operation hold(id, many): POST /holds/{{ input.id }}; Hold one.",
        "operation ask(): GET /ask",
        "secret key: integration shop needs secret 'key'; looked in env INTEGRATIOND_SECRET_NONE",
        "files: integrations/shop.yaml",
    ]


def test_an_operation_is_shown_as_it_is_written(explain):
    """What would be secret in it is only named."""
    code, out, err = explain("shop/hold")

    assert (code, err) == (0, "")
    assert out.splitlines()[:8] == [
        "POST /holds/{{ input.id }}",
        'json: {"key":"{{ secrets.key }}","many":[1,"{{ input.many }}"]}',
        "",
        "Hold one.",
        'input id: {"type":"string"}',
        'input many: {"type":"integer","default":2}',
        'output: {"number":"body.id"}',
        "where the outcome is not known: not asked again",
    ]


def test_an_operation_that_only_asks(explain):
    """Its answer is the body, remembered for a while."""
    assert explain("shop/ask")[1].splitlines()[:5] == [
        "GET /ask",
        'query: {"q":"x"}',
        "",
        "output: body",
        "cache: 5m",
    ]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("shop/", "'shop/' names no stream; write NAME/STREAM, as in shop/orders"),
        ("shpo/orders", "no integration 'shpo'; did you mean 'shop'?"),
        (
            "shop/ordres",
            "integration 'shop' has no stream or operation 'ordres'; did you mean 'orders'?",
        ),
        ("shop/pushed", "stream shop/pushed makes no request, only webhooks fill it"),
    ],
)
def test_wrong_names_are_told(explain, name, told):
    """Exit 2, with the nearest name."""
    assert explain(name) == (2, "", f"integrationd: {told}\n")


def test_what_is_asked_before_and_instead_is_laid_out(explain, tmp_path):
    """Steps with how often they are made, then each form of the request with its condition."""
    (tmp_path / "config" / "integrations" / "several.yaml").write_text("""\
integration: several
config: {kind: a}
http: {base_url: "https://several.test", paginate: none}
streams:
  items:
    steps: [{name: open, post: /open, json: {a: 1}, when: "config.kind == 'a'"}]
    first_of:
    - {get: "/v2/{{ steps.open }}", when: "config.kind == 'a'"}
    - {get: /v1}
    key: id
""")
    code, out, err = explain("several/items")

    assert (code, err) == (0, "")
    assert out.splitlines()[:16] == [
        "before it, once a run, open when config.kind == 'a':",
        "POST https://several.test/open",
        "content-type: application/json",
        "accept: application/json",
        "",
        '{"a":1}',
        "",
        "the first that finds something of:",
        "when config.kind == 'a':",
        "GET https://several.test/v2/OPEN",
        "accept: application/json",
        "",
        "GET https://several.test/v1",
        "accept: application/json",
        "",
        "reading: full, from cursor null",
    ]
