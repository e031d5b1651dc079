"""``python -m tests.meta.errors_page`` writes the reference of error codes from the bad files.

A case is ``CODE-what-is-wrong.yaml`` with the exact output in the ``.txt`` beside it, or a
directory ``CODE-what-is-wrong`` that holds a configuration and its ``expected.txt``. What the
page shows is what the program prints, as a test compares each output with the program's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from tests.meta.repository import ROOT, TESTS, files

BAD = TESTS / "bad"
MENDED = TESTS / "mended"
"""A file for each code as it should be, ``E101.yaml``."""
PAGE = ROOT / "docs" / "reference" / "errors.md"
NAME = re.compile(r"([EW]\d{3})-([a-z0-9]+(?:-[a-z0-9]+)*)")
SHOWN_LINES_MAX = 40
HEAD = """\
# Error codes

Written by `make errors` from the files in `tests/bad`; every output below is what
`integrationd check` prints for the file above it, and each code ends with a file that is right. A
code is never used again for something else.

E1xx is the shape of a document, E2xx expressions and templates, E3xx references between files,
E4xx limits and safety. W5xx is advice: it never keeps a file from running.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Something that is wrong, and what is told about it."""

    code: str
    title: str
    files: tuple[tuple[str, str], ...]
    """Names and texts."""
    told: str


def read_cases(top: Path = BAD) -> list[Case]:
    """Return all cases, by code and name."""
    places = [path for path in sorted(top.iterdir()) if path.is_dir() or path.suffix != ".txt"]
    return [_read_case(path) for path in places]


def _read_case(place: Path) -> Case:
    found = NAME.fullmatch(place.name if place.is_dir() else place.name.partition(".")[0])
    assert found, f"{place.name}: expected a name such as E101-unknown-field.yaml"
    told = place / "expected.txt" if place.is_dir() else place.with_suffix(".txt")
    inside = [path for path in files(place) if path != told] if place.is_dir() else [place]
    base = place if place.is_dir() else place.parent
    return Case(
        code=found[1],
        title=found[2].replace("-", " "),
        files=tuple((path.relative_to(base).as_posix(), _show(path)) for path in inside),
        told=told.read_text(encoding="utf-8"),
    )


def _show(path: Path) -> str:
    """Return a file as a page can hold it; some cases are not text, or very long, on purpose."""
    lines = path.read_bytes().decode("utf-8", "backslashreplace").splitlines()
    cut = ["…"] if len(lines) > SHOWN_LINES_MAX else []
    shown = _cut(lines[:SHOWN_LINES_MAX] + cut, 200)
    return "".join(
        char if char.isprintable() or char in "\n\t" else f"\\x{ord(char):02x}" for char in shown
    )


def _cut(lines: list[str], chars_max: int) -> str:
    return "\n".join(line if len(line) <= chars_max else f"{line[:chars_max]}…" for line in lines)


def build_page(cases: list[Case]) -> str:
    """Build the page; a code has one section, with all of its cases."""
    parts = [HEAD]
    for code, group in groupby(cases, key=lambda case: case.code):
        parts.append(f"\n## {code}\n")
        parts.extend(_build_case(case) for case in group)
        mended = (MENDED / f"{code}.yaml").read_text(encoding="utf-8").rstrip()
        parts.append(f"\nAs it should be:\n\n````yaml\n{mended}\n````\n")
    return "".join(parts)


def _build_case(case: Case) -> str:
    blocks = [f"\n### {case.code}: {case.title}\n"]
    for name, text in case.files:
        blocks.append(f"\n`{name}`\n\n````yaml\n{text}\n````\n")
    blocks.append(f"\n````text\n{_cut(case.told.splitlines(), 400)}\n````\n")
    return "".join(blocks)


if __name__ == "__main__":
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(build_page(read_cases()), encoding="utf-8")
