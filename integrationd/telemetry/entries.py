"""What a line of the signal table can say."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, TypeAlias, TypeVar

from integrationd.model.json import Json
from integrationd.model.runs import COUNT_NAMES, Counts
from integrationd.signals import Signal
from integrationd.spec.settings import LogLevel

S = TypeVar("S", bound=Signal)

Samples: TypeAlias = Iterable[tuple[tuple[str, ...], float]]
"""Values of a metric's labels, in their order, and by how much it moves."""


class Kind(StrEnum):
    """How a metric moves."""

    COUNTER = "counter"
    """Grows."""
    GAUGE = "gauge"
    """Is set."""
    HISTOGRAM = "histogram"
    """Is observed."""
    TIMESTAMP = "timestamp"
    """Is set to the current time, in Unix seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric(Generic[S]):
    """One metric; labels are names out of files, never a record, a URL or an address."""

    name: str
    kind: Kind
    text: str
    labels: tuple[str, ...] = ()
    samples: Callable[[S], Samples]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry(Generic[S]):
    """One line of the table."""

    signal: type[S]
    event: str
    level: LogLevel
    metrics: tuple[Metric[S], ...] = ()
    louder: LogLevel | None = None
    """The level where ``is_louder`` says so."""
    when: str = ""
    """``is_louder`` in words."""
    is_louder: Callable[[S], bool] = lambda _: False

    def level_of(self, signal: S) -> LogLevel:
        """Return how loud one signal is."""
        return self.louder if self.louder is not None and self.is_louder(signal) else self.level


def fields_of(signal: Signal) -> Mapping[str, Json]:
    """Return a signal's fields as they are logged; counts are spread, and zeros left out."""
    shown: dict[str, Json] = {}
    for field in dataclasses.fields(signal):
        value = getattr(signal, field.name)
        if isinstance(value, Counts):
            counts = {name: getattr(value, name) for name in COUNT_NAMES}
            shown |= {name: count for name, count in counts.items() if count or name == "read"}
        elif value not in ("", (), None):
            shown[field.name] = list(value) if isinstance(value, tuple) else value
    return shown


def _one(signal: Signal, labels: tuple[str, ...], amount: float = 1) -> Samples:
    return ((tuple(str(getattr(signal, label)) for label in labels), amount),)


def count(name: str, text: str, *labels: str) -> Metric[Any]:
    """Count signals by some of their fields."""
    return Metric(
        name=name,
        kind=Kind.COUNTER,
        text=text,
        labels=labels,
        samples=lambda signal: _one(signal, labels),
    )


def measure(
    kind: Kind, name: str, text: str, amount: Callable[[Any], float], *labels: str
) -> Metric[Any]:
    """Move by what a signal says."""
    return Metric(
        name=name,
        kind=kind,
        text=text,
        labels=labels,
        samples=lambda signal: _one(signal, labels, amount(signal)),
    )
