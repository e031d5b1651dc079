"""``python -m tests.meta.migration`` writes the newest migration anew, until it is released.

It is the difference between the last released schema, kept as ``tests/contract/store/schemaN.sql``,
and ``store/tables.py``. To begin the next one after a release: keep the released schema as such a
file, and name a module for the new version in ``store/migrations``.
"""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from alembic.autogenerate import produce_migrations, render_python_code
from alembic.migration import MigrationContext
from alembic.operations.ops import MigrateOperation, ModifyTableOps, UpgradeOps
from sqlalchemy import create_engine

from integrationd.store.tables import METADATA
from tests.meta.repository import PACKAGE, TESTS

SCHEMAS = TESTS / "contract" / "store"
NAME = re.compile(r"schema(\d+)\.sql")
HEAD = '''"""Schema {new}, made of schema {old}. Written by `make migration`."""

from __future__ import annotations

import sqlalchemy as sa
from alembic.operations import Operations

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade(op: Operations) -> None:
    """Add what is new, table by table."""
{calls}
'''
FUNCTION = "\n\ndef _{table}(op: Operations) -> None:\n{body}\n"
LONG_TEXT = "sa.Text().with_variant(sa.Text(collation='C'), 'postgresql')"


def newest_released() -> int:
    """Return the number of the last schema that is kept as a file."""
    return max(
        int(found.group(1)) for path in SCHEMAS.iterdir() if (found := NAME.fullmatch(path.name))
    )


def render() -> str:
    """Return the text of the migration from the last released schema to the present tables."""
    old = newest_released()
    bodies = {table: list(lines) for table, lines in differences(old)}
    calls = "\n".join(f"    _{table}(op)" for table in bodies)
    text = HEAD.format(old=old, new=old + 1, calls=calls)
    for table, lines in bodies.items():
        text += FUNCTION.format(table=table, body="\n".join(lines))
    ruff = [sys.executable, "-m", "ruff", "format", "--stdin-filename", "r.py", "-"]
    done = subprocess.run(ruff, input=text, capture_output=True, text=True, check=True)
    return done.stdout


def differences(old: int) -> Iterator[tuple[str, Iterator[str]]]:
    """Yield each table that differs, with the lines that change it."""
    engine = create_engine("sqlite://")
    with engine.connect() as conn:
        driver = conn.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        driver.executescript((SCHEMAS / f"schema{old}.sql").read_text(encoding="utf-8"))
        options = {
            "compare_type": True,
            "compare_server_default": True,
            "target_metadata": METADATA,
        }
        found = produce_migrations(MigrationContext.configure(conn, opts=options), METADATA)
        assert found.upgrade_ops is not None
        steps = sorted(flatten(found.upgrade_ops.ops), key=lambda op: op.table_name)
        for table, group in groupby(steps, key=lambda op: op.table_name):
            yield table, (line for op in group for line in lines_of(op))
    engine.dispose()


def flatten(ops: list[MigrateOperation]) -> Iterator[MigrateOperation]:
    """Yield operations one by one, those on one table as well."""
    for op in ops:
        if isinstance(op, ModifyTableOps):
            yield from flatten(op.ops)
        else:
            yield op


def lines_of(op: MigrateOperation) -> Iterator[str]:
    """Yield the Python of one operation, indented."""
    text = render_python_code(UpgradeOps([op])).replace(LONG_TEXT, "_TEXT")
    for line in text.splitlines():
        if not line.lstrip().startswith("#"):
            yield f"    {line.strip()}"


def path_of(number: int) -> Path:
    """Return where the migration to a schema lies."""
    return PACKAGE / "store" / "migrations" / f"r{number:04}.py"


def main() -> None:
    """Write the module."""
    path_of(newest_released() + 1).write_text(render(), encoding="utf-8")


if __name__ == "__main__":
    main()
