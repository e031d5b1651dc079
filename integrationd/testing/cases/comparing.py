"""What was expected beside what came, as sentences."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from integrationd.config.problems import shorten
from integrationd.model.json import Json
from integrationd.spec.exchanges import MORE

NOTHING: Final = "nothing"
DIFFERENCES_MAX: Final = 10
"""Told of one value; a reader mends the first ones and looks again."""
_SHOWN_MAX: Final = 80


def differences(expected: Json, got: Json, *, where: str = "", exact: bool) -> Iterator[str]:
    """Yield ``WHERE expected X, got Y`` for each part that differs; nothing where all is as said.

    Args:
        expected: What a case says.
        got: What came.
        where: Stands before the names of parts.
        exact: Whether an object may have no other fields than those expected.
    """
    if isinstance(expected, Mapping) and isinstance(got, Mapping):
        yield from _of_objects(expected, got, where, exact=exact)
    elif _is_list(expected) and _is_list(got) and len(expected) == len(got):
        for at, (one, other) in enumerate(zip(expected, got, strict=True)):
            yield from differences(one, other, where=f"{where}[{at}]", exact=exact)
    elif not is_same(expected, got):
        yield f"{where} expected {show(expected)}, got {show(got)}".lstrip()


def _of_objects(
    expected: Mapping[str, Json], got: Mapping[str, Json], where: str, *, exact: bool
) -> Iterator[str]:
    for name, value in expected.items():
        place = f"{where}.{name}" if where else name
        if name in got:
            yield from differences(value, got[name], where=place, exact=exact)
        else:
            yield f"{place} expected {show(value)}, got {NOTHING}"
    for name in got if exact else ():
        if name not in expected:
            place = f"{where}.{name}" if where else name
            yield f"{place} expected {NOTHING}, got {show(got[name])}"


def is_same(expected: Json, got: Json) -> bool:
    """Tell whether two values are one JSON value; true is not 1, and 1.0 is 1."""
    if isinstance(expected, bool) or isinstance(got, bool):
        return expected is got
    if isinstance(expected, Mapping) and isinstance(got, Mapping):
        return expected.keys() == got.keys() and all(
            is_same(value, got[name]) for name, value in expected.items()
        )
    if _is_list(expected) and _is_list(got):
        return len(expected) == len(got) and all(map(is_same, expected, got))
    return bool(expected == got)


def compare_text(expected: str, got: str, what: str) -> Iterator[str]:
    """Compare a message: ``...`` at its end or beginning stands for anything."""
    if not fits_text(expected, got):
        yield f"{what} expected {shown(expected)}, got {shown(got) if got else NOTHING}"


def fits_text(expected: str, got: str) -> bool:
    """Tell whether a text is the one that is expected."""
    middle = expected.removeprefix(MORE).removesuffix(MORE)
    begins, ends = expected.startswith(MORE), expected.endswith(MORE) and expected != MORE
    if begins and (ends or expected == MORE):
        return middle in got
    if begins:
        return got.endswith(middle)
    return got.startswith(middle) if ends else got == expected


def shown(text: str) -> str:
    """Quote a message in full: who mends a case copies it."""
    return repr(text)


def show(value: Json) -> str:
    """Print a value for people: text in quotes, the rest as JSON, cut where it is long."""
    if isinstance(value, str):
        return shorten(value)
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _SHOWN_MAX else f"{text[: _SHOWN_MAX - 1]}…"


def some(lines: Iterator[str], what: str) -> Iterator[str]:
    """Yield the first differences of one value, each behind its name, and how many more."""
    found = list(lines)
    yield from (f"{what}: {line}" for line in found[:DIFFERENCES_MAX])
    if len(found) > DIFFERENCES_MAX:
        yield f"{what}: and {len(found) - DIFFERENCES_MAX} more differences"


def count(number: int, what: str) -> str:
    """Return ``1 record`` or ``2 records``."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _is_list(value: Json) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)
