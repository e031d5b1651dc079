"""Ctrl-C of a command: it ends at once, says nothing odd, and what it read is gone on with."""

import signal
import time

import pytest

from tests.support.syncing import page_server, write_config

pytestmark = pytest.mark.acceptance


@pytest.fixture
def slow_source(installation):
    """Provide a configuration of ten pages that take four seconds."""
    with page_server(5000, latency_ms=400) as port:
        write_config(installation.root, port)
        yield installation


def interrupt(process):
    """Press Ctrl-C after the first page; return the exit code, the rest said, and the wait."""
    assert any('"event":"page"' in line for line in process.stdout)
    began_s = time.monotonic()
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=20)
    return process.returncode, output, time.monotonic() - began_s


def test_interrupted_sync_without_a_daemon_is_settled_and_gone_on_with(slow_source):
    """The run is noted as stopped, no traceback is shown, and the next run resumes."""
    code, output, waited_s = interrupt(slow_source.start("sync", "bench", "--json"))
    (run,) = slow_source.lines("runs", "list")
    resumed = slow_source.lines("sync", "bench")[0]

    assert code == 130
    assert "Traceback" not in output
    assert waited_s < 5
    assert run["status"] == "stopped"
    assert resumed["resumed"] is True


def test_interrupted_sync_of_a_daemon_leaves_the_run_alone(slow_source):
    """The command ends at the first Ctrl-C; the daemon reads on to the end."""
    daemon = slow_source.start("run")
    assert any("daemon.started" in line for line in daemon.stdout)
    code, output, waited_s = interrupt(slow_source.start("sync", "bench", "--json"))
    for _ in range(50):
        runs = slow_source.lines("runs", "list")
        if runs and runs[0]["status"] != "running":
            break
        time.sleep(0.2)

    assert code == 130
    assert "Traceback" not in output
    assert waited_s < 5
    assert [run["status"] for run in runs] == ["done"]
