"""The tables. The tenant leads every key; times are whole milliseconds since 1970, UTC."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.sql.schema import SchemaItem

from integrationd.model.runs import COUNT_NAMES

SCHEMA_VERSION = 2
"""Grows with every change of a table; a database of another version is refused."""

METADATA = MetaData()

# SQLite makes an alias of its rowid only of a column declared exactly INTEGER PRIMARY KEY.
_NO = BigInteger().with_variant(Integer, "sqlite")
# Ordered and compared by bytes, as SQLite and Python do it, whatever the database's language is.
_TEXT = Text().with_variant(Text(collation="C"), "postgresql")


def _text(name: str, default: str | None = None) -> Column[str]:
    return Column(name, _TEXT, nullable=False, server_default=default)


def _number(name: str, default: str | None = None) -> Column[int]:
    return Column(name, BigInteger, nullable=False, server_default=default)


_FIRST_COUNTS: Final = (
    *("read", "added", "changed", "unchanged", "deleted", "filtered", "quarantined", "held"),
    *("pages", "requests", "retries", "waited_ms"),
)
"""Those of schema 1. Whatever comes later needs a default: no database adds a column of rows that
are there already without one."""


def _table(name: str, *items: SchemaItem, with_rowid: bool = True) -> Table:
    return Table(name, METADATA, *items, sqlite_with_rowid=with_rowid)


meta = _table("meta", Column("name", _TEXT, primary_key=True), _text("value"))
"""Facts about the database itself, the one table without a tenant: ``schema``, ``created_by``."""

counters = _table(
    "counters",
    _text("tenant"),
    _text("name"),
    _number("value"),
    PrimaryKeyConstraint("tenant", "name"),
    with_rowid=False,
)
"""The last ``seq`` of each tenant; kept apart, as the rows that carry it are pruned."""

records = _table(
    "records",
    Column("no", _NO, primary_key=True),
    _text("tenant"),
    _text("integration"),
    _text("entity"),
    _text("external_id"),
    Column("id", LargeBinary(16), nullable=False),
    _text("stream"),
    _number("seq"),
    _number("changed_at"),
    Column("deleted", _TEXT),
    Column("digest", LargeBinary(16)),
    Column("data", _TEXT),
    Column("metadata", _TEXT),
    UniqueConstraint("tenant", "integration", "entity", "external_id"),
    UniqueConstraint("tenant", "id", "integration"),
)
"""Records and id map in one: a row is never removed, a tombstone only loses data and digest.

``stream`` is the stream that added the record, or brought it back, last.
"""

changes = _table(
    "changes",
    _text("tenant"),
    _number("seq"),
    _number("record_no"),
    _text("op"),
    _number("run"),
    _number("at"),
    Column("before", _TEXT),
    PrimaryKeyConstraint("tenant", "seq"),
    with_rowid=False,
)
"""Feed and history, append-only; ``op`` is added, changed or deleted, ``before`` the old data."""

runs = _table(
    "runs",
    Column("no", _NO, primary_key=True),
    _text("tenant"),
    _text("id"),
    _text("integration"),
    _text("stream"),
    _text("trigger"),
    _text("mode"),
    _text("status"),
    Column("resumed", Boolean, nullable=False),
    _number("began_seq"),
    _number("started_at"),
    Column("ended_at", BigInteger),
    _text("error"),
    _text("kind"),
    *(_number(name, None if name in _FIRST_COUNTS else "0") for name in COUNT_NAMES),
    Column("ended_seq", BigInteger),
    Column("reverts", _TEXT),
    Column("cursor_before", _TEXT),
    Column("cursor_after", _TEXT),
    Column("input", _TEXT),
    UniqueConstraint("tenant", "id"),
    Index("runs_by_stream", "tenant", "integration", "stream", "no"),
)
"""The history of runs; ``began_seq`` and ``ended_seq`` are the tenant's last ``seq`` when it began
and ended, so that what it wrote lies between them.

``reverts`` is the id of the run that this one undoes. The cursors are those of a stream without
partitions, as JSON; ``input`` is what a person narrowed the run to, likewise.
"""

streams = _table(
    "streams",
    _text("tenant"),
    _text("integration"),
    _text("stream"),
    _number("living"),
    _number("errors"),
    _number("last_run"),
    Column("last_done_at", BigInteger),
    _number("held", "0"),
    _number("stale_seq", "0"),
    PrimaryKeyConstraint("tenant", "integration", "stream"),
    with_rowid=False,
)
"""What ``status`` asks, kept current by each transaction, so that nobody counts a whole table.

Records whose ``seq`` is not above ``stale_seq`` were last written before their spec changed.
"""

slots = _table(
    "slots",
    _text("tenant"),
    _text("integration"),
    _text("stream"),
    _text("schedule"),
    _number("slot"),
    PrimaryKeyConstraint("tenant", "integration", "stream"),
    with_rowid=False,
)
"""The last time of each stream's schedule that was taken, by whichever process; ``schedule`` is
the calendar that it is of, empty for an interval."""

switches = _table(
    "switches",
    _text("tenant"),
    _text("integration"),
    _text("switch"),
    _number("since"),
    PrimaryKeyConstraint("tenant", "integration", "switch"),
    with_rowid=False,
)
"""What people have switched off; the row without a tenant and an integration is for everything."""

readings = _table(
    "readings",
    _text("tenant"),
    _text("integration"),
    _text("stream"),
    _text("partition"),
    Column("cursor", _TEXT),
    Column("page_token", _TEXT),
    Column("walking", Boolean, nullable=False),
    Column("high_water", _TEXT),
    Column("sure", _TEXT),
    Column("mode", _TEXT),
    _text("fingerprint"),
    _text("identity", ""),
    _text("shape", ""),
    Column("window", _TEXT),
    _text("round", ""),
    _text("owes", ""),
    PrimaryKeyConstraint("tenant", "integration", "stream", "partition"),
    with_rowid=False,
)
"""The progress of each partition; values as JSON, NULL for null. A stream that is read as a whole
has one, without a name."""

relays = _table(
    "relays",
    _text("tenant"),
    _text("integration"),
    _text("child"),
    _number("record_no"),
    _number("seq"),
    Column("source", LargeBinary(16), nullable=False),
    _text("data"),
    PrimaryKeyConstraint("tenant", "integration", "child", "record_no"),
    with_rowid=False,
)
"""What a parent record gives to a child stream, kept so that the child never reads its parent."""

objects = _table(
    "objects",
    Column("no", _NO, primary_key=True),
    _text("tenant"),
    _text("integration"),
    _text("list"),
    _text("key"),
    _text("stream"),
    Column("data", _TEXT),
    Column("listed", Boolean, nullable=False),
    UniqueConstraint("tenant", "integration", "list", "key"),
    UniqueConstraint("tenant", "integration", "stream"),
)
"""What the records of a list stand for, each with a stream of its own; a row stays when the record
is gone, as its name must not become another one's."""

seen = _table(
    "seen",
    _text("tenant"),
    _number("run"),
    _number("part"),
    Column("nos", LargeBinary, nullable=False),
    PrimaryKeyConstraint("tenant", "run", "part"),
)
"""Which records a run saw: one row per page, packed, as a row per record would cost as much as
storing it. Forgotten when the run ends."""

quarantine = _table(
    "quarantine",
    Column("no", _NO, primary_key=True),
    _text("tenant"),
    _text("integration"),
    _text("stream"),
    _text("fingerprint"),
    _text("source"),
    _text("code"),
    _text("field"),
    _text("reason"),
    _text("run_id"),
    _text("shape", ""),
    Column("each", _TEXT),
    _number("first_at"),
    _number("last_at"),
    UniqueConstraint("tenant", "integration", "stream", "fingerprint"),
)

endpoints = _table(
    "endpoints",
    _text("tenant"),
    _text("integration"),
    _text("endpoint"),
    Column("path", _TEXT, nullable=False, unique=True),
    PrimaryKeyConstraint("tenant", "integration", "endpoint"),
    with_rowid=False,
)
"""The random path of each endpoint; unique over all tenants, as the path is all a sender gives."""

events = _table(
    "events",
    Column("no", _NO, primary_key=True),
    _text("tenant"),
    _text("id"),
    _text("integration"),
    _text("endpoint"),
    _text("dedup"),
    _text("event"),
    _text("status"),
    _number("received_at"),
    _number("duplicates"),
    _text("headers"),
    Column("body", LargeBinary, nullable=False),
    UniqueConstraint("tenant", "integration", "endpoint", "dedup"),
)

claims = _table(
    "claims",
    _text("tenant"),
    _text("kind"),
    _text("key"),
    _text("holder"),
    _number("fence"),
    _number("expires_at"),
    PrimaryKeyConstraint("tenant", "kind", "key"),
    with_rowid=False,
)
"""Who may do what; a row stays when it is free (no holder), as its fence must only ever grow."""

keys = _table(
    "keys",
    _text("tenant"),
    _text("id"),
    _text("master"),
    Column("wrapped", LargeBinary, nullable=False),
    _text("state"),
    _number("created_at"),
    _number("seals"),
    PrimaryKeyConstraint("tenant", "id"),
    Index(
        "keys_active",
        "tenant",
        unique=True,
        sqlite_where=text("state = 'active'"),
        postgresql_where=text("state = 'active'"),
    ),
)
"""The ring: data keys, each wrapped by the master key, which is never here. ``state`` is active,
for one key of a tenant, or retired; ``seals`` counts the values that a key has sealed."""

secrets = _table(
    "secrets",
    _text("tenant"),
    _text("integration"),
    _text("name"),
    _text("key_id"),
    Column("sealed", LargeBinary, nullable=False),
    _number("updated_at"),
    PrimaryKeyConstraint("tenant", "integration", "name"),
)
"""Sealed values, each bound to its place: a row that is copied elsewhere cannot be opened."""
