"""A schedule as it is written: every so often, by cron, at times of day, or when a person asks."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import ClassVar, Final, Literal

from typing_extensions import override

from integrationd.config.decode import Invalid, Site, decode_fields
from integrationd.config.leaves import decode_text
from integrationd.config.nodes import Fields, Items, Node, Position, Scalar
from integrationd.config.sites import Leaf, Written
from integrationd.config.units import format_duration, parse_duration
from integrationd.spec.slots import Beat, Calendar, Jitter, check_cron, shortest_gap
from integrationd.transform.zones import Zone

USUAL_FLOOR: Final = timedelta(minutes=5)
"""Below this a schedule gets a warning: most providers count it as abuse."""
SHORTEST: Final = timedelta(seconds=1)
_LEAST: Final = f"a duration of at least {format_duration(SHORTEST)}"
SLOTS_LOOKED_AT: Final = 50
"""Of a calendar, for how near two of its slots lie."""


class Cron(str):
    """A cron expression of five fields, ``30 2 * * 1-5``."""

    __slots__ = ()
    FORM: ClassVar[Leaf] = Leaf("cron's five fields, such as 30 2 * * 1-5", {"type": "string"})

    @classmethod
    def decode_node(cls, node: Node, site: Site) -> Cron | Invalid:
        """Read an expression that fires at some time."""
        text = decode_text(node, site)
        if isinstance(text, Invalid):
            return text
        expected = check_cron(text)
        return cls(text) if expected is None else site.expected(node, expected, "E111")


class DayTime(str):
    """A time of day, ``02:00``."""

    __slots__ = ()
    FORM: ClassVar[Leaf] = Leaf(
        "a time of day such as 02:00",
        {"type": "string", "pattern": "^(?:[01][0-9]|2[0-3]):[0-5][0-9]$"},
    )

    @classmethod
    def decode_node(cls, node: Node, site: Site) -> DayTime | Invalid:
        """Read hours and minutes."""
        text = decode_text(node, site)
        if isinstance(text, Invalid):
            return text
        if not _DAY_TIME.fullmatch(text):
            return site.expected(node, "a time of day from 00:00 to 23:59, such as '02:00'", "E111")
        return cls(text)

    def cron(self) -> str:
        """Return the expression of the same time every day."""
        hour, _, minute = self.partition(":")
        return f"{int(minute)} {int(hour)} * * *"


_DAY_TIME: Final = re.compile("(?:[01][0-9]|2[0-3]):[0-5][0-9]")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Words:
    """What the object of a schedule may say; one of the first three."""

    every: timedelta | None = None
    """The time between two runs, ``30m``."""
    cron: Cron | None = None
    """Cron's five fields: minute, hour, day of the month, month, day of the week."""
    at: DayTime | tuple[DayTime, ...] | None = None
    """One time of day or several, ``"02:00"``."""
    timezone: Zone | None = None
    """Of ``cron`` and ``at``; the settings' by default."""
    jitter: timedelta | None = None
    """A run begins up to so much later, always the same after the same slot."""

    def check(self, node: Fields, site: Site) -> Invalid | None:
        """Refuse what does not go together."""
        kinds = [name for name in ("every", "cron", "at") if getattr(self, name) is not None]
        if not kinds:
            message = f"{site.name} has no 'cron', 'at' or 'every', expected one of them"
            return site.refuse(node.position, "E102", message)
        if len(kinds) > 1:
            both = " and ".join(map(repr, kinds))
            message = f"{site.name} has {both}, expected one; null takes back what a provider says"
            return site.refuse(node.key_position(kinds[1]), "E114", message)
        if self.timezone is not None and self.every is not None:
            message = f"{site.name} has 'timezone', which says nothing beside 'every'"
            return site.refuse(node.key_position("timezone"), "E114", message)
        if self.at == ():
            message = f"{site.name}.at is an empty list, expected at least one time of day"
            return site.refuse(node.entries["at"].position, "E111", message)
        return self._check_every(node, site)

    def _check_every(self, node: Fields, site: Site) -> Invalid | None:
        if self.every is not None and self.every < SHORTEST:
            return site.key("every").expected(node.entries["every"], _LEAST, "E111")
        if self.every is not None and self.jitter is not None and self.jitter > self.every:
            told = f"at most {format_duration(self.every)}, the time between two runs"
            return site.key("jitter").expected(node.entries["jitter"], told, "E111")
        return None


@dataclass(frozen=True, slots=True)
class Schedule:
    """When something is due."""

    FORM: ClassVar[Written] = Written((timedelta, Literal["manual"], _Words))

    every: timedelta | None = None
    """A distance that stays. Without it and without ``crons``, only a person begins: ``manual``."""
    crons: tuple[str, ...] = ()
    """A calendar; each time of day is an expression."""
    timezone: Zone | None = None
    """Of the calendar; the settings' where it says none."""
    jitter: timedelta | None = None
    """A run begins up to so much after its slot, always the same after the same slot."""
    shown: str = "manual"
    position: Position | None = field(default=None, compare=False)

    @override
    def __str__(self) -> str:
        """Print nearly as it is written."""
        return self.shown

    def is_manual(self) -> bool:
        """Whether it never comes due."""
        return self.every is None and not self.crons

    def calendar(self, zone: Zone, seed: str) -> Calendar | None:
        """Return its slots; None where it has no calendar.

        Args:
            zone: Where it names none itself.
            seed: What tells its jitter from that of others.
        """
        if not self.crons:
            return None
        return Calendar(self.crons, self.timezone or zone, self._jitter(seed))

    def beat(self, anchor: datetime, seed: str) -> Beat | None:
        """Return its slots from an anchor on; None where it has no fixed distance."""
        return None if self.every is None else Beat(self.every, anchor, self._jitter(seed))

    def _jitter(self, seed: str) -> Jitter | None:
        return Jitter(self.jitter, seed) if self.jitter else None

    @classmethod
    def decode_node(cls, node: Node, site: Site) -> Schedule | Invalid:
        """Read ``30m``, ``manual`` or an object with ``cron``, ``at`` or ``every``."""
        if isinstance(node, Fields):
            words = decode_fields(node, _Words, site)
            return words if isinstance(words, Invalid) else _of_words(words, node, site)
        what = "a duration such as 30m, manual, or an object with 'cron', 'at' or 'every'"
        if isinstance(node, Items) or not isinstance(node.value, str):
            return site.expected(node, what)
        if node.value == "manual":
            return cls(position=node.position)
        every = parse_duration(node.value)
        if every is None:
            return site.expected(node, what, "E111")
        if every < SHORTEST:
            return site.expected(node, _LEAST, "E111")
        _advise(every, node, site)
        return cls(every=every, shown=format_duration(every), position=node.position)


MANUAL: Final = Schedule()
"""Only a person begins."""


def _of_words(words: _Words, node: Fields, site: Site) -> Schedule:
    """Build a schedule of words that fit."""
    later = f", up to {format_duration(words.jitter)} later" if words.jitter else ""
    if words.every is not None:
        _advise(words.every, node.entries["every"], site.key("every"))
        shown = format_duration(words.every) + later
        return Schedule(every=words.every, jitter=words.jitter, shown=shown, position=node.position)
    times = (words.at,) if isinstance(words.at, DayTime) else words.at or ()
    crons = (words.cron,) if words.cron else tuple(dict.fromkeys(time.cron() for time in times))
    gap = shortest_gap(crons, among=SLOTS_LOOKED_AT)
    key = "cron" if words.cron else "at"
    if gap is not None:
        _advise(gap, node.entries[key], site.key(key))
    what = words.cron or f"at {', '.join(times)}"
    where = f" {words.timezone}" if words.timezone else ""
    return Schedule(
        crons=crons,
        timezone=words.timezone,
        jitter=words.jitter,
        shown=f"{what}{where}{later}",
        position=node.position,
    )


def _advise(gap: timedelta, node: Node, site: Site) -> None:
    """Warn of what most providers would count as abuse."""
    if gap >= USUAL_FLOOR:
        return
    written = node.value if isinstance(node, Scalar) else None
    if isinstance(written, str) and parse_duration(written) is not None:
        what = f"is {written}"
    else:
        what = f"has runs {format_duration(gap)} apart"
    message = (
        f"{site.path} {what}; most providers ask for five minutes or more, see what this one allows"
    )
    site.problems.add(node.position, "W502", message)
