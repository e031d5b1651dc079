"""Records as they cross from mapping to the store and back."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple

from integrationd.model.json import Json

KEY_BYTES_MAX: Final = 2000
"""Of a key. PostgreSQL takes 2,704 bytes in a row of an index, with the names that stand before it:
those of the tenant, the integration and the entity, of 63 characters for each word."""


def key_bytes(text: str) -> int:
    """Return how long a key is where it is stored: in UTF-8, two signs that few have twice."""
    return len(text.encode()) + text.count("\0") + text.count("\1")


class DeleteReason(StrEnum):
    """Why a record is a tombstone."""

    SOURCE = "source"
    """The source said so (``deleted``)."""
    SWEPT = "swept"
    """A complete reading no longer had it."""
    FILTERED = "filtered"
    """It no longer passes ``where``."""
    REVERTED = "reverted"
    """The run that added it was undone."""


def digest_of(data: bytes) -> bytes:
    """Digest a record's data: 16 bytes; equal digests mean unchanged."""
    return hashlib.blake2b(data, digest_size=16).digest()


class Upsert(NamedTuple):
    """One mapped record. A tuple, as one is built for each record of each page."""

    external_id: str
    data: bytes
    """Canonical JSON (keys sorted), UTF-8."""
    digest: bytes
    """Of ``data``, by :func:`digest_of`."""


class Relay(NamedTuple):
    """What one parent record gives to one child; a tuple, as one is built for each."""

    child: str
    """Which stream reads by it, of which parent and as what: ``enrolments/courses/course_id``."""
    external_id: str
    """Of the parent record."""
    data: bytes
    """JSON, UTF-8: ``{"values": […], "carry": {…}, "each": {…}}``."""
    source: bytes
    """Digest of the parent's source record, 16 bytes."""


@dataclass(frozen=True, slots=True)
class Removal:
    """One record that the source deleted or that ``where`` now refuses."""

    external_id: str
    reason: DeleteReason


@dataclass(frozen=True, slots=True)
class SetAside:
    """One source record that could not be keyed, mapped or validated."""

    fingerprint: str
    """The external id where it could be read, else ``#`` and a digest of the source."""
    source: bytes
    """The source's record as JSON, UTF-8."""
    code: str
    field: str
    reason: str
    keyed: bool = True
    """Whether ``fingerprint`` is the external id; without one it may be any stored record."""
    each: Json = None
    """The values of the partition that it was read for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRecord:
    """One record as a reader sees it."""

    external_id: str
    id: str
    """The internal id, a UUIDv7 in its usual text form."""
    entity: str
    data: Json
    deleted: str | None
    """None while it lives, else a :class:`DeleteReason`."""
    seq: int
    """Its place in the feed of changes; grows with each change anywhere in the tenant."""
    changed_at: datetime
    stale: bool = False
    """Whether the spec has changed since it was written, and it may look different now."""
