"""``python -m tests.importers.documents FOLDER``: what becomes of each OpenAPI document in it.

Of each it prints how many streams and operations came of it, how many lines could not be said,
notes, what ``check`` finds in the result, and how long it took. With ``-v`` the lines stand below.
"""

from __future__ import annotations

import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from integrationd.bundles.checking import check_paths
from integrationd.bundles.shipped import shipped_dirs
from integrationd.importers.openapi.document import DocumentError
from integrationd.importers.openapi.provider import import_openapi
from integrationd.importers.report import Imported


@dataclass(frozen=True)
class Outcome:
    """What became of one document."""

    name: str
    imported: Imported | None
    refused: str
    errors: tuple[str, ...]
    """Of ``check``."""
    seconds: float

    def __str__(self) -> str:
        """Print one line."""
        made = self.imported
        if made is None:
            return f"{self.name:36} refused: {self.refused}"
        checked = f"{len(self.errors)} errors" if self.errors else "ok"
        notes = len(made.findings) - len(made.losses)
        return (
            f"{self.name:36} {len(made.streams):3} streams {len(made.operations):3} operations "
            f"{len(made.losses):3} unsaid {notes:4} notes  check {checked}  {self.seconds:.1f} s"
        )


def check_files(files):
    """Return what `check` says of files by their path."""
    with tempfile.TemporaryDirectory() as place:
        for name, text in files.items():
            target = Path(place, name)
            target.parent.mkdir(exist_ok=True)
            target.write_text(text)
        report = check_paths(Path(place), shipped=shipped_dirs())
    return tuple(map(str, report.problems))


def measure(path: Path) -> Outcome:
    """Import one document and check what came of it."""
    begun = time.monotonic()
    try:
        imported = import_openapi(path.read_bytes(), file=path.name, name=path.stem)
    except DocumentError as why:
        return Outcome(path.name, None, str(why), (), 0)
    seconds = time.monotonic() - begun
    return Outcome(path.name, imported, "", check_files(imported.files), seconds)


def main(words: list[str]) -> int:
    """Print the table; exits 1 where `check` found something."""
    folder = Path(next(word for word in words if not word.startswith("-")))
    outcomes = [measure(path) for path in sorted(folder.iterdir()) if path.suffix in SUFFIXES]
    for outcome in outcomes:
        print(outcome)
        losses = () if outcome.imported is None else outcome.imported.losses
        if "-v" in words:
            print(*[f"    {each}" for each in (*losses, *outcome.errors)], sep="\n")
    return 1 if any(outcome.errors for outcome in outcomes) else 0


SUFFIXES = (".json", ".yaml", ".yml")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
