"""The table of behaviours: what providers do, what says it, and the case that shows it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

HERE: Final = Path(__file__).parent
TABLE: Final = HERE / "table.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One behaviour."""

    number: str
    """``3.12``: the group, and its place there."""
    does: str
    """What providers do, in a sentence."""
    who: tuple[str, ...]
    """Systems that do."""
    says: tuple[str, ...]
    """What says it: a field of the reference, ``ErrorRule.when``, a table, ``GraphqlTemplate``,
    or a function, ``b64encode()``. Nothing where the daemon does it by itself."""
    file: str
    """The file of cases, and of the spec, without ``.yaml``."""
    case: str
    """The name of the case there."""
    without: dict[str, Any]
    """Edits that make the case fail: a value by its path, null to leave it out. The first part of
    a path is ``spec``, ``case``, or ``mapping:NAME``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Behaviours of one kind."""

    number: int
    title: str
    rows: tuple[Row, ...]


def read_table() -> tuple[Group, ...]:
    """Read the table; what a row does not have is empty."""
    said = yaml.safe_load(TABLE.read_text(encoding="utf-8"))
    return tuple(
        Group(
            number=group["group"],
            title=group["title"],
            rows=tuple(_read_row(group["group"], row) for row in group["rows"]),
        )
        for group in said
    )


def _read_row(group: int, said: dict[str, Any]) -> Row:
    number, _, does = str(said["does"]).partition(" ")
    assert number.startswith(f"{group}."), f"{number} stands in group {group}"
    file, case = said.get("case") or ("", "")
    without = said.get("without") or {}
    return Row(
        number=number,
        does=does.strip(),
        who=tuple(said.get("who") or ()),
        says=tuple(said.get("says") or ()),
        file=file,
        case=case,
        without=without if isinstance(without, dict) else {without: None},
    )
