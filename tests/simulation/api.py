"""A provider's interface over a dataset: paging, filters and failures, none of it our code."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

from integrationd.errors import UnavailableError
from integrationd.wire.messages import Answer
from tests.simulation.dataset import Dataset, Row
from tests.support.fakes import answer

EPOCH = datetime.fromisoformat("2025-01-01T00:00:00+00:00")
UNIX = int(EPOCH.timestamp())
KEYSET = ("cursor", "next_url")
PAGING = {
    "page": "{type: page, into: query.page, stop_when: body.end}",
    "offset": "{type: offset, into: query.offset, size: {into: query.limit, value: %d}}",
    "cursor": "{type: cursor, next: body.next, into: query.after}",
    "next_url": "{type: next_url, next: body.next}",
}
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

    def spec(self, key: str) -> str:
        """Write the integration."""
        paging = PAGING[self.paging]
        rule = f"field: at, into: query.since, type: {self.cursor}{self.rule}"
        incremental = "" if self.cursor == "none" else f"    incremental: {{{rule}}}\n"
        return (
            "integration: shop\n"
            "http:\n"
            "  base_url: https://api.test\n"
            "  retries: 1\n"
            f"  paginate: {paging % self.size if '%' in paging else paging}\n"
            "streams:\n"
            "  orders:\n"
            "    get: /orders\n"
            "    records: body.data\n"
            f"    key: {key}\n"
            "    deleted: gone\n"
            "    where: '!draft'\n"
            "    mapping: shop.order\n"
            f"{incremental}"
        )

    def write_at(self, at: int) -> int | str:
        """Write the provider's clock as its records have it."""
        if self.cursor != "time":
            return at
        return (EPOCH + timedelta(seconds=at)).isoformat().replace("+00:00", "Z")

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
        if fault == "line":
            return UnavailableError("the line broke")
        if fault == "html":
            return answer(b"<html>", content_type="text/html")
        if fault is not None:
            return answer({}, status=int(fault), retry_after="3")
        query = {
            name: values[0]
            for name, values in parse_qs(urlsplit(line.split(" ", 1)[1]).query).items()
        }
        return self._page(query)

    def _page(self, query: Mapping[str, str]) -> Answer:
        order, size = ORDERS[self.kind.order], self.kind.size
        since = self.kind.read_at(query["since"]) if "since" in query else -1
        rows = sorted((row for row in self.data.rows.values() if row.at >= since), key=order)
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
        return answer({"data": told, "end": end, "next": None if end else self._next(page, query)})

    def _next(self, page: list[Row], query: Mapping[str, str]) -> str | None:
        if self.kind.paging not in KEYSET:
            return None
        token = json.dumps([self.era, *ORDERS[self.kind.order](page[-1])])
        if self.kind.paging == "cursor":
            return token
        return f"https://api.test/orders?{urlencode({**query, 'after': token})}"

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
