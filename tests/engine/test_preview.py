"""A preview tells exactly what the reading would do, and leaves no trace."""

import random
from dataclasses import replace

import pytest
from sqlalchemy import select

from integrationd.engine.preview import preview_stream
from integrationd.engine.rehearsal import differences
from integrationd.engine.sync import RunWish
from integrationd.model.runs import COUNT_NAMES, Trigger
from integrationd.signals import CallAnswered, RunFinished, RunStarted
from integrationd.spec.settings import DeletionGuard
from integrationd.store import tables
from tests.support.fakes import answer, script
from tests.support.worlds import Stage, plan_of, stage

pytestmark = pytest.mark.looptime(start=0)

SHOP = """\
integration: shop
http:
  base_url: https://api.test
  paginate: {type: cursor, next: body.next, into: query.after}
  retries: 0
streams:
  orders:
    get: /orders
    records: body.data
    key: id
    deleted: gone
    where: "state != 'draft'"
    mapping: shop.order
    incremental: {field: at, into: query.since, type: number}
"""
MAPPING = """\
mapping: shop.order
fields: {name: name, total: {path: total, type: integer}}
required: [name]
"""
URL = "GET https://api.test/orders"


def plan():
    """Compile the stream."""
    return plan_of(SHOP, "orders", mapping=MAPPING)


async def preview(on: Stage, *, full=False):
    """Collect the lines of a preview."""
    wish = RunWish(trigger=Trigger.MANUAL, full=full)
    lines = preview_stream(on.world, plan(), wish, settings=on.settings, budget=None)
    return [line async for line in lines]


async def dump(on: Stage):
    """Return every row of every table."""
    engine = on.store._parts.readers.engine
    with engine.connect() as conn:
        return {
            table.name: sorted(map(repr, conn.execute(select(table))))
            for table in tables.METADATA.sorted_tables
        }


def page(*rows, following=None):
    """Answer a page."""
    return answer({"data": list(rows), "next": following})


def row(number, at=1, **facts):
    """Build a record."""
    return {"id": number, "at": at, "name": f"n{number}", "total": 1, **facts}


async def test_every_kind_of_change_is_told():
    """Added, changed field by field, deleted by the source, filtered, quarantined, and swept."""
    first = page(row(1), row(2), row(3), row(4), row(5), row(6))
    second = page(
        row(1), row(2, at=7, total="2"), row(3, gone=True), row(4, state="draft"), row(5, name=None)
    )
    provider, used_up = script((URL, first), (URL, second), (URL, second))
    async with stage(provider) as on:
        on.settings = replace(on.settings, deletions=DeletionGuard(percent=50, rows=5))
        await on.sync(plan())
        before = await dump(on)
        told = await preview(on, full=True)
        assert await dump(on) == before
        outcome = await on.sync(plan(), full=True)

    end = told.pop()
    assert told == [
        {"event": "changed", "external_id": "2", "fields": {"total": {"old": 1, "new": 2}}},
        {"event": "deleted", "external_id": "3", "reason": "source"},
        {"event": "deleted", "external_id": "4", "reason": "filtered"},
        {
            "event": "quarantined",
            "external_id": "5",
            "code": "required",
            "field": "name",
            "reason": "field 'name' is required and null",
        },
        {"event": "deleted", "external_id": "6", "reason": "swept"},
    ]
    counts = {name: getattr(outcome.counts, name) for name in COUNT_NAMES}
    assert end == {
        "event": "finished",
        "integration": "shop",
        "stream": "orders",
        "status": "done",
        "error": "",
        "kind": "",
        "mode": "full",
        "counts": counts,
        "held": 0,
        "cursor": {"before": 1, "after": 7},
    }
    used_up()


async def test_new_records_are_told_whole():
    """As they would be stored; the cursor begins."""
    provider, _ = script((URL, page(row(1, at=5))))
    async with stage(provider) as on:
        added, end = await preview(on)

    assert added == {"event": "added", "external_id": "1", "data": {"name": "n1", "total": 1}}
    assert end["cursor"] == {"before": None, "after": 5}


async def test_preview_says_nothing_of_runs():
    """There is none: neither log lines nor metrics count it; its calls are calls."""
    provider, _ = script((URL, page(row(1))))
    async with stage(provider) as on:
        await preview(on)

        assert on.ear.of(RunStarted) == on.ear.of(RunFinished) == []
        assert len(on.ear.of(CallAnswered)) == 1


async def test_reading_that_fails_tells_what_came_before():
    """And how it ended; what was not read is not taken for deleted."""
    provider, used_up = script(
        (URL, page(row(1), row(2))),
        (URL, page(row(1, total=9), following="a")),
        (f"{URL}?after=a", answer({}, status=403)),
    )
    async with stage(provider) as on:
        await on.sync(plan())
        before = await dump(on)
        changed, end = await preview(on, full=True)
        assert await dump(on) == before

    assert changed["external_id"] == "1"
    assert (end["status"], end["kind"], end["counts"]["deleted"]) == ("failed", "auth", 0)
    assert end["cursor"] == {"before": 1, "after": 1}
    used_up()


async def test_deletion_above_the_guard_is_told_as_held():
    """None of them is told as deleted, as none would be."""
    rows = [row(number) for number in range(100)]
    provider, _ = script((URL, page(*rows)), (URL, page(row(1))))
    async with stage(provider) as on:
        await on.sync(plan())
        (end,) = await preview(on, full=True)

    assert (end["held"], end["counts"]["deleted"], end["counts"]["held"]) == (99, 0, 99)


async def test_tombstone_that_comes_back_is_told_as_added():
    """As the run would count it."""
    provider, _ = script(
        (URL, page(row(1))),
        (f"{URL}?since=1", page(row(1, gone=True))),
        (f"{URL}?since=1", page(row(1))),
    )
    async with stage(provider) as on:
        await on.sync(plan())
        await on.sync(plan())
        added, _ = await preview(on)

    assert (added["event"], added["external_id"]) == ("added", "1")


async def test_reader_that_goes_away_ends_the_reading():
    """Nothing goes on asking the provider for nobody."""
    provider, _ = script((URL, page(row(1), row(2), following="a")))
    async with stage(provider) as on:
        wish = RunWish(trigger=Trigger.MANUAL)
        lines = preview_stream(on.world, plan(), wish, settings=on.settings, budget=None)
        first = await anext(lines)
        await lines.aclose()

    assert first["external_id"] == "1"


@pytest.mark.parametrize("seed", range(40))
async def test_what_is_told_is_what_happens(seed):
    """For any two states of a provider: the preview's lines and counts are the run's own."""
    dice = random.Random(seed)
    states = [[_random_row(dice, number) for number in dice.sample(range(12), 8)] for _ in range(2)]
    pages = [[rows[:3], rows[3:6], rows[6:]] for rows in states]
    answers = [
        (url, page(*some, following=token))
        for rows in (pages[0], pages[1], pages[1])
        for url, some, token in zip(
            (URL, f"{URL}?after=a", f"{URL}?after=b"), rows, ("a", "b", None), strict=True
        )
    ]
    provider, used_up = script(*answers)
    async with stage(provider) as on:
        await on.sync(plan())
        old = await on.rows(plan())
        *told, end = await preview(on, full=True)
        outcome = await on.sync(plan(), full=True)
        new = await on.rows(plan())

    expected = dict(old)
    for line in told:
        match line["event"]:
            case "added":
                expected[line["external_id"]] = line["data"]
            case "changed":
                changes = {name: sides["new"] for name, sides in line["fields"].items()}
                expected[line["external_id"]] = {**expected[line["external_id"]], **changes}
            case "deleted":
                del expected[line["external_id"]]
    assert expected == new
    assert end["counts"] == {name: getattr(outcome.counts, name) for name in COUNT_NAMES}
    used_up()


def _random_row(dice, number):
    facts = dice.choice([{}, {"total": 2}, {"gone": True}, {"state": "draft"}, {"name": None}])
    return row(number, at=dice.randrange(5), **facts)


@pytest.mark.parametrize(
    ("old", "new", "fields"),
    [
        ({"a": 1}, {"a": 1}, {}),
        ({"a": 1}, {"a": 1.0}, {"a": {"old": 1, "new": 1.0}}),
        ({"a": 1}, {"a": True}, {"a": {"old": 1, "new": True}}),
        ({"a": 1}, {"b": None}, {"a": {"old": 1}, "b": {"new": None}}),
        ({"a": {"x": 1, "y": 2}}, {"a": {"y": 2, "x": 1}}, {}),
        ([1], [2], {"": {"old": [1], "new": [2]}}),
    ],
)
def test_differences_are_told_field_by_field(old, new, fields):
    """A missing side is missing, not null; the order of an object's names is none."""
    assert differences(old, new) == fields
