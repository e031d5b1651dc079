"""Terms to JMESPath, which reads answers and records."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
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
)
from integrationd.importers.airbyte.writing import (
    WORD,
    choose_digest,
    literal,
    path_of,
    write_name,
)
from integrationd.model.json import Json
from integrationd.transform.jmes.tree import function_names

_COMPARISONS: Final = frozenset({"==", "!=", "<", "<=", ">", ">="})


def read_expression(
    term: Term, *, record: str = "@", records: str = "", knows_now: bool = False
) -> str:
    """Write an expression.

    Args:
        term: What it says.
        record: How the record is called where it is read.
        records: How those of the page are called there.
        knows_now: Whether it may name the present time.

    Raises:
        UnsayableError: JMESPath cannot say it.
    """
    return _Expressions(record, records, knows_now=knows_now).write(times.simplify(term))


class _Expressions:
    """Writes JMESPath."""

    def __init__(self, record: str, records: str, *, knows_now: bool) -> None:
        self._knows_now = knows_now
        self._record = record
        self._records = records
        self._writers: Mapping[str, Callable[[tuple[Term, ...]], str]] = {
            "and": lambda terms: " && ".join(map(self._bracket, terms)),
            "or": lambda terms: " || ".join(map(self._bracket, terms)),
            "not": lambda terms: f"!({self.write(terms[0])})",
            "if": self._choose,
            "default": self._default,
            "in": self._contains,
            "not in": lambda terms: f"!({self._contains(terms)})",
            "is defined": lambda terms: f"{self._bracket(terms[0])} != `null`",
            "is none": lambda terms: f"{self._bracket(terms[0])} == `null`",
            "is undefined": lambda terms: f"{self._bracket(terms[0])} == `null`",
            "list": lambda terms: f"[{', '.join(map(self.write, terms))}]",
            "item": self._item,
            "map": self._map,
            "map attribute": self._map_attribute,
            "select": lambda terms: f"{self._bracket(terms[0])}[?@]",
            "selectattr": lambda terms: self._choose_by(terms, "{}"),
            "rejectattr": lambda terms: self._choose_by(terms, "!({})"),
            "first": lambda terms: f"{self._bracket(terms[0])}[0]",
            "last": lambda terms: f"{self._bracket(terms[0])}[-1]",
            "slice": self._slice,
            "join": self._join,
            "hash": self._hash,
        }

    def write(self, term: Term) -> str:
        """Write a term."""
        match term:
            case Const():
                return literal(term.value)
            case Name():
                return self._name(term.steps)
            case Text():
                return f"join('', [{', '.join(map(self._as_text, term.parts))}])"
            case Apply():
                return self._apply(term)

    def _apply(self, term: Apply) -> str:
        if term.name in self._writers:
            return self._writers[term.name](term.terms)
        if term.name in _COMPARISONS:
            left, right = map(self._bracket, term.terms)
            return f"{left} {term.name} {right}"
        name = _JMES_NAMES.get(term.name)
        if name is None:
            raise UnsayableError(f"expressions have no '{term.name}' yet")
        return self._call(name, term.terms)

    def _call(self, name: str, terms: tuple[Term, ...]) -> str:
        if name not in function_names():
            raise UnsayableError(f"expressions have no function {name}() yet")
        return f"{name}({', '.join(map(self.write, terms))})"

    def _name(self, steps: tuple[Step, ...]) -> str:
        root, *rest = steps
        if root == "record":
            return self._record if not rest else path_of(rest, after=self._record.rstrip("@"))
        if root == "records":
            return f"({self._records})"
        if root == "now" and not self._knows_now:
            raise UnsayableError("this expression does not know the present time")
        if root in ("secrets", "cursor", "window"):
            raise UnsayableError(f"an expression cannot use {root}")
        if root in ("config", "each", "now"):
            if not all(isinstance(step, str) and WORD.fullmatch(step) for step in rest):
                raise UnsayableError(f"an expression cannot name {write_name(steps)}")
            return f"var('{'.'.join(map(str, steps))}')"
        return path_of(rest, after=str(root))

    def _choose(self, terms: tuple[Term, ...]) -> str:
        test, then, otherwise = map(self._bracket, terms)
        if terms[2] == Const(None):
            return f"{test} && {then} || `null`"
        # 'a && b || c' gives c also where b is false or empty.
        return f"({test} && [{then}] || [{otherwise}])[0]"

    def _contains(self, terms: tuple[Term, ...]) -> str:
        match terms:
            case (Const(value=str(key)), Name(steps=("headers",))):
                return f"{self._name(('headers', key.lower()))} != `null`"
            case (Const(value=str(key)), Name(steps=(("body" | "record"),) as steps)):
                # The whole of an answer, or a record, is an object, and its names are meant.
                return f"{self._name((*steps, key))} != `null`"
            case (Const(value=str()) as key, Name(steps=("body" | "record" | "headers", *_))):
                # Names of an object, items of a list or a part of a text, whatever is there.
                here = self.write(terms[1])
                names = f"(type({here}) == 'object' && keys({here}) || {here} || '')"
                return f"contains({names}, {self.write(key)})"
            case _:
                return self._call("contains", (terms[1], terms[0]))

    def _default(self, terms: tuple[Term, ...]) -> str:
        return f"not_null({', '.join(map(self.write, terms))})"

    def _item(self, terms: tuple[Term, ...]) -> str:
        value, *steps = terms
        keys = [step.value for step in steps if isinstance(step, Const)]
        return path_of([key for key in keys if isinstance(key, str | int)], self._bracket(value))

    def _join(self, terms: tuple[Term, ...]) -> str:
        separator, values = terms
        if isinstance(values, Apply) and values.name == "list":
            texts = f"[{', '.join(map(self._as_text, values.terms))}]"
        else:
            texts = f"{self._bracket(values)}[*].to_string(@)"
        return f"join({self.write(separator)}, {texts})"

    def _hash(self, terms: tuple[Term, ...]) -> str:
        given, name = choose_digest(terms)
        return self._call(name, given)

    def _map(self, terms: tuple[Term, ...]) -> str:
        value, *rest = terms
        match rest:
            case [Const(value=str(name))]:
                written = self._call(_JMES_NAMES.get(name, name), (Name(("record",)),))
                return f"{self._bracket(value)}[*].{written}"
            case _:
                raise UnsayableError("the filter 'map' with further arguments")

    def _map_attribute(self, terms: tuple[Term, ...]) -> str:
        return f"{self._bracket(terms[0])}[*].{self._attribute(terms[1])}"

    def _attribute(self, term: Term) -> str:
        if not isinstance(term, Const) or not isinstance(term.value, str):
            raise UnsayableError("an attribute whose name hangs on a variable")
        return path_of(term.value.split("."))

    def _choose_by(self, terms: tuple[Term, ...], form: str) -> str:
        value, attribute, *rest = terms
        name = self._attribute(attribute)
        match rest:
            case []:
                test = name
            case [Const(value=str(sign)), operand] if sign in _TESTS_OF_TWO:
                test = f"{name} {_TESTS_OF_TWO[sign]} {self._bracket(operand)}"
            case [Const(value="in"), operand]:
                test = self._call("contains", (operand, Name(("record", *name.split(".")))))
            case [Const(value="defined")]:
                test = f"{name} != `null`"
            case _:
                raise UnsayableError("a filter of lists by a test of this kind")
        return f"{self._bracket(value)}[?{form.format(test)}]"

    def _slice(self, terms: tuple[Term, ...]) -> str:
        value, *marks = terms
        if not all(isinstance(mark, Const) for mark in marks):
            raise UnsayableError("a part of a list whose ends are computed")
        ends = [mark.value for mark in marks if isinstance(mark, Const)]
        here = self._bracket(value)
        written = ":".join("" if end is None else str(end) for end in ends).removesuffix(":")
        part = _part_of_text(here, ends)
        # Of a text, which a slice is null of, a function takes a part.
        return f"(type({here}) == 'string' && [{part}] || [{here}[{written}]])[0]"

    def _as_text(self, term: Term) -> str:
        if isinstance(term, Const):
            return literal(term.value if isinstance(term.value, str) else json.dumps(term.value))
        return f"to_string(not_null({self.write(term)}, ''))"

    def _bracket(self, term: Term) -> str:
        written = self.write(term)
        plain = isinstance(term, Const | Name | Text) or (
            written.endswith(")")
            and (written.startswith(("!(", "not_null(", "to_string(", "length(", "contains(")))
        )
        return written if plain else f"({written})"


def _part_of_text(value: str, ends: list[Json]) -> str:
    """Write a part of a text by where it begins and where it ends."""
    start, stop, step = ends
    begin = start if isinstance(start, int) else 0
    if step not in (None, 1) or (begin < 0 and stop is not None):
        raise UnsayableError("a part of a text of this kind")
    if stop is None:
        return f"substring({value}, `{begin}`)"
    if not isinstance(stop, int):
        raise UnsayableError("a part of a text whose end is no number")
    if stop < 0:
        left = f"max([`0`, subtract(length({value}), `{begin - stop}`)])"
        return f"substring({value}, `{begin}`, {left})"
    return f"substring({value}, `{begin}`, `{max(stop - begin, 0)}`)"


_TESTS_OF_TWO: Final = {
    "equalto": "==",
    "eq": "==",
    "==": "==",
    "ne": "!=",
    "!=": "!=",
    "gt": ">",
    "ge": ">=",
    "lt": "<",
    "le": "<=",
    ">": ">",
    ">=": ">=",
    "<": "<",
    "<=": "<=",
}
_JMES_NAMES: Final[Mapping[str, str]] = {
    "length": "length",
    "string": "to_string",
    "int": "to_number",
    "float": "to_number",
    "abs": "abs",
    "max": "max",
    "min": "min",
    "sum": "sum",
    "keys": "keys",
    "values": "values",
    "items": "items",
    "lower": "lower",
    "upper": "upper",
    "trim": "trim",
    "title": "title",
    "capitalize": "capitalize",
    "b64encode": "b64encode",
    "urlencode": "urlencode",
    "sanitize_url": "urlencode",
    "tojson": "tojson",
    "unique": "unique",
    "sort": "sort",
    "reverse": "reverse",
    "replace": "replace",
    "split": "split",
    "startswith": "starts_with",
    "endswith": "ends_with",
    "regex_search": "regex_find",
    "regex_replace": "regex_replace",
    "format_time": "format_time",
    "parse_time": "parse_time",
    "shift_time": "shift_time",
    "+": "add",
    "-": "subtract",
    "*": "multiply",
    "/": "divide",
}
"""Functions by the source's names. Which of them JMESPath has is asked when it is used."""
