"""A provider's feed of changes, and how the spec follows it."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass

TOKENS = ("call", "list")
"""Feeds that are asked with a token of the provider's own."""
FROM = {
    "call": "{get: '%s/start', cursor: body.token}",
    "list": "{cursor: body.sync, page: first}",
    "now": "now",
    "records": "records",
}
RECORD = {
    True: "fetch: {get: '/orders/{{ change.item }}', record: body.row}",
    False: "record: row",
}
ITEMS = {"id": "item", "uid": "uitem"}
"""What a change calls a row, by the spec's key."""


@dataclass(frozen=True, slots=True)
class FeedKind:
    """What sort of feed it is."""

    begins: str
    """call, list, now or records."""
    fetches: bool = False
    """Whether a change only says which row it is about."""

    @property
    def has_tokens(self) -> bool:
        """Tell whether its cursor is the provider's own."""
        return self.begins in TOKENS

    def spec(self, path: str, key: str) -> str:
        """Write what the stream says of it."""
        begins = FROM[self.begins]
        return (
            "    feed:\n"
            f"      get: '{path}/changes'\n"
            "      paginate: {type: cursor, next: body.next, into: query.after}\n"
            "      records: body.data\n"
            f"      key: {ITEMS[key]}\n"
            "      deleted: removed\n"
            f"      {RECORD[self.fetches]}\n"
            f"      from: {begins % path if '%' in begins else begins}\n"
        )


def choose_feed(rng: random.Random) -> FeedKind:
    """Choose what sort of feed the provider has."""
    return FeedKind(rng.choice(("call", "call", "list", "now", "records")), rng.random() < 0.3)


def place_of(query: Mapping[str, str], era: int) -> int | None:
    """Return the place where a page of a feed begins; -1 where its token has expired."""
    after = query.get("after")
    if after is None:
        return None
    told, _, place = after.partition(".")
    return int(place) if int(told) == era else -1
