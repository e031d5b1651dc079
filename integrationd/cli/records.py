"""``records NAME/STREAM``: what is stored."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import click

from integrationd.cli.options import Common, common, listing
from integrationd.cli.output import print_rows
from integrationd.daemon.looking import looking
from integrationd.engine.rows import format_time
from integrationd.errors import UsageError
from integrationd.model.json import Json
from integrationd.model.records import StoredRecord
from integrationd.ports.store import RecordQuery, StreamKey
from integrationd.store.sqlstore import SqlStore


@click.command("records")
@click.argument("name", metavar="NAME/STREAM")
@click.option("--living", is_flag=True, help="Leave out what was deleted.")
@listing
@common
def command(said: Common, name: str, *, living: bool, style: str | None, limit: int | None) -> int:
    """Print the stored records of a stream, by external id."""
    integration, slash, stream = name.partition("/")
    if not slash or not stream:
        raise UsageError(
            f"{name!r} names no stream, expected NAME/STREAM such as main-library/items"
        )
    return asyncio.run(
        _print(said, StreamKey(integration, stream), living=living, style=style, limit=limit)
    )


async def _print(
    said: Common,
    key: StreamKey,
    *,
    living: bool,
    style: str | None,
    limit: int | None,
) -> int:
    async with looking(said.paths) as store:
        tenant = await _tenant_of(store, key)
        query = RecordQuery(
            integration=key.integration, stream=key.stream, deleted=not living, limit=limit
        )
        rows = _rows(store, tenant, query)
        await print_rows(
            rows,
            ("external_id", "entity", "data", "deleted", "changed_at"),
            style=style,
            as_json=said.json,
        )
    return 0


async def _tenant_of(store: SqlStore, key: StreamKey) -> str:
    for row in await store.streams(None):
        if row.key == key:
            return row.tenant
    raise UsageError(
        f"nothing is stored of {key.integration}/{key.stream}; read it with: "
        f"integrationd sync {key.integration}/{key.stream}"
    )


async def _rows(store: SqlStore, tenant: str, query: RecordQuery) -> AsyncIterator[dict[str, Json]]:
    async for record in store.records(tenant, query):
        yield record_json(record)


def record_json(record: StoredRecord) -> dict[str, Json]:
    """Describe one record."""
    return {
        "external_id": record.external_id,
        "id": record.id,
        "entity": record.entity,
        "data": record.data,
        "deleted": record.deleted,
        "seq": record.seq,
        "changed_at": format_time(record.changed_at),
    }
