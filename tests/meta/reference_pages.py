"""``python -m tests.meta.reference_pages`` writes docs/reference from the parser's definitions."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from pathlib import Path
from typing import Any

from integrationd.config.forms import (
    AnyForm,
    Form,
    KindsForm,
    ListForm,
    MapForm,
    NamedForm,
    ObjectForm,
    PartForm,
    Row,
    Table,
)
from integrationd.config.sites import Leaf
from integrationd.config.units import format_duration, format_size
from integrationd.spec.files import FILES, describe_file
from integrationd.transform.clean import KINDS as CLEANERS
from tests.meta import behaviours_page, commands_page, functions_page
from tests.meta.repository import ROOT, TESTS

PAGES = ROOT / "docs" / "reference"
GOOD = TESTS / "good"
TITLES = {
    "provider": "A provider's file",
    "integration": "An integration's file",
    "mapping": "A mapping's file",
    "entity": "An entity's file",
    "cases": "A file of cases",
    "settings": "The settings: integrationd.yaml",
}
HEAD = """\
# {title}

Written by `make reference` from the definitions that the parser reads. How to write files, with
examples, is in [files.md](../files.md); `integrationd schema` gives the same to editors.
"""


def page(kind: str) -> str:
    """Return the reference of one kind of file; what a provider's page has is not told again."""
    described, own = describe_file(kind)
    elsewhere = set() if kind == "provider" else set(describe_file("provider")[0].tables)
    first = described.tables[own]
    rows = sorted(first.rows, key=lambda row: row.key != kind)  # what a file begins with
    parts = [HEAD.format(title=TITLES[kind]), _table(dataclasses.replace(first, rows=rows))]
    parts += [
        f"## {table.name}\n\n{_table(table)}"
        for table in described.tables.values()
        if table is not first and table.name not in elsewhere
    ]
    parts += _whole_files() if kind == "provider" else []
    text = "\n".join(parts).rstrip() + "\n"
    for name in elsewhere:
        text = text.replace(f"(#{name.lower()})", f"(provider.md#{name.lower()})")
    return text


def _whole_files() -> list[str]:
    """Return whole providers, as far as this version goes, with what belongs to them."""
    parts = ["## Whole files\n"]
    for top in sorted(GOOD.glob("whole-*")):
        for path in sorted(top.rglob("*.yaml")):
            text = path.read_text(encoding="utf-8").rstrip()
            parts.append(f"`{path.relative_to(top).as_posix()}`\n\n```yaml\n{text}\n```\n")
    return parts


def _table(table: Table) -> str:
    kind = KINDS.get(table.name, "").partition("-")[2].replace("-", "_")
    lines = [f"`type: {kind}`", ""] if kind else []
    if table.name in NAMED:
        lines = [f"`{NAMED[table.name]}`", ""]
    lines += [_plain(table.text), ""] if table.text else []
    if table.rows:
        lines += ["| key | value | default | |", "|---|---|---|---|", *map(_row, table.rows), ""]
    elif table.name not in NAMED:
        lines += ["It has no further fields.", ""]
    return "\n".join([*lines, *_example(table)])


def _row(row: Row) -> str:
    default = "**required**" if row.required else _code(print_default(row))
    cells = (f"`{row.key}`", words(row.form), default, _plain(" ".join(row.text.split())))
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def words(form: Form) -> str:
    """Say what may be written."""
    match form:
        case Leaf():
            return form.words
        case ListForm():
            return f"a list: {words(form.item)}"
        case MapForm():
            return f"an object of names: {words(form.value)}"
        case AnyForm():
            return " or ".join(words(option) for option in form.options)
        case ObjectForm() | PartForm():
            return _link(form.table)
        case KindsForm() | NamedForm():
            kinds = (f"[`{kind}`](#{name.lower()})" for kind, name in form.tables.items())
            told = "by `type`" if isinstance(form, KindsForm) else "any of"
            return f"{told}: {', '.join(kinds)}"


def print_default(row: Row) -> str:
    """Print a default as an author would write it; empty where there is none to show."""
    value = row.default
    match value:
        case _ if value in (dataclasses.MISSING, None, "", (), {}):
            return ""
        case timedelta():
            return format_duration(value)
        case int() if "size" in words(row.form):
            return format_size(value)
        case tuple():
            return f"[{', '.join(map(str, value))}]"
        case _:
            return _print_single(value)


def _print_single(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if hasattr(value, "kind"):
        return str(value.kind)
    return "" if type(value).__str__ is object.__str__ else str(value)


def _example(table: Table) -> list[str]:
    """Return the good file that shows a kind, where there is one of its name."""
    kind = KINDS.get(table.name)
    found = [] if kind is None else sorted((GOOD / kind).rglob("*.yaml"))
    if not found:
        return []
    text = found[0].read_text(encoding="utf-8").rstrip()
    return ["```yaml", text, "```", ""]


def _find_kinds() -> dict[str, str]:
    """Return the directory of tests/good that shows a kind, by the name of its table."""
    found: dict[str, str] = {}
    for file in FILES:
        described, _ = describe_file(file)
        for table in described.tables.values():
            for row in table.rows:
                if isinstance(row.form, KindsForm):
                    found |= {name: f"{row.key}-{kind}" for kind, name in row.form.tables.items()}
    return {name: place.replace("_", "-") for name, place in found.items()}


def _link(table: str) -> str:
    return f"[an object](#{table.lower()})"


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def _plain(text: str) -> str:
    """Turn the markup of docstrings into that of pages."""
    return text.replace("``", "`")


KINDS = _find_kinds()
NAMED = {cls.__name__: cls.kind for cls in CLEANERS}
"""What is written by its name alone, by the name of its table."""


def main() -> None:
    """Write every page."""
    for kind in FILES:
        path_of(kind).write_text(page(kind), encoding="utf-8")
    commands_page.main()
    functions_page.main()
    behaviours_page.main()


def path_of(kind: str) -> Path:
    """Return where a page lies."""
    return PAGES / f"{kind}.md"


if __name__ == "__main__":
    main()
