"""What one stream of a played provider answers: its lists, page by page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from integrationd.engine.pages import of_page
from integrationd.engine.parts import Part
from integrationd.engine.plans import Bounds, StreamPlan, first_request
from integrationd.errors import ExpressionError, ProviderError, UsageError
from integrationd.model.json import Json
from integrationd.spec.narrowing import idle_inputs
from integrationd.testing.bounds import TOKEN, let_through
from integrationd.testing.folding import fold
from integrationd.testing.moments import at_any_time
from integrationd.testing.pages import GoneError, Listing, answer_page, is_first
from integrationd.testing.records import Entry, Source
from integrationd.testing.routes import LOWER, UPPER, Asked, Route, holes_of, mark_holes
from integrationd.testing.scenes import Stage, write_answer
from integrationd.testing.shapes import overlay
from integrationd.testing.values import Turn, Wanted, build_value
from integrationd.transform.expression import Expression
from integrationd.transform.inverse import Mark, UnsolvableError, solve
from integrationd.wire.call import CallShape
from integrationd.wire.decode.decoder import Decoder
from integrationd.wire.messages import Answer, Call, Request
from integrationd.wire.places import Root

NOT_MODIFIED: Final = 304
_CONDITIONS: Final = ("if-modified-since", "if-none-match")
CHANGES: Final = "/played-changes/"
"""Begins the path of addresses that a spec follows as they came."""
_BOTH: Final = Bounds(LOWER, UPPER)


@dataclass(slots=True, kw_only=True)
class ListScene:
    """A stream that is read page by page."""

    stage: Stage
    plan: StreamPlan
    source: Source
    begins: Expression | None = None
    """Finds in its answers where the feed begins that follows."""
    _walks: dict[str, int] = field(default_factory=dict)
    """Which change was the last one when each walk began: what its pages give as a cursor."""
    _routes: tuple[Sequence[Part], list[Route]] | None = None

    def __post_init__(self) -> None:
        """Answer a first and a last page: what cannot be played is told before it starts.

        Raises:
            UsageError: So it is.
        """
        entries = self.source.listed()
        call = Call(method="GET", url=self.stage.origin, path="/", query=(), headers={}, body=b"")
        for kept in (entries, entries[:1]):
            self.answer_page(Asked(call, {}), kept, self.plan.stream.decode)
        self.routes()

    @property
    def name(self) -> str:
        """Return the stream's name."""
        return self.plan.name

    @property
    def way(self) -> str:
        """Return which of ``http.auths`` it is asked by."""
        return self.plan.integration.asks_as

    @property
    def shown(self) -> str:
        """Return a request of it, for people."""
        work = self.plan.stream.deferred
        shape: CallShape = self.plan.stream if work is None else work.create
        path = "" if shape.path is None else shape.path.text
        return f"{shape.method} {path}"

    def routes(self) -> Sequence[Route]:
        """Return two for each partition: a request with its bounds, and one without."""
        parts = self.stage.families.parts(self.name)
        if self._routes is None or self._routes[0] is not parts:
            self._routes = parts, [route for part in parts for route in self._build(part)]
        return self._routes[1]

    def answer(self, asked: Asked, route: Route) -> Answer:
        """Answer one page of what a call asks for."""
        _ = route
        rule = self.plan.stream.incremental
        if asked.is_late and asked.bounds and rule is not None and rule.cursor is not None:
            raise GoneError("the cursor is too old; begin anew")
        entries = self.find(asked)
        headers = asked.call.headers
        if not entries and asked.bounds and any(name in headers for name in _CONDITIONS):
            return Answer(status=NOT_MODIFIED, headers={}, body=b"", url=asked.call.url)
        return self.answer_page(asked, entries, self.plan.stream.decode)

    def find(self, asked: Asked) -> list[Entry]:
        """Return what a call's partition and bounds let through, no more than is given at once."""
        listed = self.source.listed(self.stage.families.owners(self.name, asked.part))
        found = let_through(self.source, listed, asked.bounds)
        rule = self.plan.stream.incremental
        return found if rule is None else found[: rule.reset_after]

    def answer_page(self, asked: Asked, entries: Sequence[Entry], decoder: Decoder) -> Answer:
        """Answer as the stream's paging has it."""
        stream = self.plan.stream
        records = self.written(entries)
        if asked.spoilt and records:
            records[len(records) // 2] = self._spoil(records[len(records) // 2])
        builder = answer_page(self.plan.paginator, self._listing(asked, records))
        rule = stream.incremental
        cursor = self.begins if rule is None else rule.cursor
        if cursor is not None:
            builder.wish(cursor, self.token(cursor.text, self._turn(asked)))
        first = next((one.data for one in self.source.entries if isinstance(one.data, dict)), {})
        where = f"stream {self.name!r}"
        return write_answer(builder, decoder, where, asked.call, tuple(first))

    def _spoil(self, record: Json) -> Json:
        """Return a record that says that it could not be read; as it is where none can say so."""
        condition = self.plan.stream.item_error
        if condition is None:
            return record
        try:
            return overlay(record, solve(condition.text, Mark.TRUE))
        except UnsolvableError:
            return record

    def written(self, entries: Sequence[Entry]) -> list[Json]:
        """Return entries as the answer lists them."""
        return [fold(self.plan.stream.explode, entry.data, self.name) for entry in entries]

    def token(self, expression: str, turn: int) -> Json:
        """Return what stands for all changes up to one of them: a token, an address, or a time.

        Args:
            expression: Finds it in an answer.
            turn: The change.
        """
        rule = self.plan.rule
        if rule is not None and rule.cursor is None and rule.field is not None:
            first = next(iter(rule.scale.notations), None)
            now = Turn(number=1, moment=self.source.moment)
            return build_value(Wanted(name="", grows=rule.type, format=first), now)
        token = f"{TOKEN}{turn}"
        if rule is not None and rule.into is not None and rule.into.root is Root.URL:
            return f"{self.stage.origin}{CHANGES}{self.name}/{token}"
        return f'"{token}"' if "etag" in expression.lower() else token

    def _turn(self, asked: Asked) -> int:
        """Return the last change of when a walk began: what came later is told by the next one."""
        walk = f"{asked.part.key} {asked.bounds.get('lower')}"
        if is_first(self.plan.paginator, asked):
            self._walks[walk] = self.source.turn
        return self._walks.get(walk, self.source.turn)

    def _listing(self, asked: Asked, records: list[Json]) -> Listing:
        return Listing(
            stream=self.name,
            asked=asked,
            records=records,
            find_records=self.plan.stream.records,
            options=self.stage.options,
            origin=self.stage.origin,
            credentials=self.stage.hidden,
            variables={**self.stage.variables, "each": dict(asked.part.each)},
        )

    def _build(self, part: Part) -> Iterator[Route]:
        variables = {
            **self.stage.variables,
            "each": dict(part.each),
            "input": idle_inputs(self.plan.stream),
        }
        rule, why, there = self.plan.stream.incremental, "", False
        both = _BOTH
        if rule is not None and rule.into is not None and rule.into.root is Root.URL:
            both = Bounds(f"{self.stage.origin}{CHANGES}{self.name}/{LOWER}")
        holes = list(dict.fromkeys(holes_of(self.plan.paginator)))
        for bounds in (both, Bounds()) if rule is not None else (Bounds(),):
            try:
                found = [
                    mark_holes(request, holes) for request in self._requests(variables, bounds)
                ]
            except ExpressionError as wrong:
                why = str(wrong)
                continue
            except ProviderError:
                # This value fits no request; nobody can ask for it.
                return
            there = True
            for request in found:
                yield Route.build(self.name, self.stage.here(request), part)
        if not there:
            raise UsageError(f"stream {self.name!r} cannot be played: {why}")

    def _requests(self, variables: Mapping[str, Json], bounds: Bounds) -> Iterator[Request]:
        """Yield the request for the first page, and the one for others where that is another."""
        for first in (True, False) if "page" in self.plan.reads else (True,):
            yield at_any_time(
                lambda scope: first_request(self.plan, self.stage.base, scope, bounds),
                of_page(variables, first=first),
            )
