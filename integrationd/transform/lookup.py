"""Look-ups: what is stored already of another record, found while a page is mapped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Final, TypeAlias

from integrationd.config.decode import Marked
from integrationd.errors import MappingError
from integrationd.model.json import Json
from integrationd.model.records import StoredRecord
from integrationd.transform.key import Key, join_key, read_named
from integrationd.transform.scopes import Reference, Scope, Variables

SELF: Final = "self"
"""The integration whose records are mapped."""
FACTS: Final = ("id", "external_id", "data", "deleted")
"""What is known of a record that was found."""
Target: TypeAlias = tuple[str, str]
"""An integration, which may be ``self``, and an entity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LookUp:
    """One look-up: which record is meant, by the id that its own provider gave it."""

    integration: Marked = field(default_factory=lambda: Marked(SELF))
    """Whose record it is: another integration of the tenant, or ``self``."""
    entity: Marked
    """What kind of record."""
    external_id: Annotated[Key, Scope(("config", "each"))]
    """Its external id, read from the record: one expression, or a list where its key is one."""
    required: bool = False
    """A record for which nothing is found is set aside, instead of having null there."""

    @property
    def target(self) -> Target:
        """Return where it looks."""
        return str(self.integration), str(self.entity)

    @property
    def references(self) -> tuple[Reference, ...]:
        """Return what ``var()`` names in it."""
        return tuple(each for part in self.external_id.parts for each in part.references)

    def find_id(self, record: Json, variables: Variables, name: str) -> str | None:
        """Return the external id that it looks for; None where the record names none.

        Raises:
            MappingError: What the record has there is no external id.
        """
        parts = self.external_id.parts
        where = f"lookups.{name}"
        if len(parts) == 1 and read_named(parts[0], record, variables, where) in (None, ""):
            return None
        return join_key(parts, record, variables, where)


@dataclass(frozen=True, slots=True)
class Found:
    """What all look-ups of a page found, by where they looked."""

    records: Mapping[Target, Mapping[str, StoredRecord]]

    def read(
        self, lookups: Mapping[str, LookUp], record: Json, variables: Variables
    ) -> dict[str, Json]:
        """Return what ``var('lookups.NAME')`` names for one record; null where nothing was found.

        Raises:
            MappingError: A look-up that is required found nothing.
        """
        return {
            name: self._read_one(name, lookup, record, variables)
            for name, lookup in lookups.items()
        }

    def _read_one(self, name: str, lookup: LookUp, record: Json, variables: Variables) -> Json:
        external_id = lookup.find_id(record, variables, name)
        stored = None
        if external_id is not None:
            stored = self.records.get(lookup.target, {}).get(external_id)
        if stored is not None:
            return {
                "id": stored.id,
                "external_id": stored.external_id,
                "data": stored.data,
                "deleted": stored.deleted,
            }
        if lookup.required:
            what = "the record names none" if external_id is None else "none is stored"
            reason = f"lookups.{name}: expected a record of {str(lookup.entity)!r}, {what}"
            raise MappingError(reason, code="lookups")
        return None


NOTHING: Final = Found({})
