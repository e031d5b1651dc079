"""YAML text to a marked tree: limits first, then the tree, and every problem told.

The tree is built from the parser's events, one at a time, so that nothing is ever larger than the
limits: libyaml's own composer recurses in C and ends the process at some 50,000 open brackets, and
aliases would grow without bound in whoever walks the tree.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import yaml

from integrationd.config import hiding, syntax
from integrationd.config.nodes import Fields, Items, Node, Position, Scalar
from integrationd.config.problems import Problem, Problems, shorten
from integrationd.config.scalars import Ambiguous, read_plain
from integrationd.errors import SettingsError

BYTES_MAX: Final = 1024 * 1024
DEPTH_MAX: Final = 32
NODES_MAX: Final = 20_000
ALIASES_MAX: Final = 20


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much a file may hold, and by whose rules it is read."""

    bytes_max: int = BYTES_MAX
    depth_max: int = DEPTH_MAX
    nodes_max: int = NODES_MAX
    aliases_max: int = ALIASES_MAX
    is_foreign: bool = False
    """Whether others wrote it, for readers of YAML 1.1: ``no`` is false there, a date is text, the
    last of two equal names counts, and ``<<`` is kept as a name."""


OWN: Final = Bounds()
FOREIGN: Final = Bounds(8 * BYTES_MAX, 100, 500_000, 10_000, is_foreign=True)


def parse_yaml(data: bytes, *, file: str, problems: Problems, bounds: Bounds = OWN) -> Node | None:
    """Read one document; all problems that can be found are told.

    Args:
        data: The file as it is on disk.
        file: The name to show in messages.
        problems: Where to tell what is wrong. Values that were refused stay in the tree, marked as
            told, so that the rest of the file can be checked as well.
        bounds: ``FOREIGN`` for a file that was written for another program.

    Returns:
        The tree; an empty object for a file that says nothing; None where there is no tree.

    Raises:
        SettingsError: PyYAML was installed without its C parser, so that no file can be read.
    """
    loader = getattr(yaml, "CSafeLoader", None)
    if loader is None:
        raise SettingsError(
            "PyYAML is installed without its C parser, which is needed to read files within "
            "limits; install PyYAML from a binary wheel, or build it with libyaml"
        )
    tree = _Tree(file, problems, bounds)
    try:
        tree.text = syntax.read_text(data, bytes_max=bounds.bytes_max)
        for event in yaml.parse(tree.text, Loader=loader):
            tree.take(event)
    except syntax.Unreadable as stop:
        problems.add(Position(file, stop.line, stop.column), stop.code, stop.message)
        return tree.root if stop.keeps_tree else None
    except yaml.YAMLError as error:
        found = syntax.explain(error, tree.text)
        problem = Problem(Position(file, found.line, found.column), found.code, found.message)
        if problem not in problems.found:
            # The tree may have met the cause first: a template that opens as an object.
            problems.found.append(problem)
        return None
    return tree.root or Fields({}, Position(file, 1, 1))


_AS_1_1: Final[Mapping[str, bool]] = {"true": True, "false": False}
"""What YAML 1.1 makes of words for which there is a better one."""


class _OpenItems:
    """A list whose end was not yet read."""

    __slots__ = ("anchor", "height", "items", "nodes_before", "position")
    wants_name = False
    name = ""

    def __init__(self, position: Position, anchor: str | None, nodes_before: int) -> None:
        self.position = position
        self.anchor = anchor
        self.nodes_before = nodes_before
        self.height = 0
        self.items: list[Node] = []

    def add(self, node: Node) -> None:
        self.items.append(node)

    def step(self) -> str:
        return f"[{len(self.items)}]"

    def close(self) -> Node:
        return Items(tuple(self.items), self.position)


class _OpenFields:
    """An object whose end was not yet read."""

    __slots__ = (
        "anchor",
        "entries",
        "height",
        "keeps",
        "name",
        "nodes_before",
        "places",
        "position",
        "told",
        "wants_name",
    )

    def __init__(self, position: Position, anchor: str | None, nodes_before: int) -> None:
        self.position = position
        self.anchor = anchor
        self.nodes_before = nodes_before
        self.height = 0
        self.entries: dict[str, Node] = {}
        self.places: dict[str, Position] = {}
        self.name = ""
        self.wants_name = True
        self.keeps = True
        self.told = False

    def add(self, node: Node) -> None:
        if self.keeps:
            self.entries[self.name] = node
        self.wants_name = True

    def await_value(self, name: str, *, keeps: bool) -> None:
        """Take a name; its value is read but dropped where the name was refused."""
        self.name = name
        self.keeps = keeps
        self.wants_name = False

    def step(self) -> str:
        return f".{self.name}"

    def close(self) -> Node:
        if self.told:
            return Scalar("", self.position, told=True)
        return Fields(self.entries, self.position, self.places)


class _Tree:
    """Builds nodes from events and keeps the limits."""

    def __init__(self, file: str, problems: Problems, bounds: Bounds) -> None:
        self.root: Node | None = None
        self.text = ""
        self._bounds = bounds
        self._file = file
        self._problems = problems
        self._open: list[_OpenItems | _OpenFields] = []
        self._anchors: dict[str, tuple[Node, int, int]] = {}
        self._nodes = 0
        self._aliases = 0
        self._documents = 0
        self._actions = {
            yaml.ScalarEvent: self._take_scalar,
            yaml.MappingStartEvent: self._open_fields,
            yaml.SequenceStartEvent: self._open_items,
            yaml.MappingEndEvent: self._close,
            yaml.SequenceEndEvent: self._close,
            yaml.AliasEvent: self._take_alias,
            yaml.DocumentStartEvent: self._begin_document,
        }

    def take(self, event: Any) -> None:  # noqa: ANN401 - PyYAML's events share no useful type
        """Take the next event; raises Unreadable at a limit."""
        action = self._actions.get(type(event))
        if action is not None:
            action(event)

    def _take_scalar(self, event: Any) -> None:  # noqa: ANN401
        position = self._place(event)
        self._count(1, event)
        told = event.tag is not None and self._refuse_tag(event, position)
        frame = self._open[-1] if self._open else None
        if isinstance(frame, _OpenFields) and frame.wants_name:
            self._take_name(frame, event, position)
            node = Scalar(event.value, position, quoted=True)
        elif told or event.style:
            node = Scalar(event.value, position, quoted=True, told=told)
            self._attach(node, 0)
        else:
            node = self._read_plain(event.value, position)
            self._attach(node, 0)
        if event.anchor is not None:
            self._anchors[event.anchor] = (node, 1, 0)

    def _read_plain(self, text: str, position: Position) -> Scalar:
        value = read_plain(text)
        if isinstance(value, str):
            return Scalar(value, position)
        if not isinstance(value, Ambiguous):
            return Scalar(value, position, written=text)
        if self._bounds.is_foreign:
            return Scalar(_AS_1_1.get(value.instead, text), position, written=text)
        if self._hides():
            message = (
                f"{self._path()} may be read as {value.reading}, expected text in quotes, and "
                "never a secret itself"
            )
        else:
            instead = f", or write {value.instead}" if value.instead else ""
            message = (
                f"{self._path()} is {shorten(text)}, which YAML may read as {value.reading}; "
                f"put it in quotes{instead}"
            )
        self._problems.add(position, "E107", message)
        return Scalar(text, position, told=True)

    def _take_name(self, frame: _OpenFields, event: Any, position: Position) -> None:  # noqa: ANN401
        name = event.value
        first = frame.places.get(name)
        is_foreign = self._bounds.is_foreign
        merges = name == "<<" and not event.style and not is_foreign
        if merges:
            message = f"{self._inside()} has the merge key '<<'; write its fields out here"
            self._problems.add(position, "E108", message)
        elif first is not None:
            shown = "a name" if self._hides() else shorten(name)
            lines = f"lines {first.line} and {position.line}"
            where = lines if first.line != position.line else f"line {position.line}"
            message = f"{self._inside()} has {shown} twice, on {where}; keep one of them"
            self._problems.add(position, "E104", message)
        else:
            frame.places[name] = position
        frame.await_value(name, keeps=is_foreign or (first is None and not merges))

    def _open_items(self, event: Any) -> None:  # noqa: ANN401
        self._enter(_OpenItems(self._place(event), event.anchor, self._nodes), event)

    def _open_fields(self, event: Any) -> None:  # noqa: ANN401
        self._enter(_OpenFields(self._place(event), event.anchor, self._nodes), event)

    def _enter(self, frame: _OpenItems | _OpenFields, event: Any) -> None:  # noqa: ANN401
        self._count(1, event)
        if event.tag is not None:
            self._refuse_tag(event, frame.position)
        if len(self._open) >= self._bounds.depth_max:
            self._stop_too_deep(event)
        self._anchors.pop(event.anchor, None)
        self._open.append(frame)

    def _close(self, _event: Any) -> None:  # noqa: ANN401
        frame = self._open.pop()
        node = frame.close()
        if frame.anchor is not None:
            size = self._nodes - frame.nodes_before
            self._anchors[frame.anchor] = (node, size, frame.height + 1)
        self._attach(node, frame.height + 1)

    def _attach(self, node: Node, height: int) -> None:
        """Hand a finished node to what it stands in; ``height`` is how deep it goes itself."""
        if not self._open:
            empty = isinstance(node, Scalar) and node.value is None and not node.written
            self.root = Fields({}, node.position) if empty else node
            return
        frame = self._open[-1]
        frame.height = max(frame.height, height)
        if isinstance(frame, _OpenFields) and frame.wants_name:
            self._refuse_name(frame, node)
        else:
            frame.add(node)

    def _refuse_name(self, frame: _OpenFields, node: Node) -> None:
        if syntax.is_template_at(self.text, node.position.line, node.position.column - 1):
            frame.told = True
            self._problems.add(frame.position, "E105", syntax.UNQUOTED_TEMPLATE)
        else:
            message = f"{self._inside()} has a name that is not plain text; write it as text"
            self._problems.add(node.position, "E105", message)
        frame.await_value("", keeps=False)

    def _take_alias(self, event: Any) -> None:  # noqa: ANN401
        self._aliases += 1
        if self._aliases > self._bounds.aliases_max:
            message = f"more than {self._bounds.aliases_max} aliases; write the values out"
            raise syntax.Unreadable.at(event.start_mark, "E106", message)
        found = self._anchors.get(event.anchor)
        if found is None:
            name = "" if self._hides() else event.anchor
            message = (
                f"alias '*{name}' has no finished '&{name}' before it; put it in quotes if it is "
                "text"
            )
            self._problems.add(self._place(event), "E105", message)
            found = (Scalar("", self._place(event), told=True), 1, 0)
        node, size, height = found
        self._count(size, event)
        if len(self._open) + height > self._bounds.depth_max:
            self._stop_too_deep(event)
        self._attach(node, height)

    def _begin_document(self, event: Any) -> None:  # noqa: ANN401
        self._documents += 1
        if self._documents > 1:
            message = "a second document begins here, expected one; put it in a file of its own"
            raise syntax.Unreadable.at(event.start_mark, "E106", message, keeps_tree=True)

    def _refuse_tag(self, event: Any, position: Position) -> bool:  # noqa: ANN401
        tag = event.tag.replace("tag:yaml.org,2002:", "!!")
        message = f"{self._path()} has the tag {shorten(tag)}, expected none; remove it"
        if self._hides():
            message = f"{self._path()} begins with '!', a tag; put it in quotes if it is text"
        self._problems.add(position, "E108", message)
        return True

    def _count(self, nodes: int, event: Any) -> None:  # noqa: ANN401
        self._nodes += nodes
        if self._nodes > self._bounds.nodes_max:
            most = self._bounds.nodes_max
            message = f"more than {most} values, aliases counted in full; split the file"
            raise syntax.Unreadable.at(event.start_mark, "E106", message)

    def _stop_too_deep(self, event: Any) -> None:  # noqa: ANN401
        message = f"more than {self._bounds.depth_max} levels inside each other; write it flatter"
        raise syntax.Unreadable.at(event.start_mark, "E106", message)

    def _place(self, event: Any) -> Position:  # noqa: ANN401
        mark = event.start_mark
        return Position(self._file, mark.line + 1, mark.column + 1)

    def _steps(self, frames: list[_OpenItems | _OpenFields]) -> Iterator[str]:
        return (frame.step() for frame in frames if not frame.wants_name)

    def _path(self) -> str:
        """Name the value that is being read, as decoding would."""
        return "".join(self._steps(self._open)).removeprefix(".") or "the document"

    def _hides(self) -> bool:
        """Tell whether what is being read may be a secret, so that no message shows it."""
        return any(hiding.hides(frame.name) for frame in self._open if not frame.wants_name)

    def _inside(self) -> str:
        """Name the object whose name is being read."""
        return "".join(self._steps(self._open[:-1])).removeprefix(".") or "the document"
