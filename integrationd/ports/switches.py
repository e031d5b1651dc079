"""What people have switched off, kept over restarts and for every process."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from integrationd.model.switches import Switch, Switches


class SwitchStore(Protocol):
    """Where it is kept what is off, by integration: files do not say it."""

    async def throw_switch(
        self, tenant: str, integration: str, switch: Switch, *, on: bool, at: datetime
    ) -> bool:
        """Switch an integration off in a way, or no longer; whether that changed anything.

        Args:
            tenant: Whose; empty together with the name for everything.
            integration: Its name.
            switch: In which way.
            on: Whether it is off in that way from now on.
            at: The current time.
        """
        ...

    async def switches(self) -> Switches:
        """Return all that is off, of every tenant."""
        ...
