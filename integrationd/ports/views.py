"""Plain SQL over records: one view for each entity, as the store offers it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from integrationd.transform.convert import FieldType


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityShape:
    """What is known of an entity's records."""

    entity: str
    """A word, or ``INTEGRATION.STREAM``."""
    fields: Mapping[str, FieldType | None] | None
    """In the order of the columns; a type of None is any. None: records as their source has them,
    which become one column."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewsLaid:
    """What was done about the views."""

    made: tuple[str, ...] = ()
    """Views that are new or changed."""
    dropped: tuple[str, ...] = ()
    """Views whose entity no file gives any more."""
    remarks: tuple[str, ...] = ()
    """What a person should know: views that could not be made, names that are not the plain one."""


class ViewStore(Protocol):
    """What the daemon does when the files change."""

    async def lay_views(self, shapes: Sequence[EntityShape]) -> ViewsLaid:
        """Make, replace and drop views in one transaction, so that each shape has its own.

        A view that is as it should be is left alone, and so is everything that somebody else made.
        """
        ...
