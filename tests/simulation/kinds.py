"""What sorts of interfaces the histories have."""

from __future__ import annotations

import random
from dataclasses import replace

from tests.simulation.api import KEYSET, Kind
from tests.simulation.feeds import choose_feed


def choose_kind(rng: random.Random, more: random.Random) -> Kind:
    """Choose what sort of interface the provider has."""
    kind = choose_list(rng)
    draw = more.random()
    if draw < 0.3:
        feed = choose_feed(more)
        cursor = {"now": "time", "records": kind.cursor.replace("none", "number")}
        cursor_type = cursor.get(feed.begins, kind.cursor)
        words = ("", "", ", sorted: true", ", lookback: 2" + "s" * (cursor_type == "time"))
        return replace(
            kind, feed=feed, cursor=cursor_type, rule=more.choice(words), step=0, repeats=False
        )
    if draw < 0.45:
        return replace(kind, counts=True, order="id", rule="", step=0, repeats=False)
    return kind


def choose_list(rng: random.Random) -> Kind:
    """Choose how it gives its list, and what changed in it."""
    paging = rng.choice(("page", "offset", "cursor", "cursor", "next_url"))
    order = rng.choice(("id", "rising", "rising", "falling", "scattered"))
    if paging not in KEYSET and order == "scattered":
        order = "id"
    cursor = rng.choice(("none", "number", "time", "number", "time"))
    words = []
    if order == "rising" and cursor != "none" and rng.random() < 0.4:
        words.append("sorted: true")
    if cursor != "none" and rng.random() < 0.3:
        words.append("lookback: 2" if cursor == "number" else "lookback: 2s")
    if cursor == "time" and rng.random() < 0.3:
        words.append(f"format: {rng.choice(('unix', 'iso'))}")
    return Kind(
        paging=paging,
        order=order,
        cursor=cursor,
        size=rng.choice((2, 3, 4)),
        rule="".join(f", {word}" for word in words),
        repeats=paging in KEYSET and "sorted" not in "".join(words) and rng.random() < 0.2,
        grouped=rng.random() < 0.4,
        step=rng.choice((7, 20)) if cursor == "time" and rng.random() < 0.4 else 0,
    )
