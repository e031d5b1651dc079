"""The actions of the daemon itself; a command without a daemon uses them as well."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from dataclasses import replace

import integrationd
from integrationd.bundles.library import Loaded
from integrationd.config.problems import nearest
from integrationd.daemon.calls import LocalCalls
from integrationd.daemon.composition import Composition
from integrationd.daemon.logins import LocalLogins
from integrationd.daemon.narrowing import read_wish
from integrationd.daemon.quarantining import drop_quarantined, replay_lines
from integrationd.daemon.reverting import revert_lines
from integrationd.daemon.secrets import LocalSecrets
from integrationd.daemon.switching import throw_switch
from integrationd.engine.agenda import Agenda
from integrationd.engine.receive import public_url
from integrationd.engine.rows import counts_json, format_time
from integrationd.engine.status import integrations_status, read_standing
from integrationd.engine.sync import RunOutcome, RunWish
from integrationd.errors import UsageError
from integrationd.model.json import Json
from integrationd.model.runs import Trigger
from integrationd.ports.actions import QuarantineWish, RevertWish, SwitchWish, SyncWish
from integrationd.ports.consent import LoginWish
from integrationd.signals import PageCommitted, RunStarted, Signal
from integrationd.spec.narrowing import Narrowing

PATH_TOKEN_BYTES = 24
"""192 bits of chance in a webhook's path."""


class LocalActions:
    """What people ask for, done here."""

    def __init__(
        self,
        parts: Composition,
        load: Callable[[], Awaitable[Loaded]] | None = None,
        agenda: Agenda | None = None,
    ) -> None:
        """Take the parts; the daemon also gives how it loads, and its agenda."""
        self._parts = parts
        self._load = load or parts.load
        self._agenda = agenda
        self.calls = LocalCalls(parts)
        self.secrets = LocalSecrets(parts, running=agenda is not None)
        self._logins = LocalLogins(parts, self.secrets)

    async def sync(self, wish: SyncWish) -> AsyncIterator[Json]:
        """Read streams one after the other, telling what happens."""
        conductor, name = self._parts.conductor, wish.integration
        await conductor.read_lists(name, wish.streams)
        if not conductor.open_streams_of(name, wish.streams):
            raise UsageError(f"integration {name!r} has no stream that is read")
        narrowing = await read_wish(conductor, wish)
        done: set[str] = set()
        while (stream := self._find_next(wish, done)) is not None:
            done.add(stream)
            async for line in self._sync_one(wish, stream, narrowing):
                yield line

    def _find_next(self, wish: SyncWish, done: Collection[str]) -> str | None:
        """Return the stream to be read next, lists first: what they discover is read after them."""
        conductor = self._parts.conductor
        lists = conductor.integration(wish.integration).moulds
        wanted = tuple(stream for stream in wish.streams if stream not in done)
        if wish.streams and not wanted:
            return None
        found = conductor.open_streams_of(wish.integration, wanted)
        left = [stream for stream in found if stream not in done]
        return min(left, key=lambda stream: stream not in lists, default=None)

    async def preview(self, wish: SyncWish) -> AsyncIterator[Json]:
        """Tell what the next reading of one stream would change."""
        [stream] = self._parts.conductor.open_streams_of(wish.integration, wish.streams)
        narrowing = await read_wish(self._parts.conductor, wish)
        run_wish = RunWish(trigger=Trigger.MANUAL, full=wish.full, input=narrowing)
        async for line in self._parts.conductor.preview(wish.integration, stream, run_wish):
            yield line

    async def _sync_one(
        self, wish: SyncWish, stream: str, narrowing: Narrowing | None
    ) -> AsyncIterator[Json]:
        told: asyncio.Queue[Json] = asyncio.Queue()

        def listen(signal: Signal) -> None:
            if isinstance(signal, RunStarted | PageCommitted) and (
                (signal.integration, signal.stream) == (wish.integration, stream)
            ):
                told.put_nowait(_progress(signal))

        run_wish = RunWish(
            trigger=Trigger.MANUAL, full=wish.full, confirmed=wish.confirmed, input=narrowing
        )
        with self._parts.broadcast.listening(listen):
            run = asyncio.create_task(
                self._parts.conductor.sync(wish.integration, stream, run_wish),
                name=f"asked {wish.integration}/{stream}",
            )
            run.add_done_callback(lambda _: told.put_nowait(None))
            while (line := await told.get()) is not None:
                yield line
        outcome = await run
        listing = self._parts.conductor.integration(wish.integration).listings.get(stream)
        yield _ending(wish, stream, outcome, () if listing is None else listing.remarks)

    def revert(self, wish: RevertWish) -> AsyncIterator[Json]:
        """Undo what a run wrote, telling what happens."""
        return revert_lines(self._parts, wish)

    def replay(self, wish: QuarantineWish) -> AsyncIterator[Json]:
        """Map again what waits in quarantine, one stream after the other."""
        return replay_lines(self._parts, wish)

    async def drop(self, wish: QuarantineWish) -> Json:
        """Forget what waits."""
        return await drop_quarantined(self._parts, wish)

    async def throw(self, wish: SwitchWish) -> Json:
        """Switch an integration or everything off in a way, or no longer."""
        done = await throw_switch(self._parts, wish)
        if self._agenda is not None:
            await self._agenda.book()
        return done

    def login(self, wish: LoginWish) -> AsyncIterator[Json]:
        """Begin a login where a provider wants a person, or end one that waits."""
        return self._logins.login(wish)

    async def reload(self) -> Json:
        """Read the files again."""
        loaded = await self._load()
        problems = loaded.bundle.problems
        return {
            "taken": not any(problem.is_error for problem in problems),
            "integrations": len(loaded.bundle.integrations),
            "problems": [str(problem) for problem in problems],
            "kept": sorted(loaded.kept),
        }

    async def status(self) -> Json:
        """Tell how everything stands."""
        parts = self._parts
        await parts.look_for_secrets()
        bundle = parts.loaded.bundle
        standing = replace(
            await read_standing(parts.store, bundle),
            missing=parts.missing,
            consents=parts.consents,
            switches=await parts.store.switches(),
            next_runs={} if self._agenda is None else self._agenda.next_runs(),
        )
        return {
            "paused": standing.switches.paused,
            "master_key": "",
            "daemon": {
                "version": integrationd.__version__,
                "pid": os.getpid(),
                "started_at": format_time(parts.started_at),
            },
            "files": {
                "ok": not any(problem.is_error for problem in bundle.problems),
                "problems": [str(problem) for problem in bundle.problems],
                "kept": sorted(parts.loaded.kept),
            },
            "integrations": integrations_status(bundle, standing),
        }

    async def webhook_url(self, integration: str, endpoint: str) -> Json:
        """Tell where a sender posts to."""
        found = self._parts.conductor.integration(integration)
        if endpoint not in found.webhooks:
            hint = nearest(endpoint, found.webhooks)
            raise UsageError(f"integration {integration!r} has no webhook {endpoint!r}{hint}")
        token = await endpoint_token(self._parts, found.tenant, integration, endpoint)
        path = f"/hooks/{token}"
        return {"url": f"{public_url(self._parts.settings)}{path}", "path": path}


async def endpoint_token(parts: Composition, tenant: str, integration: str, endpoint: str) -> str:
    """Return the path token of an endpoint, made the first time and kept."""
    fresh = parts.world.randomness.token(PATH_TOKEN_BYTES).hex()
    return await parts.store.endpoint_path(tenant, integration, endpoint, fresh=fresh)


def _progress(signal: RunStarted | PageCommitted) -> Json:
    if isinstance(signal, RunStarted):
        return {
            "event": "started",
            "integration": signal.integration,
            "stream": signal.stream,
            "run": signal.run_id,
            "mode": signal.mode,
            "resumed": signal.resumed,
        }
    return {
        "event": "page",
        "integration": signal.integration,
        "stream": signal.stream,
        "run": signal.run_id,
        "page": signal.page,
        "counts": counts_json(signal.counts),
        "total": signal.total,
    }


def _ending(
    wish: SyncWish, stream: str, outcome: RunOutcome | None, remarks: Sequence[str]
) -> Json:
    where = {"integration": wish.integration, "stream": stream}
    if outcome is None:
        return {"event": "skipped", **where, "error": "another process reads this stream"}
    return {
        "event": "finished",
        **where,
        "run": outcome.run_id,
        "status": str(outcome.status),
        "counts": counts_json(outcome.counts),
        "error": outcome.error,
        "kind": outcome.kind,
        "remarks": list(remarks),
    }
