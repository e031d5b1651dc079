"""Streams whose provider makes a file first: create, poll, download, abort."""

import asyncio

import pytest

from integrationd.errors import UnavailableError
from integrationd.model.runs import RunStatus
from tests.support.fakes import answer, script
from tests.support.worlds import plan_of, stage

pytestmark = pytest.mark.looptime(start=0)

SPEC = """\
integration: shop
secrets: {token: {}}
http:
  base_url: https://api.test
  auth: {type: api_key, into: query.key, value: "{{ secrets.token }}"}
  hosts: [files.test]
  retries: 0
streams:
  orders:
    deferred:
      create: {post: /exports, json: {since: "{{ cursor }}"}, id: body.id}
      poll:
        get: "/exports/{{ job.id }}"
        every: 10s
        timeout: 1m
        done: "body.status == 'done'"
        failed: "body.status == 'failed'"
      download: {get: "{{ poll.body.url }}", decode: csv, sign: false}
      abort: {delete: "/exports/{{ job.id }}"}
    key: id
    incremental: {field: at}
"""
CREATE = "POST https://api.test/exports?key=k"
POLL = "GET https://api.test/exports/7%2F7?key=k"
FILE = "GET https://files.test/a%20b/7.csv?sig=x"
ABORT = "DELETE https://api.test/exports/7%2F7?key=k"
CREATED = (CREATE, answer({"id": "7/7"}))
BUSY = (POLL, answer({"status": "busy"}))
DONE = (POLL, answer({"status": "done", "url": "https://files.test/a%20b/7.csv?sig=x"}))
ROWS = (FILE, answer(b"id,at\n1,2026-01-01T00:00:00Z\n2,2026-01-02T00:00:00Z\n"))
GONE = UnavailableError("the connection was closed")


async def test_work_is_begun_waited_for_and_had():
    """The file's address is used as it came, without credentials; the next run begins another."""
    provider, used_up = script(CREATED, BUSY, BUSY, DONE, ROWS, CREATED, DONE, ROWS)
    async with stage(provider, token="k") as on:
        plan = plan_of(SPEC, "orders")
        outcome = await on.sync(plan)
        waited_s = asyncio.get_running_loop().time()
        rows = await on.rows(plan)
        again = await on.sync(plan)
        cursor = await on.cursor(plan)

    assert (outcome.error, again.error, waited_s) == ("", "", 20)
    assert (sorted(rows), cursor) == (["1", "2"], "2026-01-02T00:00:00Z")
    used_up()


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ([BUSY, (POLL, GONE)], [BUSY, DONE, ROWS]),
        ([DONE, (FILE, GONE)], [DONE, ROWS]),
    ],
    ids=["while it waits", "while it reads"],
)
async def test_run_that_breaks_off_is_gone_on_with(first, then):
    """The next one asks for the same work and does not begin another."""
    provider, used_up = script(CREATED, *first, *then)
    async with stage(provider, token="k") as on:
        plan = plan_of(SPEC, "orders")
        broken = await on.sync(plan)
        outcome = await on.sync(plan)
        rows = await on.rows(plan)

    assert (broken.status, outcome.error, sorted(rows)) == (RunStatus.FAILED, "", ["1", "2"])
    used_up()


async def test_failed_work_is_begun_anew():
    """A run fails by it, and forgets it."""
    provider, used_up = script(CREATED, (POLL, answer({"status": "failed"})), CREATED, DONE, ROWS)
    async with stage(provider, token="k") as on:
        plan = plan_of(SPEC, "orders")
        failed = await on.sync(plan)
        outcome = await on.sync(plan)

    assert failed.error == "deferred: the provider says that the work has failed"
    assert outcome.error == ""
    used_up()


@pytest.mark.parametrize("status", [204, 404])
async def test_work_that_takes_too_long_is_given_up(status):
    """It is ended where that can be said, however that is answered, and begun anew next time."""
    provider, used_up = script(
        CREATED, *[BUSY] * 7, (ABORT, answer({}, status=status)), CREATED, DONE, ROWS
    )
    async with stage(provider, token="k") as on:
        plan = plan_of(SPEC, "orders")
        failed = await on.sync(plan)
        waited_s = asyncio.get_running_loop().time()
        outcome = await on.sync(plan)

    assert failed.error == "deferred: the work is not done after 1m; it was given up"
    assert (waited_s, outcome.error) == (60, "")
    used_up()


async def test_work_without_a_name_cannot_be_waited_for():
    """The answer is not what the file says."""
    provider, used_up = script((CREATE, answer({"ID": 7})))
    async with stage(provider, token="k") as on:
        outcome = await on.sync(plan_of(SPEC, "orders"))

    assert outcome.error == (
        "deferred.create.id: body.id found nothing, expected what the work is called"
    )
    used_up()


async def test_name_with_a_secret_is_not_kept():
    """It would lie in the database."""
    text = SPEC.replace("query.key", "header.x-key")
    provider, used_up = script(("POST https://api.test/exports", answer({"id": "job-canary-7f3a"})))
    async with stage(provider, token="canary-7f3a") as on:
        outcome = await on.sync(plan_of(text, "orders"))

    assert outcome.error == "deferred.create.id found what cannot be kept"
    used_up()
