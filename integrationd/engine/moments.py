"""``now`` in requests: one time for a whole run, kept with a walk that another run goes on with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from integrationd.model.json import Json
from integrationd.transform.convert import format_instant

NOW: Final = "now"
"""What templates call it, and where a stored page token has it."""


def print_now(moment: datetime) -> str:
    """Print what templates see, in UTC and in whole seconds, as few providers take parts of one."""
    return format_instant(moment.replace(microsecond=0))


@dataclass(frozen=True, slots=True)
class Moment:
    """The present time of one walk."""

    now: str
    is_kept: bool
    """Whether a request uses it, so that the pages of a walk belong to it."""

    @classmethod
    def of(cls, token: Json, variables: Mapping[str, Json], *, is_used: bool) -> Moment:
        """Return that of a walk: its own where it broke off, else the run's.

        Args:
            token: Of the page that it begins with, as it is stored.
            variables: The run's.
            is_used: Whether a request uses it.
        """
        held = token[NOW] if isinstance(token, dict) and NOW in token else variables[NOW]
        return cls(held, is_used)

    def over(self, stored: Callable[[Json], Json] | None) -> Callable[[Json], Json] | None:
        """Return what is kept of a page's token, where that is more than the token itself."""
        if not self.is_kept:
            return stored
        return lambda token: self.stored(token if stored is None else stored(token))

    def stored(self, token: Json) -> Json:
        """Return a page's token with the time that it belongs to."""
        return {NOW: self.now, "token": token} if self.is_kept else token


def token_in(token: Json) -> Json:
    """Return a page's token without the time that it belongs to."""
    return token["token"] if isinstance(token, dict) and NOW in token else token
