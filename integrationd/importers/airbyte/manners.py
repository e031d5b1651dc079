"""How a template is written for where it stands: a path, a text such as a parameter, or JSON.

The source makes a text of every template, and of the text again whatever Python would read in it:
a switch becomes ``True``, ``"7"`` in a JSON body a number, and JSON that is written as one text an
object. What stands in a path is sent as it is there, and here a value never leaves its part of it.

Source:
    ``interpolation/jinja.py`` of airbytehq/airbyte-python-cdk.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Callable
from enum import Enum
from typing import Final, TypeAlias

from integrationd.importers.airbyte.terms import Apply, Const, Name, Term, Text, walk
from integrationd.importers.airbyte.writing import write_template, write_test
from integrationd.model.json import Json

IsFlag: TypeAlias = Callable[[Name], bool]
"""Tells whether a variable is true or false."""


class Manner(Enum):
    """Where a template stands."""

    PLAIN = "plain"
    """Anywhere that is not named here."""
    TEXT = "text"
    """A parameter, a header, a field of a form."""
    JSON = "json"
    PATH = "path"


_TESTS: Final = frozenset({"==", "!=", "<", "<=", ">", ">=", "in", "not in", "not"})
_MARK: Final = "\u241f{}\u241f"
"""Stands for a value in a text that is read as JSON; no file has it."""


def write_for(term: Term, manner: Manner, is_flag: IsFlag) -> Json:
    """Write a template for its place.

    Raises:
        UnsayableError: Templates cannot say it.
    """
    match manner:
        case Manner.PLAIN:
            return write_template(term)
        case Manner.PATH:
            return _write_path(_spell_flags(term, is_flag))
        case Manner.TEXT:
            return write_template(_leave_out_empty(_spell_flags(term, is_flag)))
        case Manner.JSON:
            return _write_json(term, is_flag)


def _spell_flags(term: Term, is_flag: IsFlag) -> Term:
    """Write what is true or false as the source does."""
    if isinstance(term, Const) and isinstance(term.value, bool):
        return Const(str(term.value))
    if isinstance(term, Apply) and term.name == "if" and term.terms[1:] == _BOTH:
        return Apply("if", (term.terms[0], Const("True"), Const("False")))
    if _is_flag(term, is_flag):
        spelled = Apply("if", (term, Const("True"), Const("False")))
        is_there = not isinstance(term, Name)
        return spelled if is_there else Apply("if", (Apply("is none", (term,)), _NOTHING, spelled))
    match term:
        case Text():
            return Text(tuple(_spell_flags(each, is_flag) for each in term.parts))
        case Apply("if", (test, then, otherwise)):
            return Apply(
                "if", (test, _spell_flags(then, is_flag), _spell_flags(otherwise, is_flag))
            )
        case _:
            return term


_NOTHING: Final = Const(None)
_BOTH: Final = (Const(value=True), Const(value=False))


def _leave_out_empty(term: Term) -> Term:
    """Write null for an empty text that is chosen: the source leaves its parameter out."""
    match term:
        case Apply("if", (test, then, otherwise)):
            return Apply("if", (test, _leave_out_empty(then), _leave_out_empty(otherwise)))
        case Const(value=""):
            return _NOTHING
        case _:
            return term


def _is_flag(term: Term, is_flag: IsFlag) -> bool:
    match term:
        case Const():
            return isinstance(term.value, bool)
        case Name():
            return is_flag(term)
        case Apply("if", (_, *chosen)) | Apply("and" | "or" | "default", (*chosen,)):
            return all(_is_flag(each, is_flag) for each in chosen)
        case Apply(name=name):
            return name in _TESTS or name.startswith("is ")
        case _:
            return False


def _write_path(term: Term) -> str:
    """Write a path; what has slashes of its own stands outside of values."""
    match _open(term):
        case Text(parts=parts):
            return "".join(map(_write_path, parts))
        case Apply("if", (test, then, otherwise)) if _has_slash(then) or _has_slash(otherwise):
            chosen = f"{_write_path(then)}{{% else %}}{_write_path(otherwise)}"
            return f"{{% if {write_test(test)} %}}{chosen}{{% endif %}}"
        case Const(value=None):
            return ""
        case other:
            return str(write_template(other))


def _open(term: Term) -> Term:
    """Return a term as texts and choices among them, where a slash stands in it."""
    match term:
        case Apply("sanitize_url", (value,)):
            return value
        case Apply("or", (value, otherwise)) if _has_slash(otherwise):
            return Apply("if", (value, value, otherwise))
        case Apply("default", (value, otherwise)) if _has_slash(otherwise):
            return Apply("if", (Apply("is none", (value,)), otherwise, value))
        case Apply("+", (left, right)) if _has_slash(term):
            return Text((left, right))
        case _:
            return term


def _has_slash(term: Term) -> bool:
    return any(
        isinstance(each, Const) and isinstance(each.value, str) and "/" in each.value
        for each in walk(term)
    )


def _write_json(term: Term, is_flag: IsFlag) -> Json:
    """Write a value in a JSON body."""
    match term:
        case Const(value=str(text)):
            return _read_python(text)
        case Text():
            parts = [_spell_flags(each, is_flag) for each in term.parts]
            marked, named = _mark(parts)
            found = _read_python(marked)
            if isinstance(found, dict | list):
                return _fill(found, named)
            return write_template(Text(tuple(parts)))
        case _:
            return write_template(term)


def _mark(parts: list[Term]) -> tuple[str, dict[str, str]]:
    """Return a text with marks for its values, and what each stands for."""
    named: dict[str, str] = {}
    written = ""
    for part in parts:
        if isinstance(part, Const):
            written += part.value if isinstance(part.value, str) else json.dumps(part.value)
        else:
            mark = _MARK.format(len(named))
            named[mark] = str(write_template(part))
            written += mark
    return written, named


def _fill(found: Json, named: dict[str, str]) -> Json:
    match found:
        case dict():
            return {_filled(key, named): _fill(value, named) for key, value in found.items()}
        case list():
            return [_fill(each, named) for each in found]
        case str():
            return _filled(found, named)
        case _:
            return found


def _filled(text: str, named: dict[str, str]) -> str:
    for mark, written in named.items():
        text = text.replace(mark, written)
    return text


def _read_python(text: str) -> Json:
    """Return what Python reads in a text: a number, True, a list; else the text itself."""
    try:
        found = ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return text
    return found if _is_json(found) else text


def _is_json(found: object) -> bool:
    match found:
        case None | bool() | int() | float() | str():
            return True
        case list():
            return all(map(_is_json, found))
        case dict():
            return all(isinstance(key, str) for key in found) and all(map(_is_json, found.values()))
        case _:
            return False
