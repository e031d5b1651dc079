"""Between rows and values: times, JSON, ids, packed numbers."""

from __future__ import annotations

import struct
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from integrationd.model.json import Json

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)

encode_json = msgspec.json.Encoder().encode
decode_json = msgspec.json.Decoder().decode


def to_ms(at: datetime) -> int:
    """Return whole milliseconds since 1970; ``at`` is aware."""
    return (at - _EPOCH) // _MS


def from_ms(ms: int) -> datetime:
    """Return the aware time, in UTC."""
    return _EPOCH + timedelta(milliseconds=ms)


def from_ms_or_none(ms: int | None) -> datetime | None:
    """Return the aware time, or None for NULL."""
    return None if ms is None else from_ms(ms)


def to_text(value: Json) -> str | None:
    """Return a value as JSON text, None as NULL."""
    return None if value is None else encode_json(value).decode()


def from_text(text: str | None) -> Json:
    """Return the value of JSON text; NULL is None. Whole numbers keep every digit."""
    return None if text is None else decode_json(text)


def to_uuid_text(raw: bytes) -> str:
    """Return 16 bytes in the usual text form of a UUID."""
    return str(uuid.UUID(bytes=raw))


def pack_numbers(numbers: Sequence[int]) -> bytes:
    """Pack whole numbers into eight bytes each, the same on every machine."""
    return struct.pack(f"<{len(numbers)}q", *numbers)


def unpack_numbers(packed: bytes) -> tuple[int, ...]:
    """Undo :func:`pack_numbers`."""
    return struct.unpack(f"<{len(packed) // 8}q", packed)
