"""Which database the settings name, and what a process is called in it."""

import platform
import subprocess
import sys

import pytest

from integrationd.daemon.database import database_of, node_of
from integrationd.daemon.paths import Paths
from integrationd.daemon.system import SystemRandomness
from integrationd.errors import SettingsError, StoreError
from integrationd.spec.read_settings import read_settings

CHANCE = SystemRandomness()
SERVER = "database: postgresql://me@db.test/site\n"


def settings_of(text):
    """Read settings that are right."""
    settings, problems = read_settings(text.encode(), "s.yaml")
    assert problems == ()
    return settings


def paths_of(tmp_path, name="state"):
    """Return directories; the one of data is there."""
    (tmp_path / name).mkdir(exist_ok=True)
    return Paths(tmp_path, tmp_path / name)


def test_without_a_word_it_is_the_file_of_the_state_directory(tmp_path):
    """Nothing needs to be installed or set up."""
    paths = paths_of(tmp_path)

    assert database_of(paths, settings_of("")).where == str(paths.database)


def test_a_server_is_called_by_its_address_alone(tmp_path):
    """Options and password stay out of every message."""
    options = "?sslmode=require&passfile=/etc/pgpass"
    settings = settings_of(f"database: 'postgresql://me@db.test:5433/site{options}'\n")

    assert database_of(paths_of(tmp_path), settings).where == "postgresql://me@db.test:5433/site"


def test_a_password_is_found_and_told_to_the_log_alone(tmp_path, monkeypatch):
    """Logs mask it; the database does not show it either."""
    monkeypatch.setenv("DB_PASSWORD", "hunter2")
    learnt = []
    settings = settings_of("database: {url: postgresql://me@h/n, password: {env: DB_PASSWORD}}\n")

    database = database_of(
        paths_of(tmp_path), settings, lambda place, secret: learnt.append((place, secret.reveal()))
    )

    assert learnt == [("database.password", "hunter2")]
    assert "hunter2" not in repr(database)


def test_a_password_that_is_missing_is_told(tmp_path, monkeypatch):
    """Where it was looked for is said."""
    monkeypatch.delenv("DB_PASSWORD", raising=False)
    settings = settings_of("database: {url: postgresql://me@h/n, password: {env: DB_PASSWORD}}\n")

    with pytest.raises(SettingsError) as caught:
        database_of(paths_of(tmp_path), settings)

    assert str(caught.value) == "database.password: nothing in env DB_PASSWORD"


def test_a_missing_library_is_told_with_the_command(tmp_path):
    """Who wants PostgreSQL and has no psycopg reads how to get it, and no traceback."""
    (tmp_path / "integrationd.yaml").write_text(SERVER)
    code = (
        "import sys; sys.modules['psycopg'] = None; from integrationd.__main__ import main; main()"
    )
    command = [sys.executable, "-c", code, "--config", str(tmp_path), "--state", str(tmp_path)]

    done = subprocess.run([*command, "status"], capture_output=True, text=True, check=False)

    assert done.returncode == 78
    assert done.stderr == (
        "integrationd: database: PostgreSQL needs psycopg, which cannot be loaded (import of "
        "psycopg halted; None in sys.modules); install it with: "
        "pip install 'integrationd[postgres]'\n"
    )


def test_the_embedded_database_knows_one_node(tmp_path):
    """Nobody else can be there, so nothing is kept."""
    paths = paths_of(tmp_path)

    assert node_of(paths, settings_of("node: front"), CHANCE) == "local"
    assert list(paths.state.iterdir()) == []


def test_a_node_is_the_same_after_a_restart(tmp_path):
    """What a dead process of this directory held is known as ours."""
    paths = paths_of(tmp_path)

    first = node_of(paths, settings_of(SERVER), CHANCE)

    assert first.startswith(f"{platform.node()}.")
    assert node_of(paths, settings_of(SERVER), CHANCE) == first


def test_two_state_directories_are_two_nodes(tmp_path):
    """Also on one machine, and also under one name: neither frees what the other holds."""
    settings = settings_of(f"{SERVER}node: front\n")

    names = {node_of(paths_of(tmp_path, name), settings, CHANCE) for name in ("one", "two")}

    assert len(names) == 2
    assert {name.partition(".")[0] for name in names} == {"front"}


def test_a_node_file_that_cannot_be_read_is_told(tmp_path):
    """Another name for the same directory would leave claims behind."""
    paths = paths_of(tmp_path)
    paths.node.mkdir()

    with pytest.raises(StoreError) as caught:
        node_of(paths, settings_of(SERVER), CHANCE)

    assert str(caught.value) == (
        f"{paths.node}: [Errno 21] Is a directory: '{paths.node}'; remove the file, or put it right"
    )
