"""The provider's file: what streams share said once, and where each came from."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from integrationd.config.printing import print_yaml
from integrationd.importers.report import Finding

_WIDTH: Final = 96
_ORDER: Final = (
    *("description", "auth", "input"),
    *(
        "get",
        "post",
        "put",
        "patch",
        "delete",
        "query",
        "headers",
        "json",
        "form",
        "multipart",
        "raw",
    ),
    *(
        "decode",
        "paginate",
        "records",
        "key",
        "where",
        "mapping",
        "for_each",
        "incremental",
        "errors",
    ),
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One stream or operation as it is written."""

    name: str
    said: Mapping[str, Any]
    origin: str
    """Where it came from, ``streams[0], line 12``."""
    unsaid: tuple[Finding, ...]
    """What it does not do."""
    remarks: tuple[str, ...] = ()
    """What else stands above it."""

    def print(self) -> str:
        """Print it with its comments."""
        ordered = {key: self.said[key] for key in _ORDER if key in self.said}
        ordered |= {key: value for key, value in self.said.items() if key not in ordered}
        body = print_yaml({self.name: ordered})
        lines = [self.origin, *self.remarks]
        lines += [f"unsaid, line {found.position.line}: {found.message}" for found in self.unsaid]
        return _indent(print_comment(lines) + body)


def print_provider(
    head: Mapping[str, Any],
    streams: Iterable[Entry],
    about: list[str],
    operations: Iterable[Entry] = (),
) -> str:
    """Print a whole file.

    Args:
        head: All but streams and operations, in the order in which they are to stand.
        streams: Those that it has.
        about: Lines of a comment at the beginning.
        operations: Those that it has.
    """
    first, *rest = head.items()
    text = print_comment(about) + print_yaml(dict([first]))
    named = {"title", "docs", "notes"}
    text += "".join(print_yaml({key: value}) for key, value in rest if key in named)
    for key, value in rest:
        if key not in named:
            text += "\n" + print_yaml({key: value})
    return text + _section("streams", streams) + _section("operations", operations)


def _section(name: str, entries: Iterable[Entry]) -> str:
    printed = [entry.print() for entry in entries]
    return f"\n{name}:\n" + "\n".join(printed) if printed else ""


def print_mapping(said: Mapping[str, Any], about: list[str]) -> str:
    """Print a whole mapping with a comment at the beginning."""
    return print_comment(about) + print_yaml(dict(said))


def print_comment(lines: Iterable[str]) -> str:
    """Print lines of a comment, long ones on several."""
    wrapped = [
        part
        for line in lines
        for part in textwrap.wrap(line, _WIDTH, break_long_words=False, break_on_hyphens=False)
    ]
    return "".join(f"# {part}\n" for part in wrapped)


def _indent(text: str) -> str:
    return "".join(f"  {line}\n" if line else "\n" for line in text.splitlines())
