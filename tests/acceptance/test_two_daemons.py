"""Two daemons on one PostgreSQL: a slot is read once, and who falls silent is relieved."""

from __future__ import annotations

import dataclasses
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import psycopg
import pytest

from tests.support.daemons import Running
from tests.support.pages import PagedList, paged
from tests.support.postgres import schema_url

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.needs("postgres"),
]
LEASE_S = 3
MINUTES = int(os.environ.get("INTEGRATIOND_TEST_MINUTES", "0"))
"""How many slots of a calendar are watched; each takes a minute."""
WATCHED_S = 6 + 60 * MINUTES
PAGES = 30
SETTINGS = """\
listen: 127.0.0.1:0
egress: {allow: [127.0.0.0/8]}
database: '%s'
limits: {lease: %ds}
"""
SOURCE = """\
integration: source
secrets: {who: {env: INTEGRATIOND_SECRET_WHO}}
http:
  base_url: '%s'
  headers: {x-who: "{{ secrets.who }}"}
  paginate: {type: page, into: query.page, total: body.total}
streams: {items: {get: /items, records: body.items, key: id, schedule: 1s}}
"""
CLOCK = """\
integration: clock
http: {base_url: '%s', paginate: {type: none}}
streams: {minutes: {get: /minutes, records: body.items, key: id, schedule: {cron: "* * * * *"}}}
"""
ONE, TWO = "one", "two"


@contextmanager
def sharing(installation: Any, source: PagedList) -> Iterator[tuple[str, dict[str, Any]]]:
    """Make a schema; give its URL and two installations on it, with the same files."""
    with schema_url() as url:
        installation.write("integrationd.yaml", SETTINGS % (url, LEASE_S))
        installation.write("integrations/source.yaml", SOURCE % source.url)
        yield (
            url,
            {
                who: dataclasses.replace(
                    installation, state_name=who, env={"INTEGRATIOND_SECRET_WHO": who}
                )
                for who in (ONE, TWO)
            },
        )


def stored_ids(url: str) -> list[str]:
    """Return the ids of all that is stored, dead or alive."""
    with psycopg.connect(url) as conn:
        rows = conn.execute("select external_id from records order by external_id").fetchall()
    return [name for (name,) in rows]


def noted_runs(url: str) -> dict[str, tuple[str, bool]]:
    """Return how each run of the source ended, and whether it went on with another one."""
    asked = "select id, status, resumed from runs where integration = 'source' order by no"
    with psycopg.connect(url) as conn:
        rows = conn.execute(asked).fetchall()
    return {name: (status, bool(resumed)) for name, status, resumed in rows}


def test_two_daemons_read_each_slot_once(installation):
    """A slot is read by one of them, never by both, and one goes on when the other stops."""
    with paged(1, latency_s=0.1) as source, sharing(installation, source) as (url, at):
        installation.write("integrations/clock.yaml", CLOCK % source.url)
        one, two = Running(at[ONE]), Running(at[TWO])
        since_s = time.monotonic()
        time.sleep(WATCHED_S)
        seen = [each.at_s for each in source.asked if each.path == "/items"]
        codes = [one.stop()]
        source.wait(lambda each: each.who == TWO)
        codes.append(two.stop())
        runs = noted_runs(url)

    times_s = [each.at_s for each in source.asked if each.path == "/items"]
    gaps_s = [later_s - earlier_s for earlier_s, later_s in pairwise(times_s)]
    # Slots lie nine tenths of a second apart or more; one that is late makes the next gap shorter.
    assert min(gaps_s) >= 0.6
    assert max(gaps_s) <= 2.9
    assert WATCHED_S - 2 <= sum(at_s > since_s for at_s in seen) <= WATCHED_S + 1
    assert list(runs.values()) == [("done", False)] * len(times_s)
    ended = [run for each in (one, two) for run in each.of("run.finished")]
    assert {run["run_id"] for run in ended if run["integration"] == "source"} == set(runs)
    assert max(source.most.values()) == 1
    assert codes == [0, 0]
    wall_s = time.time() - time.monotonic()
    read = [int((each.at_s + wall_s) // 60) for each in source.asked if each.path == "/minutes"]
    assert len(read) == len(set(read))
    assert len(read) >= MINUTES


def test_daemon_that_falls_silent_is_relieved_and_lives_on(installation):
    """Stopped in a run and past its lease, it cannot commit; what the other read is whole."""
    with paged(PAGES, latency_s=0.2) as source, sharing(installation, source) as (url, at):
        one = Running(at[ONE])
        source.wait(lambda each: each.page == 5)
        time.sleep(0.1)  # between two transactions: within one, the server would end it after 10 s
        os.kill(one.process.pid, signal.SIGSTOP)
        stopped_s = time.monotonic()
        source.latency_s = 0.02
        two = Running(at[TWO])
        taken = source.wait(lambda each: each.who == TWO)
        relieved = two.wait("run.finished")
        os.kill(one.process.pid, signal.SIGCONT)
        late = one.wait("run.finished")
        stored = stored_ids(url)
        codes = [two.stop()]
        later = one.wait("run.finished", status="done")
        codes.append(one.stop())
        runs = noted_runs(url)

    assert taken.at_s - stopped_s >= LEASE_S - 1
    assert (relieved["status"], late["status"]) == ("done", "failed")
    assert late["error"].startswith("the stream claim on source/items with fence 1 is no longer")
    assert late["error"].endswith("; nothing was written")
    assert stored == source.ids
    assert codes == [0, 0]
    assert runs.pop(late["run_id"]) == ("failed", False)
    assert runs.pop(relieved["run_id"]) == ("done", True)
    assert later["run_id"] in runs
    assert set(runs.values()) == {("done", False)}
