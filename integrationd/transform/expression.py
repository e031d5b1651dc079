"""JMESPath, the language that reads: parsed by its library, checked at load, compiled once."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Final, cast

import jmespath
from jmespath import exceptions
from typing_extensions import override

from integrationd.config.decode import INVALID, Invalid, Site
from integrationd.config.nodes import Node, Position, Scalar
from integrationd.config.problems import nearest
from integrationd.config.sites import Leaf
from integrationd.errors import ExpressionError
from integrationd.model.json import Json
from integrationd.transform.jmes import codegen, runtime, tree
from integrationd.transform.jmes.tree import Fault, Tree
from integrationd.transform.scopes import Reference, Roots, Scope

NO_VARIABLES: Final[Mapping[str, Json]] = {}
_CACHE_MAX: Final = 8192


class Expression:
    """One expression over a JSON value, with the place it was written at."""

    __slots__ = ("_run", "position", "references", "roots", "text")

    FORM: ClassVar[Leaf] = Leaf("an expression", {"type": "string", "minLength": 1})

    text: str
    position: Position
    references: tuple[Reference, ...]
    """What ``var('a.b')`` names."""
    roots: frozenset[str]
    """The names that are read from the value itself."""

    def __init__(self, text: str, position: Position) -> None:
        """Parse; raises ExpressionError as :meth:`parse` does."""
        parsed = _parse(text)
        if isinstance(parsed, Fault):
            raise ExpressionError(parsed.message)
        self.text = text
        self.position = position
        self.references = tuple(Reference(path, position) for path in parsed.variables)
        self.roots = parsed.roots
        self._run: runtime.Compiled | None = None

    @classmethod
    def parse(cls, text: str, position: Position) -> Expression:
        """Parse an expression.

        Raises:
            ExpressionError: It is no JMESPath, too long or too deep, or calls what is not known.
        """
        return cls(text, position)

    @classmethod
    def decode_node(cls, node: Node, site: Site) -> Expression | Invalid:
        """Read an expression from text, and check the names in it against its annotation."""
        if not isinstance(node, Scalar) or not isinstance(node.value, str):
            return site.expected(node, "an expression, as text")
        parsed = _parse(node.value)
        if isinstance(parsed, Fault):
            hint = nearest(parsed.name, tree.function_names()) if parsed.name else ""
            told = "the expression is wrong" if site.hides else f"{parsed.message}{hint}"
            message = f"{site.path}: {told}"
            return site.refuse(node.position, parsed.code, message)
        expression = cls(node.value, node.position)
        return expression if expression._names_are_known(site) else INVALID

    @property
    def constant(self) -> Json:
        """Return what it gives whatever the value is; None where that depends."""
        parsed = _tree_of(self.text)
        return parsed["value"] if parsed["type"] == "literal" else None

    @property
    def members(self) -> tuple[Reference, ...]:
        """Return what it reads of the value itself, two names deep: ``a.b`` of ``a.b.c``."""
        found = tree.find_members(_tree_of(self.text))
        return tuple(Reference(path, self.position) for path in found)

    def search(self, value: Json, variables: Mapping[str, Json] = NO_VARIABLES) -> Json:
        """Evaluate over a value.

        Raises:
            ExpressionError: A function does not take what it was given, or the evaluation needs
                more steps than one may. The message never holds data.
        """
        run = self._run
        if run is None:
            run = self._run = _compile(self.text)
        try:
            return run(value, variables, [runtime.STEPS_MAX])
        except (ValueError, TypeError, ArithmeticError, RecursionError) as failed:
            raise _explain(failed) from None

    def _names_are_known(self, site: Site) -> bool:
        roots, scope = site.note(Roots), site.note(Scope)
        unknown = sorted(self.roots - set(roots.names)) if roots is not None else []
        named = [reference.path[0] for reference in self.references]
        known = roots.names if roots is not None else ()
        for name in unknown:
            _tell_unknown(name, known, self.position, site)
        for name in named:
            if scope is not None and name not in scope.names:
                unknown.append(name)
                _tell_unknown(name, scope.names, self.position, site)
        return not unknown

    @override
    def __eq__(self, other: object) -> bool:
        """Compare by text and place."""
        if not isinstance(other, Expression):
            return NotImplemented
        return (self.text, self.position) == (other.text, other.position)

    @override
    def __hash__(self) -> int:
        """Hash as compared."""
        return hash((self.text, self.position))

    @override
    def __repr__(self) -> str:
        """Show the text."""
        return f"Expression({self.text!r})"


def compile_fields(
    named: Mapping[str, Expression],
) -> Callable[[Json, Mapping[str, Json]], dict[str, Json]]:
    """Compile several expressions to one function over a record.

    Returns:
        A function of a record and the variables; it gives every value by name, or raises
        ExpressionError without saying which failed.
    """
    trees = {name: _tree_of(expression.text) for name, expression in named.items()}
    run = codegen.compile_trees(trees)
    # What needs more than all together may, needs more than one may in one of them.
    steps = runtime.STEPS_MAX * max(1, len(named))

    def read(record: Json, variables: Mapping[str, Json]) -> dict[str, Json]:
        try:
            return run(record, variables, [steps])
        except (ValueError, TypeError, ArithmeticError, RecursionError) as failed:
            raise _explain(failed) from None

    return read


@dataclass(frozen=True, slots=True)
class _Parsed:
    """What is known of an expression before it runs."""

    tree: Tree
    variables: tuple[tuple[str, ...], ...]
    roots: frozenset[str]


@functools.lru_cache(_CACHE_MAX)
def _parse(text: str) -> _Parsed | Fault:
    if len(text) > tree.TEXT_MAX:
        return Fault("E201", f"the expression has more than {tree.TEXT_MAX} characters")
    try:
        parsed = _read(text)
        faults = tuple(tree.find_faults(parsed))
    except exceptions.JMESPathError as wrong:
        return Fault("E201", _word_syntax(wrong, text))
    except (ValueError, RecursionError):
        return Fault(
            "E201", "the expression cannot be read: a number is too large or it is too deep"
        )
    if faults:
        return faults[0]
    return _Parsed(parsed, tuple(tree.find_variables(parsed)), frozenset(tree.find_roots(parsed)))


def _read(text: str) -> Tree:
    with warnings.catch_warnings():
        # `text` for `"text"` is old and allowed; the library would tell Python, not the author.
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        return cast("Tree", jmespath.compile(text).parsed)


def _tree_of(text: str) -> Tree:
    parsed = _parse(text)
    assert isinstance(parsed, _Parsed)
    return parsed.tree


@functools.lru_cache(_CACHE_MAX)
def _compile(text: str) -> runtime.Compiled:
    return codegen.compile_tree(_tree_of(text))


def _word_syntax(wrong: exceptions.JMESPathError, text: str) -> str:
    if isinstance(wrong, exceptions.EmptyExpressionError):
        return "the expression is empty"
    if isinstance(wrong, exceptions.IncompleteExpressionError):
        return "the expression ends too early"
    if isinstance(wrong, exceptions.ParseError) and wrong.lex_position is not None:
        at = wrong.lex_position
        found = text[at : at + 1]
        if not found:
            return "the expression ends too early"
        return f"the expression is wrong at its character {at + 1}, {found!r}"
    return "the expression cannot be read"


def _tell_unknown(name: str, known: tuple[str, ...], position: Position, site: Site) -> None:
    listed = ", ".join(sorted(known))
    close = nearest(name, known).partition("; known here")[0]
    shown = site.quote(name, known) or " what it may not"
    message = f"expression uses{shown}, variables here are: {listed}{close}"
    site.problems.add(position, "E204", message)


def _explain(failed: Exception) -> ExpressionError:
    """Word a failure; only types are told, never values."""
    if isinstance(failed, exceptions.JMESPathTypeError):
        wanted = " or ".join(failed.expected_types)
        found = failed.actual_type
        return ExpressionError(f"function {failed.function_name}() got {found}, expected {wanted}")
    if isinstance(failed, TypeError):
        return ExpressionError("the expression compares or joins values of different types")
    if isinstance(failed, RecursionError):
        return ExpressionError("the value is nested too deep for the expression")
    return ExpressionError("the expression cannot be evaluated over this value")
