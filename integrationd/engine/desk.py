"""What this process holds of tokens; :mod:`integrationd.engine.tokens` does the work."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from integrationd.errors import ProviderError
from integrationd.model.secret import Secret
from integrationd.wire.grants import Kept

HELD_MAX: Final = 4
"""Tokens of one account: runs that began before its file changed still use the older one."""
Name: TypeAlias = tuple[str, str]
"""Tenant and integration."""


@dataclass(frozen=True, slots=True)
class Unsaved:
    """A new refresh token that the vault would not take; nothing is asked before it is in."""

    before: Kept
    """What the vault had when it was asked for."""
    kept: Kept
    """What the answer made of it."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A token request that was refused a moment ago."""

    digest: str
    error: ProviderError
    until_s: float
    """By the clock that never goes back."""


@dataclass(slots=True)
class TokenDesk:
    """One for each process: tokens at hand, and requests for tokens under way."""

    learn: Callable[[str, Secret], None] = field(default=lambda _place, _secret: None, repr=False)
    """Told each token, and a name for its place, to mask it in the log."""
    held: dict[Name, dict[str, Kept]] = field(default_factory=dict)
    """By what they were asked as; the newest last."""
    flights: dict[Name, asyncio.Task[Kept]] = field(default_factory=dict)
    unsaved: dict[Name, Unsaved] = field(default_factory=dict)
    refused: dict[Name, Refused] = field(default_factory=dict)
    logins: set[asyncio.Task[Any]] = field(default_factory=set)
    """Requests under way that hand in what a person's consent gave."""

    def hold(self, name: Name, kept: Kept) -> None:
        """Keep a token at hand."""
        for what, token in (("access", kept.access), ("refresh", kept.refresh)):
            if token is not None:
                self.learn(f"{'/'.join(name)}/oauth2.{what}", token)
        mine = self.held.setdefault(name, {})
        mine.pop(kept.asked_as, None)
        mine[kept.asked_as] = kept
        while len(mine) > HELD_MAX:
            del mine[next(iter(mine))]

    def find(self, name: Name, asked_as: str, now_s: float, refused: Secret | None) -> Kept | None:
        """Return a token that may be sent, None where there is none at hand."""
        kept = self.held.get(name, {}).get(asked_as)
        if kept is None or kept.access == refused or not kept.is_fresh(asked_as, now_s):
            return None
        return kept

    def forget(self, name: Name) -> None:
        """Let go of all that is held of an account: a person took it back."""
        for held in (self.held, self.unsaved, self.refused):
            held.pop(name, None)

    def newest(self, name: Name) -> Kept:
        """Return the token that was had last, whatever it was asked as."""
        mine = self.held.get(name, {})
        return next(reversed(mine.values()), Kept())

    async def drain(self, patience_s: float) -> None:
        """Let requests under way end: their answer may hold a refresh token that must be kept."""
        flights = [*self.flights.values(), *self.logins]
        if not flights:
            return
        _, late = await asyncio.wait(flights, timeout=patience_s)
        for flight in late:
            flight.cancel()
        if late:
            await asyncio.wait(late)
