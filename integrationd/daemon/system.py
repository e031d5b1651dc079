"""The real clock and the real randomness."""

from __future__ import annotations

import secrets
import time
from datetime import UTC, datetime


class SystemClock:
    """Tells the machine's time."""

    def now(self) -> datetime:
        """Return the current time in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        return time.monotonic()


class SystemRandomness:
    """Draws from the kernel."""

    def __init__(self) -> None:
        """Open the generator."""
        self._chance = secrets.SystemRandom()

    def fraction(self) -> float:
        """Return a number from 0 up to 1."""
        return self._chance.random()

    def token(self, size_bytes: int) -> bytes:
        """Return bytes that nobody can guess."""
        return secrets.token_bytes(size_bytes)
