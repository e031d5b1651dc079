"""Names that nobody knows, told with the nearest one; names of what is only empty are none."""

import pytest

from tests.support.shops import configure, execute, serving

SHOP = """\
integration: shop
http: {base_url: "http://127.0.0.1:%d", paginate: {type: none}, retries: 0}
streams:
  orders: {get: /orders, records: body, key: id}
  items: {get: /items, records: body, key: id, enabled: false}
operations:
  hold: {get: /hold}
"""


def read_shop(root):
    """Read the shop once, into a directory."""
    with serving({"/orders": b'[{"id": 1}]'}) as port:
        configure(root, shop=SHOP % port)
        assert execute(root, "sync", "shop") == 0
    return root


@pytest.fixture(scope="module")
def synced(tmp_path_factory):
    """Give a directory in which the shop was read."""
    return read_shop(tmp_path_factory.mktemp("synced"))


@pytest.fixture
def look(synced, capsys):
    """Return what runs a command there: exit code, stdout, stderr."""
    capsys.readouterr()
    return lambda *words: (execute(synced, *words), *capsys.readouterr())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("sync", "shpo"), "no integration 'shpo'; did you mean 'shop'?"),
        (
            ("sync", "shop/order"),
            "integration 'shop' has no stream 'order'; did you mean 'orders'?",
        ),
        (
            ("webhook", "url", "shop/events"),
            "integration 'shop' has no webhook 'events'",
        ),
        (
            ("runs", "show", "run_x"),
            "no run 'run_x'; see: integrationd runs list",
        ),
        (
            ("records", "shop/order"),
            "integration 'shop' has no stream 'order'; did you mean 'orders'?",
        ),
        (("records", "shpo/orders"), "no integration 'shpo'; did you mean 'shop'?"),
        (
            ("records", "shop"),
            "'shop' names no stream, expected NAME/STREAM such as main-library/items",
        ),
        (
            ("records", "shop/hold"),
            "nothing is stored of shop/hold; read it with: integrationd sync shop/hold",
        ),
        (
            ("runs", "list", "shop/order"),
            "integration 'shop' has no stream 'order'; did you mean 'orders'?",
        ),
        (("runs", "list", "shpo/orders"), "no integration 'shpo'; did you mean 'shop'?"),
        (("runs", "list", "shpo"), "no integration 'shpo'; did you mean 'shop'?"),
        (("events", "list", "shpo"), "no integration 'shpo'; did you mean 'shop'?"),
        (("quarantine", "list", "shpo"), "no integration 'shpo'; did you mean 'shop'?"),
        (
            ("quarantine", "show", "shop/itms"),
            "integration 'shop' has no stream 'itms'; did you mean 'items'?",
        ),
    ],
)
def test_unknown_names_exit_2(look, words, message):
    """One line with the nearest name or with what to do."""
    assert look(*words) == (2, "", f"integrationd: {message}\n")


@pytest.mark.parametrize(
    "words", [("runs", "list", "shop/hold"), ("events", "list", "shop"), ("quarantine", "list")]
)
def test_a_known_name_without_rows_is_no_error(look, words):
    """What is only empty is nothing on stdout, and 0; operations have runs too."""
    assert look(*words) == (0, "", "")


def test_runs_are_listed_of_a_whole_integration_too(look):
    """Those of each of its streams, and of none when the name is another one's."""
    code, of_shop, _ = look("runs", "list", "shop", "--json")
    _, of_stream, _ = look("runs", "list", "shop/orders", "--json")

    assert code == 0
    assert set(of_stream.splitlines()) <= set(of_shop.splitlines())
    assert '"integration":"shop"' in of_shop


def test_what_the_files_have_no_more_is_still_known(tmp_path, capsys):
    """By what is stored of it, and by its name where its file has errors."""
    read_shop(tmp_path)
    capsys.readouterr()
    path = tmp_path / "config" / "integrations" / "shop.yaml"
    (tmp_path / "config" / "integrations" / "broken.yaml").write_text(
        "integration: broken\nhttp: 1"
    )
    path.unlink()

    assert execute(tmp_path, "quarantine", "list", "shop/orders") == 0
    assert execute(tmp_path, "runs", "list", "broken/any") == 0
    assert execute(tmp_path, "events", "list", "brokn") == 2
    assert capsys.readouterr() == (
        "",
        "integrationd: no integration 'brokn'; did you mean 'broken'?\n",
    )
