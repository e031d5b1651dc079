"""Inbound calls that were verified, as they are kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEvent:
    """A verified call that waits to be stored; the answer is sent only after that."""

    tenant: str
    integration: str
    endpoint: str
    id: str
    """Ours: ``evt_`` and a ULID."""
    dedup: str
    """The sender's id of the event, else a digest of the signed bytes."""
    event: str
    """The sender's name of what happened, empty where the spec does not read one."""
    received_at: datetime
    headers: Mapping[str, str]
    """Lower-case names; credentials and signatures are left out."""
    body: bytes
    """Exactly as received."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEvent:
    """One line of ``events list``."""

    id: str
    integration: str
    endpoint: str
    event: str
    dedup: str
    status: str
    received_at: datetime
    duplicates: int
    """How often the same event came again."""
