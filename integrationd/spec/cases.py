"""Cases: what a spec asks, what is answered and what comes of it, to be run without an account."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Literal

from integrationd.config.decode import Invalid, Marked, Site
from integrationd.config.leaves import decode_text
from integrationd.config.nodes import Fields, Node, Position, Scalar
from integrationd.config.problems import shorten
from integrationd.config.sites import Leaf
from integrationd.spec.exchanges import UNSAID, Exchange, Fault
from integrationd.spec.expectations import CallExpectation, EventExpectation, RunExpectation

__all__ = [
    "Before",
    "CaseRun",
    "CasesBody",
    "Consent",
    "Fault",
    "Left",
    "Moment",
    "OperationCase",
    "ProbeCase",
    "StreamCase",
    "WebhookCase",
]
_SECONDS_MAX = 32_503_680_000
"""The year 3000; more is milliseconds."""
_YEARS = (1970, 3000)


@dataclass(frozen=True, slots=True)
class Moment:
    """The present time of a case."""

    FORM: ClassVar[Leaf] = Leaf(
        'a time such as "2026-01-02T03:04:05Z", or seconds since 1970',
        {"type": ["string", "integer"]},
    )

    at: datetime

    @classmethod
    def decode_node(cls, node: Node, site: Site) -> Moment | Invalid:
        """Read seconds or RFC 3339."""
        what = 'a time such as "2026-01-02T03:04:05Z", or seconds since 1970'
        if isinstance(node, Scalar) and type(node.value) is int:
            if not 0 <= node.value <= _SECONDS_MAX:
                return site.expected(node, what, "E111")
            return cls(datetime.fromtimestamp(node.value, UTC))
        text = decode_text(node, site)
        if isinstance(text, Invalid):
            return text
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            return site.expected(node, what, "E111")
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        if not _YEARS[0] <= at.year < _YEARS[1]:
            return site.expected(node, what, "E111")
        return cls(at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What a complete reading has left of a stream."""

    cursor: Any = UNSAID
    """The stream's cursor."""
    cursors: Mapping[str, Any] = field(default_factory=dict)
    """The cursors of partitions, by the partition's name: its values, joined by ``/``."""
    records: Mapping[str, Any] = field(default_factory=dict)
    """What the stream has stored, as mapped, by external id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Before(Left):
    """What is stored before a case begins: of its stream, and of others."""

    streams: Mapping[str, Left] = field(default_factory=dict)
    """The same of other streams, by name: of parents, which are then not read first, and of a list
    with ``discover``, whose streams are then there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """What a person has given before a case begins."""

    refresh_token: str | None = "made-up-refresh-token"  # noqa: S105 - made up
    """That of the consent; null where the provider gave none."""
    access_token: str | None = None
    """One that is good; without it the first call is preceded by a request for one."""
    ends: timedelta | None = None
    """After how long that one ends; it does not by default."""
    scopes: tuple[str, ...] | None = None
    """What was asked for then; by default what the spec asks for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRun:
    """One of several readings of a case, one after the other."""

    stream: Marked | None = None
    """Another stream than the case's, a parent for instance."""
    full: bool = False
    """Whether everything is read, as with ``sync --full``."""
    input: Mapping[str, Any] = field(default_factory=dict)
    """What it is narrowed to, as with ``sync --input``: ``{since: 2026-01-01}``."""
    after: timedelta = timedelta(0)
    """How long after the one before."""
    exchanges: tuple[Exchange, ...] = ()
    """What is asked and answered."""
    expect: RunExpectation = field(default_factory=RunExpectation)
    """What comes of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """What all cases have in common."""

    position: Position
    name: str
    """What it shows, in words; each name of a file is another one."""
    config: Mapping[str, Any] = field(default_factory=dict)
    """Laid over what the file says for all of its cases."""
    secrets: Mapping[str, str] = field(default_factory=dict)
    """Laid over what the file says for all of its cases."""
    now: Moment | None = None
    """The present time when it begins."""
    consent: Literal["none"] | Consent = field(default_factory=Consent)
    """Where the spec wants a person's consent: what that has given, or ``none`` where nobody has
    given it yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamCase(_Case):
    """One or more readings of a stream."""

    stream: Marked
    """The stream that is read."""
    before: Before = field(default_factory=Before)
    """What is there already; nothing by default."""
    full: bool = False
    """Whether everything is read, as with ``sync --full``."""
    input: Mapping[str, Any] = field(default_factory=dict)
    """What the reading is narrowed to, as with ``sync --input``: ``{since: 2026-01-01}``."""
    order: Literal["given", "any"] | None = None
    """Whether requests must come in the order in which they stand here. By default they must,
    but for a stream with ``for_each``, whose partitions are read side by side."""
    exchanges: tuple[Exchange, ...] = ()
    """What is asked and answered: these requests and no others. A request for a token is answered
    by itself, unless one of these is about it."""
    expect: RunExpectation = field(default_factory=RunExpectation)
    """What comes of it."""
    runs: tuple[CaseRun, ...] = ()
    """In place of ``full``, ``input``, ``exchanges`` and ``expect``: several readings, one after
    the other."""

    def check(self, node: Fields, site: Site) -> Invalid | None:
        """Refuse one reading beside several."""
        for key in ("full", "input", "exchanges", "expect"):
            if self.runs and key in node.entries:
                message = f"{site.path} has 'runs' and {key!r}; put {key!r} into one of the runs"
                return site.refuse(node.key_position(key), "E114", message)
        return None

    def each_run(self) -> tuple[CaseRun, ...]:
        """Return its readings."""
        if self.runs:
            return self.runs
        only = CaseRun(
            full=self.full, input=self.input, exchanges=self.exchanges, expect=self.expect
        )
        return (only,)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeCase(_Case):
    """One probe."""

    exchanges: tuple[Exchange, ...] = ()
    """What is asked and answered."""
    expect: CallExpectation = field(default_factory=CallExpectation)
    """What comes of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationCase(ProbeCase):
    """One call of an operation."""

    operation: Marked
    """The operation that is called."""
    input: Mapping[str, Any] = field(default_factory=dict)
    """What it is given."""
    delivery: str = "made-up-delivery"
    """The id of the call, ``{{ delivery.id }}``, by which a provider can know it again."""
    order: Literal["given", "any"] | None = None
    """Whether requests must come in the order in which they stand here; they must by default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookCase(_Case):
    """One inbound call.

    One that is accepted is tried again with a byte of the body, a header or a key that is another
    one, and must be refused each time, unless nothing is verified.
    """

    endpoint: Marked
    """Where it comes in."""
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "POST"
    """How it is sent."""
    url: str | None = None
    """The public address, where a signature covers it."""
    query: Mapping[str, Any] = field(default_factory=dict)
    """Parameters of the address."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Headers, whatever their case."""
    body: Any = ""
    """The body: text is taken as it stands, everything else as JSON."""
    sign: bool = False
    """Whether it is signed here, by the rules of the spec; a signature of the provider's own in
    ``headers`` shows more."""
    expect: EventExpectation = field(default_factory=EventExpectation)
    """What comes of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CasesBody:
    """Exchanges with a provider and what comes of them, run offline by ``integrationd test``.

    It lies in ``cases/``; several files may be about the same provider or integration.
    """

    config: Mapping[str, Any] = field(default_factory=dict)
    """The configuration of all its cases. What a provider requires and this does not say is made
    up: ``https://NAME.test`` for an address."""
    secrets: Mapping[str, str] = field(default_factory=dict)
    """Made-up secrets as text; here alone a file may hold them. Others are ``made-up-NAME``."""
    now: Moment | None = None
    """The present time in all its cases; the first of January 2030 by default."""
    streams: tuple[StreamCase, ...] = ()
    """Readings."""
    operations: tuple[OperationCase, ...] = ()
    """Calls."""
    probes: tuple[ProbeCase, ...] = ()
    """Probes."""
    webhooks: tuple[WebhookCase, ...] = ()
    """Inbound calls."""

    def check(self, _node: Fields, site: Site) -> Invalid | None:
        """Refuse two cases with one name."""
        told: Invalid | None = None
        seen: dict[str, Position] = {}
        for case in self.each():
            first = seen.setdefault(case.name, case.position)
            if first is not case.position:
                message = (
                    f"case {shorten(case.name)} is there already at {first}, expected a name of "
                    "its own"
                )
                told = site.refuse(case.position, "E114", message)
        return told

    def each(self) -> Iterator[StreamCase | OperationCase | ProbeCase | WebhookCase]:
        """Yield all cases, in the order of the file's parts."""
        yield from self.streams
        yield from self.operations
        yield from self.probes
        yield from self.webhooks
