"""What changes of a feed are about: records that they hold, or that are asked for."""

import pytest

from integrationd.model.runs import RunStatus
from integrationd.ports.quarantine import QuarantineQuery
from tests.support.drives import (
    CALL,
    FEED,
    LIST,
    START,
    drive,
    files,
)
from tests.support.fakes import Provider, answer, script
from tests.support.worlds import stage

pytestmark = pytest.mark.looptime(start=0)


FETCHED = """\
key: fileId
      deleted: kind == 'gone'
      fetch: {get: "/files/{{ change.fileId }}", record: body.file}
      """


async def test_record_of_a_change_that_only_names_it_is_asked_for():
    """Once for each, the last change counting; one that is not there any more is gone."""
    told = [("a", "new"), ("b", "new"), ("c", "gone"), ("a", "new"), ("d", "new"), ("e", "new")]
    rows = [{"fileId": name, "kind": kind} for name, kind in [*told, ("e", "gone")]]
    asked = []
    served = {
        "/changes/start": {"token": "t0"},
        "/files": {"files": [{"id": name, "v": 1} for name in "abce"]},
        "/changes?since=t0": {"changes": rows, "token": "t1"},
        "/files/a": {"file": {"id": "a", "v": 2}},
        "/files/b": {"file": {"id": "b", "v": 2}},
    }

    def respond(line, _headers):
        path = line.removeprefix("GET https://api.test")
        asked.append(path)
        return answer(served[path]) if path in served else answer({}, status=404)

    plan = drive(feed=FETCHED + CALL)
    async with stage(Provider(respond)) as on:
        await on.sync(plan)
        outcome = await on.sync(plan)

        assert (outcome.status, outcome.error) == (RunStatus.DONE, "")
        assert sorted(asked[3:]) == ["/files/a", "/files/b", "/files/d"]
        assert {name: row["v"] for name, row in (await on.rows(plan)).items()} == {"a": 2, "b": 2}


async def test_record_that_cannot_be_had_fails_the_page():
    """The cursor stays, and the next run asks for it once more."""
    told = {"changes": [{"fileId": "a", "kind": "new"}], "token": "t1"}
    provider, used_up = script(
        (START, answer({"token": "t0"})),
        (LIST, files("a")),
        (f"{FEED}?since=t0", answer(told)),
        ("GET https://api.test/files/a", answer({}, status=500)),
        (f"{FEED}?since=t0", answer(told)),
        ("GET https://api.test/files/a", answer({"file": {"id": "a", "v": 2}})),
    )
    plan = drive(feed=FETCHED + CALL)
    async with stage(provider) as on:
        await on.sync(plan)
        assert (await on.sync(plan)).error == "GET /files/a answered 500"
        assert await on.cursor(plan) == "t0"
        await on.sync(plan)

        assert (await on.cursor(plan), (await on.rows(plan))["a"]["v"]) == ("t1", 2)
    used_up()


async def test_change_without_a_name_or_a_record_is_set_aside():
    """And stays there: it is no record of the list, so that mapping it again would invent one."""
    rows = [{"fileId": None, "id": 7}, {"fileId": "b", "file": None}]
    provider, used_up = script(
        (START, answer({"token": "t0"})),
        (LIST, files("a", "b")),
        (f"{FEED}?since=t0", answer({"changes": rows, "token": "t1"})),
    )
    plan = drive()
    async with stage(provider) as on:
        await on.sync(plan)
        outcome = await on.sync(plan)

        assert (outcome.counts.quarantined, await on.cursor(plan)) == (2, "t1")
        assert sorted(await on.rows(plan)) == ["a", "b"]
    used_up()


async def test_change_whose_record_is_skipped_is_set_aside():
    """Nobody tells of it again, so that it waits to be seen; the next good version clears it."""
    provider, used_up = script(
        (START, answer({"token": "t0"})),
        (LIST, files("a", "b")),
        (f"{FEED}?since=t0", answer({"changes": [{"fileId": "a"}], "token": "t1"})),
        ("GET https://api.test/files/a", answer({}, status=403)),
        (f"{FEED}?since=t1", answer({"changes": [{"fileId": "a"}], "token": "t2"})),
        ("GET https://api.test/files/a", answer({"file": {"id": "a", "v": 3}})),
    )
    skips = """record: body.file, errors: [{when: "status == `403`", then: skip}]"""
    feed = FETCHED.replace("record: body.file", skips)
    plan = drive(feed=feed + CALL)
    async with stage(provider) as on:
        await on.sync(plan)
        outcome = await on.sync(plan)

        assert (outcome.status, outcome.counts.quarantined) == (RunStatus.DONE, 1)
        waiting = QuarantineQuery(integration="drive", stream="files")
        [row] = [row async for row in on.store.quarantine("default", waiting)]
        assert (row.fingerprint, row.reason) == (
            "a",
            "feed.fetch was skipped: GET /files/a answered 403",
        )
        assert (await on.rows(plan))["a"]["v"] == 1

        await on.sync(plan)
        assert (await on.rows(plan))["a"]["v"] == 3
        assert [row async for row in on.store.quarantine("default", waiting)] == []
    used_up()
