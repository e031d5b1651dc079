"""What people and programs ask of the daemon; the control socket and the commands share it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from integrationd.model.json import Json
from integrationd.model.switches import Switch
from integrationd.ports.calls import CallActions
from integrationd.ports.consent import LoginActions
from integrationd.ports.vault import SecretActions


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncWish:
    """Which streams to read now, and how."""

    integration: str
    streams: tuple[str, ...] = ()
    """Empty: all that are enabled."""
    full: bool = False
    confirmed: bool = False
    """Agree to a deletion above the guard."""
    input: Mapping[str, Json] = field(default_factory=dict)
    """What narrows a run of one stream, values with their types."""
    texts: Mapping[str, str] = field(default_factory=dict)
    """The same as typed; each becomes what its schema declares."""

    @property
    def is_narrowed(self) -> bool:
        """Tell whether a person narrowed it."""
        return bool(self.input or self.texts)


@dataclass(frozen=True, slots=True, kw_only=True)
class RevertWish:
    """Which run to undo."""

    run: str
    dry_run: bool = False
    """Only tell what would be done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantineWish:
    """Which records that wait are meant; what is not given is anything."""

    integration: str | None = None
    stream: str | None = None
    ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchWish:
    """What is to be switched, and how."""

    integration: str | None
    """None is everything."""
    switch: Switch
    on: bool
    """Whether it is off in that way from now on."""


class Actions(LoginActions, Protocol):
    """The same through the socket and without a daemon; results are JSON as people see them."""

    @property
    def secrets(self) -> SecretActions:
        """Return what is asked of secrets."""
        ...

    @property
    def calls(self) -> CallActions:
        """Return what is asked of operations and probes."""
        ...

    def sync(self, wish: SyncWish) -> AsyncIterator[Json]:
        """Read streams one after the other, telling what happens.

        Yields:
            ``{"event": "started" | "page" | "finished" | "skipped", "integration", "stream", …}``;
            ``finished`` carries ``status``, ``counts``, ``error`` and ``kind``.

        Raises:
            UsageError: No such integration or stream.
            InputError: What narrows it does not fit; all of it, a line each.
        """
        ...

    def revert(self, wish: RevertWish) -> AsyncIterator[Json]:
        """Undo what a run wrote, telling what happens.

        Yields:
            ``{"event": "started" | "conflict" | "progress" | "finished" | "skipped", "reverts",
            …}``; a ``conflict`` carries ``entity``, ``external_id``, ``run`` and ``at``,
            ``finished`` carries ``run``, ``status``, ``counts``, ``cursor`` and ``error``.

        Raises:
            UsageError: No such run.
            HistoryError: It cannot be undone any more.
        """
        ...

    def preview(self, wish: SyncWish) -> AsyncIterator[Json]:
        """Tell what the next reading of one stream would change; nothing of it is kept.

        Yields:
            Lines as :func:`integrationd.engine.preview.preview_stream` has them; the last one is
            ``finished``.

        Raises:
            UsageError: No such integration or stream.
        """
        ...

    def replay(self, wish: QuarantineWish) -> AsyncIterator[Json]:
        """Map again what waits in quarantine, one stream after the other.

        Yields:
            ``{"event": "finished" | "skipped", "integration", "stream", …}``; ``finished`` carries
            ``run`` (null where nothing waited), ``status``, ``counts``, ``error`` and ``kind``.

        Raises:
            UsageError: No such integration, stream or id.
        """
        ...

    async def drop(self, wish: QuarantineWish) -> Json:
        """Forget what waits: ``{"dropped"}``; raises UsageError where nothing is named."""
        ...

    async def throw(self, wish: SwitchWish) -> Json:
        """Switch an integration or everything off in a way, or no longer.

        Returns:
            ``{"integration", "changed", "paused", "disabled", "all_paused"}``, as it stands now.

        Raises:
            UsageError: No such integration.
        """
        ...

    async def reload(self) -> Json:
        """Read the files again; ``{"taken", "integrations", "problems", "kept"}``."""
        ...

    async def status(self) -> Json:
        """Tell how everything stands."""
        ...

    async def webhook_url(self, integration: str, endpoint: str) -> Json:
        """Tell where a sender posts to: ``{"url", "path"}``; raises UsageError for no such one."""
        ...
