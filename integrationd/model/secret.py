"""A text that never shows itself."""

from __future__ import annotations

from dataclasses import dataclass, field

from typing_extensions import override

PLACEHOLDER = "***"


@dataclass(frozen=True, slots=True, repr=False)
class Secret:
    """A secret text; ``str``, ``repr`` and formatting show a placeholder instead."""

    _text: str = field(compare=True)

    def reveal(self) -> str:
        """Return the text, for the one place that puts it on the wire."""
        return self._text

    @override
    def __repr__(self) -> str:
        """Show the placeholder."""
        return f"Secret({PLACEHOLDER!r})"

    @override
    def __str__(self) -> str:
        """Show the placeholder."""
        return PLACEHOLDER

    @override
    def __format__(self, spec: str) -> str:
        """Show the placeholder, whatever the format asks for."""
        return PLACEHOLDER

    @override
    def __reduce__(self) -> tuple[type[Secret], tuple[str]]:
        """Pickle as the placeholder, so that no cache or dump can hold the text."""
        return (Secret, (PLACEHOLDER,))


def reveal(value: str | Secret) -> str:
    """Return plain text from a text that may be secret."""
    return value.reveal() if isinstance(value, Secret) else value
