"""What ``check`` costs: it runs at each save of a file, so it starts what it needs and no more."""

import os
import subprocess
import sys

import pytest

from tests.meta.repository import ROOT
from tests.support.syncing import integrationd, measure

pytestmark = pytest.mark.acceptance
FLOOR = "import click, jinja2, jmespath, msgspec, yaml"
LIMIT = 6
"""How many times the CPU of loading its libraries; 3.6 on the machine that this was written on."""
UNWANTED = ("aiohttp", "sqlalchemy", "asyncio", "jsonschema", "jsonschema_rs", "watchfiles")
"""Whatever does I/O, or costs more to load than all that a check does."""


@pytest.fixture
def warm(tmp_path, monkeypatch):
    """Give the command a place for its byte code, whatever the environment says, and fill it."""
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    monkeypatch.setenv("PYTHONPYCACHEPREFIX", str(tmp_path))
    monkeypatch.chdir(ROOT)
    assert measure(integrationd("check", "specs")).exit_code == 0


@pytest.mark.usefixtures("warm")
def test_check_of_the_shipped_specs_costs_little_more_than_its_libraries():
    """The whole process counts, from the interpreter's start to its end; taken in turn."""
    floors, runs = [], []
    for _ in range(5):
        floors.append(measure([sys.executable, "-c", FLOOR]))
        runs.append(measure(integrationd("check", "specs")))

    assert [run.exit_code for run in (*floors, *runs)] == [0] * 10
    assert min(run.cpu_s for run in runs) < LIMIT * min(run.cpu_s for run in floors)


@pytest.mark.usefixtures("warm")
def test_check_loads_neither_the_network_nor_the_database():
    """Nothing that only the daemon needs is imported."""
    command = [sys.executable, "-X", "importtime", "-m", "integrationd", "check", "specs"]

    done = subprocess.run(
        command, capture_output=True, text=True, env=os.environ, timeout=60, check=True
    )

    lines = [line for line in done.stderr.splitlines() if line.startswith("import time:")]
    loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in lines}
    assert "integrationd" in loaded
    assert loaded.intersection(UNWANTED) == set()
