"""Templates, the language that writes: checked at load, compiled at the first use, bounded."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeAlias

from integrationd.config.decode import INVALID, Invalid, Site
from integrationd.config.nodes import Fields, Items, Node, Position, Scalar
from integrationd.config.problems import nearest
from integrationd.config.sites import Leaf, SecretNote
from integrationd.errors import ExpressionError
from integrationd.model.json import Json
from integrationd.model.secret import Secret, reveal, reveal_all
from integrationd.transform.printing import OMIT, hide_all, print_value, without_omitted
from integrationd.transform.scopes import Reference, Scope

if TYPE_CHECKING:
    from integrationd.transform.jinja.sandbox import Outline

Encode: TypeAlias = Callable[[str], str]
_MARKS: Final = ("{{", "{%", "{#")
_SECRETS: Final = "secrets"
OMITS: Final = "omit"
"""Stands in templates that leave something out; others are not looked through for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """One value of a file that may have ``{{ }}`` in it."""

    FORM: ClassVar[Leaf] = Leaf("a template", {"type": ["string", "number", "boolean", "null"]})

    text: str
    """As it was written."""
    position: Position
    value: Json = None
    """What a constant stands for, with its type."""
    mappings: tuple[str, ...] = ()
    """The names of the mappings that it uses."""
    paths: tuple[tuple[str | int, ...], ...] = ()
    """The variables that it reads, each with the constant keys behind it."""
    is_constant: bool = True
    """Whether nothing is filled in."""
    is_native: bool = False
    """Whether it is exactly one ``{{ }}``, so that the value keeps its type."""
    is_path: bool = False
    """Whether that one only names a variable."""

    @classmethod
    def decode_node(cls, node: Node, site: Site) -> Template | Invalid:
        """Read a single value, and check the variables against the annotation's :class:`Scope`."""
        if not isinstance(node, Scalar):
            return site.expected(node, "text")
        if node.told:
            return INVALID
        if not _is_written(node.value):
            # Numbers that have no text do not come out of a file; its reader refuses them.
            return _hold_secret(cls.parse(node.value, node.position), node, site)
        outline = _outline(str(node.value))
        for flaw in outline.flaws:
            told = "the template is wrong" if site.hides else flaw.message
            site.refuse(node.position, flaw.code, f"{site.path}: {told}")
        scope = site.note(Scope)
        unknown = _unknown_roots(outline, scope)
        for name in unknown:
            assert scope is not None
            listed = ", ".join(sorted(scope.names))
            close = nearest(name, scope.names).partition("; known here")[0]
            shown = site.quote(name, scope.names) or " what it may not"
            message = f"template uses{shown}, variables here are: {listed}{close}"
            site.refuse(node.position, "E204", message)
        if outline.flaws or unknown:
            return INVALID
        return _hold_secret(cls._of(str(node.value), outline, node.position), node, site)

    @classmethod
    def parse(cls, value: Json, position: Position) -> Template:
        """Parse a template; what is not text, or has no marks in it, is a constant.

        Raises:
            ExpressionError: It is no template, or says what a template may not.
        """
        if not _is_written(value):
            return cls(text=print_value(value), position=position, value=value)
        outline = _outline(value)
        for flaw in outline.flaws:
            raise ExpressionError(flaw.message)
        return cls._of(value, outline, position)

    @classmethod
    def _of(cls, text: str, outline: Outline, position: Position) -> Template:
        return cls(
            text=text,
            position=position,
            mappings=outline.mappings,
            paths=outline.paths,
            is_constant=False,
            is_native=outline.is_native,
            is_path=outline.is_path,
        )

    @property
    def references(self) -> tuple[Reference, ...]:
        """Return the variables that it reads, as text."""
        return tuple(Reference(tuple(map(str, path)), self.position) for path in self.paths)

    @property
    def is_secret(self) -> bool:
        """Tell whether it mentions ``secrets``, so that what it gives is secret."""
        return any(path[0] == _SECRETS for path in self.paths)

    @property
    def is_written_out(self) -> bool:
        """Tell whether all that it gives stands in files: in itself, or in ``config``."""
        is_empty = self.value is None or self.value == "" or isinstance(self.value, bool)
        return not (self.is_constant and is_empty) and all(
            path[0] == "config" for path in self.paths
        )

    def render(self, variables: Mapping[str, Json]) -> Json | Secret:
        """Fill in values: a native template keeps the type of its value, any other gives text.

        Where ``omit`` has no member to leave out, it is null.

        What is made with a secret is secret: its texts and numbers come as :class:`Secret`.

        Raises:
            ExpressionError: A variable has no value, or one that does not fit; or it grows past
                the bounds. The message names variables, never values.
        """
        value = self.render_member(variables)
        return None if value is OMIT else value

    def render_member(self, variables: Mapping[str, Json]) -> Json | Secret:
        """Fill in values; :data:`OMIT` where the member that has this is to be left out.

        Raises:
            ExpressionError: As :meth:`render`.
        """
        if self.is_constant:
            return self.value
        try:
            value = self._render_value(variables)
            return without_omitted(value) if OMITS in self.text else value
        except RecursionError:
            raise ExpressionError("a value in the template is nested too deep") from None

    def render_text(
        self, variables: Mapping[str, Json], *, encode: Encode | None = None
    ) -> str | Secret | None:
        """Fill in values and return text, or None where the only value is null.

        Args:
            variables: As for :meth:`render`.
            encode: Applied to the text of each value that is filled in, not to what stands
                around them; what it raises is not changed.

        Raises:
            ExpressionError: As :meth:`render`, and where a value is a list or an object.
        """
        if self.is_constant:
            return None if self.value is None else print_value(self.value)
        if not self.is_native:
            text, is_secret = self._run(variables, encode)
            return Secret(text) if is_secret else text
        value = self.render(variables)
        if value is None:
            return None
        plain = reveal(value) if isinstance(value, Secret) else print_value(value)
        text = plain if encode is None else encode(plain)
        return Secret(text) if isinstance(value, Secret) else text

    def _render_value(self, variables: Mapping[str, Json]) -> Json | Secret:
        if self.is_path:
            value, was_secret = _look_up(self.paths[0], variables)
            return hide_all(value) if was_secret or self.is_secret else value
        value, is_secret = self._run(variables, None)
        return hide_all(value) if is_secret else value

    def _run(self, variables: Mapping[str, Json], encode: Encode | None) -> tuple[Json, bool]:
        """Return what Jinja2 makes of it, revealed, and whether a secret may be in it."""
        from jinja2 import TemplateError, UndefinedError  # noqa: PLC0415 - as in _outline

        from integrationd.transform.jinja import meter, sandbox  # noqa: PLC0415

        try:
            values, is_secret = self._open(variables)
            run = sandbox.compile_template(self.text)
            return run(values, meter.Meter(encode, variables.get(meter.MAPPINGS))), is_secret
        except sandbox.EmptyError as wrong:
            raise ExpressionError(str(wrong)) from None
        except UndefinedError as wrong:
            raise ExpressionError(self._name_missing(str(wrong), variables)) from None
        except TypeError:
            message = "the template compares or combines values of kinds that do not fit"
            raise ExpressionError(message) from None
        except RecursionError:
            raise ExpressionError("a value in the template is nested too deep") from None
        except (TemplateError, ValueError, ArithmeticError, LookupError, AttributeError):
            message = "the template cannot be filled in with these values"
            raise ExpressionError(message) from None

    def _open(self, variables: Mapping[str, Json]) -> tuple[dict[str, Json], bool]:
        """Return the variables that it reads with every secret revealed, and whether one was."""
        opened: dict[str, Json] = {}
        is_secret = self.is_secret
        for name in {str(path[0]) for path in self.paths} & variables.keys():
            value = variables[name]
            held = _holds_secret(value)
            opened[name] = reveal_all(value) if held else value
            is_secret = is_secret or held
        return opened, is_secret

    def _name_missing(self, key: str, variables: Mapping[str, Json]) -> str:
        """Name a missing value as its author wrote it, as far as that can be known."""
        for path in self.paths:
            try:
                _look_up(path, variables)
            except ExpressionError as wrong:
                if key in map(str, path):
                    return str(wrong)
        return _without_value(key)


@dataclass(frozen=True, slots=True)
class JsonTemplate:
    """Lists and objects with templates in them; keys are plain text."""

    FORM: ClassVar[Leaf] = Leaf("any value, with templates in it", {})

    tree: Json
    """Lists, objects and, where single values stand, :class:`Template`."""
    position: Position

    @classmethod
    def decode_node(cls, node: Node, site: Site) -> JsonTemplate | Invalid:
        """Read any value; the annotation's scope holds for every template in it."""
        told = len(site.problems.found)
        tree = _decode_tree(node, site)
        # What was told while the text was read is not told once more.
        broken = len(site.problems.found) > told or any(
            isinstance(part, Invalid) for part in _ends_of(tree)
        )
        return INVALID if broken else cls(tree, node.position)

    @property
    def references(self) -> tuple[Reference, ...]:
        """Return the variables that its templates read."""
        return tuple(reference for each in self.templates() for reference in each.references)

    def templates(self) -> Iterator[Template]:
        """Yield its templates, constants too, in the order of the file."""
        return _ends_of(self.tree)

    def render(self, variables: Mapping[str, Json]) -> Json:
        """Fill in values; a :class:`Secret` stays one.

        Raises:
            ExpressionError: As :meth:`Template.render`.
        """
        value = self.render_member(variables)
        return None if value is OMIT else value

    def render_member(self, variables: Mapping[str, Json]) -> Json:
        """Fill in values; :data:`OMIT` where all of it is to be left out."""
        return _render_tree(self.tree, variables)


def _hold_secret(template: Template, node: Node, site: Site) -> Template | Invalid:
    """Refuse text where a secret is due."""
    is_due = site.note(SecretNote) is not None
    return site.refuse_text(node) if is_due and template.is_written_out else template


def _is_written(value: Json) -> bool:
    """Tell whether a value has a mark of Jinja in it."""
    return isinstance(value, str) and any(mark in value for mark in _MARKS)


def _outline(text: str) -> Outline:
    # Imported at the first template: Jinja2 takes 50 ms, and constants do without it.
    from integrationd.transform.jinja import sandbox  # noqa: PLC0415

    return sandbox.outline(text)


def _unknown_roots(outline: Outline, scope: Scope | None) -> list[str]:
    if scope is None:
        return []
    roots = dict.fromkeys(str(path[0]) for path in outline.paths)
    return [name for name in roots if name not in scope.names]


def _look_up(path: tuple[str | int, ...], variables: Mapping[str, Json]) -> tuple[Json, bool]:
    """Return what stands at a path, and whether the way there led into a secret."""
    value: Json = variables
    led_into_secret = False
    for depth, key in enumerate(path, start=1):
        if isinstance(value, Secret):
            value, led_into_secret = value.reveal(), True
        if not _has(value, key):
            raise ExpressionError(_without_value(_spell(path[:depth])))
        value = value[key]
    return value, led_into_secret


def _has(value: Json, key: str | int) -> bool:
    if isinstance(value, Mapping):
        return isinstance(key, str) and key in value
    return isinstance(value, list | str) and isinstance(key, int) and key < len(value)


def _spell(path: tuple[str | int, ...]) -> str:
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path)[1:]


def _without_value(name: str) -> str:
    return f"{name!r} has no value; supply it, or add | default(…)"


def _holds_secret(value: Json) -> bool:
    pending = [value]
    while pending:
        value = pending.pop()
        if isinstance(value, Secret):
            return True
        if isinstance(value, Mapping):
            pending.extend(value.values())
        elif isinstance(value, list | tuple):
            pending.extend(value)
    return False


def _decode_tree(node: Node, site: Site) -> Json:
    match node:
        case Fields():
            return {key: _decode_tree(item, site.member(key)) for key, item in node.entries.items()}
        case Items():
            return [_decode_tree(item, site.item(at)) for at, item in enumerate(node.items)]
        case Scalar():
            return Template.decode_node(node, site)


def _ends_of(tree: Json) -> Iterator[Any]:
    """Yield what stands at the ends of a tree; of one that is broken some are no templates."""
    if not isinstance(tree, dict | list):
        yield tree
        return
    for item in tree.values() if isinstance(tree, dict) else tree:
        yield from _ends_of(item)


def _render_tree(tree: Json, variables: Mapping[str, Json]) -> Json:
    if isinstance(tree, Template):
        return tree.render_member(variables)
    if isinstance(tree, dict):
        found = ((key, _render_tree(item, variables)) for key, item in tree.items())
        return {key: item for key, item in found if item is not OMIT}
    return [item for each in tree if (item := _render_tree(each, variables)) is not OMIT]
