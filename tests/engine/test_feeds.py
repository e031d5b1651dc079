"""A list first and a feed afterwards: what the feed tells, and the way back to the list."""

import asyncio

import pytest

from integrationd.engine.preview import preview_stream
from integrationd.engine.replay import replay_stream
from integrationd.engine.sync import RunWish
from integrationd.errors import UnavailableError
from integrationd.model.runs import RunStatus, Trigger
from tests.support.drives import (
    CALL,
    CHANGES,
    DRIVE,
    FEED,
    LIST,
    START,
    TOKEN,
    changes,
    drive,
    files,
)
from tests.support.fakes import answer, script
from tests.support.worlds import plan_of, stage

pytestmark = pytest.mark.looptime(start=0)


async def test_feed_begins_before_the_list_and_goes_on_from_its_own_cursor():
    """Its token is had first; each later run asks the feed alone, and removals go."""
    provider, used_up = script(
        (START, answer({"token": "t0"})),
        (LIST, files("a", "b", then="2")),
        (f"{LIST}?page=2", files("c")),
        (f"{FEED}?since=t0", changes(("a", 2), ("b", None), then="2")),
        (f"{FEED}?since=t0&page=2", changes(("d", 1), token="t1")),
        (f"{FEED}?since=t1", changes(token="t1")),
    )
    plan = drive()
    async with stage(provider) as on:
        first = await on.sync(plan)
        assert (first.status, await on.cursor(plan)) == (RunStatus.DONE, "t0")
        second = await on.sync(plan)
        third = await on.sync(plan)

        assert (second.counts.deleted, second.counts.changed, second.counts.added) == (1, 1, 1)
        assert await on.cursor(plan) == "t1"
        assert {name: row["v"] for name, row in (await on.rows(plan)).items()} == {
            "a": 2,
            "c": 1,
            "d": 1,
        }
        assert (third.error, [run.mode async for run in on.store.runs(plan.tenant)]) == (
            "",
            ["incremental", "incremental", "full"],
        )
    used_up()


async def test_token_outlives_a_list_that_broke_off():
    """The list is gone on with, and the feed begins where it was before its first page."""
    provider, used_up = script(
        (START, answer({"token": "t0"})),
        (LIST, files("a", then="2")),
        (f"{LIST}?page=2", UnavailableError("the line broke")),
        (LIST, files("a", then="2")),
        (f"{LIST}?page=2", files("b")),
        (f"{FEED}?since=t0", changes(("a", None), token="t1")),
    )
    plan = drive()
    async with stage(provider) as on:
        assert (await on.sync(plan)).status is RunStatus.FAILED
        assert await on.cursor(plan) is None
        await on.sync(plan)
        assert await on.cursor(plan) == "t0"
        await on.sync(plan)

        assert sorted(await on.rows(plan)) == ["b"]
    used_up()


@pytest.mark.parametrize(
    ("refusal", "rules"),
    [
        (answer({}, status=410), ""),
        (
            answer({"error": "sync_token_expired"}, status=400),
            "\n      errors: [{when: body.error == 'sync_token_expired', then: restart}]",
        ),
    ],
)
async def test_refused_cursor_leads_back_to_the_list(refusal, rules):
    """It is read in the same breath, what is gone goes, and the feed begins anew."""
    provider, used_up = script(
        (START, answer({"token": "t0"})),
        (LIST, files("a", "b")),
        (f"{FEED}?since=t0", refusal),
        (START, answer({"token": "t9"})),
        (LIST, files("b", "c")),
        (f"{FEED}?since=t9", changes(token="t9")),
    )
    plan = drive(feed=CHANGES + CALL + rules)
    async with stage(provider) as on:
        await on.sync(plan)
        outcome = await on.sync(plan)
        assert (outcome.status, outcome.counts.deleted) == (RunStatus.DONE, 1)
        assert await on.cursor(plan) == "t9"
        await on.sync(plan)

        assert sorted(await on.rows(plan)) == ["b", "c"]
    used_up()


async def test_list_after_a_refusal_has_to_be_read_in_one_go():
    """One that was resumed cannot tell what is gone; the feed waits for a whole one."""
    broken = UnavailableError("the line broke")
    provider, used_up = script(
        (START, answer({"token": "t0"})),
        (LIST, files("a", "b", "c")),
        (f"{FEED}?since=t0", answer({}, status=410)),
        (START, answer({"token": "t5"})),
        (LIST, files("b", then="2")),
        (f"{LIST}?page=2", broken),
        (LIST, files("b", then="2")),
        (f"{LIST}?page=2", files("c")),
        (START, answer({"token": "t6"})),
        (LIST, files("b", then="2")),
        (f"{LIST}?page=2", files("c")),
        (f"{FEED}?since=t6", changes(token="t7")),
    )
    plan = drive()
    async with stage(provider) as on:
        await on.sync(plan)
        assert (await on.sync(plan)).status is RunStatus.FAILED
        await on.sync(plan)
        assert (await on.cursor(plan), sorted(await on.rows(plan))) == (None, ["a", "b", "c"])
        await on.sync(plan)
        assert (await on.cursor(plan), sorted(await on.rows(plan))) == ("t6", ["b", "c"])
        await on.sync(plan)
    used_up()


async def test_list_that_is_read_meanwhile_leaves_a_good_cursor_alone():
    """What changed since then comes by the feed, with what the list could not show."""
    provider, used_up = script(
        (START, answer({"token": "t0"})),
        (LIST, files("a", "b")),
        (START, answer({"token": "t8"})),
        (LIST, files("a")),
        (f"{FEED}?since=t0", changes(("b", None), ("c", 1), token="t9")),
    )
    plan = drive()
    async with stage(provider) as on:
        await on.sync(plan)
        full = await on.sync(plan, full=True)
        assert (full.counts.deleted, await on.cursor(plan)) == (1, "t0")
        await on.sync(plan)

        assert sorted(await on.rows(plan)) == ["a", "c"]
    used_up()


async def test_feed_that_forgets_is_not_asked_with_an_old_cursor():
    """What it no longer has would be lost: the list is read again."""
    provider, used_up = script(
        (LIST, files("a", "b")),
        (f"{FEED}?since=2026-01-01T00%3A00%3A00Z", changes()),
        (LIST, files("b")),
        (f"{FEED}?since=2026-01-03T00%3A00%3A10Z", changes()),
    )
    plan = drive(rule="field: at, into: query.since", feed=CHANGES + "from: now\n      keeps: 1d")
    async with stage(provider) as on:
        await on.sync(plan)
        await on.sync(plan)
        await asyncio.sleep(2 * 86400 + 10)
        outcome = await on.sync(plan)
        assert (outcome.counts.deleted, sorted(await on.rows(plan))) == (1, ["b"])
        await on.sync(plan)
    used_up()


async def test_refused_cursor_is_forgotten_before_anything_else():
    """A process that dies just then has another one read the list at once."""
    provider, used_up = script(
        (START, answer({"token": "t0"})),
        (LIST, files("a", "b")),
        (f"{FEED}?since=t0", answer({}, status=410)),
        (START, UnavailableError("the line broke")),
        (START, answer({"token": "t3"})),
        (LIST, files("b")),
    )
    plan = drive()
    async with stage(provider) as on:
        await on.sync(plan)
        await on.sync(plan)
        assert await on.cursor(plan) is None
        outcome = await on.sync(plan)

        assert (outcome.counts.deleted, await on.cursor(plan)) == (1, "t3")
    used_up()


async def test_preview_of_a_refused_cursor_tells_where_the_feed_would_go_on():
    """The list is read as the run would read it, and its beginning becomes the cursor."""
    provider, used_up = script(
        (START, answer({"token": "t0"})),
        (LIST, files("a", "b")),
        (f"{FEED}?since=t0", answer({}, status=410)),
        (START, answer({"token": "t3"})),
        (LIST, files("b")),
    )
    plan = drive()
    async with stage(provider) as on:
        await on.sync(plan)
        wish = RunWish(trigger=Trigger.MANUAL)
        lines = preview_stream(on.world, plan, wish, settings=on.settings, budget=None)
        told = [line async for line in lines]

        assert [line["event"] for line in told] == ["deleted", "finished"]
        assert told[-1]["cursor"] == {"before": "t0", "after": "t3"}
        assert await on.cursor(plan) == "t0"
    used_up()


async def test_set_aside_change_is_never_mapped_as_a_record():
    """A replay leaves it where it is: what it holds is no record of the list."""
    rows = [{"fileId": None, "id": "z", "v": 7}]
    provider, used_up = script(
        (START, answer({"token": "t0"})),
        (LIST, files("a")),
        (f"{FEED}?since=t0", answer({"changes": rows, "token": "t1"})),
    )
    plan = drive()
    async with stage(provider) as on:
        await on.sync(plan)
        await on.sync(plan)
        outcome = await replay_stream(on.world, plan)

        assert (outcome.status, outcome.counts.added) == (RunStatus.DONE, 0)
        assert sorted(await on.rows(plan)) == ["a"]
    used_up()


async def test_feed_by_field_may_be_too_old_as_well():
    """410 leads back to the list, whatever the cursor is made of."""
    provider, used_up = script(
        (LIST, files("a", "b")),
        (f"{FEED}?since=2026-01-01T00%3A00%3A00Z", answer({}, status=410)),
        (LIST, files("b")),
    )
    plan = drive(rule="field: at, into: query.since", feed=CHANGES + "from: now")
    async with stage(provider) as on:
        await on.sync(plan)
        outcome = await on.sync(plan)

        assert (outcome.status, sorted(await on.rows(plan))) == (RunStatus.DONE, ["b"])
    used_up()


async def test_list_by_places_that_broke_off_is_read_again():
    """Rows may have moved past the place where it went on, and no feed tells of these."""
    provider, used_up = script(
        (START, answer({"token": "t0"})),
        (f"{LIST}?page=1", files("a", "b")),
        (f"{LIST}?page=2", UnavailableError("the line broke")),
        (f"{LIST}?page=1", files("c")),
        (f"{LIST}?page=2", files()),
        (START, answer({"token": "t1"})),
        (f"{LIST}?page=1", files("b", "c")),
        (f"{LIST}?page=2", files()),
        (f"{FEED}?since=t1", changes(token="t2")),
    )
    feed = CHANGES + CALL + "\n      paginate: none"
    paging = "    paginate: {type: page, into: query.page}\n    get: /files"
    spec = DRIVE.replace("    get: /files", paging)
    plan = plan_of(spec % (TOKEN, feed), "files")
    async with stage(provider) as on:
        for _ in range(2):
            await on.sync(plan)
            assert await on.cursor(plan) is None
        await on.sync(plan)
        assert (await on.cursor(plan), sorted(await on.rows(plan))) == ("t1", ["b", "c"])
        await on.sync(plan)
    used_up()


async def test_first_list_that_begins_twice_and_breaks_off_is_read_once_more():
    """What the first beginning stored and went before the second one is in no feed."""
    again = (
        (START, answer({"token": "t5"})),
        (LIST, files("b", then="2")),
    )
    provider, used_up = script(
        (START, answer({"token": "t0"})),
        (LIST, files("a", "b", then="2")),
        (f"{LIST}?page=2", answer({}, status=400)),
        *again,
        (f"{LIST}?page=2", UnavailableError("the line broke")),
        (LIST, files("b", then="2")),
        (f"{LIST}?page=2", files("c")),
        *again,
        (f"{LIST}?page=2", files("c")),
        (f"{FEED}?since=t5", changes(token="t6")),
    )
    plan = drive()
    async with stage(provider) as on:
        for _ in range(3):
            await on.sync(plan)
        assert await on.cursor(plan) is None
        await on.sync(plan)
        assert sorted(await on.rows(plan)) == ["b", "c"]
        await on.sync(plan)
        assert await on.cursor(plan) == "t6"
    used_up()
