"""What an importer made of a file, and what it could not say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from typing_extensions import override

from integrationd.config.nodes import Position
from integrationd.model.json import Json


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One line of the report."""

    position: Position
    """In the file that was imported."""
    message: str
    is_loss: bool = True
    """Whether the translation does something else than the source; a note otherwise."""

    @override
    def __str__(self) -> str:
        """Print as ``file:line:column: unsaid: message``."""
        return f"{self.position}: {'unsaid' if self.is_loss else 'note'}: {self.message}"

    def to_json(self) -> Json:
        """Return it as editors read it."""
        return {
            "file": self.position.file,
            "line": self.position.line,
            "column": self.position.column,
            "kind": "unsaid" if self.is_loss else "note",
            "message": self.message,
        }


@dataclass(slots=True)
class Report:
    """Collects findings, each once."""

    found: dict[Finding, None] = field(default_factory=dict)

    def tell(self, finding: Finding) -> None:
        """Take a finding that somebody made."""
        self.found[finding] = None

    def lose(self, position: Position, message: str) -> None:
        """Tell something that the translation does not do."""
        self.found[Finding(position, message)] = None

    def note(self, position: Position, message: str) -> None:
        """Tell something that is worth knowing and changes nothing."""
        self.found[Finding(position, message, is_loss=False)] = None

    def sorted(self) -> tuple[Finding, ...]:
        """Return the findings in the order of the file, each as often as it was told."""
        return tuple(sorted(self.found))

    def lines(self) -> tuple[Finding, ...]:
        """Return them with each line of the file told once for each reason.

        What is written once and used in many places is told for the first, and for how many more.
        """
        same: dict[tuple[Position, bool, str], list[Finding]] = {}
        for found in self.sorted():
            reason = found.message.partition(": ")[2] or found.message
            same.setdefault((found.position, found.is_loss, reason), []).append(found)
        return tuple(_join(several) for several in same.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What an importer hands back; nothing is written yet."""

    files: Mapping[str, str]
    """Texts by their path inside the configuration directory."""
    findings: tuple[Finding, ...]
    streams: tuple[str, ...] = ()
    """The names of those that were translated."""
    operations: tuple[str, ...] = ()
    """Their names."""

    @property
    def losses(self) -> tuple[Finding, ...]:
        """Return what could not be said."""
        return tuple(finding for finding in self.findings if finding.is_loss)


def _join(several: list[Finding]) -> Finding:
    first, *more = several
    if not more:
        return first
    message = f"{first.message} (and in {len(more)} more {'places' if more[1:] else 'place'})"
    return Finding(first.position, message, first.is_loss)
