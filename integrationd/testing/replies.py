"""Answers made so that a spec's expressions find in them what they look for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from integrationd.errors import UsageError
from integrationd.model.json import Json
from integrationd.transform.expression import Expression
from integrationd.transform.inverse import Mark, Tree, UnsolvableError, merge, solve, suits
from integrationd.wire import texts


@dataclass(slots=True)
class ReplyBuilder:
    """One answer while it is made: wishes are added until it is whole."""

    stream: str
    """For messages."""
    tree: Tree = Mark.FREE
    wishes: list[tuple[Expression, Tree]] = field(default_factory=list)
    variables: Mapping[str, Json] = field(default_factory=dict)
    """What the expressions may use."""

    def wish(self, expression: Expression | None, wanted: Tree) -> None:
        """Make an expression find a value; nothing where there is no expression.

        Raises:
            UsageError: It cannot be turned round, or contradicts an earlier wish.
        """
        if expression is None:
            return
        try:
            self.tree = merge(self.tree, solve(expression.text, wanted))
        except UnsolvableError as wrong:
            raise _unplayable(self.stream, expression, str(wrong)) from None
        self.wishes.append((expression, wanted))

    def lay(self, tree: Tree) -> None:
        """Put something into the answer that no expression was asked for."""
        self.tree = merge(self.tree, tree)

    def try_wish(self, expression: Expression, wanted: Tree) -> bool:
        """Make an expression find a value where that is possible; tell whether it was."""
        try:
            tree = merge(self.tree, solve(expression.text, wanted))
        except UnsolvableError:
            return False
        reply, wishes = build_reply(tree), [*self.wishes, (expression, wanted)]
        if not all(self._is_found(*wish, reply) for wish in wishes):
            return False
        self.tree, self.wishes = tree, wishes
        return True

    def wish_where_free(self, expression: Expression | None, wanted: Mark) -> None:
        """Make a condition hold or not; nothing where it does so already.

        Raises:
            UsageError: It does not, and cannot be turned round.
        """
        if expression is None:
            return
        found = expression.search(dict(build_reply(self.tree)), self.variables)
        if not suits(found, wanted):
            self.wish(expression, wanted)

    def add_header(self, name: str, value: str) -> None:
        """Set a header that no expression asks for."""
        self.tree = merge(self.tree, {"headers": {name: value}})

    def build(self) -> Mapping[str, Json]:
        """Return ``{status, headers, body}``, on which every wish was seen to come true."""
        reply = build_reply(self.tree)
        for expression, wanted in self.wishes:
            if not self._is_found(expression, wanted, reply):
                raise _unplayable(self.stream, expression, "the answer would not say so")
        return reply

    def _is_found(self, expression: Expression, wanted: Tree, reply: Mapping[str, Json]) -> bool:
        found = expression.search(dict(reply), self.variables)
        if isinstance(wanted, Mark):
            return suits(found, wanted)
        if isinstance(wanted, int) and isinstance(found, str):
            # A header writes its numbers as text.
            return found == str(wanted)
        if isinstance(wanted, Sequence) and not isinstance(wanted, str):
            listed = [found] if isinstance(found, dict) else found
            # Where it makes something else of them, what it finds was looked at record by record.
            makes = "(" in expression.text or "{" in expression.text
            return len(listed) == len(wanted) if makes else bool(listed == wanted)
        return bool(found == wanted)


def build_reply(tree: Tree) -> dict[str, Json]:
    """Settle what was left open, as an answer over HTTP has it."""
    parts: dict[str, Tree] = tree if isinstance(tree, dict) else {}
    headers, cookies = parts.get("headers"), parts.get("cookies")
    named = headers if isinstance(headers, dict) else {}
    settled = {name.lower(): _settle(value) for name, value in named.items()}
    texts_by_name = {
        name: str(texts.to_text(value)) for name, value in settled.items() if value is not None
    }
    set_by_name = {name: _settle(value) for name, value in (cookies or {}).items()}
    if set_by_name:
        lines = [f"{name}={value}; Path=/" for name, value in set_by_name.items()]
        texts_by_name["set-cookie"] = ", ".join(lines)
    status = _settle(parts.get("status"))
    return {
        "status": status if isinstance(status, int) and status > 1 else 200,
        "headers": texts_by_name,
        "body": _settle(parts.get("body")),
        "cookies": set_by_name,
    }


def _settle(tree: Tree) -> Json:
    if isinstance(tree, Mark):
        return {Mark.TRUE: True, Mark.FALSE: False, Mark.FREE: None}[tree]
    if isinstance(tree, dict):
        return {key: _settle(value) for key, value in tree.items()}
    if isinstance(tree, list):
        return [_settle(value) for value in tree]
    return tree


def _unplayable(stream: str, expression: Expression, why: str) -> UsageError:
    return UsageError(f"stream {stream!r} cannot be played: {expression.text!r}: {why}")
