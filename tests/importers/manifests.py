"""``python -m tests.importers.manifests FOLDER``: what becomes of each manifest in a folder.

Of each it prints how many streams it has and how many were translated, how many lines could not be
said, notes, and what ``check`` finds in the result. With ``-v`` the lines stand below.

What both sides ask for is compared by ``python -m tests.importers.compare FOLDER``.
"""

from __future__ import annotations

import collections
import re
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from integrationd.bundles.checking import check_paths
from integrationd.bundles.shipped import shipped_dirs
from integrationd.importers.airbyte.parts import ManifestError
from integrationd.importers.airbyte.provider import import_manifest
from integrationd.importers.report import Finding, Imported


@dataclass(frozen=True)
class Outcome:
    """What became of one manifest."""

    name: str
    imported: Imported | None
    refused: str
    errors: tuple[str, ...]
    """Of ``check``."""

    @property
    def is_whole(self) -> bool:
        """Tell whether nothing was left unsaid."""
        return self.imported is not None and not self.imported.losses and not self.errors

    def __str__(self) -> str:
        """Print one line."""
        if self.imported is None:
            return f"{self.name:24} refused: {self.refused}"
        notes = len(self.imported.findings) - len(self.imported.losses)
        checked = f"{len(self.errors)} errors" if self.errors else "ok"
        streams = len(self.imported.streams)
        return (
            f"{self.name:24} {streams:3} streams {len(self.imported.losses):4} unsaid "
            f"{notes:4} notes  check {checked}"
        )


def measure(path: Path) -> Outcome:
    """Import one manifest and check what came of it."""
    try:
        imported = import_manifest(path.read_bytes(), file=path.name)
    except ManifestError as why:
        return Outcome(path.stem, None, str(why), ())
    with tempfile.TemporaryDirectory() as place:
        for name, text in imported.files.items():
            target = Path(place, name)
            target.parent.mkdir(exist_ok=True)
            target.write_text(text)
        report = check_paths(Path(place), shipped=shipped_dirs())
    return Outcome(path.stem, imported, "", tuple(map(str, report.problems)))


def reasons(findings: tuple[Finding, ...]) -> list[str]:
    """Return why, without where."""
    return [re.sub(r"^\S+ (?=the |a )", "", each.message.partition(": ")[2]) for each in findings]


def main(words: list[str]) -> int:
    """Print the table; exits 1 where something was left unsaid."""
    folder = Path(next(word for word in words if not word.startswith("-")))
    outcomes = [measure(path) for path in sorted(folder.glob("*.y*ml"))]
    counted: collections.Counter[str] = collections.Counter()
    for outcome in outcomes:
        print(outcome)
        losses = () if outcome.imported is None else outcome.imported.losses
        counted.update(set(reasons(losses)))
        if "-v" in words:
            print(*[f"    {each}" for each in (*losses, *outcome.errors)], sep="\n")
    print(f"{sum(each.is_whole for each in outcomes)} of {len(outcomes)} with nothing left unsaid")
    for reason, count in counted.most_common():
        print(f"  {count:4}  {reason}")
    return 0 if all(each.is_whole for each in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
