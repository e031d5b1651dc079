"""The import contracts: they hold, and they catch what they are for."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.meta.repository import PACKAGE, ROOT

PLANTED = [
    ("spec", "from integrationd.engine import world", "Layers point inward"),
    ("web", "from integrationd.testing import values", "Layers point inward"),
    ("engine", "from integrationd.store import sqlstore", "Layers point inward"),
    ("wire/auth", "from integrationd.wire.auth import basic", "Kinds of one component"),
    ("wire/paginate", "from integrationd.wire.paginate import link", "Kinds of one component"),
    ("wire", "import time", "Inner layers do no I/O"),
    ("transform", "from pathlib import Path", "Inner layers do no I/O"),
    ("engine", "import aiohttp", "aiohttp is at home"),
    ("daemon", "from sqlalchemy import select", "SQLAlchemy is at home"),
    ("spec", "import yaml", "PyYAML and jsonschema are at home"),
    ("wire", "import jinja2", "Jinja2 and JMESPath are at home"),
    ("engine", "import structlog", "structlog and prometheus-client are at home"),
    ("web", "import watchfiles", "watchfiles is at home"),
    ("daemon", "import apscheduler", "APScheduler is at home"),
    ("store", "from cryptography import x509", "cryptography is at home"),
    ("wire", "from cryptography import x509", "cryptography is at home"),
    ("engine", "import cronsim", "cronsim is at home"),
    ("bundles", "import click", "click is at home"),
]


def lint(directory: Path) -> subprocess.CompletedProcess[str]:
    """Run the linter on the package that lies in a directory."""
    shutil.copy(ROOT / "pyproject.toml", directory)
    script = "from importlinter.cli import lint_imports_command as lint; lint()"
    return subprocess.run(
        [sys.executable, "-c", script, "--no-cache", "--no-logo"],
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return what is told, by contract, where each import above stands in its own module."""
    copy = tmp_path_factory.mktemp("planted")
    shutil.copytree(PACKAGE, copy / "integrationd", ignore=shutil.ignore_patterns("__pycache__"))
    for number, (room, line, _) in enumerate(PLANTED):
        (copy / "integrationd" / room / f"planted{number}.py").write_text(f"{line}\n")
    broken = lint(copy).stdout.partition("Broken contracts")[2]
    _, *parts = re.split(r"\n(.+)\n-{4,}\n", broken)
    return dict(zip(parts[::2], parts[1::2], strict=True))


def test_contracts_are_kept(tmp_path):
    """The package keeps every import contract."""
    shutil.copytree(PACKAGE, tmp_path / "integrationd")

    done = lint(tmp_path)

    assert done.returncode == 0, done.stdout + done.stderr
    assert " 0 broken." in done.stdout


@pytest.mark.parametrize(
    ("number", "contract"),
    [
        pytest.param(number, contract, id=f"{room}: {line}")
        for number, (room, line, contract) in enumerate(PLANTED)
    ],
)
def test_planted_import_is_caught(told, number, contract):
    """An import that a contract forbids is told under that contract."""
    (section,) = [text for name, text in told.items() if name.startswith(contract)]

    assert re.search(rf"planted{number}\b", section)


def test_room_without_a_layer_is_caught(tmp_path):
    """A new module at the top must be given a layer."""
    shutil.copytree(PACKAGE, tmp_path / "integrationd")
    (tmp_path / "integrationd" / "shed.py").write_text("")

    done = lint(tmp_path)

    assert done.returncode == 1
    assert "integrationd.shed" in done.stdout
