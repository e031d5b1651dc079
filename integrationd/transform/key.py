"""What makes a record itself: the values of some expressions, joined into one text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from integrationd.config.decode import INVALID, Invalid, Site, decode
from integrationd.config.nodes import Items, Node
from integrationd.config.sites import Written
from integrationd.errors import ExpressionError, MappingError
from integrationd.model.json import Json
from integrationd.model.records import KEY_BYTES_MAX, key_bytes
from integrationd.model.unstorable import is_half_pair
from integrationd.transform.expression import Expression
from integrationd.transform.scopes import Variables


@dataclass(frozen=True, slots=True)
class Key:
    """The expressions whose values, joined, are a record's external id."""

    FORM: ClassVar[Written] = Written((Expression, tuple[Expression, ...]))

    parts: tuple[Expression, ...]

    @classmethod
    def decode_node(cls, node: Node, site: Site) -> Key | Invalid:
        """Read one expression or a list of them."""
        nodes = node.items if isinstance(node, Items) else (node,)
        if not nodes:
            return site.expected(node, "an expression or a list of them")
        parts = [decode(part, Expression, site) for part in nodes]
        return INVALID if any(part is INVALID for part in parts) else cls(tuple(parts))


def join_key(parts: tuple[Expression, ...], record: Json, variables: Variables, name: str) -> str:
    """Join the parts of a key into one text.

    Raises:
        MappingError: A part is neither text, a whole number nor true or false, or the whole is
            too long.
    """
    if len(parts) == 1:
        text = _key_text(read_named(parts[0], record, variables, name), name)
    else:
        values = [read_named(part, record, variables, name) for part in parts]
        text = "/".join(
            _key_text(value, name).replace("%", "%25").replace("/", "%2F") for value in values
        )
    if len(text) > _SHORT_CHARS:
        _check_size(text, name)
    return text


def read_named(expression: Expression, record: Json, variables: Variables, name: str) -> Json:
    """Evaluate over a record; a failure says whose expression it was.

    Raises:
        MappingError: It cannot be evaluated.
    """
    try:
        return expression.search(record, variables)
    except ExpressionError as wrong:
        raise MappingError(f"{name}: {wrong}", code=name.partition(".")[0]) from None


def _key_text(value: Json, name: str) -> str:
    if isinstance(value, str) and value:
        text = value
    elif isinstance(value, bool):
        return "true" if value else "false"
    elif isinstance(value, int) and abs(value) < _WHOLE_MAX:
        return str(value)
    else:
        found = "nothing" if value in (None, "") else _FOUND.get(type(value), "too long a number")
        message = f"{name}: found {found}, expected text, a whole number or true or false"
        raise MappingError(message, code=name.partition(".")[0])
    if is_half_pair(text):
        message = f"{name}: found text with half a surrogate pair"
        raise MappingError(message, code=name.partition(".")[0])
    return text


def _check_size(text: str, name: str) -> None:
    size = key_bytes(text)
    if size > KEY_BYTES_MAX:
        message = f"{name}: found text of {size} bytes, expected at most {KEY_BYTES_MAX}"
        raise MappingError(message, code=name.partition(".")[0])


_FOUND: Final = {list: "a list", dict: "an object", float: "a number with a fraction"}
_SHORT_CHARS: Final = KEY_BYTES_MAX // 4
"""So many signs always fit: none takes more than four bytes."""
_WHOLE_MAX: Final = 10**100
