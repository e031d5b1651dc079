"""One provider's block: its fields, each with its place, and which of them were looked at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from integrationd.config.nodes import Fields, Items, Node, Position, Scalar, to_json
from integrationd.config.problems import Problems, nearest
from integrationd.config.yaml import FOREIGN, parse_yaml
from integrationd.errors import IntegrationError
from integrationd.importers.report import Report
from integrationd.model.json import Json

_MARKS: Final = frozenset({"auth_mode", "alias"})
"""One of these stands in every block."""
_LISTED_MAX: Final = 8


class BlockError(IntegrationError):
    """A file without the block that is wanted."""


@dataclass(slots=True)
class Block:
    """One block."""

    name: str
    root: Fields
    report: Report
    used: set[str] = field(default_factory=set)
    """Paths that were looked at: ``proxy.base_url``."""

    @property
    def position(self) -> Position:
        """Return where it begins."""
        return self.root.position

    def find(self, path: str) -> Node | None:
        """Return a field, without having looked at it."""
        here: Node | None = self.root
        for step in path.split("."):
            here = here.get(step) if isinstance(here, Fields) else None
        return here

    def get(self, path: str) -> Node | None:
        """Return a field by its path, and note that it was looked at."""
        self.used.add(path)
        return self.find(path)

    def value(self, path: str) -> Json:
        """Return a field's plain value."""
        found = self.get(path)
        return None if found is None else to_json(found)

    def text(self, path: str) -> str:
        """Return a field that is text; nothing where it is none."""
        found = self.get(path)
        if not isinstance(found, Scalar) or found.value is None:
            return ""
        return found.written or str(found.value)

    def flag(self, path: str) -> bool:
        """Tell whether a switch is on."""
        return self.value(path) in (True, "true")

    def texts(self, path: str) -> dict[str, str]:
        """Return an object of texts; what is no text is told."""
        found = self.get(path)
        said: dict[str, str] = {}
        for key, node in found.entries.items() if isinstance(found, Fields) else ():
            if isinstance(node, Scalar):
                said[key] = node.written or ("" if node.value is None else str(node.value))
            else:
                self.lose(f"{path}.{key}", "only a text is known here")
        return said

    def listed(self, path: str) -> list[str]:
        """Return a list of texts."""
        found = self.get(path)
        if not isinstance(found, Items):
            return []
        return [str(each.value) for each in found.items if isinstance(each, Scalar)]

    def children(self, path: str) -> list[str]:
        """Return the names in an object."""
        found = self.find(path)
        return list(found.entries) if isinstance(found, Fields) else []

    def place(self, path: str) -> Position:
        """Return where a field's name stands; the nearest that is there."""
        above, _, last = path.rpartition(".")
        holder = self.find(above) if above else self.root
        if isinstance(holder, Fields):
            return holder.key_position(last)
        return self.place(above) if above else self.position

    def lose(self, path: str, why: str) -> None:
        """Tell something that is not done."""
        self.report.lose(self.place(path), f"{path}: {why}")

    def note(self, path: str, why: str) -> None:
        """Tell something that is worth knowing."""
        self.report.note(self.place(path), f"{path}: {why}")

    def unused(self) -> Iterator[str]:
        """Yield the fields that nobody looked at, also those inside ones that were entered."""
        yield from self._unused(self.root, "")

    def _unused(self, node: Fields, above: str) -> Iterator[str]:
        for key, inside in node.entries.items():
            path = f"{above}{key}"
            if path in self.used:
                continue
            entered = any(each.startswith(f"{path}.") for each in self.used)
            if entered and isinstance(inside, Fields):
                yield from self._unused(inside, f"{path}.")
            else:
                yield path


def read_block(data: bytes, *, file: str, wanted: str | None, report: Report) -> Block:
    """Read the block of one provider; what an alias says is laid over what it stands for.

    Args:
        data: A file with one block, or with many.
        file: How the report calls it.
        wanted: The block's name, where there are many.
        report: Where findings are told.

    Raises:
        BlockError: There is no such block, or it does not say which one is meant.
    """
    problems = Problems()
    root = parse_yaml(data, file=file, problems=problems, bounds=FOREIGN)
    if not isinstance(root, Fields):
        told = "; ".join(str(problem) for problem in problems.found)
        raise BlockError(told or f"{file}: no block of a provider, expected 'auth_mode' in it")
    for problem in problems.found:
        report.note(problem.position, problem.message)
    blocks = {key: node for key, node in root.entries.items() if _is_block(node)}
    if _is_block(root):
        return Block(wanted or "", root, report)
    name = _choose(blocks, wanted, file)
    found = blocks[name]
    assert isinstance(found, Fields)
    return Block(name, _lay(found, blocks, report), report)


def _is_block(node: Node) -> bool:
    if not isinstance(node, Fields):
        return False
    return any(isinstance(node.get(mark), Scalar) for mark in _MARKS)


def _choose(blocks: dict[str, Node], wanted: str | None, file: str) -> str:
    if not blocks:
        raise BlockError(f"{file}: no block of a provider, expected 'auth_mode' in it")
    if wanted is None and len(blocks) == 1:
        return next(iter(blocks))
    if wanted is None:
        names = list(blocks)
        more = f" and {len(names) - _LISTED_MAX} more" if names[_LISTED_MAX:] else ""
        shown = ", ".join(names[:_LISTED_MAX])
        raise BlockError(f"{file} has {shown}{more}; say which with --block NAME")
    if wanted not in blocks:
        raise BlockError(f"{file} has no block {wanted!r}{nearest(wanted, blocks)}")
    return wanted


def _lay(block: Fields, blocks: dict[str, Node], report: Report) -> Fields:
    """Lay an alias over the block that it stands for."""
    alias = block.get("alias")
    if not isinstance(alias, Scalar):
        return block
    base = blocks.get(str(alias.value))
    if not isinstance(base, Fields) or base.get("alias") is not None:
        message = "alias: the block that it stands for is not in this file; add it"
        report.lose(block.key_position("alias"), message)
        return block
    entries = dict(base.entries)
    for key, node in block.entries.items():
        under = base.get(key)
        if key != "alias":
            is_both = isinstance(node, Fields) and isinstance(under, Fields)
            entries[key] = _over(under, node) if is_both else node
    places = {**base.key_positions, **block.key_positions}
    return Fields(entries, block.position, places)


def _over(under: Node | None, node: Node) -> Node:
    assert isinstance(under, Fields)
    assert isinstance(node, Fields)
    places = {**under.key_positions, **node.key_positions}
    return Fields({**under.entries, **node.entries}, node.position, places)
