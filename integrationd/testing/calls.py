"""Operations and the probe at play: a call that is known is answered as its output expects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from integrationd.errors import ExpressionError, PageShapeError, ProviderError, UsageError
from integrationd.model.json import Json
from integrationd.model.secret import reveal
from integrationd.spec.operation import Alternative, Operation, Probe, Step
from integrationd.testing.moments import at_any_time
from integrationd.testing.pages import NoSuchError
from integrationd.testing.records import Entry, Source
from integrationd.testing.replies import ReplyBuilder
from integrationd.testing.routes import OPTIONAL, Asked, Route, mark
from integrationd.testing.scenes import Stage, write_answer
from integrationd.testing.shapes import overlay
from integrationd.transform.expression import Expression
from integrationd.transform.finding import references_in
from integrationd.transform.inverse import Mark, Tree, outline
from integrationd.wire import decoding
from integrationd.wire.call import build_request
from integrationd.wire.messages import Answer, Request

Part = Operation | Alternative | Step | Probe
_CHANGING: Final = frozenset({"POST", "PUT", "PATCH"})


@dataclass(frozen=True, slots=True)
class Resource:
    """A list of the provider's, as it is addressed."""

    path: str
    source: Source


@dataclass(slots=True, kw_only=True)
class CallScene:
    """One request of an operation, or the probe.

    Where its address is that of a stream's list, or of one record in it, it reads and changes the
    records that the stream lists.
    """

    stage: Stage
    name: str
    part: Part
    resources: Sequence[Resource]
    way: str = ""
    """Which of ``http.auths`` it is asked by; empty for ``http.auth``."""
    _routes: list[Route] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Make the request.

        Raises:
            UsageError: Something in it cannot be known again.
        """
        try:
            request = at_any_time(
                lambda scope: build_request(self.part, base=self.stage.base, variables=scope),
                self._variables(),
            )
        except (ExpressionError, ProviderError) as wrong:
            raise UsageError(f"{self.name}: cannot be played: {wrong}") from None
        self._routes = [Route.build(self.name, self.stage.here(request))]

    @property
    def shown(self) -> str:
        """Return the request, for people."""
        path = "" if self.part.path is None else self.part.path.text
        return f"{self.part.method} {path}"

    def routes(self) -> Sequence[Route]:
        """Return the only one."""
        return self._routes

    def answer(self, asked: Asked, route: Route) -> Answer:
        """Do what is asked, and answer as the output expects."""
        record = self._act(asked, route.request)
        builder = ReplyBuilder(self.name)
        builder.tree = {"body": record if record is not None else {}}
        given = {
            name.removeprefix(OPTIONAL): text
            for name, text in asked.bounds.items()
            if name.startswith(OPTIONAL)
        }
        for expression in self._read():
            self._fill(builder, expression, record, given)
        found = getattr(self.part, "found", None)
        builder.wish_where_free(found, Mark.TRUE)
        return write_answer(builder, self.part.decode, self.name, asked.call)

    def _variables(self) -> dict[str, Json]:
        """Return a mark for each input and each value of an earlier step."""
        inputs: dict[str, Json] = {}
        steps: dict[str, Json] = {}
        for reference in references_in(self.part):
            root, *path = reference.path
            if root == "input" and path:
                inputs[path[0]] = mark(f"{OPTIONAL}{path[0]}")
            elif root == "steps" and path:
                leaf: Json = mark(f"{OPTIONAL}{'_'.join(map(str, path))}")
                for key in reversed(path[1:]):
                    leaf = {key: leaf}
                steps[path[0]] = overlay(steps.get(path[0]), leaf)
        return {**self.stage.variables, "input": inputs, "steps": steps}

    def _read(self) -> Iterator[Expression]:
        output = getattr(self.part, "output", None)
        if output is not None:
            yield from output.named.values() if output.whole is None else (output.whole,)

    def _act(self, asked: Asked, request: Request) -> Json:
        """Return the record that a call is about, once what it asks for is done; None for none."""
        path = asked.call.path
        for resource in self.resources:
            if path == resource.path and request.method == "POST":
                return self._create(resource.source, asked)
            if path.startswith(f"{resource.path}/"):
                rest = path.removeprefix(f"{resource.path}/")
                if "/" not in rest:
                    return self._change(resource.source, rest, asked)
        return None

    def _create(self, source: Source, asked: Asked) -> Json:
        added = source.add(1, asked.moment)
        if not added:
            return None
        self._lay(source, added[0], asked)
        return source.record_of(added[0])

    def _change(self, source: Source, name: str, asked: Asked) -> Json:
        entry = next(
            (one for one in source.listed() if not one.is_bad and source.external_id(one) == name),
            None,
        )
        if entry is None or entry.is_deleted:
            raise NoSuchError(f"there is no {source.name} {name!r}")
        if asked.call.method == "DELETE":
            source.remove(entry, asked.moment)
        elif asked.call.method in _CHANGING:
            self._lay(source, entry, asked)
        return source.record_of(entry)

    def _lay(self, source: Source, entry: Entry, asked: Asked) -> None:
        try:
            said = decoding.decode_bytes(asked.call.body)
        except PageShapeError:
            return
        if isinstance(said, dict):
            source.lay(entry, said, asked.moment)

    def _fill(
        self,
        builder: ReplyBuilder,
        expression: Expression,
        record: Json,
        given: Mapping[str, str],
    ) -> None:
        """Let an output find something: of the record, of what was given, or a made-up value."""
        tree = outline(expression.text, _Leaf())
        known = {**given, **(record if isinstance(record, dict) else {})}
        filled = _settle(tree, "", known)
        if isinstance(filled, dict):
            builder.tree = overlay(filled, builder.tree)


class _Leaf:
    """Stands for a value that an output reads."""


def _settle(tree: Tree, name: str, known: Mapping[str, Json]) -> Tree:
    if isinstance(tree, _Leaf):
        return known.get(name, f"played-{name}" if name else "played")
    if isinstance(tree, dict):
        return {key: _settle(value, key, known) for key, value in tree.items()}
    if isinstance(tree, list):
        return [_settle(value, name, known) for value in tree]
    return tree


def resources_of(
    sources: Mapping[str, Source], routes: Mapping[str, Sequence[Route]]
) -> list[Resource]:
    """Return the lists that can be addressed: those of streams whose path is always the same."""
    found = []
    for name, source in sources.items():
        paths = {urlsplit(reveal(route.request.url)).path for route in routes.get(name, ())}
        if len(paths) == 1 and source.stream.for_each is None:
            found.append(Resource(paths.pop().rstrip("/"), source))
    return found


def scenes_of(stage: Stage, resources: Sequence[Resource]) -> Iterator[CallScene | UsageError]:
    """Yield a scene for each request of each operation and for the probe, or why there is none."""
    integration = stage.integration
    parts: list[tuple[str, Part, str]] = []
    for name, operation in integration.operations.items():
        several = len(operation.parts) > 1
        for index, one in enumerate(operation.parts):
            parts.append(
                (f"operation {name}" + (f"[{index}]" if several else ""), one, operation.auth or "")
            )
    if integration.probe is not None:
        parts.append(("probe", integration.probe, integration.probe.auth or ""))
    for name, part, way in parts:
        try:
            yield CallScene(stage=stage, name=name, part=part, resources=resources, way=str(way))
        except UsageError as wrong:
            yield wrong
