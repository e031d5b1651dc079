"""``quarantine`` on real files over a real store, and over the daemon's socket."""

import asyncio
import json
from collections.abc import Iterator

import pytest

from integrationd.cli.remote import RemoteActions
from integrationd.errors import UsageError
from integrationd.ports.actions import QuarantineWish
from integrationd.web.control import build_control
from integrationd.web.listener import listening_on_socket
from tests.support.shops import configure, execute, serving

SHOP = """\
integration: shop
http: {base_url: "http://127.0.0.1:%d", paginate: {type: none}, retries: 0}
streams:
  orders: {get: /orders, records: body, key: id, mapping: shop.order}
"""
MAPPING = "mapping: shop.order\nfields: {total: {path: total, type: integer}}\n"
BODY = b'[{"id": 1, "total": 5}, {"id": 2, "total": "5,0"}, {"total": 7}]'
REASON = "field 'total': expected a whole number"


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """Serve the shop; gives its port."""
    with serving({"/orders": BODY}) as number:
        yield number


@pytest.fixture
def run(tmp_path, port, capsys):
    """Return what runs a command where one good and two bad records were read."""
    configure(tmp_path, **{"shop": SHOP % port, "shop.order": MAPPING})
    assert execute(tmp_path, "sync", "shop") == 0
    capsys.readouterr()
    return lambda *words: (execute(tmp_path, *words), *capsys.readouterr())


def soften(tmp_path):
    """Change the mapping so that any total will do."""
    path = tmp_path / "config" / "integrations" / "shop.order.yaml"
    path.write_text(MAPPING.replace("integer", "text"))


def test_what_waits_is_listed_with_its_reason(run):
    """Each with id, key or digest, code, field and reason; the record itself is not shown."""
    code, out, _ = run("quarantine", "list", "shop/orders")

    keyed, other = map(json.loads, out.splitlines())
    assert code == 0
    assert (keyed["id"], keyed["external_id"], keyed["code"], keyed["field"], keyed["reason"]) == (
        *(1, "2", "type", "total", REASON),
    )
    assert (other["external_id"], other["fingerprint"][:1], other["code"]) == (None, "#", "key")
    assert "source" not in keyed
    assert keyed["first_at"] == keyed["last_at"]


def test_list_takes_a_name_ids_and_a_limit(run):
    """What is not named is left out."""
    assert len(run("quarantine", "list", "--limit", "1")[1].splitlines()) == 1
    assert json.loads(run("quarantine", "list", "shop", "--id", "2")[1])["id"] == 2
    assert run("quarantine", "list", "--format", "csv")[1].startswith("id,integration,stream,")


def test_record_is_shown_as_it_came(run):
    """With ``--json`` in one line."""
    shown = json.loads(run("quarantine", "show", "--id", "1")[1])

    assert shown["source"] == {"id": 2, "total": "5,0"}
    assert json.loads(run("quarantine", "show", "--id", "1", "--json")[1]) == shown
    assert run("quarantine", "show", "--id", "9")[::2] == (
        2,
        "integrationd: nothing waits under some of these ids; see: integrationd quarantine list\n",
    )


def test_replay_stores_what_can_be_mapped_by_now(run, tmp_path):
    """Before the mapping is mended nothing moves; after that one record is stored."""
    before = run("quarantine", "replay", "shop")
    soften(tmp_path)
    after = run("quarantine", "replay", "shop/orders", "--id", "1")
    rows = run("records", "shop/orders")[1].splitlines()

    assert before[:2] == (0, "shop/orders: done, 2 still wait\n")
    assert after[:2] == (0, "shop/orders: done, 1 added, 0 still wait\n")
    assert [json.loads(row)["external_id"] for row in rows] == ["1", "2"]
    assert [json.loads(row)["id"] for row in run("quarantine", "list")[1].splitlines()] == [2]
    newest = json.loads(run("runs", "list")[1].splitlines()[0])
    assert (newest["trigger"], newest["mode"], newest["counts"]["added"]) == ("replay", "replay", 1)


def test_replay_can_be_undone(run, tmp_path):
    """It is a run like any other that writes."""
    soften(tmp_path)
    told = json.loads(run("quarantine", "replay", "shop", "--json")[1])

    assert run("runs", "revert", told["run"])[0] == 0
    living = run("records", "shop/orders", "--living")[1].splitlines()
    assert [json.loads(row)["external_id"] for row in living] == ["1"]


def test_dropping_needs_a_name_and_says_how_many(run):
    """Nothing named is nothing dropped."""
    assert run("quarantine", "drop") == (
        *(2, ""),
        "integrationd: nothing is named; give NAME, NAME/STREAM or --id\n",
    )
    assert run("quarantine", "drop", "--id", "1")[:2] == (0, "1 dropped\n")
    assert json.loads(run("quarantine", "drop", "shop", "--json")[1]) == {"dropped": 1}
    assert run("quarantine", "list")[1] == ""


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("replay", "shp"), "no integration 'shp'; did you mean 'shop'?"),
        (
            ("replay", "shop/order"),
            "integration 'shop' has no stream 'order'; did you mean 'orders'?",
        ),
        (("drop", "shp"), "no integration 'shp'; did you mean 'shop'?"),
        (
            ("list", "shop/order"),
            "integration 'shop' has no stream 'order'; did you mean 'orders'?",
        ),
        (("replay", "--id", "9"), "nothing waits under 9; see: integrationd quarantine list"),
        (("drop", "--id", "9"), "nothing waits under 9; see: integrationd quarantine list"),
    ],
)
def test_unknown_names_and_ids_exit_2(run, words, message):
    """The nearest name is told."""
    assert run("quarantine", *words) == (2, "", f"integrationd: {message}\n")


class Scripted:
    """Actions that only take wishes."""

    secrets = None
    calls = None

    def __init__(self):
        self.wishes = []

    async def replay(self, wish):
        self.wishes.append(wish)
        yield {"event": "finished", "stream": "orders"}

    async def drop(self, wish):
        self.wishes.append(wish)
        if wish.ids == (9,):
            raise UsageError("nothing waits under 9")
        return {"dropped": 2}


async def test_wishes_arrive_over_the_socket(tmp_path):
    """What is meant goes through as it was said, and what is refused comes back."""
    actions, path = Scripted(), tmp_path / "control.sock"
    wish = QuarantineWish(integration="shop", stream="orders", ids=(1, 2))

    async def ask(remote):
        lines = [line async for line in remote.replay(wish)]
        dropped = await remote.drop(QuarantineWish(integration="shop"))
        with pytest.raises(UsageError) as caught:
            await remote.drop(QuarantineWish(ids=(9,)))
        return lines, dropped, str(caught.value)

    async with listening_on_socket(build_control(actions), str(path)):
        heard = await asyncio.to_thread(lambda: asyncio.run(ask(RemoteActions(path))))

    assert heard == (
        [{"event": "finished", "stream": "orders"}],
        {"dropped": 2},
        "nothing waits under 9",
    )
    assert actions.wishes[:2] == [wish, QuarantineWish(integration="shop")]
