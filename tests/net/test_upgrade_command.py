"""``db upgrade``, as an administrator meets it, and what it costs everybody else: nothing."""

import json
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from integrationd.cli.main import cli, run_command
from integrationd.daemon.lock import locked
from integrationd.store.tables import SCHEMA_VERSION

SCHEMA1 = Path(__file__).parents[1] / "contract" / "store" / "schema1.sql"
EVERYTHING_ELSE = """
import importlib, pathlib, sys
import integrationd
apart = ("store.migrations", "store.upgrading", "daemon.upgrade", "__main__")
top = pathlib.Path(integrationd.__file__).parent
for path in sorted(top.rglob("*.py")):
    name = ".".join(path.relative_to(top).with_suffix("").parts).removesuffix(".__init__")
    if not name.startswith(apart) and name != "__init__":
        importlib.import_module(f"integrationd.{name}")
print(sorted({"alembic", "mako"} & set(sys.modules)), len(sys.modules) > 500)
"""


@pytest.fixture
def database(tmp_path):
    """Give the path of a database of schema 1 in a state directory."""
    (tmp_path / "config").mkdir()
    path = tmp_path / "state" / "integrationd.db"
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as conn:
        conn.executescript(SCHEMA1.read_text(encoding="utf-8"))
    return path


@pytest.fixture
def run(tmp_path, capsys):
    """Return what runs a command: exit code, stdout, stderr."""
    places = ["--config", str(tmp_path / "config"), "--state", str(tmp_path / "state")]

    def execute(*words):
        code = run_command(
            lambda: cli.main([*places, *words], prog_name="integrationd", standalone_mode=False)
        )
        return (code, *capsys.readouterr())

    return execute


@pytest.mark.parametrize(
    "words", [("run",), ("sync", "shop"), ("runs", "list"), ("records", "a/b")]
)
def test_every_command_names_the_cure(run, database, words):
    """The daemon and the commands compare the version, change nothing and say what to run."""
    message = f"the database has schema 1, this version needs {SCHEMA_VERSION}"

    assert run(*words) == (
        69,
        "",
        f"integrationd: {database}: {message}; run: integrationd db upgrade\n",
    )


def test_upgrade_says_what_it_did_and_where_the_copy_is(run, database):
    """And the second time that there is nothing to do."""
    code, out, err = run("db", "upgrade")
    again = run("db", "upgrade")
    looked = run("runs", "list", "--json")

    copy = re.escape(f"{database}.schema1-") + r"\d{8}T\d{6}Z"
    told = rf"{re.escape(str(database))}: schema 1 is now {SCHEMA_VERSION}\n"
    assert (code, err) == (0, "")
    assert re.fullmatch(rf"{told}the copy from before: {copy}\n", out)
    assert again == (0, f"{database}: schema {SCHEMA_VERSION} is the present one\n", "")
    assert (looked[0], len(looked[1].splitlines())) == (0, 3)


def test_upgrade_is_told_to_programs(run, database):
    """As one JSON value."""
    told = json.loads(run("db", "upgrade", "--json")[1])

    assert told == {
        "database": str(database),
        "before": 1,
        "after": SCHEMA_VERSION,
        "backup": str(next(database.parent.glob("*.schema1-*"))),
    }


def test_upgrade_beside_a_daemon_is_refused(run, database):
    """Whoever holds the lock goes on undisturbed."""
    with locked(database.parent / "lock"):
        code, out, err = run("db", "upgrade")

    place = re.escape(str(database.parent))
    assert (code, out) == (1, "")
    assert re.fullmatch(rf"integrationd: process \d+ uses {place} already; stop it first\n", err)
    assert list(database.parent.glob("*.schema1-*")) == []


def test_upgrade_of_nothing_exits_69(run, tmp_path):
    """No database is made by the way."""
    path = tmp_path / "state" / "integrationd.db"

    assert run("db", "upgrade") == (
        69,
        "",
        f"integrationd: no database at {path}; there is nothing to upgrade\n",
    )
    assert not path.exists()


def test_nothing_but_the_upgrade_loads_alembic():
    """It takes a second; every other module of the package does without."""
    told = subprocess.run(
        [sys.executable, "-c", EVERYTHING_ELSE], capture_output=True, text=True, check=True
    )

    assert told.stdout == "[] True\n"
