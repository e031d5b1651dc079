"""What a reading is and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class RunStatus(StrEnum):
    """Where a run stands; ``done`` may have quarantined records, ``failed`` kept whole pages."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"


class Trigger(StrEnum):
    """Why a run began."""

    SCHEDULE = "schedule"
    MANUAL = "manual"
    WEBHOOK = "webhook"
    REPLAY = "replay"
    """What waits in quarantine is mapped again; nothing is asked."""
    CHILD = "child"
    """A stream that is read for each of its records needs them."""


class Mode(StrEnum):
    """What a run does: read everything, or what changed since the cursor, or something else."""

    FULL = "full"
    INCREMENTAL = "incremental"
    INPUT = "input"
    """Read what a person narrowed the run to; the stream's own progress is left alone."""
    REPLAY = "replay"
    REVERT = "revert"
    """Undo what another run wrote."""
    CALL = "call"
    """Make one call of an operation."""
    PROBE = "probe"
    """See whether address and credentials are right."""


class Debt(StrEnum):
    """Whether the lists of a stream's partitions have to be read in one go, all of them.

    So it is where a cursor was lost: what went while nobody could follow is told by no feed.
    """

    NONE = ""
    DUE = "due"
    """By the next round."""
    WAITS = "waits"
    """By the one after a round in which nothing fails: before that it could tell nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What a run, or one page of it, did; every number is a number of records but the last six."""

    read: int = 0
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    deleted: int = 0
    filtered: int = 0
    quarantined: int = 0
    held: int = 0
    """Deletions that wait for a person."""
    cleaned: int = 0
    """Values that a cleaner changed."""
    dropped: int = 0
    """Values that became null, as they could not become what a cleaner makes."""
    pages: int = 0
    requests: int = 0
    retries: int = 0
    waited_ms: int = 0

    def plus(self, other: Counts) -> Counts:
        """Add number by number."""
        return Counts(**{name: getattr(self, name) + getattr(other, name) for name in COUNT_NAMES})


COUNT_NAMES: tuple[str, ...] = tuple(Counts.__slots__)
