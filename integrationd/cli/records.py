"""``records NAME/STREAM``: what is stored."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import click

from integrationd.cli.options import Common, common, listing, split_name
from integrationd.cli.output import print_rows
from integrationd.daemon.looking import looking
from integrationd.daemon.names import refuse_unlisted
from integrationd.engine.rows import format_time
from integrationd.errors import UsageError
from integrationd.model.json import Json
from integrationd.model.records import StoredRecord
from integrationd.ports.store import RecordQuery, StreamKey
from integrationd.store.sqlstore import SqlStore


@click.command("records")
@click.argument("name", metavar="NAME/STREAM")
@click.option("--living", is_flag=True, help="Leave out what was deleted.")
@click.option("--tenant", metavar="NAME", help="Whose, where a stream of that name had several.")
@listing
@common
def command(said: Common, name: str, *, tenant: str | None, style: str | None, **which: Any) -> int:  # noqa: ANN401 - click's values
    """Print the stored records of a stream, by external id."""
    integration, stream = split_name(name)
    query = RecordQuery(
        integration=integration, stream=stream, deleted=not which["living"], limit=which["limit"]
    )
    return asyncio.run(_print(said, tenant, query, style))


async def _print(said: Common, tenant: str | None, query: RecordQuery, style: str | None) -> int:
    async with looking(said.paths) as store:
        owner = await _tenant_of(said, store, query, tenant)
        await print_rows(
            _rows(store, owner, query),
            ("external_id", "entity", "data", "deleted", "changed_at"),
            style=style,
            as_json=said.json,
        )
    return 0


async def _tenant_of(said: Common, store: SqlStore, query: RecordQuery, tenant: str | None) -> str:
    key = StreamKey(query.integration, query.stream or "")
    tenants = sorted(row.tenant for row in await store.streams(tenant) if row.key == key)
    name = f"{key.integration}/{key.stream}"
    if len(tenants) > 1:
        listed = ", ".join(tenants)
        raise UsageError(f"{name} has records of several tenants, choose with --tenant: {listed}")
    if not tenants:
        await refuse_unlisted(said.paths, store, key.integration, key.stream)
        raise UsageError(f"nothing is stored of {name}; read it with: integrationd sync {name}")
    return tenants[0]


async def _rows(store: SqlStore, tenant: str, query: RecordQuery) -> AsyncIterator[dict[str, Json]]:
    async for record in store.records(tenant, query):
        yield record_json(record)


def record_json(record: StoredRecord) -> dict[str, Json]:
    """Describe one record; one that is stale says so."""
    told = {
        "external_id": record.external_id,
        "id": record.id,
        "entity": record.entity,
        "data": record.data,
        "deleted": record.deleted,
        "seq": record.seq,
        "changed_at": format_time(record.changed_at),
    }
    return {**told, "stale": True} if record.stale else told
