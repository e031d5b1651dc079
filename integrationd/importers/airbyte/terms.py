"""What a template of the source says, between the two languages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from integrationd.model.json import Json

Step: TypeAlias = str | int


class UnsayableError(Exception):
    """Why a template cannot be translated; the text is for the report."""


@dataclass(frozen=True, slots=True)
class Const:
    """A value as it stands."""

    value: Json


@dataclass(frozen=True, slots=True)
class Name:
    """A variable with constant keys behind it; the first step is its root."""

    steps: tuple[Step, ...]

    @property
    def root(self) -> Step:
        """Return the variable's own name."""
        return self.steps[0]


@dataclass(frozen=True, slots=True)
class Apply:
    """An operator, a function, a filter or a test, by one name for all of them."""

    name: str
    terms: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Text:
    """Text with values in it."""

    parts: tuple[Term, ...]


Term: TypeAlias = Const | Name | Apply | Text
Resolve: TypeAlias = Callable[[tuple[Step, ...]], Term]
"""From the source's variable to ours."""


def walk(term: Term) -> Iterator[Term]:
    """Yield a term and all in it."""
    yield term
    match term:
        case Apply():
            inner = term.terms
        case Text():
            inner = term.parts
        case _:
            inner = ()
    for each in inner:
        yield from walk(each)


def names_in(term: Term) -> set[tuple[Step, ...]]:
    """Return the variables of a term, each with its keys."""
    return {each.steps for each in walk(term) if isinstance(each, Name)}


def roots_in(term: Term) -> set[Step]:
    """Return the roots of a term's variables."""
    return {steps[0] for steps in names_in(term)}


def listed(items: tuple[Term, ...]) -> Term:
    """Return a list of what is read one by one."""
    if all(isinstance(item, Const) for item in items):
        return Const([item.value for item in items if isinstance(item, Const)])
    return Apply("list", items)


def behind(term: Term, steps: tuple[Step, ...]) -> Term:
    """Return a term with constant keys behind it."""
    if not steps:
        return term
    return (
        Name((*term.steps, *steps))
        if isinstance(term, Name)
        else Apply("item", (term, *(Const(step) for step in steps)))
    )


def fold(term: Apply) -> Term:
    """Work out what hangs on constants alone, so that a parameter chooses among templates."""
    match term:
        case Apply("if", (Const(value=value), then, otherwise)):
            return then if value else otherwise
        case Apply("not", (Const(value=value),)):
            return Const(not value)
        case Apply("or", (Const(value=value) as left, right)):
            return left if value else right
        case Apply("and", (Const(value=value) as left, right)):
            return right if value else left
        case _:
            return term
