"""What the variables of one stream's templates are, and the templates translated."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from integrationd.config.nodes import Fields, Items, Node, Scalar
from integrationd.importers.airbyte import expressions, jinja, times, writing
from integrationd.importers.airbyte.manners import Manner, write_for
from integrationd.importers.airbyte.pages import by_page
from integrationd.importers.airbyte.parts import Part
from integrationd.importers.airbyte.supplies import Supplies
from integrationd.importers.airbyte.terms import Apply, Const, Name, Step, Term, UnsayableError
from integrationd.model.json import Json

SLICES: Final = frozenset({"stream_slice", "stream_partition", "stream_interval"})
PARENT: Final = "parent_slice"
EXTRA: Final = "extra"
"""A further field of a parent's record; only records can have it."""
SESSION: Final = ("read", "session_token")
"""What a login gives."""


class Missing:
    """Stands where something could not be said; the report has why."""


MISSING: Final = Missing()


@dataclass(frozen=True, slots=True)
class Scope:
    """The variables of one stream."""

    supplies: Supplies
    each: Mapping[str, str] = field(default_factory=dict)
    """Our names of the values that it is read for each of, by the source's."""
    bounds: Mapping[str, Name] = field(default_factory=dict)
    """Ours for the ends of an interval: ``cursor``, ``window.end``."""
    notation: str = "iso"
    """How those ends are written."""
    has_first_token: bool = False
    """Whether the first page is asked for with a token as well."""
    parent: Scope | None = None
    """That of the stream whose records it is read for each of."""

    def term(self, part: Part, text: str) -> Term:
        """Return what a template in a component says.

        Raises:
            UnsayableError: It cannot be translated.
        """
        term = jinja.parse(text, self._resolver(part))
        return term if self.notation == "iso" else times.read_first(term, self.notation)

    def _resolver(self, part: Part) -> Callable[[tuple[Step, ...]], Term]:
        def resolve(steps: tuple[Step, ...]) -> Term:
            root, *rest = steps
            if root == "config":
                return self.supplies.resolve(tuple(rest))
            if root in ("parameters", "options"):
                return self._parameter(part, rest)
            if root in SLICES:
                return self._slice(rest)
            return _read_common(root, rest)

        return resolve

    def _parameter(self, part: Part, rest: list[Step]) -> Term:
        found = part.parameters.get(str(rest[0])) if rest else None
        value = None if found is None else part.plain(found)
        for step in rest[1:]:
            value = value.get(step) if isinstance(value, dict) else None
        return self.term(part, value) if isinstance(value, str) else Const(value)

    def _slice(self, rest: list[Step]) -> Term:
        if not rest:
            # For 'stream_interval is defined'; as a value it is refused by whoever writes it.
            return Const({**self.bounds, **self.each} or None)
        name = str(rest[0])
        if name == PARENT and self.parent is not None:
            return self.parent._slice(rest[1:])  # noqa: SLF001 - its own kind
        if name in self.bounds:
            return self.bounds[name]
        if name in self.each:
            return Name(("each", self.each[name], *rest[1:]))
        if name == "extra_fields" and len(rest) > 1:
            return Name((EXTRA, *rest[1:]))
        raise UnsayableError(f"the stream has no value {name!r} that it is read for each of")

    def template(
        self, part: Part, node: Node, path: str, manner: Manner = Manner.PLAIN
    ) -> Json | Missing:
        """Translate a template, or every template in an object or a list."""
        node = part.manifest.follow(node)
        match node:
            case Scalar(value=str(text)):
                try:
                    term = by_page(self.term(part, text), has_first=self.has_first_token)
                    return write_for(term, manner, self._is_flag)
                except UnsayableError as why:
                    part.report.lose(node.position, f"{path}: {why}")
                    return MISSING
            case Scalar():
                is_text = manner is Manner.TEXT and isinstance(node.value, bool)
                return str(node.value) if is_text else node.value
            case Items():
                items = [
                    self.template(part, each, f"{path}[{at}]", manner)
                    for at, each in enumerate(node.items)
                ]
                return [each for each in items if not isinstance(each, Missing)]
            case Fields():
                return self._object(part, node, path, manner)

    def _object(self, part: Part, node: Fields, path: str, manner: Manner) -> Json:
        said = {
            self._key(part, key): self.template(part, value, f"{path}.{key}", manner)
            for key, value in node.entries.items()
            if key != "$parameters"
        }
        return {key: value for key, value in said.items() if not isinstance(value, Missing)}

    def _is_flag(self, name: Name) -> bool:
        """Tell whether a value of the configuration is true or false."""
        schema = self.supplies.config.get(str(name.steps[-1])) if name.root == "config" else None
        kind = schema.get("type") if isinstance(schema, dict) and len(name.steps) == 2 else None  # noqa: PLR2004 - config.NAME
        return kind == "boolean" or (isinstance(kind, list) and set(kind) <= {"boolean", "null"})

    def _key(self, part: Part, key: str) -> str:
        if "{{" not in key:
            return key
        try:
            term = self.term(part, key)
        except UnsayableError:
            term = Const(None)
        if isinstance(term, Const) and isinstance(term.value, str):
            return term.value
        part.report.lose(part.position, f"{part.path}: a name with a template in it, {key!r}")
        return key

    def message(self, part: Part, key: str) -> str | None:
        """Translate a template that sees an answer; None where it cannot be said, which is told."""
        try:
            made = writing.write_template(self.term(part, part.text(key)), over_answer=True)
        except UnsayableError as why:
            part.report.lose(part.place(key), f"{part.path}.{key}: {why}")
            return None
        return str(made)

    def expression(
        self, part: Part, key: str, *, record: str = "@", records: str = ""
    ) -> str | None:
        """Translate the template in a field to JMESPath; None where it says nothing or cannot."""
        text = part.value(key)
        if text in (None, ""):
            return None
        if not isinstance(text, str):
            return writing.literal(text)
        try:
            return expressions.read_expression(
                self.term(part, text), record=record, records=records
            )
        except UnsayableError as why:
            part.report.lose(part.place(key), f"{part.path}.{key}: {why}")
            return None


def _read_common(root: Step, rest: list[Step]) -> Term:
    """Return our term for a variable that is the same in every stream."""
    if root == SESSION[-1]:
        return Name(SESSION)
    if root == "last_page_size":
        return Apply("length", (Name(("records",)),))
    if root == "headers" and rest:
        return Name(("headers", str(rest[0]).lower(), *rest[1:]))
    if root == "self":
        return Const("")  # Jinja's own, in which the source finds nothing
    if root in _ROOTS:
        return Name((_ROOTS[str(root)], *rest))
    raise UnsayableError(f"the variable {root!r} is not known here")


_ROOTS: Final = {
    "response": "body",
    "headers": "headers",
    "record": "record",
    "last_record": "record",
    "next_page_token": "next_page_token",
}
"""The source's variables that only change their name."""
