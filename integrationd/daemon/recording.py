"""``sync --record``: a stream read anew, beside the store, and kept as a case that holds."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, cast

from integrationd.bundles.checking import gather
from integrationd.bundles.shipped import shipped_dirs
from integrationd.daemon.composition import Composition
from integrationd.daemon.narrowing import read_wish
from integrationd.daemon.paths import Paths
from integrationd.engine.conductor import Conductor
from integrationd.engine.renewal import retries_of
from integrationd.engine.rows import counts_json
from integrationd.engine.sync import RunOutcome, RunWish
from integrationd.engine.tokens import CLAIM as TOKEN_CLAIM
from integrationd.errors import IntegrationError, RefusedError, UsageError
from integrationd.model.json import Json
from integrationd.model.runs import Trigger
from integrationd.model.secret import Secret
from integrationd.ports.actions import SyncWish
from integrationd.ports.store import Lease, Store
from integrationd.spec.build import build_bundle
from integrationd.spec.documents import Integration
from integrationd.spec.read import read_file
from integrationd.spec.source import Layer, SourceFile
from integrationd.store.sqlstore import SqlStore
from integrationd.testing.cases.accounts import Accounts, made_up
from integrationd.testing.cases.book import Book, run_virtually
from integrationd.testing.cases.outcomes import Read
from integrationd.testing.cases.recording import (
    Recorded,
    Tape,
    build_case,
    expect_read,
    names_in,
    numbers_of,
    print_case,
)
from integrationd.testing.cases.running import Equipment, Watched
from integrationd.testing.cases.scrubbing import Cut, Scrubber, is_url, origin_of
from integrationd.testing.cases.tokens import find_address
from integrationd.transport.egress import find_host_fault

_WAYS: Final[tuple[tuple[Cut, bool], ...]] = (
    ("items", True),
    ("items", False),
    ("fields", False),
    ("nothing", False),
)
"""How a tape is scrubbed, the way that shows least first: what of lists is cut, and whether only
the usual headers are kept. The first that gives the same is taken."""
_SHORT: Final = 3
"""A secret of fewer characters cannot be told from other text, so nothing is recorded with it."""


@dataclass(slots=True)
class Learned:
    """Every secret that was looked up or granted meanwhile, by its place."""

    known: dict[str, set[str]] = field(default_factory=dict)

    def learn(self, place: str, secret: Secret) -> None:
        """Keep one."""
        self.known.setdefault(place.rpartition("/")[2], set()).add(secret.reveal())

    def texts(self) -> dict[str, str]:
        """Return what stands in place of each."""
        return {
            text: made_up(name.replace(".", "-"))
            for name, texts in self.known.items()
            for text in texts
            if text
        }


async def record(
    paths: Paths, parts: Composition, learned: Learned, wish: SyncWish
) -> tuple[Json, str]:
    """Read one stream and make a case of what went by; nothing is stored.

    Args:
        paths: Of the configuration.
        parts: The composition of this command.
        learned: Told every secret by it.
        wish: One stream, perhaps narrowed.

    Returns:
        How the reading ended, and the text of the file.

    Raises:
        UsageError: No stream is named.
        IntegrationError: What was recorded does not give the same when it is run.
    """
    if len(wish.streams) != 1:
        raise UsageError(
            f"{wish.integration!r} names no stream, expected one with --record: "
            f"{wish.integration}/STREAM"
        )
    (stream,) = parts.conductor.open_streams_of(wish.integration, wish.streams)
    integration = parts.conductor.integration(wish.integration)
    narrowing = await read_wish(parts.conductor, wish)
    tape = Tape(parts.world.http, ignored=find_address(integration))
    at = parts.world.clock.now()
    async with SqlStore.in_memory() as store:
        # Beside the store, so that the case begins where nothing is known, its parents included.
        beside = cast("Store", Beside(store, parts.store))
        world = replace(parts.world, store=beside, http=tape)
        conductor = Conductor(world=world, settings=parts.settings, bundle=parts.conductor.bundle)
        run = RunWish(trigger=Trigger.MANUAL, full=True, input=narrowing)
        if narrowing is not None:
            run = replace(run, full=False)
        outcome = await conductor.sync(wish.integration, stream, run)
        assert outcome is not None  # the store is this command's own
    if not tape.exchanges:
        raise IntegrationError(f"nothing was answered, so nothing is written: {outcome.error}")
    recorded = Recorded(
        spec=_find_spec(parts, integration, stream),
        stream=stream,
        config={},
        input={} if narrowing is None else narrowing.given,
        at=at,
        retries=retries_of(integration, parts.settings),
    )
    making = _Making(paths, parts, integration, recorded, tape, learned.texts())
    text = await asyncio.to_thread(making.make, outcome)
    return {**_told(outcome), "exchanges": len(tape.exchanges)}, text


@dataclass(frozen=True, slots=True)
class Beside:
    """A store in memory in front of the real one, which has the claims on tokens all the same.

    A renewal may give a new refresh token, and two nodes must not ask for one at once.
    """

    memory: Store
    real: Store

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - of the store in memory
        """Hand on everything else."""
        return getattr(self.memory, name)

    async def claim(
        self, tenant: str, kind: str, key: str, *, holder: str, now: datetime, ttl: timedelta
    ) -> Lease | None:
        """Take a claim."""
        store = self._of(kind)
        return await store.claim(tenant, kind, key, holder=holder, now=now, ttl=ttl)

    async def renew(self, tenant: str, lease: Lease, *, now: datetime, ttl: timedelta) -> Lease:
        """Extend a claim."""
        return await self._of(lease.kind).renew(tenant, lease, now=now, ttl=ttl)

    async def release(self, tenant: str, lease: Lease) -> None:
        """Give a claim back."""
        await self._of(lease.kind).release(tenant, lease)

    def _of(self, kind: str) -> Store:
        return self.real if kind == TOKEN_CLAIM else self.memory


@dataclass(slots=True)
class _Making:
    """A case while it is made of a tape."""

    paths: Paths
    parts: Composition
    integration: Integration
    recorded: Recorded
    tape: Tape
    secrets: Mapping[str, str] = field(repr=False)

    def make(self, outcome: RunOutcome) -> str:
        """Return the text of the first form of the case that holds when it is run."""
        if any(len(secret) < _SHORT for secret in self.secrets):
            raise IntegrationError(
                f"a secret of {self.integration.name} has fewer than {_SHORT} characters and "
                "cannot be told from other text; nothing is written"
            )
        reasons: list[str] = []
        for cut, few in _WAYS:
            scrubber = Scrubber(
                self.secrets,
                self._origins(),
                cut=cut,
                needed=self._needed(),
                numbers=numbers_of(self.tape) if cut == "items" else {},
            )
            try:
                return self._try(scrubber, outcome, few=few)
            except RefusedError as refused:
                reasons.append(str(refused))
        raise IntegrationError(
            f"what was recorded does not give the same when it is run, nothing is written: "
            f"{reasons[-1]}"
        )

    def _try(self, scrubber: Scrubber, outcome: RunOutcome, *, few: bool) -> str:
        recorded = replace(self.recorded, config=self._config(scrubber))
        # What is expected is not known before it was run once.
        first = build_case(recorded, self.tape, scrubber, few=few, expect={})
        read, unscripted, _ = self._run(print_case(first))
        if unscripted:
            raise RefusedError(unscripted[0])
        status = "failed" if self.tape.is_full else str(outcome.status)
        if read is None or read.outcome != status:
            got = "nothing" if read is None else f"{read.outcome}: {read.error}"
            raise RefusedError(f"outcome expected {status}, got {got}")
        expect = expect_read(read, read.living)
        text = print_case(build_case(recorded, self.tape, scrubber, few=few, expect=expect))
        _, _, faults = self._run(text)
        if faults:
            raise RefusedError(faults[0])
        leaks = list(scrubber.find_leaks(text))
        if leaks:
            raise RefusedError(f"the secret behind {leaks[0]} would stand in it")
        return text

    def _run(self, text: str) -> tuple[Read | None, list[str], list[str]]:
        """Run the case; returns what came of it, faults of requests, and all faults."""
        gathered = gather(self.paths.config, (), shipped=shipped_dirs())
        source = SourceFile("recorded.yaml", text.encode(), Layer.GIVEN)
        reads = [*gathered.reads, read_file(source)]
        bundle = build_bundle(reads, gathered.settings)
        errors = [one for one in bundle.errors if one.position.file == source.path]
        if errors:
            raise RefusedError(str(errors[0]))
        (document,) = [one for one in bundle.cases if one.name.position.file == source.path]
        book = Book(
            accounts=Accounts(reads, gathered.settings, bundle),
            documents=[document],
            read_beside=lambda _, name: Path(name).read_bytes(),
        )
        watched, faults = Watched(), list[str]()

        async def work() -> None:
            async with SqlStore.in_memory() as store:
                equipment = Equipment(
                    store=store, settings=gathered.settings, find_fault=find_host_fault
                )
                (case,) = document.body.streams
                report = await book.run(equipment, document, case, watched)
                faults.extend(report.faults)

        run_virtually(work)
        return watched.reads[-1] if watched.reads else None, watched.unscripted, faults

    def _origins(self) -> dict[str, str]:
        """Return the hosts of the configuration, and what stands in their place."""
        found: dict[str, str] = {}
        for value in self.integration.config.values():
            if is_url(value):
                number = f"-{len(found) + 1}" if found else ""
                found.setdefault(origin_of(value), f"https://{self.recorded.spec}{number}.test")
        return found

    def _needed(self) -> frozenset[str]:
        """Return the names of fields on which the walk may hang."""
        http, streams = self.integration.http, self.integration.streams
        common = None if http is None else http.paginate
        rules = [
            (one.key, one.deleted, one.where, one.incremental, one.paginate, one.for_each)
            for one in streams.values()
        ]
        return names_in((common, rules))

    def _config(self, scrubber: Scrubber) -> dict[str, Json]:
        """Return what the case has to say of the configuration."""
        provider = self.parts.conductor.bundle.providers.get(self.recorded.spec)
        own = self.integration.config
        if provider is None:
            return {name: scrubber.json(value) for name, value in own.items() if is_url(value)}
        return {
            name: scrubber.json(value)
            for name, value in own.items()
            if "default" not in provider.config.get(name, {})
            or json.dumps(provider.config[name]["default"]) != json.dumps(value)
        }


def _find_spec(parts: Composition, integration: Integration, stream: str) -> str:
    """Return what the case is about: the provider, where the integration lays nothing over it."""
    provider = parts.conductor.bundle.providers.get(integration.provider or "")
    if provider is None or provider.body.http is None:
        return integration.name
    same = provider.body.streams == integration.streams
    return str(provider.name) if same and stream in provider.body.streams else integration.name


def _told(outcome: RunOutcome) -> dict[str, Json]:
    return {
        "event": "finished",
        "integration": outcome.integration,
        "stream": outcome.stream,
        "run": outcome.run_id,
        "status": str(outcome.status),
        "error": outcome.error,
        "kind": outcome.kind,
        "counts": counts_json(outcome.counts),
    }
