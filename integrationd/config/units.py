"""Durations, sizes and rates as people write them: ``30s``, ``10MB``, ``100/min``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from typing_extensions import override

_MICROSECONDS = {
    "w": 604_800_000_000,
    "d": 86_400_000_000,
    "h": 3_600_000_000,
    "m": 60_000_000,
    "s": 1_000_000,
    "ms": 1000,
    "us": 1,
}
_BYTES = {"B": 1, "kB": 1000, "KB": 1000, "MB": 1000**2, "GB": 1000**3}
_PER = {"s": 1, "sec": 1, "min": 60, "m": 60, "h": 3600, "hour": 3600, "d": 86400, "day": 86400}
DURATION_PATTERN: Final = "".join(f"(?:([0-9]{{1,17}}){unit})?" for unit in _MICROSECONDS)
SIZE_PATTERN: Final = "([0-9]{1,18})(B|kB|KB|MB|GB)"
RATE_PATTERN: Final = "([0-9]{1,9})/([0-9]{1,9})?(s|sec|min|m|h|hour|d|day)"
_DURATION = re.compile(DURATION_PATTERN)
_SIZE = re.compile(SIZE_PATTERN)
_RATE = re.compile(RATE_PATTERN)


@dataclass(frozen=True, slots=True)
class Rate:
    """So many in so long, in whole seconds."""

    count: int
    per: timedelta

    @override
    def __str__(self) -> str:
        """Print as ``100/min`` where the span is a unit, else ``100/10s``."""
        seconds = int(self.per.total_seconds())
        unit = {1: "s", 60: "min", 3600: "h", 86400: "d"}.get(seconds)
        return f"{self.count}/{unit or f'{seconds}s'}"


def parse_duration(text: str) -> timedelta | None:
    """Parse ``30s``, ``5m`` or ``1h30m``, larger units first; None when it is not a duration."""
    found = _DURATION.fullmatch(text)
    if not found or not text:
        return None
    counts = zip(found.groups(default="0"), _MICROSECONDS.values(), strict=True)
    try:
        return timedelta(microseconds=sum(int(count) * unit_us for count, unit_us in counts))
    except OverflowError:
        return None


def format_duration(value: timedelta) -> str:
    """Print a duration in the largest unit that says it exactly."""
    total_us = value // timedelta(microseconds=1)
    for unit, unit_us in _MICROSECONDS.items():
        if total_us and total_us % unit_us == 0:
            return f"{total_us // unit_us}{unit}"
    return "0s"


def parse_size(text: str) -> int | None:
    """Parse ``10MB`` into bytes, units of 1000; None when it is not a size."""
    found = _SIZE.fullmatch(text)
    return int(found.group(1)) * _BYTES[found.group(2)] if found else None


def format_size(size_bytes: int) -> str:
    """Print a size in the largest unit that says it exactly."""
    for unit in ("GB", "MB", "kB"):
        if size_bytes and size_bytes % _BYTES[unit] == 0:
            return f"{size_bytes // _BYTES[unit]}{unit}"
    return f"{size_bytes}B"


def parse_rate(text: str) -> Rate | None:
    """Parse ``100/min`` or ``100/10s``; None when it is not a rate or allows nothing."""
    found = _RATE.fullmatch(text)
    if not found:
        return None
    count, times = int(found.group(1)), int(found.group(2) or 1)
    if count < 1 or times < 1:
        return None
    return Rate(count, timedelta(seconds=times * _PER[found.group(3)]))
