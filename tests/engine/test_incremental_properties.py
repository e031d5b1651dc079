"""Whatever changes between readings, and however times are written: the store equals the source."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from integrationd.model.runs import RunStatus
from tests.support.fakes import Provider, answer
from tests.support.worlds import plan_of, stage

BERLIN = ZoneInfo("Europe/Berlin")
BEGIN = datetime(2025, 3, 30, 0, 40, tzinfo=UTC)
"""Shortly before Berlin's clocks are set forward."""
SPEC = """\
integration: shop
http:
  base_url: https://api.test
  retries: 0
  paginate: {type: offset, into: query.offset, size: {into: query.limit, value: 3}}
streams:
  orders:
    get: /orders
    records: body
    key: id
    incremental: {field: at, %s}
"""


def seconds(moment):
    """Count from 1970."""
    return int(moment.timestamp())


def local(moment):
    """Write the minute that clocks in Berlin show."""
    return moment.astimezone(BERLIN).strftime("%d/%m/%Y %H:%M")


def from_local(text):
    """Read it."""
    return datetime.strptime(text, "%d/%m/%Y %H:%M").replace(tzinfo=BERLIN)


def http_date(moment):
    """Write it as the header of an answer."""
    return moment.strftime("%a, %d %b %Y %H:%M:%S GMT")


def from_http_date(text):
    """Read it."""
    return datetime.strptime(text, "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=UTC)


def from_seconds(text):
    """Count from 1970."""
    return datetime.fromtimestamp(int(text), tz=UTC)


def from_ms(text):
    """Read the number between the brackets."""
    return datetime.fromtimestamp(int(text[6:-7]) / 1000, tz=UTC)


NOTATIONS = {
    "read: unix": (seconds, from_seconds),
    "read: unix, lookback: 90s": (lambda at: str(seconds(at)), from_seconds),
    "read: [iso, dotnet]": (lambda at: f"/Date({seconds(at) * 1000}+0000)/", from_ms),
    "read: '%d/%m/%Y %H:%M', timezone: Europe/Berlin": (local, from_local),
    "read: '%d/%m/%Y %H:%M', timezone: Europe/Berlin, format: unix": (local, from_seconds),
    "read: rfc2822, format: http_date": (http_date, from_http_date),
    "format: 'at:gt:%s'": (datetime.isoformat, lambda text: from_seconds(text[6:])),
    "lookback: 1s": (datetime.isoformat, datetime.fromisoformat),
}
"""What a file says, how the provider writes its times, and how it reads the bound."""


@dataclass
class Source:
    """A provider that compares times to its own second, whatever it shows of them."""

    write: object
    read: object
    exclusive: bool
    rows: dict[int, datetime] = field(default_factory=dict)
    latest: datetime = BEGIN
    falls: bool = False
    asked: int = 0

    def change(self, changes):
        """Write some rows, each at a time that is not before any other one."""
        for key, step in changes:
            self.latest += timedelta(seconds=step)
            self.rows[key] = self.latest

    def listed(self):
        """Return the rows as the provider lists them: by id, or what is newer first."""
        rows = sorted(self.rows.items())
        if self.falls:
            rows.sort(key=lambda row: row[1], reverse=True)
        return [{"id": key, "at": self.write(at)} for key, at in rows]

    def shows(self, row, since):
        """Tell whether its filter lets a row through."""
        at = self.rows[row["id"]]
        return since is None or (at > since if self.exclusive else at >= since)

    def respond(self, line, _headers):
        """Answer one page."""
        query = {key: values[0] for key, values in parse_qs(urlsplit(line).query).items()}
        since = self.read(query["since"]) if "since" in query else None
        found = [row for row in self.listed() if self.shows(row, since)]
        self.asked += 1
        begin = int(query.get("offset", 0))
        return answer(found[begin : begin + 3])

    async def agrees(self, on, plan):
        """Read once, and compare what is stored."""
        assert (await on.sync(plan)).status is RunStatus.DONE
        rows = await on.rows(plan)
        assert {int(key): row["at"] for key, row in rows.items()} == {
            key: self.write(at) for key, at in self.rows.items()
        }


CHANGES = st.lists(st.tuples(st.integers(0, 9), st.sampled_from([0, 1, 30, 3600])), max_size=6)
RUNS = st.lists(CHANGES, min_size=1, max_size=5)


@given(runs=RUNS, said=st.sampled_from(sorted(NOTATIONS)), exclusive=st.booleans())
def test_store_equals_the_source_in_every_notation(runs, said, exclusive):
    """Ties at the bound, rows that change within the unit of a notation, a night with 23 hours."""

    async def history():
        source = Source(*NOTATIONS[said], exclusive)
        plan = plan_of(
            SPEC % ("into: query.since, " + said + ", bound: exclusive" * exclusive), "orders"
        )
        async with stage(Provider(source.respond)) as on:
            for changes in runs:
                source.change(changes)
                await source.agrees(on, plan)

    asyncio.run(history())


HERE = st.tuples(st.booleans(), st.booleans(), st.sampled_from(["", ", lookback: 40s"])).filter(any)


@given(runs=RUNS, here=HERE, said=st.sampled_from(["read: unix", "timezone: UTC"]))
def test_store_equals_a_source_that_filters_nothing(runs, here, said):
    """Older records are left out by the daemon, and a list that falls is not read to its end."""
    filters, falls, lookback = here
    filters = filters or not falls

    async def history():
        write = seconds if said == "read: unix" else datetime.isoformat
        source = Source(write, None, exclusive=False, falls=falls)
        more = said + lookback + ", filter: client" * filters + ", sorted: descending" * falls
        plan = plan_of(SPEC % more, "orders")
        async with stage(Provider(source.respond)) as on:
            for changes in runs:
                source.change(changes)
                await source.agrees(on, plan)

    asyncio.run(history())
