"""What signals count, where that is more than one of each."""

from __future__ import annotations

from integrationd import signals
from integrationd.telemetry.entries import Samples


def records(signal: signals.RunFinished) -> Samples:
    """Count what became of the records of a run."""
    names = ("read", "added", "changed", "unchanged", "deleted", "filtered", "quarantined", "held")
    for name in names:
        yield (signal.integration, signal.stream, name), getattr(signal.counts, name)


def values(signal: signals.RunFinished) -> Samples:
    """Count what cleaning did."""
    for name in ("cleaned", "dropped"):
        yield (signal.integration, signal.stream, name), getattr(signal.counts, name)


def success(signal: signals.RunFinished) -> Samples:
    """Mark the time of a run that was done."""
    if signal.status == "done":
        yield (signal.integration, signal.stream), 0


def answers(signal: signals.CallAnswered) -> Samples:
    """Count answers by the class of their status."""
    yield (signal.integration, f"{signal.status // 100}xx"), 1


def events(signal: signals.EventAccepted) -> Samples:
    """Count events, duplicates apart."""
    result = "duplicate" if signal.duplicate else "accepted"
    yield (signal.integration, signal.endpoint, result), 1


def pruned(signal: signals.StorePruned) -> Samples:
    """Count rows by their table."""
    for name, rows in signal.rows.items():
        yield (name,), rows
