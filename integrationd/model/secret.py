"""A text that never shows itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NoReturn
from urllib.parse import quote, quote_plus

from typing_extensions import override

from integrationd.model.json import Json

PLACEHOLDER = "***"


class Secret:
    """A secret text; ``str``, ``repr`` and formatting show a placeholder instead.

    Not a dataclass: encoders and ``asdict`` would write its field down.
    """

    __slots__ = ("_text",)
    _text: str

    def __init__(self, text: str) -> None:
        """Keep the text, for good."""
        object.__setattr__(self, "_text", text)

    @override
    def __setattr__(self, name: str, value: object) -> NoReturn:
        """Refuse: it is a value."""
        raise AttributeError(f"a secret cannot be changed: {name}")

    @override
    def __eq__(self, other: object) -> bool:
        """Tell whether another one has the same text."""
        return self._text == other._text if isinstance(other, Secret) else NotImplemented

    @override
    def __hash__(self) -> int:
        """Hash the text."""
        return hash((Secret, self._text))

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


def mask(text: str, secrets: Mapping[str, Json]) -> str:
    """Return a text with every secret in it replaced, however a URL may have encoded it.

    For words that others said: a provider may repeat what it was sent.
    """
    for secret in secrets.values():
        plain = secret.reveal() if isinstance(secret, Secret) else ""
        for written in {plain, quote(plain), quote(plain, safe=""), quote_plus(plain)}:
            if written:
                text = text.replace(written, PLACEHOLDER)
    return text


def reveal(value: str | Secret) -> str:
    """Return plain text from a text that may be secret."""
    return value.reveal() if isinstance(value, Secret) else value
