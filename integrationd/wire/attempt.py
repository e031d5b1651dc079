"""The moment at which a request is signed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What each try of a request has of its own; handed in, as nothing here has a clock."""

    at: datetime
    """The current time, aware."""
    nonce: str
    """32 hexadecimal digits that nobody can guess and that are never used again."""
    challenge: str = ""
    """``WWW-Authenticate`` of an earlier 401; empty before there was one."""
    count: int = 0
    """How many requests have answered that challenge, this one included."""
