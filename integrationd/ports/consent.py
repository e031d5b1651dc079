"""What people ask of consent: to log in where a provider wants a person."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

from integrationd.model.json import Json
from integrationd.model.secret import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginWish:
    """A login that begins, or what a browser came back with."""

    integration: str
    tenant: str | None = None
    """Whose it has to be; None is anybody's."""
    port: int | None = None
    """Where the command can listen, for a redirect without a port of its own."""
    answer: Secret | None = None
    """The address that the browser was sent to in the end; None begins a login."""


class LoginActions(Protocol):
    """One action; results are JSON as people see them, never a code or a token."""

    def login(self, wish: LoginWish) -> AsyncIterator[Json]:
        """Begin a login, or end one that waits for what a browser comes back with.

        Yields:
            Each line has ``event`` and ``integration``. Where consent is given in a browser, a
            wish without ``answer`` gives one line ``open`` with ``address``, ``redirect`` and
            ``expires_in_s``. With one, a line ``finished``. Where it is given on another device, a
            line ``code`` with ``user_code``, ``address``, ``whole_address`` and ``expires_in_s``,
            a line ``waiting`` for each time that the provider has no answer yet, then
            ``finished``. That has ``status`` (done or failed), ``error``, ``kind``, ``scopes``
            (null where the provider does not say what it granted) and ``remark``.

        Raises:
            UsageError: No such integration, none of that tenant, or one whose provider wants no
                person; or the answer is none to a login that waits here.
            SettingsError: There is no master key, or a secret is missing.
        """
        ...
