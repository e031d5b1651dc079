"""Names by our rules, made of others'."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

_CHARS_MAX: Final = 60


def to_word(text: str, fallback: str = "value") -> str:
    """Return ``adGroups`` and ``Ad groups`` as ``ad_groups``."""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", text)
    word = re.sub(r"[^a-z0-9]+", "_", parted.lower()).strip("_")[:_CHARS_MAX].strip("_")
    return word if word[:1].isalpha() else f"{fallback}_{word}".strip("_")


def to_system(text: str, fallback: str = "imported") -> str:
    """Return ``Zendesk Chat`` as ``zendesk-chat``."""
    return to_word(text, fallback).replace("_", "-")


def distinct(word: str, taken: Collection[str]) -> str:
    """Return a name that is not taken: the same, else with a number behind it."""
    found, number = word, 2
    while found in taken:
        found, number = f"{word}_{number}", number + 1
    return found
