"""The second line of defence: secrets that are known, masked where they show up in a log line.

The first one is that nothing puts them there: they are a type of their own, which shows a
placeholder. What this is for are texts of others: an exception of a library, a provider's message.
"""

from __future__ import annotations

from typing import Final

from integrationd.model.secret import PLACEHOLDER, Secret, forms_of

CHARACTERS_MIN: Final = 6
"""A shorter secret stands in ordinary words, and masking it would spoil the log and tell where."""


class Redactor:
    """Learns secrets as they are looked up, the last of each place, and masks them in texts."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._known: dict[str, Secret] = {}
        self._forms: tuple[str, ...] | None = None
        """Of all that is known, longest first, so that none leaves a piece of another one behind;
        None until it is needed."""

    def learn(self, place: str, secret: Secret) -> None:
        """Mask this secret from now on, in place of the one that was at the same place before."""
        if self._known.get(place) != secret:
            self._known[place] = secret
            self._forms = None

    def mask(self, text: str) -> str:
        """Return the text with the placeholder in place of every known secret."""
        if self._forms is None:
            texts = {secret.reveal() for secret in self._known.values()}
            known = (text for text in texts if len(text) >= CHARACTERS_MIN)
            forms = {form for text in known for form in forms_of(text)}
            self._forms = tuple(sorted(forms, key=len, reverse=True))
        for form in self._forms:
            if form in text:
                text = text.replace(form, PLACEHOLDER)
        return text
