"""Sets of record numbers that cost little."""

from __future__ import annotations


class Marks:
    """A set of record numbers, one bit each: what 200,000 records need is 25 kB."""

    def __init__(self) -> None:
        """Begin empty."""
        self._bits = bytearray()

    def add(self, number: int) -> None:
        """Take one in; again is harmless."""
        at, bit = divmod(number, 8)
        if at >= len(self._bits):
            self._bits.extend(bytes(at + 1 - len(self._bits) + len(self._bits) // 2))
        self._bits[at] |= 1 << bit

    def has(self, number: int) -> bool:
        """Tell whether it is in."""
        at, bit = divmod(number, 8)
        return at < len(self._bits) and bool(self._bits[at] >> bit & 1)
