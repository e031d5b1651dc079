"""A run of one stream: what is asked, stored, resumed, swept and told."""

from datetime import timedelta

import pytest

from integrationd.engine.sync import Declined, RunWish, sync_stream
from integrationd.errors import UnavailableError
from integrationd.model.runs import RunStatus, Trigger
from integrationd.signals import CallRetried, DeletionHeld, PageCommitted, RunFinished
from tests.support.fakes import answer, script
from tests.support.worlds import plan_of, stage

pytestmark = pytest.mark.looptime(start=0)

SHOP = """\
integration: shop
http:
  base_url: https://api.test/v1
  paginate: {type: cursor, next: body.next, into: query.after}
streams:
  orders: {get: /orders, records: body.data, key: id}
"""
URL = "GET https://api.test/v1/orders"


async def test_every_page_is_read_and_stored():
    """Two pages become their records, and the walk ends where no token comes."""
    provider, used_up = script(
        (URL, answer({"data": [{"id": 1}, {"id": 2}], "next": "a"})),
        (f"{URL}?after=a", answer({"data": [{"id": 3}], "next": None})),
    )
    async with stage(provider) as on:
        outcome = await on.sync(plan := plan_of(SHOP, "orders"))
        rows = await on.rows(plan)

    assert (outcome.status, outcome.counts.read, outcome.counts.added) == (RunStatus.DONE, 3, 3)
    assert rows == {"1": {"id": 1}, "2": {"id": 2}, "3": {"id": 3}}
    assert outcome.counts.pages == 2
    used_up()


async def test_unchanged_records_are_counted_and_not_rewritten():
    """A second reading of the same records adds and changes nothing."""
    page = answer({"data": [{"id": 1}, {"id": 2}], "next": None})
    provider, _ = script((URL, page), (URL, page))
    async with stage(provider) as on:
        plan = plan_of(SHOP, "orders")
        await on.sync(plan)
        outcome = await on.sync(plan)

    counts = outcome.counts
    assert (counts.added, counts.changed, counts.unchanged, counts.deleted) == (0, 0, 2, 0)


async def test_records_that_are_gone_become_tombstones():
    """After a complete full reading, what was not in it is deleted."""
    provider, _ = script(
        (URL, answer({"data": [{"id": 1}, {"id": 2}], "next": None})),
        (URL, answer({"data": [{"id": 2}], "next": None})),
    )
    async with stage(provider) as on:
        plan = plan_of(SHOP, "orders")
        await on.sync(plan)
        outcome = await on.sync(plan)
        rows = await on.rows(plan)

    assert outcome.counts.deleted == 1
    assert rows == {"2": {"id": 2}}


async def test_large_deletion_is_held_until_a_person_agrees():
    """Above the guard nothing is deleted, the run says so, and a confirmed run deletes."""
    many = answer({"data": [{"id": i} for i in range(100)], "next": None})
    few = answer({"data": [{"id": i} for i in range(40)], "next": None})
    provider, _ = script((URL, many), (URL, few), (URL, few))
    async with stage(provider) as on:
        plan = plan_of(SHOP, "orders")
        await on.sync(plan)
        held = await on.sync(plan)
        kept = await on.rows(plan)
        confirmed = await on.sync(plan, confirmed=True)
        rows = await on.rows(plan)

    assert (held.counts.held, held.counts.deleted, len(kept)) == (60, 0, 100)
    assert [signal.missing for signal in on.ear.of(DeletionHeld)] == [60]
    assert (confirmed.counts.deleted, len(rows)) == (60, 40)


async def test_failed_reading_deletes_nothing_and_is_resumed_one_page_back():
    """A run that broke off goes on at its last page, and the resumed one never sweeps."""
    first = answer({"data": [{"id": 1}], "next": "a"})
    second = answer({"data": [{"id": 2}], "next": "b"})
    last = answer({"data": [{"id": 3}], "next": None})
    down = answer({}, status=503)
    provider, used_up = script(
        (URL, answer({"data": [{"id": 9}], "next": None})),
        (URL, first),
        (f"{URL}?after=a", second),
        *[(f"{URL}?after=b", down)] * 4,
        (f"{URL}?after=a", second),
        (f"{URL}?after=b", last),
    )
    async with stage(provider) as on:
        plan = plan_of(SHOP, "orders")
        await on.sync(plan)
        failed = await on.sync(plan)
        resumed = await on.sync(plan)
        rows = await on.rows(plan)

    assert failed.status is RunStatus.FAILED
    assert failed.error == "GET /v1/orders answered 503 after 4 tries"
    assert (resumed.status, resumed.counts.deleted) == (RunStatus.DONE, 0)
    assert sorted(rows) == ["1", "2", "3", "9"]
    assert len(on.ear.of(CallRetried)) == 3
    used_up()


async def test_refused_page_is_begun_anew_next_time():
    """After a permanent failure the stored page token is dropped: it may be what was refused."""
    provider, used_up = script(
        (URL, answer({"data": [{"id": 1}], "next": "a"})),
        (f"{URL}?after=a", answer({}, status=400)),
        (URL, answer({"data": [{"id": 1}], "next": None})),
    )
    async with stage(provider) as on:
        plan = plan_of(SHOP, "orders")
        failed = await on.sync(plan)
        again = await on.sync(plan)

    assert failed.error == "GET /v1/orders answered 400"
    assert again.status is RunStatus.DONE
    used_up()


async def test_page_is_kept_when_the_next_one_fails():
    """Pages committed before a failure stay, whole."""
    provider, _ = script(
        (URL, answer({"data": [{"id": 1}, {"id": 2}], "next": "a"})),
        (f"{URL}?after=a", answer({"data": None, "next": None})),
    )
    async with stage(provider) as on:
        plan = plan_of(SHOP, "orders")
        failed = await on.sync(plan)
        rows = await on.rows(plan)

    assert failed.error == (
        "records: body.data found nothing, expected a list; write 'body.data || `[]`' "
        "where that is normal"
    )
    assert sorted(rows) == ["1", "2"]


CURSOR = SHOP.replace(
    "key: id}", "key: id, incremental: {field: at, into: query.since, type: number}}"
)


async def test_cursor_moves_only_when_a_reading_is_complete():
    """The first reading sends no bound, a broken one leaves the cursor, a complete one moves it."""
    provider, used_up = script(
        (URL, answer({"data": [{"id": 1, "at": 5}], "next": "a"})),
        (f"{URL}?after=a", answer({}, status=400)),
        (URL, answer({"data": [{"id": 1, "at": 5}, {"id": 2, "at": 3}], "next": None})),
        (f"{URL}?since=5", answer({"data": [], "next": None})),
        (f"{URL}?since=5", answer({"data": [{"id": 3, "at": 9}], "next": None})),
    )
    async with stage(provider) as on:
        plan = plan_of(CURSOR, "orders")
        await on.sync(plan)
        after_failure = await on.cursor(plan)
        await on.sync(plan)
        await on.sync(plan)
        after_empty = await on.cursor(plan)
        await on.sync(plan)
        rows = await on.rows(plan)

        assert (after_failure, after_empty, await on.cursor(plan)) == (None, 5, 9)
    assert sorted(rows) == ["1", "2", "3"]
    used_up()


async def test_sorted_provider_moves_the_cursor_page_by_page():
    """Where the provider sorts, a walk that breaks off goes on from the last page's value."""
    spec = CURSOR.replace("type: number}", "type: number, sorted: true}")
    provider, used_up = script(
        (URL, answer({"data": [{"id": 1, "at": 1}, {"id": 2, "at": 2}], "next": "a"})),
        (f"{URL}?after=a", answer({}, status=400)),
        (f"{URL}?since=2", answer({"data": [{"id": 3, "at": 2}], "next": None})),
    )
    async with stage(provider) as on:
        plan = plan_of(spec, "orders")
        await on.sync(plan)
        await on.sync(plan)
        rows = await on.rows(plan)

    assert sorted(rows) == ["1", "2", "3"]
    used_up()


async def test_provider_that_lies_about_its_order_loses_nothing():
    """When a page falls behind the one before, the cursor goes back to where the run began."""
    spec = CURSOR.replace("type: number}", "type: number, sorted: true}")
    provider, used_up = script(
        (URL, answer({"data": [{"id": 1, "at": 9}], "next": "a"})),
        (f"{URL}?after=a", answer({"data": [{"id": 2, "at": 4}], "next": "b"})),
        (f"{URL}?after=b", answer({}, status=400)),
        (URL, answer({"data": [{"id": i, "at": i + 3} for i in (1, 2, 3)], "next": None})),
    )
    async with stage(provider) as on:
        plan = plan_of(spec, "orders")
        await on.sync(plan)
        await on.sync(plan)
        rows = await on.rows(plan)

    assert sorted(rows) == ["1", "2", "3"]
    used_up()


async def test_changed_spec_begins_anew():
    """A spec whose reading changed forgets the cursor that belongs to the old one."""
    provider, used_up = script(
        (URL, answer({"data": [{"id": 1, "at": 5}], "next": None})),
        (f"{URL}?all=1", answer({"data": [{"id": 1, "at": 5}], "next": None})),
    )
    changed = CURSOR.replace("get: /orders,", "get: /orders, query: {all: 1},")
    async with stage(provider) as on:
        await on.sync(plan_of(CURSOR, "orders"))
        outcome = await on.sync(plan_of(changed, "orders"))

    assert outcome.status is RunStatus.DONE
    used_up()


async def test_bad_record_is_set_aside_and_the_others_go_on():
    """A record without a key waits in quarantine, and such a reading does not sweep."""
    provider, _ = script(
        (URL, answer({"data": [{"id": 1}, {"id": 7}], "next": None})),
        (URL, answer({"data": [{"id": 1}, {"name": "no key"}], "next": None})),
    )
    async with stage(provider) as on:
        plan = plan_of(SHOP, "orders")
        await on.sync(plan)
        outcome = await on.sync(plan)
        waiting = [row.reason async for row in on.store.quarantine(plan.tenant)]

    assert (outcome.status, outcome.counts.quarantined) == (RunStatus.DONE, 1)
    assert outcome.counts.deleted == 0
    assert waiting == ["key: found nothing, expected text, a whole number or true or false"]


async def test_retry_after_is_waited_out(looptime):
    """A 429 with Retry-After is tried again after that long, and counted."""
    provider, used_up = script(
        (URL, answer({}, status=429, retry_after="7")),
        (URL, answer({"data": [], "next": None})),
    )
    async with stage(provider) as on:
        outcome = await on.sync(plan_of(SHOP, "orders"))

    assert outcome.status is RunStatus.DONE
    assert outcome.counts.retries == 1
    assert outcome.counts.waited_ms >= 7000
    assert looptime >= 7
    used_up()


async def test_broken_line_is_tried_again():
    """No answer at all is a passing failure."""
    provider, _ = script(
        (URL, UnavailableError("api.test: the line broke")),
        (URL, answer({"data": [{"id": 1}], "next": None})),
    )
    async with stage(provider) as on:
        outcome = await on.sync(plan_of(SHOP, "orders"))

    assert outcome.status is RunStatus.DONE
    assert [signal.reason for signal in on.ear.of(CallRetried)] == ["api.test: the line broke"]


async def test_repeated_token_ends_the_run_with_a_named_error():
    """A provider that repeats its token is an error, not a loop."""
    page = answer({"data": [{"id": 1}], "next": "a"})
    provider, _ = script((URL, page), (f"{URL}?after=a", answer({"data": [], "next": "a"})))
    async with stage(provider) as on:
        outcome = await on.sync(plan_of(SHOP, "orders"))

    assert outcome.status is RunStatus.FAILED
    assert outcome.error == (
        "page token after='a' was returned twice in a row; "
        "set 'stop_when' if this API repeats its last token"
    )


async def test_missing_secret_fails_the_run_and_names_it():
    """A run without its secret fails before anything is asked."""
    spec = SHOP.replace(
        "  paginate",
        '  auth: {type: bearer, token: "{{ secrets.token }}"}\n  paginate',
    ).replace("http:", "secrets: {token: {env: INTEGRATIOND_SECRET_X}}\nhttp:")
    provider, used_up = script()
    async with stage(provider) as on:
        outcome = await on.sync(plan_of(spec, "orders"))

    assert (outcome.status, outcome.error) == (
        RunStatus.FAILED,
        "integration shop needs secret 'token'",
    )
    used_up()


async def test_one_reading_of_a_stream_at_a_time():
    """While somebody holds the stream, nobody else reads it."""
    plan = plan_of(SHOP, "orders")
    provider, used_up = script()
    async with stage(provider) as on:
        now, ttl = on.world.clock.now(), timedelta(seconds=60)
        where = ("stream", "shop/orders")
        held = await on.store.claim(plan.tenant, *where, holder="other:boot", now=now, ttl=ttl)
        wish = RunWish(trigger=Trigger.MANUAL)
        outcome = await sync_stream(on.world, plan, wish, settings=on.settings, budget=None)

    assert held is not None
    assert outcome == Declined(None)
    used_up()


async def test_signals_tell_pages_and_the_end():
    """Each page and the end of the run are told once, with what they counted."""
    provider, _ = script((URL, answer({"data": [{"id": 1}], "next": None})))
    async with stage(provider) as on:
        outcome = await on.sync(plan_of(SHOP, "orders"))

    (page,) = on.ear.of(PageCommitted)
    (end,) = on.ear.of(RunFinished)
    assert (page.page, page.counts.added) == (1, 1)
    assert (end.run_id, end.status, end.counts.added) == (outcome.run_id, "done", 1)
