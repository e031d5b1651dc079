"""A text that never shows itself."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from typing import Final, NoReturn
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
    """Return a text with every secret in it replaced, however it was written down there.

    For words that others said: a provider may repeat what it was sent.
    """
    forms = {
        form
        for secret in secrets.values()
        if isinstance(secret, Secret)
        for form in forms_of(secret.reveal())
    }
    # Longest first, so that no form leaves a piece of another one behind.
    for form in sorted(forms, key=len, reverse=True):
        text = text.replace(form, PLACEHOLDER)
    return text


def forms_of(text: str) -> frozenset[str]:
    """Return a secret as it may stand in a text: plain, in a URL, a form, JSON, base64 or a `repr`.

    Also as it looks where somebody took its UTF-8 for Latin-1.

    Of base64, where it may be the middle of something longer (``user:password``), only what does
    not depend on its neighbours, and nothing where that is too short to be told from a word.
    """
    misread = text.encode("utf-8", "surrogatepass").decode("latin-1")
    others = _forms_of(misread) if misread != text else frozenset()
    return _forms_of(text) | others


def _forms_of(text: str) -> frozenset[str]:
    quoted = {quote(text), quote(text, safe=""), quote_plus(text)}
    lower = {_ESCAPES.sub(lambda escape: escape.group().lower(), form) for form in quoted}
    as_json = {json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]}
    # The message of a KeyError is the `repr` of what was looked for.
    as_repr = {repr(text)[1:-1], repr(text.encode("utf-8", "surrogatepass"))[2:-1]}
    forms = {text, *quoted, *lower, *as_json, *as_repr, *_inside_base64(text)}
    return frozenset(filter(None, forms))


def _inside_base64(text: str) -> Iterator[str]:
    raw = text.encode("utf-8", "surrogatepass")
    for shift in range(3):
        whole = base64.b64encode(bytes(shift) + raw).decode()
        inner = whole[4 if shift else 0 : len(whole) // 4 * 4 - 4]
        if len(inner) >= _BASE64_MIN:
            yield inner
            yield inner.translate(_URL_SAFE)


_ESCAPES: Final = re.compile("%[0-9A-F]{2}")
_BASE64_MIN: Final = 8
_URL_SAFE: Final = str.maketrans("+/", "-_")


def reveal(value: str | Secret) -> str:
    """Return plain text from a text that may be secret."""
    return value.reveal() if isinstance(value, Secret) else value


def reveal_all(value: Json) -> Json:
    """Return a value with every secret in it as plain text."""
    if isinstance(value, Secret):
        return value.reveal()
    if isinstance(value, Mapping):
        return {key: reveal_all(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [reveal_all(item) for item in value]
    return value


def secrets_within(value: Json) -> Iterator[Secret]:
    """Yield every secret inside a value."""
    if isinstance(value, Secret):
        yield value
    elif isinstance(value, Mapping | list | tuple):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from secrets_within(item)
