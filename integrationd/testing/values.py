"""Plausible values by name and by declared type, the same for the same number every time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from integrationd.model.json import Json
from integrationd.testing.limits import Limits, suit
from integrationd.transform.convert import FieldType
from integrationd.transform.cursors import CursorType
from integrationd.transform.times import TimeNotation

EPOCH: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""The first record's time; fixed, so that two players tell the same story."""

FIRST_NAMES: Final = (
    "Ana", "Björn", "Chinonso", "Dariia", "Elif", "Farid", "Guðrún", "Hana", "Íñigo", "Jun",
    "Kwame", "Łucja", "María", "Noor", "Oisín", "Priya", "Quang", "Rūta", "Søren", "Thandiwe",
)  # fmt: skip
LAST_NAMES: Final = (
    "Álvarez", "Brandt", "Chen", "Dubois", "Eriksson", "Fernández", "Goldberg", "Haddad", "Ito",
    "Jansen", "Kowalski", "Le", "Mbeki", "Núñez", "O'Brien", "Petrov", "Quispe", "Rossi", "Şahin",
)  # fmt: skip
SUBJECTS: Final = (
    "rivers", "bread", "clocks", "islands", "moths", "glass", "winter", "numbers", "bridges",
    "salt", "letters", "gardens", "tides",
)  # fmt: skip
_STEP: Final = 10_007
"""Between the versions of a record; a prime, so that a choice among few changes with each."""
CURRENCIES: Final = ("eur", "usd", "pen", "inr", "jpy")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is known of one value of a record."""

    name: str
    """The last word of its path."""
    type: FieldType | None = None
    """As a mapping makes of it."""
    format: TimeNotation | None = None
    choices: tuple[str, ...] = ()
    """The texts that a mapping translates."""
    limits: Limits = field(default_factory=dict)
    """The schema of the field that it becomes without being changed."""
    form: str = ""
    """The kind of cleaner that it must suit, such as ``email``."""
    unique: bool = False
    """Part of the record's key."""
    grows: CursorType | None = None
    """The cursor field, and how it compares."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """Which record it is, and how often it was changed."""

    number: int
    """From 1."""
    moment: int
    """How many seconds after :data:`EPOCH` it was last changed."""
    version: int = 0
    """How often it was changed."""
    wholly: bool = False
    """Whether a change may touch names and codes too."""


def build_value(wanted: Wanted, turn: Turn) -> Json:
    """Build one value: the same for the same turn, another one for another version."""
    if wanted.grows is not None:
        return _cursor_value(wanted.grows, wanted.format, turn.moment)
    if wanted.unique:
        return _unique_value(wanted, turn.number)
    number = turn.number
    if turn.wholly or not is_lasting(wanted):
        number += turn.version * _STEP
    if wanted.choices:
        return _from_choice(_pick(wanted.choices, number))
    if wanted.form:
        return _FORMED[wanted.form](number)
    if wanted.type is not None:
        return _TYPED[wanted.type](wanted, number)
    return suit(_by_name(wanted.name, number), wanted.limits, number)


def is_lasting(wanted: Wanted) -> bool:
    """Tell whether a value usually stays what it is: whose record it is, what a thing is called."""
    words = wanted.name.lower()
    lasting = wanted.unique or wanted.grows is not None
    return lasting or any(word in words for word in _LASTING)


def later_text(moment: int) -> str:
    """Return a moment as RFC 3339."""
    return (EPOCH + timedelta(seconds=moment)).isoformat().replace("+00:00", "Z")


def moment_of(at: datetime) -> int:
    """Return a time as records keep it, in whole seconds after the first."""
    return max(0, int((at - EPOCH).total_seconds()))


def _pick(choices: Sequence[str], number: int) -> str:
    # Multiplying by a prime keeps neighbours apart, so that pages do not look like patterns.
    return choices[number * 7919 % len(choices)]


def _cursor_value(grows: CursorType, time_format: TimeNotation | None, moment: int) -> Json:
    if grows is CursorType.NUMBER:
        seconds = int(EPOCH.timestamp()) + moment
        return seconds * 1000 if time_format == "unix_ms" else seconds
    return _time_value(time_format, moment)


def _time_value(notation: TimeNotation | None, moment: int) -> Json:
    """Write a moment in the first notation that is said, or as RFC 3339."""
    if notation is None:
        return later_text(moment)
    return notation.write(EPOCH + timedelta(seconds=moment))


def _unique_value(wanted: Wanted, number: int) -> Json:
    words = wanted.name.lower()
    is_text = "string" in wanted.limits.get("type", ())
    if is_text or wanted.type in (FieldType.TEXT, FieldType.DECIMAL):
        return f"{number:06d}"
    if wanted.type is None and any(word in words for word in _CODES):
        return _by_name(wanted.name, number)
    if wanted.type is None and "name" in words:
        return f"{wanted.name}-{number}"
    return number


def _from_choice(choice: str) -> Json:
    plain: dict[str, Json] = {"true": True, "false": False, "null": None}
    if choice in plain:
        return plain[choice]
    # "012" stays text: leading zeros are what a player should provoke.
    return int(choice) if choice.isdigit() and str(int(choice)) == choice else choice


def _typed_time(wanted: Wanted, number: int) -> Json:
    return _time_value(wanted.format, number * 3600)


_DAY: Final = Wanted(name="")


def _typed_day(wanted: Wanted, number: int) -> Json:
    day = EPOCH - timedelta(days=number % 7300)
    return day.date().isoformat() if wanted.format is None else wanted.format.write(day)


def _typed_text(wanted: Wanted, number: int) -> Json:
    value = _by_name(wanted.name, number)
    return value if isinstance(value, str) else str(number)


_TYPED: Final[dict[FieldType, Callable[[Wanted, int], Json]]] = {
    FieldType.TEXT: _typed_text,
    FieldType.INTEGER: lambda _, number: number % 997,
    FieldType.NUMBER: lambda _, number: number % 997 / 4,
    FieldType.DECIMAL: lambda _, number: _price(number),
    FieldType.BOOLEAN: lambda _, number: number % 3 != 0,
    FieldType.DATE: _typed_day,
    FieldType.DATETIME: _typed_time,
}


def _price(number: int) -> str:
    return f"{number % 90 + 3}.{number * 37 % 100:02d}"


def _isbn(number: int) -> str:
    digits = f"978{number % 1_000_000_000:09d}"
    total = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(digits))
    return f"{digits}{-total % 10}"


def _person(number: int) -> tuple[str, str]:
    return _pick(FIRST_NAMES, number), _pick(LAST_NAMES, number)


def _plain(text: str) -> str:
    return "".join(sign for sign in text.lower() if sign.isascii() and sign.isalpha()) or "x"


def _email(number: int) -> str:
    first, last = _person(number)
    return f"{_plain(first)}.{_plain(last)}{number}@example.org"


def _phone(number: int) -> str:
    return f"+1555{number % 10_000_000:07d}"


def _by_name(name: str, number: int) -> Json:
    words = name.lower()
    for signs, build in _NAMED:
        if any(words == sign.strip() if sign[0] == " " else sign in words for sign in signs):
            return build(number)
    return number if words.endswith("id") else f"{name} {number}"


_FORMED: Final[Mapping[str, Callable[[int], Json]]] = {
    "email": _email,
    "phone": _phone,
    "isbn": _isbn,
}
_CODES: Final = ("barcode", "cardnumber", "card_number", "external_id", "number", "code", "sku")
"""Names of texts that look like numbers and are not."""

_LASTING: Final = (*_CODES, "isbn", "mail", "title", "author", "name", "given", "family")

_NAMED: Final[tuple[tuple[tuple[str, ...], Callable[[int], Json]], ...]] = (
    (("mail",), _email),
    (("isbn",), _isbn),
    (("callnumber", "call_number"), lambda n: f"{n % 900 + 100}.{n % 10} {LAST_NAMES[n % 19][:3]}"),
    (("phone", "mobile"), _phone),
    (_CODES, lambda n: f"{n:08d}"),
    (("firstname", "first_name", "given"), lambda n: _person(n)[0]),
    (("surname", "lastname", "last_name", "family"), lambda n: _person(n)[1]),
    (("fullname", "full_name", "author", "customer_name"), lambda n: " ".join(_person(n))),
    (("title",), lambda n: f"A book of {_pick(SUBJECTS, n)}, volume {n}"),
    (("currency",), lambda n: _pick(CURRENCIES, n)),
    (("price", "cost"), _price),
    (("amount", "total", "balance", "quantity", "count", "stock"), lambda n: n * 7 % 10_000),
    (("deleted", "expired", "archived", "suppressed"), lambda _: False),
    ((" active", "enabled", "is_", "has_", "visible"), lambda n: n % 5 != 0),
    (("birth", "date", "_on"), lambda n: _typed_day(_DAY, n)),
    (("time", "_at", "created", "updated", "modified"), lambda n: later_text(n * 3600)),
    (("url", "link", "website"), lambda n: f"https://example.org/{n}"),
    (("location", "library", "branch"), lambda n: _pick(("main", "north", "harbour"), n)),
)
