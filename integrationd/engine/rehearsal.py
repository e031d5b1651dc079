"""A store in front of the real one that compares instead of writing: a run leaves no trace."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from integrationd.model.json import Json
from integrationd.model.records import DeleteReason, Removal, SetAside, StoredRecord, Upsert
from integrationd.model.runs import Counts
from integrationd.ports.store import (
    Lease,
    PageCommit,
    ReadingState,
    RecordQuery,
    RunEnd,
    RunStart,
    Store,
    StreamKey,
    Sweep,
    Swept,
)

_STREAM: Final = "stream"
_encode = msgspec.json.Encoder(order="deterministic").encode
_decode = msgspec.json.Decoder().decode


@dataclass(slots=True)
class Rehearsal:
    """Takes what a run would write, and tells what of it would change something.

    Everything else goes through to the real store: a run that needs a token renews it for real.
    """

    store: Store
    tell: Callable[[Json], Awaitable[None]]
    start: RunStart | None = None
    before: ReadingState = field(default_factory=ReadingState)
    end: RunEnd | None = None
    swept: Swept | None = None
    _seen: dict[str, bytes | None] = field(default_factory=dict)
    """Digests of what this run saw, None of what it removed or set aside."""
    _kept: dict[str, ReadingState] = field(default_factory=dict)
    """Progress by partition, as it would be stored: after a refused cursor another run begins."""

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - of the real store
        """Hand on what is not rehearsed."""
        return getattr(self.store, name)

    async def claim(
        self, tenant: str, kind: str, key: str, *, holder: str, now: datetime, ttl: timedelta
    ) -> Lease | None:
        """Take no claim on a stream: whoever reads it for real goes on."""
        if kind != _STREAM:
            return await self.store.claim(tenant, kind, key, holder=holder, now=now, ttl=ttl)
        return Lease(kind=kind, key=key, holder=holder, fence=0, expires_at=now + ttl)

    async def renew(self, tenant: str, lease: Lease, *, now: datetime, ttl: timedelta) -> Lease:
        """Keep the claim that was not taken."""
        if lease.kind != _STREAM:
            return await self.store.renew(tenant, lease, now=now, ttl=ttl)
        return replace(lease, expires_at=now + ttl)

    async def release(self, tenant: str, lease: Lease) -> None:
        """Give nothing back."""
        if lease.kind != _STREAM:
            await self.store.release(tenant, lease)

    async def load_state(self, tenant: str, key: StreamKey, partition: str) -> ReadingState:
        """Return the progress as it would be for a reading that begins anew."""
        if partition in self._kept:
            return _anew(self._kept[partition])
        self.before = _anew(await self.store.load_state(tenant, key, partition))
        return self.before

    async def load_partitions(self, tenant: str, key: StreamKey) -> Mapping[str, ReadingState]:
        """Return the progress of partitions likewise."""
        stored = await self.store.load_partitions(tenant, key)
        return {
            name: replace(state, walking=False, round="")
            for name, state in {**stored, **self._kept}.items()
        }

    async def begin_run(self, tenant: str, start: RunStart, lease: Lease) -> datetime | None:
        """Remember how the run reads; it takes no slot."""
        _ = tenant, lease
        self.start = start
        return None

    async def finish_run(self, tenant: str, end: RunEnd) -> None:
        """Remember how it ended."""
        _ = tenant
        self.end = end
        self._keep(end.partition, end.state)

    async def mark_stale(self, tenant: str, key: StreamKey, *, stale: bool) -> None:
        """Mark nothing."""
        _ = tenant, key, stale

    async def commit_page(self, tenant: str, page: PageCommit) -> Counts:
        """Compare a page with what is stored; returns the counts that storing it would give."""
        removals = {removal.external_id: removal for removal in page.removals}
        wanted = [*(upsert.external_id for upsert in page.upserts), *removals]
        stored = await self.store.find_records(
            tenant,
            integration=page.key.integration,
            entity=page.entity,
            external_ids=wanted,
        )
        self._keep(page.partition, page.state)
        counts = replace(page.counts, pages=1, quarantined=len(page.aside))
        for upsert in page.upserts:
            counts = counts.plus(await self._compare(upsert, stored.get(upsert.external_id)))
        for removal in page.removals:
            counts = counts.plus(await self._remove(removal, stored.get(removal.external_id)))
        for bad in page.aside:
            await self._set_aside(bad)
        return counts

    async def sweep(self, tenant: str, sweep: Sweep) -> Swept:
        """Tell what a complete reading did not see."""
        query = RecordQuery(
            integration=sweep.key.integration,
            stream=sweep.key.stream,
            entity=sweep.entity,
            deleted=False,
        )
        living, missing = 0, []
        async for record in self.store.records(tenant, query):
            living += 1
            if record.external_id not in self._seen:
                missing.append(record.external_id)
        held = len(missing) > sweep.rows_max and len(missing) > sweep.fraction_max * living
        if held and not sweep.confirmed:
            self.swept = Swept(deleted=0, held=len(missing), stored=living)
            return self.swept
        for external_id in missing:
            await self._tell_deleted(external_id, DeleteReason.SWEPT)
        self.swept = Swept(deleted=len(missing), held=0, stored=living)
        return self.swept

    def _keep(self, partition: str, state: ReadingState | None) -> None:
        if state is not None:
            self._kept[partition] = state

    async def _compare(self, upsert: Upsert, stored: StoredRecord | None) -> Counts:
        """Tell what one record would become; one that comes a second time is compared by digest."""
        earlier = self._seen.get(upsert.external_id)
        self._seen[upsert.external_id] = upsert.digest
        if earlier == upsert.digest:
            return Counts(unchanged=1)
        lives = stored is not None and stored.deleted is None
        if stored is None or not lives:
            data = _decode(upsert.data)
            await self.tell({"event": "added", "external_id": upsert.external_id, "data": data})
            return Counts(added=1)
        if _encode(stored.data) == upsert.data:
            return Counts(unchanged=1)
        fields = differences(stored.data, _decode(upsert.data))
        line = {"event": "changed", "external_id": upsert.external_id, "fields": fields}
        await self.tell(line)
        return Counts(changed=1)

    async def _remove(self, removal: Removal, stored: StoredRecord | None) -> Counts:
        known = removal.external_id in self._seen
        self._seen[removal.external_id] = None
        if known or stored is None or stored.deleted is not None:
            return Counts()
        await self._tell_deleted(removal.external_id, removal.reason)
        filtered = removal.reason is DeleteReason.FILTERED
        return Counts(filtered=1) if filtered else Counts(deleted=1)

    async def _set_aside(self, bad: SetAside) -> None:
        self._seen.setdefault(bad.fingerprint, None)
        line = {"event": "quarantined", "external_id": bad.fingerprint if bad.keyed else None}
        await self.tell({**line, "code": bad.code, "field": bad.field, "reason": bad.reason})

    async def _tell_deleted(self, external_id: str, reason: DeleteReason) -> None:
        await self.tell({"event": "deleted", "external_id": external_id, "reason": str(reason)})


def _anew(state: ReadingState) -> ReadingState:
    return replace(state, walking=False, page_token=None, high_water=None, mode=None)


def differences(old: Json, new: Json) -> Mapping[str, Json]:
    """Return each field that differs with its old and new value; a missing one has none of it.

    What is no object differs as a whole, under an empty name.
    """
    if not isinstance(old, dict) or not isinstance(new, dict):
        return {"": {"old": old, "new": new}}
    names: Sequence[str] = [*old, *(name for name in new if name not in old)]
    found: dict[str, Json] = {}
    for name in names:
        sides = {side: value[name] for side, value in (("old", old), ("new", new)) if name in value}
        if len(sides) == 1 or _encode(sides["old"]) != _encode(sides["new"]):
            found[name] = sides
    return found
