"""An operation: one kind of call that a provider accepts; and the probe, which changes nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, ClassVar, Final

from typing_extensions import override

from integrationd.config.decode import INVALID, Invalid, Marked, Site, decode
from integrationd.config.nodes import Fields, Items, Node, Position, Scalar
from integrationd.config.problems import shorten
from integrationd.config.sites import Written
from integrationd.errors import ExpressionError
from integrationd.model.json import Json
from integrationd.model.secret import reveal_all
from integrationd.spec.idempotency import IdempotencyKey
from integrationd.spec.inputs import Inputs
from integrationd.spec.names import WORD_NAME
from integrationd.transform.expression import Expression
from integrationd.transform.scopes import Reference, Roots, Scope
from integrationd.wire.call import METHODS, CallShape
from integrationd.wire.tokens import REPLY, is_true

SAFE: Final = frozenset({"GET", "HEAD"})
"""Methods that change nothing. Source: RFC 9110 section 9.2.1."""
REPEATABLE: Final = SAFE | {"PUT", "DELETE"}
"""Methods that do the same if they are done twice. Source: RFC 9110 section 9.2.2."""
_SEVERAL: Final = ("first_of", "steps")
_SEEN: Final = Scope(("config", "input", "steps"))
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
        seen = site.note(Scope) or _SEEN
        if isinstance(node, Scalar):
            whole = decode(node, Expression, site.noted(REPLY, seen))
            return INVALID if isinstance(whole, Invalid) else cls(whole, {})
        named = decode(node, Mapping[str, Expression], site.noted(WORD_NAME, REPLY, seen))
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
            variables: What ``var()`` may name.

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


@dataclass(frozen=True, slots=True)
class Condition:
    """An expression over what a call was given, ``{config, input, steps}``, or a stream."""

    FORM: ClassVar = Expression.FORM

    expression: Expression

    @classmethod
    def decode_node(cls, node: Node, site: Site) -> Condition | Invalid:
        """Read the expression."""
        found = Expression.decode_node(node, site)
        return found if isinstance(found, Invalid) else cls(found)

    @property
    def references(self) -> tuple[Reference, ...]:
        """Return what it reads, for its names to be checked."""
        return self.expression.members

    def holds(self, variables: Mapping[str, Json]) -> bool:
        """Tell whether it is true.

        Args:
            variables: The value that it is over.

        Raises:
            ExpressionError: It does not fit what is given.
        """
        return is_true(_search("when", self.expression, reveal_all(variables), {}))


@dataclass(frozen=True, slots=True, kw_only=True)
class PartOfCall(CallShape):
    """What the requests of ``first_of`` and ``steps`` have in common."""

    position: Position
    idempotent: bool | None = None
    """Whether doing it twice is the same as once; by default so for ``get``, ``put`` and
    ``delete``."""
    idempotency_key: IdempotencyKey | None = None
    """Where the provider takes a key by which it knows a call again: ``header.idempotency-key``,
    or an object. With one any call may be tried again."""

    @override
    def check(self, node: Fields, site: Site) -> Invalid | None:
        """Refuse also one without a request."""
        told = CallShape.check(self, node, site)
        told = _tell_two_answers(node, site) or told
        return tell_no_request(node, site) if self.method is None else told

    @property
    def may_repeat(self) -> bool:
        """Whether a call with unknown outcome may be made again."""
        if self.idempotency_key is not None:
            return True
        return self.method in REPEATABLE if self.idempotent is None else self.idempotent


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternative(PartOfCall):
    """One of several requests that may find something; after it the others are not made."""

    variables: ClassVar[Scope] = Scope(("config", "secrets", "now", "input", "delivery"))

    when: Annotated[Condition | None, Roots(("config", "input"))] = None
    """Ask only where it is true, ``input.barcode``; always by default."""
    found: Annotated[Expression | None, REPLY, _SEEN] = None
    """Whether it found something, ``"length(body) > `0`"``; any success has by default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step(PartOfCall):
    """One of several requests that are made one after the other."""

    variables: ClassVar[Scope] = Scope(("config", "secrets", "now", "input", "steps", "delivery"))

    name: Marked
    """How later steps and ``output`` call what it gives, ``{{ steps.NAME }}``."""
    when: Annotated[Condition | None, Roots(("config", "input", "steps"))] = None
    """Ask only where it is true, ``"steps.find == `null`"``; always by default. A step that was not
    asked gives null."""
    output: Output | None = None
    """What it gives: an expression over ``{status, headers, body}``, or an object of them; ``body``
    by default."""
    secret: bool = False
    """Whether what it gives is secret, such as a token: it is masked wherever a request or an error
    is shown, and stands in no expression but ``when``, as those make records and outputs."""

    @override
    def check(self, node: Fields, site: Site) -> Invalid | None:
        """Refuse also a name that templates cannot use."""
        told = PartOfCall.check(self, node, site)
        return tell_bad_name(self.name, site) or told


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation(CallShape):
    """One operation: typed input, one request or several, output.

    A call that may have been done and was not answered is tried again only where doing it twice
    does no harm, as ``idempotent`` says.
    """

    variables: ClassVar[Scope] = Scope(("config", "secrets", "now", "input", "delivery"))
    LATER: ClassVar = ("select",)

    position: Position
    description: str = ""
    """For people."""
    input: Inputs = Inputs()  # noqa: RUF009 - frozen
    """What it takes, a JSON Schema for each name; required unless it has a ``default``."""
    auth: Marked | None = None
    """Who asks, where that is another than ``http.auth``: a name of ``http.auths``."""
    first_of: tuple[Alternative, ...] = ()
    """Requests in the place of one: the first that finds something is the last that is made."""
    steps: tuple[Step, ...] = ()
    """Requests in the place of one, made one after the other; each can use what came before."""
    output: Output | None = None
    """What it gives: an expression over ``{status, headers, body}`` of the last answer, or an
    object of them; ``body`` by default. ``var('steps.NAME')`` is what a step gave."""
    cache: timedelta | None = None
    """With ``get``: answer the same input from memory for so long."""
    idempotent: bool | None = None
    """Whether doing it twice is the same as once; by default so for ``get``, ``put`` and
    ``delete``. Say true for a ``post`` that only asks."""
    idempotency_key: IdempotencyKey | None = None
    """Where the provider takes a key by which it knows a call again: ``header.idempotency-key``,
    or an object. The key is the same at every try, and with one any call may be tried again."""

    @override
    def check(self, node: Fields, site: Site) -> Invalid | None:
        """Refuse also one without a request, and a memory of what changes something."""
        told = CallShape.check(self, node, site)
        told = _tell_two_answers(node, site) or told
        asked = [name for name in (*METHODS, *_SEVERAL) if getattr(self, name)]
        if not asked:
            told = tell_no_request(node, site, *_SEVERAL)
        elif asked[-1] in _SEVERAL and len(asked) > 1:
            message = f"{site.name} has both {asked[0]!r} and {asked[-1]!r}, expected one of them"
            told = site.refuse(node.key_position(asked[-1]), "E114", message)
        elif self.idempotency_key is not None and asked[-1] in _SEVERAL:
            message = (
                f"{site.name} has 'idempotency_key' beside {asked[-1]!r}; each of these requests "
                "has its own, so put it there"
            )
            told = site.refuse(node.key_position("idempotency_key"), "E114", message)
        elif self.cache is not None and any(part.method not in SAFE for part in self.parts):
            message = f"{site.name} has 'cache', which goes with 'get' alone"
            told = site.refuse(node.key_position("cache"), "E114", message)
        return tell_same_names([step.name for step in self.steps], site) or told

    @property
    def parts(self) -> tuple[Operation | Alternative | Step, ...]:
        """Return its requests, in their order; itself where there is only one."""
        return self.first_of or self.steps or (self,)

    @property
    def may_repeat(self) -> bool:
        """Whether a call with unknown outcome may be made again."""
        if self.idempotency_key is not None:
            return True
        if self.idempotent is not None:
            return self.idempotent
        if self.method is not None:
            return self.method in REPEATABLE
        return all(part.may_repeat for part in (*self.first_of, *self.steps))


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe(CallShape):
    """One request that shows whether address and credentials are right."""

    variables: ClassVar[Scope] = Scope(("config", "secrets", "now"))

    position: Position
    auth: Marked | None = None
    """Who asks, where that is another than ``http.auth``: a name of ``http.auths``."""

    @override
    def check(self, node: Fields, site: Site) -> Invalid | None:
        """Refuse also one without a request."""
        told = CallShape.check(self, node, site)
        return tell_no_request(node, site) if self.method is None else told


def tell_bad_name(name: Marked, site: Site) -> Invalid | None:
    """Tell that a step has a name that templates cannot use; None where they can."""
    if re.fullmatch(WORD_NAME.pattern, name):
        return None
    message = f"{site.path}.name is {shorten(name)}, expected {WORD_NAME.what}"
    return site.refuse(name.position, "E109", message)


def tell_same_names(names: Sequence[Marked], site: Site) -> Invalid | None:
    """Tell that two steps have the same name; None where each has its own."""
    told: Invalid | None = None
    for index, name in enumerate(names):
        if name in names[:index]:
            message = f"{site.name}.steps has {str(name)!r} twice, expected a name for each"
            told = site.refuse(name.position, "E114", message)
    return told


def _tell_two_answers(node: Fields, site: Site) -> Invalid | None:
    """Refuse a key, which makes a call repeatable, beside a word on whether it is."""
    if not {"idempotency_key", "idempotent"} <= node.entries.keys():
        return None
    message = f"{site.name} has 'idempotency_key', which makes 'idempotent' needless; leave it out"
    return site.refuse(node.key_position("idempotent"), "E114", message)


def tell_no_request(node: Fields, site: Site, *more: str) -> Invalid:
    """Tell that something asks nothing; ``more`` names what would do beside a method."""
    wanted = ", ".join((*METHODS, *more))
    message = f"{site.name} has no request, expected one of {wanted}"
    return site.refuse(node.position, "E102", message)
