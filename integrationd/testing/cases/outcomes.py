"""What came of a reading, a call or an inbound call, held against what a case expects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from typing_extensions import override

from integrationd.config.units import format_duration
from integrationd.engine.call import CallOutcome
from integrationd.model.json import Json
from integrationd.model.records import SetAside, StoredRecord
from integrationd.model.runs import Counts
from integrationd.ports.store import ReadingState
from integrationd.spec.exchanges import UNSAID
from integrationd.spec.expectations import CallExpectation, EventExpectation, RunExpectation
from integrationd.testing.cases.comparing import (
    compare_text,
    count,
    differences,
    fits_text,
    is_same,
    show,
    shown,
    some,
)

SKIPPED: Final = "skipped"
REFUSED: Final = "refused"
_ID: Final = "external_id"
_NAMED_MAX: Final = 10
"""Records that are named where their number is another one."""


@dataclass(frozen=True, slots=True)
class Reached:
    """How far a stream or a partition has come."""

    cursor: Json
    seen: Json
    """The greatest value of a complete reading. After a walk over pages that are not sorted the
    next reading still begins before it, the one after that at it; see decision record 20."""

    @classmethod
    def by(cls, state: ReadingState, *, exact: bool) -> Reached:
        """Read it off what is stored.

        Args:
            state: What is stored.
            exact: Whether the cursor is no value of records, so that none of them is the greatest.
        """
        return cls(state.cursor, None if state.walking or exact else state.high_water)

    def is_at(self, expected: Json) -> bool:
        """Tell whether it is where a case has it."""
        return is_same(expected, self.cursor) or (
            self.seen is not None and is_same(expected, self.seen)
        )

    @override
    def __str__(self) -> str:
        """Show it as messages do."""
        if self.seen is None or is_same(self.seen, self.cursor):
            return show(self.cursor)
        return f"{show(self.cursor)} and, as the greatest that was seen, {show(self.seen)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """One reading, when it is over."""

    outcome: str
    """A status, or ``skipped``."""
    error: str = ""
    kind: str = ""
    counts: Counts
    mode: str = ""
    resumed: bool = False
    waited_s: float = 0.0
    stored: Sequence[StoredRecord] = ()
    """Of the stream, tombstones too, in the order in which they came."""
    aside: Sequence[SetAside] = ()
    """What this reading set aside, in the order in which it came."""
    cursor: Reached
    cursors: Mapping[str, Reached]
    """Of partitions."""
    refresh_token: str | None = None

    @property
    def living(self) -> list[StoredRecord]:
        """Return what is no tombstone."""
        return [record for record in self.stored if record.deleted is None]


def compare_read(expected: RunExpectation, read: Read) -> Iterator[str]:
    """Yield what of a reading is another than expected."""
    yield from _compare_end(expected, read.outcome, read.kind, read.error)
    if expected.mode not in (None, read.mode):
        yield f"mode expected {expected.mode}, got {read.mode or 'none'}"
    if expected.resumed not in (None, read.resumed):
        yield f"resumed expected {show(expected.resumed)}, got {show(read.resumed)}"
    yield from _compare_records(expected, read.living)
    yield from _compare_deleted(expected.deleted, read.stored)
    yield from _compare_aside(expected.quarantined, read.aside)
    yield from _compare_cursors(expected, read)
    for name, number in expected.counts.items():
        got = getattr(read.counts, name)
        if got != number:
            yield f"count of {name} expected {number}, got {got}"
    yield from _compare_wait(expected.waited, read.waited_s)
    if expected.refresh_token not in (None, read.refresh_token):
        yield (
            f"refresh token expected {show(expected.refresh_token)}, got {show(read.refresh_token)}"
        )


def compare_call(expected: CallExpectation, outcome: CallOutcome, waited_s: float) -> Iterator[str]:
    """Yield what of a call is another than expected."""
    yield from _compare_end(expected, str(outcome.status), outcome.kind, outcome.error)
    if expected.output is not UNSAID:
        found = differences(expected.output, outcome.output, exact=expected.exact)
        yield from some(found, "output")
    if expected.known not in (None, outcome.known):
        yield f"known expected {show(expected.known)}, got {show(outcome.known)}"
    yield from _compare_wait(expected.waited, waited_s)


def compare_refusal(expected: CallExpectation, error: str) -> Iterator[str]:
    """Yield what differs where a call's input was refused."""
    yield from _compare_end(expected, REFUSED, "", error)


def compare_event(
    expected: EventExpectation, error: str | None, event: str, dedup: str
) -> Iterator[str]:
    """Yield what of an inbound call is another than expected.

    Args:
        expected: By the case.
        error: Why it was refused; None where it was accepted.
        event: The sender's name of it.
        dedup: The sender's id of it.
    """
    if expected.accepted and error is not None:
        yield f"expected to be accepted, was refused: {error}"
    if not expected.accepted and error is None:
        yield "expected to be refused, was accepted"
    if expected.error is not None and error is not None:
        yield from compare_text(expected.error, error, "error")
    if error is None:
        for what, wanted, got in (
            ("event", expected.event, event),
            ("dedup", expected.dedup, dedup),
        ):
            if wanted not in (None, got):
                yield f"{what} expected {show(wanted)}, got {show(got)}"


def _compare_end(
    expected: RunExpectation | CallExpectation, outcome: str, kind: str, error: str
) -> Iterator[str]:
    if expected.outcome != outcome:
        told = f": {error}" if error else ""
        yield f"outcome expected {expected.outcome}, got {outcome}{told}"
    elif expected.error is not None and not fits_text(expected.error, error):
        yield from compare_text(expected.error, error, "error")
    if expected.kind not in (None, kind):
        yield f"kind of failure expected {expected.kind}, got {kind or 'none'}"


def _compare_records(expected: RunExpectation, living: Sequence[StoredRecord]) -> Iterator[str]:
    match expected.records:
        case None:
            pass
        case int():
            if expected.records != len(living):
                yield f"expected {count(expected.records, 'record')}, got {len(living)}"
        case Mapping():
            yield from _compare_named(expected.records, living, exact=expected.exact)
        case _:
            yield from _compare_listed(expected.records, living, exact=expected.exact)
    for name, fields, at in (("first", expected.first, 0), ("last", expected.last, -1)):
        if fields is not None and living:
            yield from _compare_record(fields, living[at], f"{name} record", exact=expected.exact)
        elif fields is not None:
            yield f"{name} record: expected one, got none"


def _compare_listed(
    wanted: Sequence[Mapping[str, Json]], living: Sequence[StoredRecord], *, exact: bool
) -> Iterator[str]:
    if len(wanted) != len(living):
        named = ", ".join(repr(record.external_id) for record in living[:_NAMED_MAX])
        more = ", …" if len(living) > _NAMED_MAX else ""
        told = f" ({named}{more})" if living else ""
        yield f"expected {count(len(wanted), 'record')}, got {len(living)}{told}"
    for number, (fields, got) in enumerate(zip(wanted, living, strict=False), 1):
        yield from _compare_record(fields, got, f"record {number}", exact=exact)


def _compare_named(
    wanted: Mapping[str, Json], living: Sequence[StoredRecord], *, exact: bool
) -> Iterator[str]:
    found = {record.external_id: record for record in living}
    for external_id, fields in wanted.items():
        if external_id in found:
            place = f"record {external_id!r}"
            yield from _compare_record(fields, found[external_id], place, exact=exact)
        else:
            yield f"record {external_id!r} is not there"
    for external_id in found.keys() - wanted.keys():
        yield f"record {external_id!r} was not expected"


def _compare_record(
    wanted: Mapping[str, Json], record: StoredRecord, what: str, *, exact: bool
) -> Iterator[str]:
    data = record.data if isinstance(record.data, dict) else {"": record.data}
    got = {_ID: record.external_id, **data} if _ID in wanted else data
    yield from some(differences(wanted, got, exact=exact), what)


def _compare_deleted(
    expected: int | tuple[str, ...] | Mapping[str, str] | None, stored: Sequence[StoredRecord]
) -> Iterator[str]:
    gone = {record.external_id: record.deleted for record in stored if record.deleted is not None}
    if isinstance(expected, int):
        if expected != len(gone):
            yield f"expected {count(expected, 'deleted record')}, got {len(gone)}"
        return
    for external_id in expected or ():
        reason = expected[external_id] if isinstance(expected, Mapping) else None
        if external_id not in gone:
            yield f"record {external_id!r} expected to be deleted, is not"
        elif reason not in (None, gone[external_id]):
            yield (
                f"record {external_id!r} expected to be deleted as {reason!r}, is as "
                f"{gone[external_id]!r}"
            )
    for external_id in sorted(gone.keys() - set(expected)) if expected is not None else ():
        yield f"record {external_id!r} is deleted ({gone[external_id]}), not expected to be"


def _compare_aside(
    expected: int | tuple[Mapping[str, Json], ...], aside: Sequence[SetAside]
) -> Iterator[str]:
    number = expected if isinstance(expected, int) else len(expected)
    if number != len(aside):
        told = "".join(f"; {_print_aside(one)}" for one in aside[:3])
        yield f"expected {count(number, 'quarantined record')}, got {len(aside)}{told}"
    if isinstance(expected, int):
        return
    for at, (wanted, one) in enumerate(zip(expected, aside, strict=False), 1):
        got: dict[str, Json] = {
            _ID: one.fingerprint if one.keyed else None,
            "code": one.code,
            "field": one.field,
            "reason": one.reason,
        }
        for name, value in wanted.items():
            same = is_same(value, got.get(name))
            if name == "reason" and isinstance(value, str):
                same = fits_text(value, one.reason)
            if not same:
                text = shown(one.reason) if name == "reason" else show(got.get(name))
                yield f"quarantined record {at}: {name} expected {show(value)}, got {text}"


def _print_aside(one: SetAside) -> str:
    name = repr(one.fingerprint) if one.keyed else "one without a key"
    return f"{name}: {one.reason}"


def _compare_cursors(expected: RunExpectation, read: Read) -> Iterator[str]:
    if expected.cursor is not UNSAID and not read.cursor.is_at(expected.cursor):
        yield f"cursor expected {show(expected.cursor)}, got {read.cursor}"
    for part, cursor in expected.cursors.items():
        if part not in read.cursors:
            known = ", ".join(map(repr, read.cursors)) or "none"
            yield f"cursor of {part!r}: there is no such partition; there are {known}"
        elif not read.cursors[part].is_at(cursor):
            yield f"cursor of {part!r} expected {show(cursor)}, got {read.cursors[part]}"


def _compare_wait(expected: timedelta | None, waited_s: float) -> Iterator[str]:
    waited = timedelta(milliseconds=round(waited_s * 1000))
    if expected not in (None, waited):
        assert expected is not None
        yield f"waited expected {format_duration(expected)}, got {format_duration(waited)}"
