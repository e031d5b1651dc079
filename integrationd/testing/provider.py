"""A provider played from its spec: it pages, filters, checks who asks and limits as that says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from http import HTTPStatus
from typing import TypeAlias

from integrationd.engine.plans import build_plan
from integrationd.errors import SecretError, UsageError
from integrationd.model.json import Json
from integrationd.model.secret import Secret, reveal
from integrationd.spec.documents import Integration
from integrationd.spec.families import parents_first
from integrationd.testing.beside import read_beside
from integrationd.testing.calls import CallScene, resources_of, scenes_of
from integrationd.testing.exports import ExportScene
from integrationd.testing.families import Families, needs_of
from integrationd.testing.faults import Fault, Faults, Played, answer_fault
from integrationd.testing.feeds import FeedScene
from integrationd.testing.gates import Gate, first_granted, gates_of, make_gates
from integrationd.testing.guards import Guard, credential_names
from integrationd.testing.keys import make_secrets
from integrationd.testing.lists import ListScene
from integrationd.testing.options import PlayOptions
from integrationd.testing.pages import BadCallError
from integrationd.testing.records import Needs, Source
from integrationd.testing.refusals import refuse
from integrationd.testing.routes import Asked, Route, RouteIndex
from integrationd.testing.scenes import Scene, Stage
from integrationd.testing.tokens import TokenBooth
from integrationd.testing.values import EPOCH, moment_of
from integrationd.wire.call import BaseCall
from integrationd.wire.messages import Answer, Call


def player_secrets(integration: Integration) -> dict[str, str]:
    """Make up the secrets that a played provider accepts."""
    return make_secrets(integration)


_Found: TypeAlias = tuple[Scene, Route, Asked]


@dataclass(slots=True, kw_only=True)
class Player:
    """One provider at play. Pure but for its own records: it is handed calls and the time."""

    integration: Integration
    """Whose http and streams are played; its base URL decides the paths."""
    options: PlayOptions
    secrets: Mapping[str, str]
    """What it accepts, by the names that the spec declares."""
    origin: str
    """Where it is reached, ``http://127.0.0.1:8480``."""
    families: Families = field(init=False)
    scenes: list[Scene] = field(init=False, default_factory=list)
    gates: Mapping[str, Gate] = field(init=False)
    """By the names of ``http.auths``; that of ``http.auth`` has none."""
    hidden: frozenset[str] = field(init=False)
    """Query parameters that say who asks."""
    base_url: str = field(init=False)
    """Of the spec, filled in."""
    unplayed: dict[str, str] = field(init=False, default_factory=dict)
    """What is not played, and why."""
    calls: int = 0
    """How many came."""
    _index: dict[int, RouteIndex] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        """Make the records and the routes; what cannot be played is left out and noted.

        Raises:
            UsageError: The spec has nothing to read, or nothing of it can be played.
        """
        http = self.integration.http
        names = [name for name, stream in self.integration.streams.items() if stream.is_read()]
        if http is None or not names:
            raise UsageError(
                f"{self.integration.name} reads nothing over HTTP that could be played"
            )
        base = BaseCall.render(
            base_url=http.base_url,
            headers=http.headers,
            query=http.query,
            encode=http.encode,
            variables={**self.variables, "token": {"base_url": self.origin}},
        )
        self.base_url = reveal(base.base_url)
        self.families = Families(self.integration)
        self.hidden = frozenset(
            name
            for auth in (http.auth, *http.auths.values())
            for name in credential_names(auth, self.variables)
        )
        stage = Stage(
            integration=self.integration,
            options=self.options,
            variables=self.variables,
            base=base,
            origin=self.origin,
            hidden=self.hidden,
            families=self.families,
        )
        self.gates = make_gates(stage, self.unplayed)
        for name in parents_first(self.integration.streams, names):
            try:
                self.scenes.append(self._make_scene(name, stage))
            except UsageError as wrong:
                self.sources.pop(name, None)
                self.unplayed[name] = str(wrong)
        if not self.scenes:
            raise UsageError("\n".join(self.unplayed.values()))
        self._add_calls(stage)

    @property
    def sources(self) -> dict[str, Source]:
        """Return the records of each stream."""
        return self.families.sources

    @property
    def guard(self) -> Guard:
        """Return what looks at who asks by ``http.auth``."""
        return self.gates[""].guard

    @property
    def booths(self) -> Mapping[str, TokenBooth]:
        """Return where tokens are had, for a spec that asks for them, by way to ask."""
        guards = {way: gate.guard for way, gate in self.gates.items()}
        return {way: guard for way, guard in guards.items() if isinstance(guard, TokenBooth)}

    @property
    def booth(self) -> TokenBooth | None:
        """Return that of ``http.auth``."""
        return self.booths.get("")

    @property
    def routes(self) -> list[Route]:
        """Return what calls look like now."""
        return [route for scene in self.scenes for route in scene.routes()]

    @property
    def variables(self) -> dict[str, Json]:
        """Return what the spec's templates may use."""
        secrets = {name: Secret(text) for name, text in self.secrets.items()}
        return {**self.integration.variables(secrets), "token": Secret("play-token")}

    def play(self, call: Call, now_s: float, at: datetime) -> Played:
        """Answer one call, or let something go wrong with it; see :meth:`answer`."""
        self.calls += 1
        fault = self.options.faults.choose(self.options.seed, self.calls)
        if fault in (None, Fault.ITEM, Fault.GONE):
            return self.answer(call, now_s, at, fault=fault)
        assert fault is not None
        guard = gates_of(self.gates, call, self._ways_of(call))[0].guard
        if fault is Fault.EXPIRY:
            if not guard.gives:
                fault = Fault.ERROR
            guard.revoke()
        elif fault in (Fault.HTML, Fault.EMPTY) and guard.is_own(call):
            # Without a token there is nothing to be tried.
            fault = Fault.ERROR
        return answer_fault(fault, call, guard.challenge())

    def let_fail(self, faults: Faults) -> None:
        """Let other things go wrong from now on."""
        self.options = replace(self.options, faults=faults)

    def answer(
        self, call: Call, now_s: float, at: datetime = EPOCH, *, fault: Fault | None = None
    ) -> Answer:
        """Answer one call.

        Args:
            call: As it came in.
            now_s: Seconds of a clock that never goes back, for rates and the ends of tokens.
            at: The time, for what an answer says of it.
            fault: What of it goes wrong inside an answer: ``item`` or ``410``.
        """
        gates = gates_of(self.gates, call, self._ways_of(call))
        turnstile = gates[0].turnstile
        wait_s = turnstile.admit(call, now_s)
        if wait_s:
            headers = {"retry-after": str(wait_s)}
            refused = refuse(call, HTTPStatus.TOO_MANY_REQUESTS, "too many requests", headers)
            return turnstile.mark(refused, now_s, at)
        granted = first_granted(gate.guard.answer(call, now_s) for gate in gates)
        if granted is not None:
            return granted
        found = list(self._find(call))
        if not found:
            return refuse(call, HTTPStatus.NOT_FOUND, f"nothing at {call.method} {call.path}")
        ways = {scene.way for scene, route, _ in found if not route.is_open}
        good = {way for way in ways if self.gates[way].guard.admits(call, now_s)}
        if ways and not good:
            message = "the credentials are not accepted"
            return refuse(call, HTTPStatus.UNAUTHORIZED, message, gates[0].guard.challenge())
        found = [one for one in found if one[1].is_open or one[0].way in good]
        answered = self._answer(found, call, moment_of(at), fault)
        return turnstile.mark(answered, now_s, at)

    def _ways_of(self, call: Call) -> list[str]:
        """Return the ways to ask of all that a call may be for; of most providers there is one."""
        if len(self.gates) == 1:
            return []
        return [scene.way for scene, _, _ in self._find(call)]

    def _answer(self, found: list[_Found], call: Call, moment: int, fault: Fault | None) -> Answer:
        missing = ""
        for scene, route, asked in found:
            read = route.read(asked)
            if isinstance(read, str):
                missing = missing or read
                continue
            try:
                told = replace(
                    read, moment=moment, spoilt=fault is Fault.ITEM, is_late=fault is Fault.GONE
                )
                return scene.answer(told, route)
            except BadCallError as wrong:
                return refuse(call, wrong.status, str(wrong))
        return refuse(call, HTTPStatus.BAD_REQUEST, f"{missing} is missing or another one")

    def _find(self, call: Call) -> Iterator[_Found]:
        for number, scene in enumerate(self.scenes):
            routes = scene.routes()
            index = self._index.get(number)
            if index is None or index.routes is not routes:
                index = self._index[number] = RouteIndex.build(routes)
            for route in index.find(call):
                asked = route.match(call)
                if asked is not None:
                    yield scene, route, asked

    def _make_scene(self, name: str, stage: Stage) -> Scene:
        asked = self.integration.streams[name]
        for key in ("first_of", "steps"):
            if getattr(asked, key):
                raise UsageError(f"stream {name!r} cannot be played: its {key!r} is not played")
        source = self._make_source(name)
        self.sources[name] = source
        if source.stream.feed is not None:
            return FeedScene(stage=stage, plan=source.plan, source=source)
        scene = ListScene(stage=stage, plan=source.plan, source=source)
        rule = source.stream.deferred
        return scene if rule is None else ExportScene(stage=stage, rule=rule, lists=scene)

    def _add_calls(self, stage: Stage) -> None:
        """Let operations and the probe be answered, behind the streams."""
        lists = {scene.name: scene.routes() for scene in self.scenes}
        for found in scenes_of(stage, resources_of(self.sources, lists)):
            if isinstance(found, CallScene):
                self.scenes.append(found)
            else:
                self.unplayed[str(found).partition(":")[0]] = str(found)

    def _make_source(self, name: str) -> Source:
        own = needs_of(self.integration, name)
        plan = build_plan(self.integration, name)
        paging = read_beside(plan.stream, plan.paginator)
        needs = Needs((*own.trees, *paging), own.whens)
        atoms = self.families.atoms(name)
        try:
            return Source(self.integration, name, self.options, needs, atoms)
        except SecretError as wrong:
            raise UsageError(f"stream {name!r} cannot be played: {wrong}") from None
