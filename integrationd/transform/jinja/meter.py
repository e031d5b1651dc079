"""How much one rendering may do; the sandbox of Jinja2 stops escapes, not resource use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from integrationd.errors import ExpressionError
from integrationd.model.json import Json

TEXT_MAX: Final = 1_000_000
"""Most characters that a template writes, or that one filter makes."""
ITEM_COST: Final = 20
"""What an item costs, as one character costs 1; measured, both come to some nanoseconds."""
_UNITS_MAX: Final = 4_000_000
"""Together some 50 ms, the longest that anything may hold the event loop."""


MAPPINGS: Final = "the mappings"
"""Among the variables of a rendering, where ``mapping`` finds them; no template can name it."""
Mappers: TypeAlias = Mapping[str, Callable[[Json], Json]]
"""By a mapping's name what maps one value; it raises MappingError."""


class Meter:
    """Counts what one rendering uses, and carries what its filters need from outside."""

    __slots__ = ("_left", "encode", "mappers")

    def __init__(
        self, encode: Callable[[str], str] | None = None, mappers: Mappers | None = None
    ) -> None:
        """Begin with everything unused."""
        self._left = _UNITS_MAX
        self.encode = encode
        self.mappers = mappers or {}

    def spend(self, units: int) -> None:
        """Take some units away.

        Raises:
            ExpressionError: There are not as many left.
        """
        self._left -= units
        if self._left < 0:
            raise ExpressionError("the template takes too many steps; give it less to work on")

    def weigh(self, value: Json, times: int = 1) -> None:
        """Pay for walking over a value, once or several times."""
        # A list and not recursion: a value may be nested as deep as JSON can be.
        pending = [value]
        while pending:
            value = pending.pop()
            if isinstance(value, str):
                self.spend(times * (1 + len(value)))
            elif isinstance(value, list):
                self.spend(times * ITEM_COST * (1 + len(value)))
                pending.extend(value)
            elif isinstance(value, dict):
                self.spend(times * ITEM_COST * (1 + len(value)))
                pending.extend(value.values())
            else:
                self.spend(times * ITEM_COST)


def check_size(size: int) -> None:
    """Refuse a text before it is made.

    Raises:
        ExpressionError: It would be longer than a template may write.
    """
    if size > TEXT_MAX:
        raise ExpressionError(f"the text grows over {TEXT_MAX:,} characters")
