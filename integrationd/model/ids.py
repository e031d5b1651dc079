"""Ids made from a given time and given randomness, so that inner layers stay pure."""

from __future__ import annotations

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
