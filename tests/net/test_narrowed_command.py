"""``--input`` on the command line, without a daemon: read, previewed, shown and undone."""

import json

import pytest

from tests.support.shops import configure, execute, serving

NARROWED = """\
integration: shop
http: {base_url: "http://127.0.0.1:%d", paginate: {type: none}, retries: 0}
streams:
  orders:
    input: {id: {type: integer}}
    get: "/orders"
    query: {only: "{{ input.id }}"}
    records: body
    key: id
  items: {get: /items, records: body, key: id, enabled: false}
"""


@pytest.fixture
def narrowed(tmp_path, capsys):
    """Return what runs a command where a stream takes an input."""
    answers = {"/orders": b'[{"id": 1}, {"id": 2}]', "/orders?only=2": b'[{"id": 2, "new": true}]'}
    with serving(answers) as number:
        configure(tmp_path, shop=NARROWED % number)
        yield lambda *words: (execute(tmp_path, *words), *capsys.readouterr())


def test_narrowed_run_is_previewed_read_shown_and_undone(narrowed):
    """It reads what was asked for, deletes nothing, and the history says what that was."""
    narrowed("sync", "shop")
    preview = narrowed("preview", "shop/orders", "--input", "id=2")
    code, out, err = narrowed("sync", "shop/orders", "--input", "id=2")
    first = json.loads(narrowed("runs", "list", "--json")[1].splitlines()[0])
    shown = narrowed("runs", "show", first["id"])[1].splitlines()
    undone = narrowed("runs", "revert", first["id"])

    assert preview[:2] == (0, "~ 2 new: (nothing) → true\n")
    assert (code, out) == (0, "shop/orders: done, 1 read (1 changed)\n")
    assert err == "shop/orders: reading (what was asked for)\n"
    assert (first["mode"], first["trigger"]) == ("input", "manual")
    assert shown[2] == "  with id=2"
    assert undone[0] == 0
    assert '{"id":2}' in narrowed("records", "shop/orders", "--format", "ndjson")[1]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ("shop", "--input", "id=2"),
            "'shop' names no stream, expected one with --input: shop/STREAM",
        ),
        (
            ("shop/orders", "--input", "id"),
            "'id' is no input, expected KEY=VALUE such as since=2026-01-01",
        ),
        (
            ("shop/orders", "--full", "--input", "id=2"),
            "--input narrows a run, so it goes with neither --full nor --confirm",
        ),
        (
            ("shop/orders", "--input", "id=x", "--input", "no=1"),
            (
                "shop/orders: unknown input 'no'; known here: id\n"
                "shop/orders: input.id is 'x', expected a whole number"
            ),
        ),
        (
            ("shop/orders", "--input", "id=x"),
            "shop/orders: input.id is 'x', expected a whole number",
        ),
    ],
)
def test_input_that_does_not_fit_exits_2(narrowed, words, message):
    """Nothing is read, and nothing is noted."""
    assert narrowed("sync", *words) == (2, "", f"integrationd: {message}\n")
    assert narrowed("runs", "list")[1] == ""
