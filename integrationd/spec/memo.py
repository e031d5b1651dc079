"""Integrations made before, to be taken again while nothing that they were made of has changed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, TypeAlias

from integrationd.config.problems import Problem
from integrationd.spec.documents import Integration
from integrationd.spec.lookups import looks_elsewhere
from integrationd.spec.shelf import Claim, ReadFile, Shelf

Found: TypeAlias = tuple[str, str] | None
"""Path and digest of the file that a thing is in; None where it is in no file."""


@dataclass(frozen=True, slots=True)
class Made:
    """One integration, and what was told while it was made."""

    integration: Integration
    advice: tuple[Problem, ...]
    found: dict[Claim, Found]
    """Everything that it names, and where that was."""


@dataclass(slots=True)
class Memo:
    """What the last build made; belongs to one set of settings."""

    made: dict[str, Made] = field(default_factory=dict)

    def find(self, name: str, read: ReadFile, shelf: Shelf) -> Made | None:
        """Return what was made of the same files, None where one of them changed or is new."""
        made = self.made.get(name)
        if made is None or made.integration.path != read.source.path:
            return None
        same = all(_look(shelf, claim) == found for claim, found in made.found.items())
        return made if same else None

    def keep(self, integration: Integration, advice: tuple[Problem, ...], shelf: Shelf) -> None:
        """Remember an integration that has just been made.

        One that looks up records of others is made each time: what those are may change anywhere.
        """
        if any(looks_elsewhere(mapping) for mapping in integration.mappings.values()):
            self.made.pop(integration.name, None)
            return
        found = {claim: _look(shelf, claim) for claim in _names(integration)}
        self.made[integration.name] = Made(integration, advice, found)

    def forget_all_but(self, names: set[str]) -> None:
        """Let go of what is not there any more."""
        for name in self.made.keys() - names:
            del self.made[name]


def _names(integration: Integration) -> set[Claim]:
    """Return what the integration is made of: itself, its provider, mappings, and entities.

    An entity that has no file counts too: one may appear.
    """
    named: set[Claim] = {("integration", integration.name)}
    if integration.provider is not None:
        named.add(("provider", integration.provider))
    named |= {("mapping", mapping) for mapping in integration.mappings}
    named |= {("entity", integration.entity_of(stream)) for stream in integration.streams}
    made = (mould for own in integration.moulds.values() for mould in own.values())
    named |= {("entity", mould.shape.entity) for mould in made}
    return named


def _look(shelf: Shelf, claim: Claim) -> Found:
    if claim in shelf.broken:
        return _BROKEN
    path = shelf.path_of(*claim)
    return None if path is None else (path, shelf.digests[path])


_BROKEN: Final = ("", "")
"""A thing whose file has errors is not the same as one that is in no file."""
