"""Terms to the two languages of ours: templates, which write, and JMESPath, which reads."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from integrationd.importers.airbyte import times
from integrationd.importers.airbyte.terms import (
    Apply,
    Const,
    Name,
    Step,
    Term,
    Text,
    UnsayableError,
    roots_in,
    walk,
)
from integrationd.model.json import Json
from integrationd.spec.preludes import ASKED
from integrationd.transform.jinja.filters import FILTERS

WORD: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_BRACE: Final = re.compile(r"\{+(?=[%#]|$)|\{{2,}")
_MARK: Final = re.compile(r"\{[{%#]")
_READ_ROOTS: Final = frozenset({"body", "headers", "status", "record", "records"})
"""Variables that only expressions have."""
_ANSWER: Final = frozenset({"body", "headers", "status"})
_FILTER_NAMES: Final[Mapping[str, str]] = {
    "regex_search": "regex_find",
    "sanitize_url": "urlencode",
}
"""Filters that mean the same under another name."""
_INFIX: Final = frozenset({"==", "!=", "<", "<=", ">", ">=", "+", "-", "/", "//", "in", "not in"})


def write_template(term: Term, *, over_answer: bool = False, knows_now: bool | None = None) -> Json:
    """Write a template; a constant keeps its type.

    Args:
        term: What it says.
        over_answer: Whether it is one that sees an answer, such as the message of a failure.
        knows_now: Whether it knows the present time; by default as requests do.

    Raises:
        UnsayableError: Templates cannot say it.
    """
    term = times.simplify(term)
    foreign = roots_in(term) & (_READ_ROOTS - _ANSWER if over_answer else _READ_ROOTS)
    if times.NOW in walk(term) and not ("now" in ASKED.names if knows_now is None else knows_now):
        raise UnsayableError("a template of a request does not know the present time")
    if foreign:
        what = ", ".join(sorted(map(str, foreign)))
        raise UnsayableError(f"a request cannot use what an answer holds ({what})")
    match term:
        case Const(value=str(text)) if _MARK.search(text):
            return _write_part(term)
        case Const():
            return term.value
        case Text():
            return "".join(_write_part(part) for part in term.parts)
        case _:
            return f"{{{{ {_write(term)} }}}}"


def _write_part(term: Term) -> str:
    if not isinstance(term, Const):
        return f"{{{{ {_write(term)} }}}}"
    text = term.value if isinstance(term.value, str) else json.dumps(term.value)
    # What looks like a mark, or would with the sign that comes next, stands in a mark itself.
    return _BRACE.sub(lambda found: f"{{{{ {_literal(found.group())} }}}}", text)


def _write(term: Term) -> str:
    match term:
        case Const():
            return _literal(term.value)
        case Name():
            return write_name(term.steps)
        case Text():
            return " ~ ".join(_bracket(part) for part in term.parts)
        case Apply():
            return _write_apply(term)


def write_name(steps: tuple[Step, ...]) -> str:
    """Write a variable of ours with the keys behind it."""
    written = str(steps[0])
    for step in steps[1:]:
        plain = isinstance(step, str) and WORD.fullmatch(step)
        written += f".{step}" if plain else f"[{_literal(step)}]"
    return written


def _write_apply(term: Apply) -> str:
    name, terms = term.name, term.terms
    if name in _INFIX:
        return f"{_bracket(terms[0])} {name} {_bracket(terms[1])}"
    writer = _SYNTAX.get(name)
    return _write_filter(name, terms) if writer is None else writer(terms)


def _write_choice(terms: tuple[Term, ...]) -> str:
    test, then, otherwise = terms
    return f"{_bracket(then)} if {write_test(test)} else {_bracket(otherwise)}"


def write_test(term: Term) -> str:
    """Write what stands behind an ``if``."""
    return _write(term) if isinstance(term, Apply) and term.name != "if" else _bracket(term)


def _write_map(terms: tuple[Term, ...]) -> str:
    """Write a list of texts as the list: whatever joins them makes texts of them."""
    if terms[1:] != (Const("string"),):
        raise UnsayableError("the filter 'map' with another filter's name")
    return _write(terms[0])


def _write_slice(terms: tuple[Term, ...]) -> str:
    value, *marks = terms
    written = ["" if mark == Const(None) else _write(mark) for mark in marks]
    return f"{_bracket(value)}[{':'.join(written).removesuffix(':')}]"


_SYNTAX: Final[Mapping[str, Callable[[tuple[Term, ...]], str]]] = {
    "if": _write_choice,
    "and": lambda terms: " and ".join(map(_bracket, terms)),
    "or": lambda terms: " or ".join(map(_bracket, terms)),
    "not": lambda terms: f"not {_bracket(terms[0])}",
    "is defined": lambda terms: f"{_bracket(terms[0])} is not none",
    "is none": lambda terms: f"{_bracket(terms[0])} is none",
    "is undefined": lambda terms: f"{_bracket(terms[0])} is none",
    "list": lambda terms: f"[{', '.join(map(_write, terms))}]",
    "*": lambda terms: f"{_bracket(terms[0])} | multiply({_write(terms[1])})",
    "slice": _write_slice,
    "map": _write_map,
    "map attribute": lambda terms: f"{_bracket(terms[0])} | map({_write(terms[1])})",
    # What is not supplied is null here, which the filter of that name takes for a value.
    "default": lambda terms: (
        f"{_bracket(terms[1])} if {_bracket(terms[0])} is none else {_bracket(terms[0])}"
    ),
}
"""What is no filter and no sign between two values."""


def _write_filter(name: str, terms: tuple[Term, ...]) -> str:
    if name == "join":
        terms = (terms[1], terms[0])
    if name == "item":
        value, *steps = terms
        keys = "".join(f"[{_write(step)}]" for step in steps)
        return f"({_write(value)}){keys}"
    if name == "hash":
        terms, name = choose_digest(terms)
    name = _FILTER_NAMES.get(name, name)
    if name not in FILTERS:
        raise UnsayableError(f"templates have no '{name}' yet")
    value, *rest = terms
    given = f"({', '.join(_write(each) for each in rest)})" if rest else ""
    return f"{_bracket(value)} | {name}{given}"


def choose_digest(terms: tuple[Term, ...]) -> tuple[tuple[Term, ...], str]:
    """Return what is hashed, and the name of our function."""
    value, *rest = terms
    kind = rest[0] if rest else Const("md5")
    if len(rest) > 1 or kind not in (Const("md5"), Const("sha1"), Const("sha256")):
        raise UnsayableError("there is no digest of this kind yet")
    assert isinstance(kind, Const)
    return (value,), str(kind.value)


def _bracket(term: Term) -> str:
    written = _write(term)
    return written if isinstance(term, Const | Name) else f"({written})"


def _literal(value: Json) -> str:
    match value:
        case None:
            return "none"
        case bool():
            return str(value).lower()
        case str() if "'" not in value and value.isprintable() and "\\" not in value:
            return f"'{value}'"
        case list():
            return f"[{', '.join(_literal(item) for item in value)}]"
        case _:
            return json.dumps(value)


def path_of(steps: Sequence[Step], after: str = "") -> str:
    """Write keys as a path: ``a."b-c"[0]``."""
    written = after
    for step in steps:
        if isinstance(step, int):
            written += f"[{step}]"
        else:
            key = step if WORD.fullmatch(step) else json.dumps(step, ensure_ascii=False)
            written += f".{key}" if written else key
    return written


def literal(value: Json) -> str:
    """Write a constant for JMESPath."""
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace("'", "\\'")
        return f"'{escaped}'"
    return f"`{json.dumps(value, ensure_ascii=False)}`".replace("\n", " ")
