"""The reference page of signals and metrics, written from the table."""

from __future__ import annotations

import dataclasses
from typing import Any

from integrationd.model.runs import Counts
from integrationd.telemetry.entries import Entry, Kind
from integrationd.telemetry.table import TABLE

_HEAD = """\
# Signals and metrics

Generated from `integrationd/telemetry/table.py`; a test compares it.

Every thing that happens is one signal: one line in the log, and the metrics beside it. A field that
is empty is left out of the line. Metrics are served at `/metrics`.

## Log lines

| event | level | what happened | fields |
|---|---|---|---|
"""

_METRICS = """
Lines of other libraries, from level warning on, are `library.logged` with `logger` and `message`.

## Metrics

| metric | kind | labels | what it says |
|---|---|---|---|
"""


def signals_page() -> str:
    """Return ``docs/reference/signals.md``."""
    lines = "".join(_line_of(entry) for entry in TABLE)
    metrics = "".join(
        f"| `{metric.name}` | {_kind_of(metric.kind)} | {_code(metric.labels)} | {metric.text} |\n"
        for entry in TABLE
        for metric in entry.metrics
    )
    return f"{_HEAD}{lines}{_METRICS}{metrics}"


def _line_of(entry: Entry[Any]) -> str:
    level = entry.level.value
    if entry.louder is not None:
        level = f"{level}; {entry.louder.value} where {entry.when}"
    names = []
    for field in dataclasses.fields(entry.signal):
        spread = field.type in {"Counts", Counts}
        names.append("the counts" if spread else f"`{field.name}`")
    text = (entry.signal.__doc__ or "").partition("\n")[0]
    return f"| `{entry.event}` | {level} | {text} | {', '.join(names)} |\n"


def _kind_of(kind: Kind) -> str:
    return "gauge" if kind is Kind.TIMESTAMP else kind.value


def _code(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)
