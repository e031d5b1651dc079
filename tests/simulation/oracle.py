"""What a store may and must hold, worked out from the provider's rows alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.simulation.dataset import Dataset, Row

NAMES = {"id": str, "uid": lambda number: f"u{number}"}
"""What a row is called, by the spec's key."""


@dataclass(frozen=True, slots=True)
class Held:
    """What the store holds of the stream."""

    living: Mapping[str, Any]
    """Data by external id."""
    dead: Mapping[str, str]
    """Reasons of tombstones."""
    aside: Mapping[str, Any]
    """Sources in quarantine, by external id or digest."""
    cursors: Mapping[str, int]
    """On the provider's clock, or in its log, of each partition that has one which is worth
    something; of none that counts."""


class WrongError(AssertionError):
    """The store and the oracle differ."""


def expect(fact: object, *said: object) -> None:
    """Raise where a fact does not hold."""
    if not fact:
        raise WrongError(" ".join(map(str, said)))


def mapped(row: Row, mapping: str) -> dict[str, Any]:
    """Return what a row becomes."""
    return {"number": row.id, "count": row.count if mapping == "strict" else str(row.count)}


def check_nothing_invented(held: Held, data: Dataset) -> None:
    """Check that every living record is one version of its row, as one of the mappings gives it."""
    for name, stored in held.living.items():
        number = int(name.removeprefix("u"))
        past = data.past.get(number, [])
        versions = [mapped(row, how) for row in past for how in ("strict", "lenient")]
        expect(stored in versions, "invented", name, stored)


def check_swept(before: Held, after: Held, *, allowed: bool, data: Dataset | None) -> None:
    """Check that nothing is swept but by a complete reading, and only what was missing meanwhile.

    Args:
        before: The store before the run.
        after: And after it.
        allowed: Whether the run may sweep.
        data: Its rows now, and which were missing during the run; None where rows may have been
            stepped over.
    """
    swept = {name for name, reason in after.dead.items() if reason == "swept"}
    for name in swept - before.dead.keys():
        expect(allowed, "swept by a reading that was not complete", name)
        if data is not None:
            number = int(name.removeprefix("u"))
            missing = number not in data.rows or number in data.absent
            expect(missing, "swept and never missing", name)


def check_rows(held: Held, rows: Iterable[Row], key: str, mapping: str) -> None:
    """Check that these rows are held as they are now, or wait in quarantine as they are now."""
    for row in rows:
        name = NAMES[key](row.id)
        if row.keyless:
            continue
        if row.gone or row.draft:
            if not row.is_bad(mapping):
                expect(name not in held.living, "still living", row)
        elif row.is_bad(mapping):
            expect(held.aside.get(name, {}).get("count") == row.count, "not in quarantine", row)
        else:
            expect(
                held.living.get(name) == mapped(row, mapping), "lost", row, held.living.get(name)
            )
            expect(name not in held.aside, "good and in quarantine", row)


def check_cursor(
    held: Held, data: Dataset, key: str, mapping: str, *, by_log: bool = False
) -> None:
    """Check that whatever changed before the cursor has been read."""
    for part, cursor in held.cursors.items():
        rows = (row for row in data.rows.values() if part in ("", str(row.group)))
        early = [row for row in rows if (data.changed_last(row.id) if by_log else row.at) < cursor]
        check_rows(held, early, key, mapping)


def check_living(held: Held, data: Dataset, key: str, mapping: str) -> None:
    """Check that the store holds what the provider holds, and nothing that is gone."""
    check_rows(held, data.rows.values(), key, mapping)
    told = {NAMES[key](row.id) for row in data.rows.values() if row.is_told()}
    expect(held.living.keys() <= told, "gone and still living", held.living.keys() - told)


def check_all(held: Held, data: Dataset, key: str, mapping: str, *, swept: bool) -> None:
    """Check that the store holds what the provider holds, and no more where readings sweep."""
    rows = data.rows.values()
    check_rows(held, rows, key, mapping)
    bad = {NAMES[key](row.id) for row in rows if row.is_told() and row.is_bad(mapping)}
    told = {NAMES[key](row.id) for row in rows if row.is_told()}
    if not swept:
        return
    expect(held.living.keys() <= told, "more than the provider has", held.living.keys() - told)
    expect(held.aside.keys() == bad, "quarantine differs", held.aside.keys() ^ bad)
