"""Calls of operations and probes: what people ask for, and what the store keeps of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from integrationd.model.json import Json

if TYPE_CHECKING:  # the store as a whole includes this part of it
    from integrationd.ports.store import RunRow

PROBE: Final = "(probe)"
"""Stands for the stream where a probe is noted; no stream can be called so."""


class CallStore(Protocol):
    """The history of what was no reading."""

    async def note_call(self, run: RunRow) -> None:
        """Put a call or a probe that is over into the history.

        A probe, which names :data:`PROBE` as its stream, also becomes what
        :meth:`integrationd.ports.store.StoreReader.streams` tells of that name.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class CallWish:
    """Which operation to call, with what."""

    integration: str
    operation: str
    input: Mapping[str, Json] = field(default_factory=dict)
    """Values with their types."""
    texts: Mapping[str, str] = field(default_factory=dict)
    """Values as a person typed them; each becomes what the operation's input declares."""
    dry_run: bool = False
    """Only tell what would be sent."""


class CallActions(Protocol):
    """What people ask of operations and probes; results are JSON as people see them."""

    async def call(self, wish: CallWish) -> Json:
        """Call an operation once and wait for what comes of it.

        Returns:
            ``{integration, operation, run, status, output, cached, counts, took_ms, error, kind,
            known}``: ``status`` is done or failed, ``known`` is false where it may have been done
            all the same. Of a dry run ``{integration, operation, request, remarks}``.

        Raises:
            UsageError: No such integration or operation.
            InputError: What was given does not fit its input; all of it, a line each.
        """
        ...

    async def probe(self, integration: str) -> Json:
        """Make an integration's probe.

        Returns:
            ``{integration, status, counts, took_ms, error, kind}``; ``status`` is done, failed, or
            none where there is no probe, with what to do as the ``error``.

        Raises:
            UsageError: No such integration.
        """
        ...
