"""``explode``: a record with a list inside becomes one record for each item of the list."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Final

from integrationd.config.decode import INVALID, Invalid, Keys, Site, decode, decode_fields
from integrationd.config.nodes import Fields, Items, Node
from integrationd.config.sites import OWN, Written
from integrationd.model.json import Json
from integrationd.transform.expression import Expression
from integrationd.transform.scopes import Variables

FIELD: Final = Keys(r"[^\x00-\x1f\x7f]{1,100}", "the name of a field")


@dataclass(frozen=True, slots=True)
class Kept:
    """Fields that every item gets from the record that it stood in."""

    FORM: ClassVar[Written] = Written(
        (tuple[Expression, ...], Annotated[Mapping[str, Expression], FIELD])
    )

    fields: Mapping[str, Expression] = field(default_factory=dict)

    @classmethod
    def decode_node(cls, node: Node, site: Site) -> Kept | Invalid:
        """Read the names of fields, or expressions by name."""
        if not isinstance(node, Items):
            read = decode(node, Mapping[str, Expression], site.noted(FIELD))
            return read if isinstance(read, Invalid) else cls(read)
        fields: dict[str, Expression] = {}
        valid = True
        for index, item in enumerate(node.items):
            name = decode(item, Expression, site.item(index))
            if isinstance(name, Invalid):
                valid = False
            elif name.text in fields or name.roots != {name.text}:
                site.item(index).expected(item, "the name of a field, once", "E111")
                valid = False
            else:
                fields[name.text] = name
        return cls(fields) if valid else INVALID


@dataclass(frozen=True, slots=True, kw_only=True)
class Explode:
    """One record for each item of a list inside a record, before anything else reads it.

    An item that is an object is a record by its own fields; with ``as`` it stands in a field, as
    texts and numbers must if anything is to stand beside them. A single value is a list of one,
    null an empty list.
    """

    FORM: ClassVar[Written] = Written((Expression, OWN))

    path: Expression
    """Finds the list in the record, ``lines``."""
    as_: Annotated[str, FIELD] = ""
    """The field that holds the item. Without it the item's own fields are the record's."""
    keep: Kept = field(default_factory=Kept)
    """Fields of the record that every item gets: ``[id, date]``, or under names of their own,
    ``{order_id: id}``. They take the place of an item's fields of the same name."""
    position_: Annotated[str, FIELD] = ""
    """The field that tells which item of its list it is, counted from 1."""
    keep_empty: bool = False
    """Whether a record whose list is empty stays, as one without an item."""

    @classmethod
    def decode_node(cls, node: Node, site: Site) -> Explode | Invalid:
        """Read an expression alone, or an object."""
        if isinstance(node, Fields):
            return decode_fields(node, cls, site)
        path = Expression.decode_node(node, site)
        return path if isinstance(path, Invalid) else cls(path=path)

    def apply(self, records: Sequence[Json], variables: Variables) -> list[Json]:
        """Return the items of all records, in their order.

        Raises:
            ExpressionError: ``path`` or ``keep`` cannot be evaluated over a record.
        """
        return [item for record in records for item in self._explode(record, variables)]

    def _explode(self, record: Json, variables: Variables) -> Iterator[Json]:
        found = self.path.search(record, variables)
        items = found if isinstance(found, list) else [] if found is None else [found]
        if not items and not self.keep_empty:
            return
        kept = {
            name: expression.search(record, variables)
            for name, expression in self.keep.fields.items()
        }
        for at, item in enumerate(items, start=1):
            yield self._build(item, at, kept)
        if not items:
            yield self._build(None if self.as_ else {}, None, kept)

    def _build(self, item: Json, at: int | None, kept: Mapping[str, Json]) -> Json:
        fields = {self.as_: item} if self.as_ else item
        if not isinstance(fields, dict):
            return item
        numbered = {self.position_: at} if self.position_ else {}
        return {**fields, **numbered, **kept}
