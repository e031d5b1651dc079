"""Shipped specs, mappings and templates: explained, and found from a checkout and from a wheel."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from integrationd.bundles.shipped import shipped_dirs
from integrationd.errors import SettingsError
from integrationd.store.tables import SCHEMA_VERSION
from tests.meta.repository import ROOT, TESTS, files

FOUND = """
import json
from integrationd.bundles.shipped import shipped_dirs
print(json.dumps({name: str(path) for name, path in shipped_dirs().items()}))
"""


def names(top: Path) -> set[str]:
    """Return the files below a directory."""
    return {path.relative_to(top).as_posix() for path in files(top)}


def test_checkout_uses_its_own_directories():
    """In a checkout the shipped files are those at its top."""
    assert shipped_dirs() == {
        "specs": ROOT / "specs",
        "mappings": ROOT / "mappings",
        "templates": ROOT / "templates",
    }


def test_missing_directories_are_told(tmp_path):
    """An installation without them is refused in words, not found empty."""
    package = tmp_path / "integrationd"

    with pytest.raises(SettingsError) as caught:
        shipped_dirs(package)

    assert str(caught.value) == (
        f"{package}: the shipped specs, mappings, templates are missing; install the package again"
    )


def test_installed_directories_come_first(tmp_path):
    """Directories of the same names beside an installed package belong to somebody else."""
    package = tmp_path / "integrationd"
    for top in (package / "shipped", tmp_path):
        for name in ("specs", "mappings", "templates"):
            (top / name).mkdir(parents=True)

    assert shipped_dirs(package)["specs"] == package / "shipped" / "specs"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Build the wheel and install it into a directory."""
    place = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(place)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = place.glob("*.whl")
    site = place / "site"
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps"]
    subprocess.run([*install, "--target", str(site), str(wheel)], check=True, capture_output=True)
    return site


def installed(site: Path, *words: str) -> str:
    """Run Python with the installed wheel, from its own directory; returns what it prints."""
    return subprocess.run(
        [sys.executable, *words],
        cwd=site.parent,
        env={**os.environ, "PYTHONPATH": str(site)},
        check=True,
        capture_output=True,
        text=True,
    ).stdout


@pytest.mark.acceptance
def test_wheel_brings_all_of_them(site):
    """An installed wheel finds the same files, from anywhere."""
    found = {name: Path(path) for name, path in json.loads(installed(site, "-c", FOUND)).items()}

    assert found == {name: site / "integrationd" / "shipped" / name for name in shipped_dirs()}
    assert {name: names(path) for name, path in found.items()} == {
        name: names(path) for name, path in shipped_dirs().items()
    }


@pytest.mark.acceptance
def test_wheel_brings_the_migrations(site, tmp_path):
    """An installed wheel upgrades a database of the first schema."""
    with closing(sqlite3.connect(tmp_path / "integrationd.db")) as conn:
        conn.executescript((TESTS / "contract" / "store" / "schema1.sql").read_text("utf-8"))

    told = installed(
        site, "-m", "integrationd", "--state", str(tmp_path), "db", "upgrade", "--json"
    )

    assert json.loads(told)["after"] == SCHEMA_VERSION


def test_every_spec_explains_itself():
    """A shipped spec and a shipped mapping begin with a comment that says what they are for."""
    silent = [
        path.name
        for name in ("specs", "mappings")
        for path in files(ROOT / name)
        if not path.read_text(encoding="utf-8").startswith("# ")
    ]

    assert silent == []
