"""The second line of defence: secrets that are known, masked where they show up in a log line.

The first one is that nothing puts them there: they are a type of their own, which shows a
placeholder. What this is for are texts of others: an exception of a library, a provider's message.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final
from urllib.parse import quote, quote_plus

from integrationd.model.secret import PLACEHOLDER, Secret

CHARACTERS_MIN: Final = 6
"""A shorter secret stands in ordinary words, and masking it would spoil the log and tell where."""


class Redactor:
    """Learns secrets as they are looked up, the last of each place, and masks them in texts."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._forms: dict[str, tuple[str, ...]] = {}

    def learn(self, place: str, secret: Secret) -> None:
        """Mask this secret from now on, in place of the one that was at the same place before."""
        text = secret.reveal()
        if len(text) >= CHARACTERS_MIN:
            # Longest first, so that no form leaves a piece of another one behind.
            self._forms[place] = tuple(sorted(set(_forms(text)), key=len, reverse=True))
        else:
            self._forms.pop(place, None)

    def mask(self, text: str) -> str:
        """Return the text with the placeholder in place of every known secret."""
        for forms in tuple(self._forms.values()):
            for form in forms:
                if form in text:
                    text = text.replace(form, PLACEHOLDER)
        return text


def _forms(text: str) -> Iterator[str]:
    """Yield a secret as it is, in a URL, in a form and in JSON."""
    yield text
    yield quote(text, safe="")
    yield quote_plus(text)
    yield json.dumps(text)[1:-1]
    yield json.dumps(text, ensure_ascii=False)[1:-1]
