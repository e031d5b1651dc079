"""What people have switched off, by hand and until they switch it on again."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Switch(StrEnum):
    """The ways of being off."""

    PAUSED = "paused"
    """Schedules and deliveries stop; whoever asks by hand is served, webhooks are stored."""
    DISABLED = "disabled"
    """Nothing is read at all; webhooks are still stored."""


@dataclass(frozen=True, slots=True)
class Switches:
    """All that is off."""

    thrown: frozenset[tuple[str, str, Switch]] = frozenset()
    """Tenant, integration and how; without a tenant and a name it is everything."""

    @property
    def paused(self) -> bool:
        """Whether everything is paused."""
        return ("", "", Switch.PAUSED) in self.thrown

    def is_thrown(self, tenant: str, integration: str, switch: Switch) -> bool:
        """Whether an integration by itself is off in that way."""
        return (tenant, integration, switch) in self.thrown

    def is_disabled(self, tenant: str, integration: str) -> bool:
        """Whether nothing of an integration is to be read."""
        return self.is_thrown(tenant, integration, Switch.DISABLED)

    def stops_schedules(self, tenant: str, integration: str) -> bool:
        """Whether nothing of an integration is to be read unasked."""
        return self.paused or any(self.is_thrown(tenant, integration, switch) for switch in Switch)


NOTHING_OFF: Final = Switches()
