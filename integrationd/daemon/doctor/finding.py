"""One line of the doctor's report."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Self


class Level(StrEnum):
    """How bad it is: ``bad`` keeps something from working, ``warn`` may before long."""

    OK = "ok"
    WARN = "warn"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, what was found, and what to do."""

    about: str
    level: Level
    told: str
    advice: str = ""

    @classmethod
    def ok(cls, about: str, told: str) -> Self:
        """Say that something is as it should be."""
        return cls(about, Level.OK, told)

    @classmethod
    def warn(cls, about: str, told: str, advice: str) -> Self:
        """Say what may keep something from working before long."""
        return cls(about, Level.WARN, told, advice)

    @classmethod
    def bad(cls, about: str, told: str, advice: str) -> Self:
        """Say what keeps something from working."""
        return cls(about, Level.BAD, told, advice)
