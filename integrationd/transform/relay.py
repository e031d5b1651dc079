"""What a parent record gives to a child stream, which is read once for each value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from integrationd.errors import ExpressionError, MappingError
from integrationd.model.json import Json
from integrationd.transform.expression import Expression
from integrationd.transform.mapping import is_true
from integrationd.transform.scopes import Variables


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayRule:
    """How a child finds its values in its parent's records."""

    child: str
    """The child stream, its parent and the name of the value, ``enrolments/courses/course_id``."""
    value: Expression
    when: Expression | None = None
    carry: Mapping[str, Expression]

    def read(self, record: Json, variables: Variables) -> Json:
        """Return ``{values, carry, each}`` of a record; a list found gives a value for each item.

        Raises:
            MappingError: An expression failed on this record.
        """
        try:
            if self.when is not None and not is_true(self.when.search(record, variables)):
                return {"values": []}
            found = self.value.search(record, variables)
            carry = {key: part.search(record, variables) for key, part in self.carry.items()}
        except ExpressionError as wrong:
            name = self.child.partition("/")[0]
            raise MappingError(f"for_each of {name}: {wrong}", code="for_each") from None
        values = found if isinstance(found, list) else [found]
        return {
            "values": [value for value in values if value is not None and value != ""],
            "carry": carry,
            "each": variables.get("each", {}),
        }
