"""Where files lie, what the settings' file says, and who hears signals."""

from pathlib import Path

import pytest

from integrationd.daemon.broadcast import Broadcast
from integrationd.daemon.paths import Paths
from integrationd.daemon.settings import load_settings
from integrationd.errors import SettingsError
from integrationd.signals import DaemonStopping, RunSkipped
from integrationd.spec.settings import Listen, Settings
from tests.support.fakes import Ear

STOPPING = DaemonStopping(reason="SIGTERM")
SKIPPED = RunSkipped(integration="shop", stream="orders")


def test_command_line_wins_over_environment_wins_over_the_usual(monkeypatch):
    """Each of the two directories by itself; an empty word is none."""
    monkeypatch.delenv("INTEGRATIOND_CONFIG", raising=False)
    monkeypatch.delenv("INTEGRATIOND_STATE", raising=False)
    usual = Paths.find(None, None)
    monkeypatch.setenv("INTEGRATIOND_CONFIG", "/env/config")
    monkeypatch.setenv("INTEGRATIOND_STATE", "")
    by_environment = Paths.find(None, None)
    said = Paths.find("/said", "data")

    assert usual == Paths(Path("/etc/integrationd"), Path("/var/lib/integrationd"))
    assert by_environment == Paths(Path("/env/config"), Path("/var/lib/integrationd"))
    assert said == Paths(Path("/said"), Path("data"))


def test_names_inside_the_directories():
    """The settings are configuration, all else is data."""
    paths = Paths(Path("/c"), Path("/s"))

    assert [str(each) for each in (paths.settings, paths.database, paths.lock, paths.control)] == [
        "/c/integrationd.yaml",
        "/s/integrationd.db",
        "/s/lock",
        "/s/control.sock",
    ]


def test_missing_settings_are_the_defaults(tmp_path):
    """No file and no directory are both fine."""
    assert load_settings(Paths(tmp_path, tmp_path)) == Settings()
    assert load_settings(Paths(tmp_path / "none", tmp_path)) == Settings()


def test_settings_are_read(tmp_path):
    """What the file says replaces the default, all else stays."""
    (tmp_path / "integrationd.yaml").write_text("listen: 0.0.0.0:80\n")

    assert load_settings(Paths(tmp_path, tmp_path)) == Settings(listen=Listen("0.0.0.0", 80))


def test_every_problem_of_the_settings_is_told(tmp_path):
    """One line for each, with its place."""
    path = tmp_path / "integrationd.yaml"
    path.write_text("lissten: 1\nlimits: {runs: 0}\n")

    with pytest.raises(SettingsError) as caught:
        load_settings(Paths(tmp_path, tmp_path))

    assert str(caught.value).splitlines() == [
        f"{path}:1:1: E101: unknown field 'lissten'; did you mean 'listen'?",
        f"{path}:2:16: E111: limits.runs is 0, expected at least 1 and at most 10000",
    ]


def test_settings_that_cannot_be_read_are_told(tmp_path):
    """A directory in its place is no file."""
    (tmp_path / "integrationd.yaml").mkdir()

    with pytest.raises(SettingsError) as caught:
        load_settings(Paths(tmp_path, tmp_path))

    assert str(caught.value) == f"{tmp_path}/integrationd.yaml: Is a directory"


def test_signals_reach_those_who_always_and_those_who_now_listen():
    """A listener hears from the block's beginning to its end, telemetry hears all."""
    first, second, heard = Ear(), Ear(), []
    broadcast = Broadcast(first, second)

    broadcast.emit(STOPPING)
    with broadcast.listening(heard.append), broadcast.listening(heard.append):
        broadcast.emit(SKIPPED)
    broadcast.emit(STOPPING)

    assert first.heard == second.heard == [STOPPING, SKIPPED, STOPPING]
    assert heard == [SKIPPED, SKIPPED]


def test_listener_may_leave_while_it_is_told():
    """Who stops listening because of a signal takes it from nobody else."""
    broadcast, heard = Broadcast(), []
    leaving = broadcast.listening(lambda _: leaving.__exit__(None, None, None))

    with broadcast.listening(heard.append):
        leaving.__enter__()
        with broadcast.listening(heard.append):
            broadcast.emit(SKIPPED)
            broadcast.emit(SKIPPED)

    assert heard == [SKIPPED] * 4


def test_listener_that_fails_is_forgotten_with_its_block():
    """The block ends the listening whatever happened in it."""
    broadcast, heard = Broadcast(), []
    with pytest.raises(ZeroDivisionError), broadcast.listening(heard.append):
        _ = 1 / 0
    broadcast.emit(STOPPING)

    assert heard == []
