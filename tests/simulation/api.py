"""A provider's interface over a dataset: paging, filters and failures, none of it our code."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

from integrationd.errors import UnavailableError
from integrationd.model.json import Json
from integrationd.wire.messages import Answer
from tests.simulation.dataset import GROUPS, Dataset, Row
from tests.simulation.feeds import FeedKind, place_of
from tests.support.fakes import answer

EPOCH = datetime.fromisoformat("2025-01-01T00:00:00+00:00")
UNIX = int(EPOCH.timestamp())
LOOKBACK = 2
"""On its clock; what a feed still has is at least so much."""
KEYSET = ("cursor", "next_url")
PAGING = {
    "page": "{type: page, into: query.page, stop_when: body.end}",
    "offset": "{type: offset, into: query.offset, size: {into: query.limit, value: %d}}",
    "cursor": "{type: cursor, next: body.next, into: query.after}",
    "next_url": "{type: next_url, next: body.next}",
}
COUNTED = {"page": "{type: page, into: query.page, size: {into: query.limit, value: %d}}"}
"""Where a walk has to be able to begin at a place."""
ORDERS: Mapping[str, Callable[[Row], tuple[int, ...]]] = {
    "id": lambda row: (row.id,),
    "scattered": lambda row: (row.id * 7919 % 101, row.id),
    "rising": lambda row: (row.at, row.id),
    "falling": lambda row: (-row.at, -row.id),
}


@dataclass(frozen=True, slots=True)
class Kind:
    """What sort of interface it is, and what the spec says of it."""

    paging: str
    order: str
    cursor: str
    """none, number or time."""
    size: int
    rule: str = ""
    """More words of ``incremental``."""
    repeats: bool = False
    """Whether a page may tell an old version of a row before the present one."""
    grouped: bool = False
    """Whether it gives the rows of one group at a time, for each group that another list tells."""
    step: int = 0
    """How long a window is, on its clock; 0 is none."""
    feed: FeedKind | None = None
    """Of its changes, where it has one."""
    counts: bool = False
    """Whether the spec counts what it has read of a list that only grows."""

    def spec(self, key: str) -> str:
        """Write the integration."""
        paging = (
            COUNTED.get(self.paging, PAGING[self.paging]) if self.counts else PAGING[self.paging]
        )
        rule = self._rule
        if self.step:
            window = f"step: {self.step}s, into: query.until, granularity: 1s"
            rule += f", start: '{self.write_at(0)}', window: {{{window}}}"
        incremental = f"    incremental: {{{rule}}}\n"
        grouped = "    for_each: {stream: groups, value: id, as: group}\n" if self.grouped else ""
        if not (self.counts or self.feed):
            incremental = "" if self.cursor == "none" else incremental
        above = "/groups/{{ each.group }}" if self.grouped else ""
        path = f"{above}/orders"
        feed = "" if self.feed is None else self.feed.spec(above, key)
        return (
            "integration: shop\n"
            "http:\n"
            "  base_url: https://api.test\n"
            "  retries: 1\n"
            f"  paginate: {paging % self.size if '%' in paging else paging}\n"
            "streams:\n"
            "  groups: {get: /groups, paginate: none, key: id}\n"
            "  orders:\n"
            f"{grouped}"
            "    input: {only: {type: integer}}\n"
            f"    get: '{path}'\n"
            "    query: {only: '{{ input.only }}'}\n"
            "    records: body.data\n"
            f"    key: {key}\n"
            "    deleted: gone\n"
            "    where: '!draft'\n"
            "    mapping: shop.order\n"
            f"{incremental}"
            f"{feed}"
        )

    @property
    def _rule(self) -> str:
        if self.counts:
            return "count: true" + (", into: query.skip" if self.paging in KEYSET else "")
        if self.feed is not None and self.feed.has_tokens:
            return "cursor: body.token, into: query.since"
        return f"field: at, into: query.since, type: {self.cursor}{self.rule}"

    def write_at(self, at: int) -> int | str:
        """Write the provider's clock as its records have it."""
        if self.cursor != "time":
            return at
        return (EPOCH + timedelta(seconds=at)).isoformat().replace("+00:00", "Z")

    def read_cursor(self, cursor: Json) -> int:
        """Read what is kept: a time of its clock, a place in its log, or a count."""
        if isinstance(cursor, dict):
            return int(cursor["count"])
        has_tokens = self.feed is not None and self.feed.has_tokens
        return int(str(cursor)) if has_tokens else self.read_at(str(cursor))

    def read_at(self, text: str) -> int:
        """Read a bound or a cursor, in any of the notations that a spec may ask for."""
        if self.cursor != "time":
            return int(text)
        if text.isdecimal():
            return int(text) - UNIX
        return int((datetime.fromisoformat(text) - EPOCH).total_seconds())


@dataclass(slots=True)
class Api:
    """Answers requests; what goes wrong in a run is said before it."""

    kind: Kind
    data: Dataset
    faults: dict[int, str] = field(default_factory=dict)
    """By number of the request in this run."""
    meanwhile: dict[int, list[Callable[[], None]]] = field(default_factory=dict)
    """What changes just before a request of this run is answered."""
    era: int = 0
    """Page tokens of another era have expired."""
    forgets: int = 0
    """What the feed has no more: places in its log before this one, or times."""
    asked: int = 0

    def begin(self) -> None:
        """Count requests anew."""
        self.asked = 0
        self.data.absent = self.data.past.keys() - self.data.rows.keys()

    def respond(self, line: str, _headers: Mapping[str, str]) -> Answer | Exception:
        """Answer one request."""
        number, self.asked = self.asked, self.asked + 1
        for change in self.meanwhile.pop(number, []):
            change()
        fault = self.faults.pop(number, None)
        if fault is not None:
            return _fail(fault)
        url = urlsplit(line.split(" ", 1)[1])
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        return self._find(url.path, query)

    def _find(self, path: str, query: Mapping[str, str]) -> Answer:
        """Answer what stands at a path."""
        what = path.rpartition("/")[2]
        if what == "groups":
            return answer([{"id": group} for group in range(self.data.groups)])
        if what == "start":
            return answer({"token": str(len(self.data.log))})
        if what == "changes":
            return self._changes(path, query)
        if what == "orders":
            return self._page(path, query)
        row = self.data.rows.get(int(what))
        return answer({}, status=404) if row is None else answer({"row": self._show(row)})

    def _page(self, path: str, query: Mapping[str, str]) -> Answer:
        order, size = ORDERS[self.kind.order], self.kind.size
        rows = sorted(self._select(path, query), key=order)[int(query.get("skip", "0")) :]
        if self.kind.paging == "page":
            start = (int(query.get("page", "1")) - 1) * size
        elif self.kind.paging == "offset":
            start = int(query.get("offset", "0"))
        else:
            start, after = 0, query.get("after")
            if after is not None:
                era, *place = json.loads(after)
                if era != self.era:
                    return answer({"error": "expired"}, status=400)
                rows = [row for row in rows if order(row) > tuple(place)]
        page, end = rows[start : start + size], start + size >= len(rows)
        told = self._tell(page)
        following = None if end else self._next(page, path, query)
        sync = str(len(self.data.log))
        return answer({"data": told, "end": end, "next": following, "sync": sync})

    def forget(self) -> None:
        """Let the feed have nothing from before now."""
        feed = self.kind.feed
        if feed is not None and feed.begins != "records":
            self.forgets = len(self.data.log) if feed.has_tokens else self.data.clock

    def _changes(self, path: str, query: Mapping[str, str]) -> Answer:
        feed, place = self.kind.feed, place_of(query, self.era)
        assert feed is not None
        since = int(query["since"]) if feed.has_tokens else self.kind.read_at(query["since"])
        if since < self.forgets - (0 if feed.has_tokens else LOOKBACK):
            return answer({}, status=410)
        if place == -1:
            return answer({"error": "expired"}, status=400)
        told = [
            (number, entry)
            for number, entry in enumerate(self.data.log)
            if (number if feed.has_tokens else entry.at) >= since and number >= (place or 0)
            if path in ("/changes", f"/groups/{entry.id % GROUPS}/changes")
        ]
        page, more = told[: self.kind.size], len(told) > self.kind.size
        changes = []
        for _, entry in page:
            keyless = entry.row is not None and entry.row.keyless
            change: dict[str, object] = {
                "item": None if keyless else entry.id,
                "uitem": None if keyless else f"u{entry.id}",
                "removed": entry.row is None,
                "at": self.kind.write_at(entry.at),
            }
            if entry.row is not None and not feed.fetches:
                change["row"] = self._show(entry.row)
            changes.append(change)
        following = f"{self.era}.{page[-1][0] + 1}" if more else None
        token = None if more else str(len(self.data.log))
        return answer({"data": changes, "next": following, "token": token})

    def _select(self, path: str, query: Mapping[str, str]) -> Iterator[Row]:
        since = self.kind.read_at(query["since"]) if "since" in query else -1
        until = self.kind.read_at(query["until"]) if "until" in query else self.data.clock
        only = int(query["only"]) if "only" in query else None
        for row in self.data.rows.values():
            if only not in (None, row.id):
                continue
            if since <= row.at <= until and path in ("/orders", f"/groups/{row.group}/orders"):
                yield row

    def _next(self, page: list[Row], path: str, query: Mapping[str, str]) -> str | None:
        if self.kind.paging not in KEYSET:
            return None
        token = json.dumps([self.era, *ORDERS[self.kind.order](page[-1])])
        if self.kind.paging == "cursor":
            return token
        return f"https://api.test{path}?{urlencode({**query, 'after': token})}"

    def _tell(self, page: list[Row]) -> list[dict[str, object]]:
        rows = list(page)
        older = self.data.past[page[-1].id][:-1] if self.kind.repeats and page else []
        if older and not older[-1].keyless:
            rows.insert(0, older[-1])
        return [self._show(row) for row in rows]

    def _show(self, row: Row) -> dict[str, object]:
        return {
            "id": None if row.keyless else row.id,
            "uid": None if row.keyless else f"u{row.id}",
            "at": self.kind.write_at(row.at),
            "count": row.count,
            "draft": row.draft,
            "gone": row.gone,
        }


def _fail(fault: str) -> Answer | Exception:
    if fault == "line":
        return UnavailableError("the line broke")
    if fault == "html":
        return answer(b"<html>", content_type="text/html")
    return answer({}, status=int(fault), retry_after="3")
