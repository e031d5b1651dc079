"""What a case expects to come of a run, of a call or of an inbound call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated, Any, Literal

from integrationd.config.decode import Keys
from integrationd.model.runs import COUNT_NAMES
from integrationd.spec.exchanges import UNSAID

_COUNTS = Keys("|".join(COUNT_NAMES), f"one of {', '.join(COUNT_NAMES)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunExpectation:
    """What is expected of a reading. It must end well and set nothing aside unless this says so."""

    outcome: Literal["done", "failed", "stopped", "skipped"] = "done"
    """How it ends; ``skipped`` where it does not begin."""
    kind: Literal["auth", "rate", "temporary", "permanent"] | None = None
    """Of the failure."""
    error: str | None = None
    """The whole message; where it ends or begins with ``...``, the rest of it."""
    records: int | tuple[Mapping[str, Any], ...] | Mapping[str, Mapping[str, Any]] | None = None
    """What the stream has stored then: how many records, or each of them, as mapped. A list is in
    the order in which they came, an object names them by external id. Only the fields that are
    given are compared, ``external_id`` may be one; see ``exact``."""
    first: Mapping[str, Any] | None = None
    """The first record that came."""
    last: Mapping[str, Any] | None = None
    """The last record that came."""
    exact: bool = False
    """Whether records have no other fields than those given."""
    deleted: int | tuple[str, ...] | Mapping[str, str] | None = None
    """Which records are gone then: how many, their external ids, or each with its reason
    (``source``, ``swept``, ``filtered``)."""
    quarantined: int | tuple[Mapping[str, Any], ...] = 0
    """What this run set aside: how many, or each in the order in which they came, by any of
    ``external_id``, ``code``, ``field`` and ``reason``."""
    cursor: Any = UNSAID
    """Where the next reading begins, or the greatest value that this one saw in records; null
    where none is kept."""
    cursors: Mapping[str, Any] = field(default_factory=dict)
    """The cursors of partitions, by the partition's name: its values, joined by ``/``."""
    counts: Annotated[Mapping[str, int], _COUNTS] = field(default_factory=dict)
    """What the run counted: ``{added: 2, unchanged: 1, requests: 3}``."""
    mode: Literal["full", "incremental", "input"] | None = None
    """How it read."""
    resumed: bool | None = None
    """Whether it went on where the one before broke off."""
    waited: timedelta | None = None
    """How long it waited in all, for limits and before it tried again. Nobody really waits."""
    refresh_token: str | None = None
    """The refresh token that is kept then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallExpectation:
    """What is expected of an operation or a probe. It must succeed unless this says otherwise."""

    outcome: Literal["done", "failed", "refused"] = "done"
    """How it ends; ``refused`` where its input does not fit and nothing is asked."""
    kind: Literal["auth", "rate", "temporary", "permanent"] | None = None
    """Of the failure."""
    error: str | None = None
    """The whole message; where it ends or begins with ``...``, the rest of it."""
    output: Any = UNSAID
    """What it gives: of an object the fields that are given; see ``exact``."""
    exact: bool = False
    """Whether the output is this and nothing else."""
    known: bool | None = None
    """False where it may have been done though nobody said so."""
    waited: timedelta | None = None
    """How long it waited in all. Nobody really waits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventExpectation:
    """What is expected of an inbound call."""

    accepted: bool = True
    """Whether it is verified and stored."""
    error: str | None = None
    """Why it is not, whole; where it ends or begins with ``...``, the rest of it."""
    event: str | None = None
    """The sender's name of what happened."""
    dedup: str | None = None
    """The sender's id of the event."""
