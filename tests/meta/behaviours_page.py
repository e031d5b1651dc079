"""docs/reference/behaviours.md: what providers do, what says it, and the case that shows it."""

from __future__ import annotations

from typing import Final

from integrationd.spec.files import FILES, describe_file
from integrationd.transform.functions import FUNCTIONS
from tests.behaviours.table import Group, Row, read_table
from tests.meta.repository import ROOT

PAGE: Final = ROOT / "docs" / "reference" / "behaviours.md"
CASES: Final = "../../tests/behaviours/cases"
HEAD: Final = """\
# What providers do

Written by `make reference` from [tests/behaviours](../../tests/behaviours/table.yaml). Each of
these is said by fields of the language and shown by a case that runs offline,
`integrationd test --config tests/behaviours`. Without the field the case fails, or, where the
daemon does it by itself, without the behaviour. The specs are in the manner of the systems that are
named, at made-up addresses; none of them is that system's own.
"""
BY_ITSELF: Final = "by itself"


def page() -> str:
    """Return the page."""
    return "\n".join([HEAD, *(_part(group) for group in read_table())]).rstrip() + "\n"


def _part(group: Group) -> str:
    head = f"## {group.number} {group.title}\n\n| | providers | who | said by | shown by |"
    return "\n".join([head, "|---|---|---|---|---|", *map(_line, group.rows), ""])


def _line(row: Row) -> str:
    says = ", ".join(map(link, row.says)) or BY_ITSELF
    case = f"[{row.file}: {row.case}]({CASES}/{row.file}.yaml)"
    cells = (row.number, row.does, ", ".join(row.who), says, case)
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def link(name: str) -> str:
    """Return a field, a table or a function as a link to where it is described.

    Raises:
        LookupError: There is no such one.
    """
    if name.endswith("()"):
        if name.removesuffix("()") not in FUNCTIONS:
            raise LookupError(name)
        return f"[`{name}`](functions.md)"
    table, _, key = name.partition(".")
    for kind in FILES:
        found = describe_file(kind)[0].tables.get(table)
        if found is not None and (not key or key in {row.key for row in found.rows}):
            return f"[`{name}`]({kind}.md#{table.lower()})"
    raise LookupError(name)


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
