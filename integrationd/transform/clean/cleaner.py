"""What every cleaner is: one change to a text, safe to repeat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol


class UnfitError(ValueError):
    """A value cannot become what the cleaner makes; the text says what was expected."""


@dataclass(slots=True)
class Tally:
    """What cleaning did, in numbers of values."""

    cleaned: int = 0
    """Changed."""
    dropped: int = 0
    """Made null, as they could not become what they should be."""


class Cleaner(Protocol):
    """One kind of cleaning. A field, where there is one, is called as the kind is."""

    kind: ClassVar[str]

    def clean(self, text: str) -> str | None:
        """Return the text cleaned; cleaned again it stays the same.

        Raises:
            UnfitError: It cannot become what the cleaner makes.
        """
        ...
