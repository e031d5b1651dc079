"""Where files lie."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Self

CONFIG_DEFAULT = "/etc/integrationd"
STATE_DEFAULT = "/var/lib/integrationd"


@dataclass(frozen=True, slots=True)
class Paths:
    """The two directories, and the names inside."""

    config: Path
    state: Path

    @classmethod
    def find(cls, config: str | None, state: str | None) -> Self:
        """Take what the command line says, else the environment, else the usual places."""
        return cls(
            Path(config or os.environ.get("INTEGRATIOND_CONFIG") or CONFIG_DEFAULT),
            Path(state or os.environ.get("INTEGRATIOND_STATE") or STATE_DEFAULT),
        )

    @property
    def settings(self) -> Path:
        """Return the settings' file."""
        return self.config / "integrationd.yaml"

    @property
    def database(self) -> Path:
        """Return the embedded database."""
        return self.state / "integrationd.db"

    @property
    def lock(self) -> Path:
        """Return the file that the one writing process holds."""
        return self.state / "lock"

    @property
    def node(self) -> Path:
        """Return the file that tells this state directory from all others."""
        return self.state / "node"

    @property
    def control(self) -> Path:
        """Return the control socket."""
        return self.state / "control.sock"
