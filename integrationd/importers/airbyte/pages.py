"""Conditions on the token of the next page to ``page.first``: the first page has none.

Source:
    ``retrievers/simple_retriever.py`` of airbytehq/airbyte-python-cdk: the variable is null for the
    first page, and an object afterwards. Where a strategy has ``inject_on_first_request``, it is an
    object from the first page on.
"""

from __future__ import annotations

from typing import Final

from integrationd.importers.airbyte.terms import (
    Apply,
    Const,
    Name,
    Term,
    Text,
    UnsayableError,
    fold,
    roots_in,
)

TOKEN: Final = "next_page_token"  # noqa: S105 - a variable's name
"""The source's variable for what the next page is asked with."""
FIRST: Final = Name(("page", "first"))
"""Ours, which is true of the first page alone."""
_NOT_FIRST: Final = Apply("not", (FIRST,))
_THERE: Final = frozenset({"is defined", "!="})
_NOT_THERE: Final = frozenset({"is none", "is undefined", "=="})
_ASKING: Final = frozenset({"is defined", "is undefined"})


def by_page(term: Term, *, has_first: bool) -> Term:
    """Return a term in which whether there is a token is whether the page is the first.

    Args:
        term: What a template says.
        has_first: Whether the first page has a token as well.

    Raises:
        UnsayableError: It uses the token otherwise.
    """
    if TOKEN not in roots_in(term):
        return term
    return _Reader(has_first=has_first).value(term)


class _Reader:
    """One walk over a term."""

    def __init__(self, *, has_first: bool) -> None:
        self._has_first = has_first

    def value(self, term: Term) -> Term:
        match term:
            case Name() if term.root == TOKEN:
                raise UnsayableError("the token of the next page beside something else")
            case Apply("if", (test, then, otherwise)):
                chosen = (self._test(test), self.value(then), self.value(otherwise))
                return fold(Apply("if", chosen))
            case Apply("not" | "is none" | "is defined" | "is undefined" | "==" | "!="):
                test = self._test(term)
                chosen = (test, Const(value=True), Const(value=False))
                return test if isinstance(test, Const) else Apply("if", chosen)
            case Apply(name=name, terms=terms):
                return fold(Apply(name, tuple(map(self.value, terms))))
            case Text(parts=parts):
                return Text(tuple(map(self.value, parts)))
            case _:
                return term

    def _test(self, term: Term) -> Term:
        """Read what is only asked for being true."""
        match term:
            case Name() if term.root == TOKEN:
                return self._is_there(term)
            case Apply("not", (inner,)):
                return _negate(self._test(inner))
            case Apply("and" | "or" as name, terms):
                return fold(Apply(name, tuple(map(self._test, terms))))
            case Apply(name, (Name() as token, *rest)) if token.root == TOKEN:
                return self._compared(name, token, rest)
            case _:
                return self.value(term)

    def _is_there(self, token: Name) -> Term:
        if self._has_first and len(token.steps) > 1:
            raise UnsayableError("a token that the first page has as well, and may be 0")
        return Const(value=True) if self._has_first else _NOT_FIRST

    def _compared(self, name: str, token: Name, rest: list[Term]) -> Term:
        if name in _ASKING and len(token.steps) == 1:
            return Const(value=name == "is defined")  # null is a value there
        if name in _ASKING or rest in ([], [Const(None)]):
            if name in _THERE:
                return self._is_there(token)
            if name in _NOT_THERE:
                return _negate(self._is_there(token))
        raise UnsayableError("the token of the next page beside something else")


def _negate(term: Term) -> Term:
    match term:
        case Apply("not", (inner,)):
            return inner
        case _:
            return fold(Apply("not", (term,)))
