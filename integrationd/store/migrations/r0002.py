"""Schema 2, made of schema 1. Written by `make migration`."""

from __future__ import annotations

import sqlalchemy as sa
from alembic.operations import Operations

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade(op: Operations) -> None:
    """Add what is new, table by table."""
    _keys(op)
    _objects(op)
    _quarantine(op)
    _readings(op)
    _relays(op)
    _runs(op)
    _secrets(op)
    _slots(op)
    _streams(op)
    _switches(op)


def _keys(op: Operations) -> None:
    op.create_table(
        "keys",
        sa.Column("tenant", _TEXT, nullable=False),
        sa.Column("id", _TEXT, nullable=False),
        sa.Column("master", _TEXT, nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("state", _TEXT, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("seals", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "id"),
        sqlite_with_rowid=True,
    )
    op.create_index(
        "keys_active",
        "keys",
        ["tenant"],
        unique=True,
        sqlite_where=sa.text("state = 'active'"),
        postgresql_where=sa.text("state = 'active'"),
    )


def _objects(op: Operations) -> None:
    op.create_table(
        "objects",
        sa.Column("no", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("tenant", _TEXT, nullable=False),
        sa.Column("integration", _TEXT, nullable=False),
        sa.Column("list", _TEXT, nullable=False),
        sa.Column("key", _TEXT, nullable=False),
        sa.Column("stream", _TEXT, nullable=False),
        sa.Column("data", _TEXT, nullable=True),
        sa.Column("listed", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("no"),
        sa.UniqueConstraint("tenant", "integration", "list", "key"),
        sa.UniqueConstraint("tenant", "integration", "stream"),
        sqlite_with_rowid=True,
    )


def _quarantine(op: Operations) -> None:
    op.add_column("quarantine", sa.Column("shape", _TEXT, server_default="", nullable=False))
    op.add_column("quarantine", sa.Column("each", _TEXT, nullable=True))


def _readings(op: Operations) -> None:
    op.add_column("readings", sa.Column("sure", _TEXT, nullable=True))
    op.add_column("readings", sa.Column("identity", _TEXT, server_default="", nullable=False))
    op.add_column("readings", sa.Column("shape", _TEXT, server_default="", nullable=False))
    op.add_column("readings", sa.Column("window", _TEXT, nullable=True))
    op.add_column("readings", sa.Column("round", _TEXT, server_default="", nullable=False))
    op.add_column("readings", sa.Column("owes", _TEXT, server_default="", nullable=False))


def _relays(op: Operations) -> None:
    op.create_table(
        "relays",
        sa.Column("tenant", _TEXT, nullable=False),
        sa.Column("integration", _TEXT, nullable=False),
        sa.Column("child", _TEXT, nullable=False),
        sa.Column("record_no", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.LargeBinary(length=16), nullable=False),
        sa.Column("data", _TEXT, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "integration", "child", "record_no"),
        sqlite_with_rowid=False,
    )


def _runs(op: Operations) -> None:
    op.add_column("runs", sa.Column("cleaned", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("runs", sa.Column("dropped", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("runs", sa.Column("ended_seq", sa.BigInteger(), nullable=True))
    op.add_column("runs", sa.Column("reverts", _TEXT, nullable=True))
    op.add_column("runs", sa.Column("cursor_before", _TEXT, nullable=True))
    op.add_column("runs", sa.Column("cursor_after", _TEXT, nullable=True))
    op.add_column("runs", sa.Column("input", _TEXT, nullable=True))


def _secrets(op: Operations) -> None:
    op.create_table(
        "secrets",
        sa.Column("tenant", _TEXT, nullable=False),
        sa.Column("integration", _TEXT, nullable=False),
        sa.Column("name", _TEXT, nullable=False),
        sa.Column("key_id", _TEXT, nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "integration", "name"),
        sqlite_with_rowid=True,
    )


def _slots(op: Operations) -> None:
    op.create_table(
        "slots",
        sa.Column("tenant", _TEXT, nullable=False),
        sa.Column("integration", _TEXT, nullable=False),
        sa.Column("stream", _TEXT, nullable=False),
        sa.Column("schedule", _TEXT, nullable=False),
        sa.Column("slot", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "integration", "stream"),
        sqlite_with_rowid=False,
    )


def _streams(op: Operations) -> None:
    op.add_column("streams", sa.Column("held", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column(
        "streams", sa.Column("stale_seq", sa.BigInteger(), server_default="0", nullable=False)
    )


def _switches(op: Operations) -> None:
    op.create_table(
        "switches",
        sa.Column("tenant", _TEXT, nullable=False),
        sa.Column("integration", _TEXT, nullable=False),
        sa.Column("switch", _TEXT, nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "integration", "switch"),
        sqlite_with_rowid=False,
    )
