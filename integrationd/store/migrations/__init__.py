"""From one schema to the next: a module for each, which no longer changes once it is released.

Only ``db upgrade`` imports this. The newest one is written by ``make migration``, from the
difference between the schema that was released before it and :mod:`integrationd.store.tables`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from alembic.operations import Operations

from integrationd.store.migrations import r0002

Step: TypeAlias = Callable[[Operations], None]

STEPS: Final[Mapping[int, Step]] = {2: r0002.upgrade}
"""What makes each schema of the one before it."""
