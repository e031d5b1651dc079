"""Ids made from a given time and given randomness, so that inner layers stay pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def build_ulid(unix_ms: int, entropy: bytes) -> str:
    """Build a ULID, 26 Crockford characters that sort by time.

    Args:
        unix_ms: Milliseconds since 1970, below 2**48.
        entropy: Exactly 10 random bytes.

    Source:
        The ULID specification, "Layout" and "Crockford's Base32".
    """
    number = (unix_ms << 80) | int.from_bytes(entropy[:10], "big")
    return "".join(_CROCKFORD[(number >> shift) & 31] for shift in range(125, -1, -5))


def build_uuid7(unix_ms: int, entropy: bytes) -> bytes:
    """Build the 16 bytes of a UUIDv7: time first, so that an index grows at its end.

    Args:
        unix_ms: Milliseconds since 1970, below 2**48.
        entropy: Exactly 10 random bytes.

    Source:
        RFC 9562 section 5.7.
    """
    random = int.from_bytes(entropy[:10], "big") >> 6
    high = (unix_ms << 16) | 0x7000 | random >> 62
    low = 0x8000000000000000 | (random & 0x3FFFFFFFFFFFFFFF)
    return (high << 64 | low).to_bytes(16, "big")


@dataclass(frozen=True, slots=True)
class Uuids:
    """UUIDv7s that sort by their number, each built when it is asked for: most never are.

    The number takes the bits that the RFC gives a counter, so that a page of records lies in one
    run of the index.

    Source:
        RFC 9562 section 6.2, method 1.
    """

    unix_ms: int
    """Milliseconds since 1970, below 2**48."""
    entropy: bytes
    """:data:`UUID_ENTROPY_BYTES` random bytes for each."""

    def __len__(self) -> int:
        """Count them."""
        return len(self.entropy) // UUID_ENTROPY_BYTES

    def __getitem__(self, number: int, /) -> bytes:
        """Build one; its number is from 0 and below 2**24."""
        start = number * UUID_ENTROPY_BYTES
        own = self.entropy[start : start + UUID_ENTROPY_BYTES]
        return build_uuid7(self.unix_ms, number.to_bytes(3, "big") + own)


UUID_ENTROPY_BYTES: Final = 7
"""Of the 74 free bits 24 are the counter's; 50 are left."""


class Ids(Protocol):
    """Ids by their number; a list will do, but most are never asked for."""

    def __len__(self) -> int:
        """Count them."""
        ...

    def __getitem__(self, number: int, /) -> bytes:
        """Return one; the same each time."""
        ...
