"""An operation: one kind of call that a provider accepts; and the probe, which changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar, Final

from typing_extensions import override

from integrationd.config.decode import INVALID, Invalid, Site, decode
from integrationd.config.nodes import Fields, Items, Node, Position, Scalar
from integrationd.config.sites import Written
from integrationd.errors import ExpressionError
from integrationd.model.json import Json
from integrationd.spec.inputs import Inputs
from integrationd.spec.names import WORD_NAME
from integrationd.transform.expression import Expression
from integrationd.transform.scopes import Reference, Scope
from integrationd.wire.call import METHODS, CallShape
from integrationd.wire.tokens import REPLY

SAFE: Final = frozenset({"GET", "HEAD"})
"""Methods that change nothing. Source: RFC 9110 section 9.2.1."""
REPEATABLE: Final = SAFE | {"PUT", "DELETE"}
"""Methods that do the same if they are done twice. Source: RFC 9110 section 9.2.2."""
_SEEN: Final = Scope(("config", "input"))
"""What ``var()`` may read in the expressions of an output."""


@dataclass(frozen=True, slots=True)
class Output:
    """What a call gives: one expression over ``{status, headers, body}``, or an object of them."""

    FORM: ClassVar = Written((Expression, Mapping[str, Expression]))

    whole: Expression | None
    named: Mapping[str, Expression]
    """Where it is an object."""

    @classmethod
    def decode_node(cls, node: Node, site: Site) -> Output | Invalid:
        """Read one expression, or one for each name."""
        if isinstance(node, Items):
            return site.expected(node, "an expression, as text, or an object of them")
        if isinstance(node, Scalar):
            whole = decode(node, Expression, site.noted(REPLY, _SEEN))
            return INVALID if isinstance(whole, Invalid) else cls(whole, {})
        named = decode(node, Mapping[str, Expression], site.noted(WORD_NAME, REPLY, _SEEN))
        return INVALID if isinstance(named, Invalid) else cls(None, named)

    @property
    def references(self) -> tuple[Reference, ...]:
        """Return the variables that it reads."""
        parts = self.named.values() if self.whole is None else (self.whole,)
        return tuple(reference for part in parts for reference in part.references)

    def read(self, reply: Mapping[str, Json], variables: Mapping[str, Json]) -> Json:
        """Return what it finds in a reply.

        Args:
            reply: ``{status, headers, body}``.
            variables: ``config`` and ``input``.

        Raises:
            ExpressionError: One of them does not fit this reply; names which.
        """
        if self.whole is not None:
            return _search("output", self.whole, reply, variables)
        return {
            name: _search(f"output.{name}", expression, reply, variables)
            for name, expression in self.named.items()
        }


def _search(
    where: str, expression: Expression, reply: Mapping[str, Json], variables: Mapping[str, Json]
) -> Json:
    try:
        return expression.search(dict(reply), variables)
    except ExpressionError as wrong:
        raise ExpressionError(f"{where}: {wrong}") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation(CallShape):
    """One operation: typed input, one request, output.

    A call that may have been done and was not answered is tried again only where doing it twice
    does no harm, as ``idempotent`` says.
    """

    variables: ClassVar[Scope] = Scope(("config", "secrets", "input"))
    LATER: ClassVar = ("first_of", "steps", "found", "select", "idempotency_key")

    position: Position
    description: str = ""
    """For people."""
    input: Inputs = Inputs()  # noqa: RUF009 - frozen
    """What it takes, a JSON Schema for each name; required unless it has a ``default``."""
    output: Output | None = None
    """What it gives: an expression over ``{status, headers, body}``, or an object of them; ``body``
    by default."""
    cache: timedelta | None = None
    """With ``get``: answer the same input from memory for so long."""
    idempotent: bool | None = None
    """Whether doing it twice is the same as once; by default so for ``get``, ``put`` and
    ``delete``. Say true for a ``post`` that only asks."""

    @override
    def check(self, node: Fields, site: Site) -> Invalid | None:
        """Refuse also one without a request, and a memory of what changes something."""
        told = CallShape.check(self, node, site)
        if self.method is None:
            told = _tell_no_request(node, site)
        elif self.cache is not None and self.method not in SAFE:
            message = f"{site.name} has 'cache', which goes with 'get' alone"
            told = site.refuse(node.key_position("cache"), "E114", message)
        return told

    @property
    def may_repeat(self) -> bool:
        """Whether a call with unknown outcome may be made again."""
        return self.method in REPEATABLE if self.idempotent is None else self.idempotent


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe(CallShape):
    """One request that shows whether address and credentials are right."""

    variables: ClassVar[Scope] = Scope(("config", "secrets"))

    position: Position

    @override
    def check(self, node: Fields, site: Site) -> Invalid | None:
        """Refuse also one without a request."""
        told = CallShape.check(self, node, site)
        return _tell_no_request(node, site) if self.method is None else told


def _tell_no_request(node: Fields, site: Site) -> Invalid:
    wanted = ", ".join(METHODS)
    message = f"{site.name} has no request, expected one of {wanted}"
    return site.refuse(node.position, "E102", message)
