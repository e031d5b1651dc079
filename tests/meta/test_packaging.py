"""What is depended on is used, declared and locked; the unit is as closed as it says."""

from __future__ import annotations

import ast
import re
import subprocess
import sys

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.meta.repository import PACKAGE, ROOT, parse, project, python_files

IMPORTED_AS = {"pyyaml": "yaml"}
ONLY_DATA = {"tzdata"}
"""Read by the standard library, where the system has no time zones."""
DECLARED_AHEAD: set[str] = set()
"""Declared and locked for what is being built; whoever imports one first takes it out of here."""
LOCKED = re.compile(r"^([a-z0-9-]+)==(\S+)", re.MULTILINE)
EXPOSURE_MAX = 15
"""In tenths, as systemd-analyze counts thresholds."""


def lock(name: str) -> dict[str, str]:
    """Return the versions that a lock names."""
    return dict(LOCKED.findall((ROOT / "requirements" / name).read_text(encoding="utf-8")))


def declared() -> list[Requirement]:
    """Return what the package declares that it needs."""
    return [Requirement(text) for text in project()["project"]["dependencies"]]


def optional() -> list[Requirement]:
    """Return what the package's extras need."""
    extras = project()["project"]["optional-dependencies"].values()
    return [Requirement(text) for extra in extras for text in extra]


def imported() -> set[str]:
    """Return the names of all packages of others that the package imports."""
    nodes = [node for path in python_files(PACKAGE) for node in ast.walk(parse(path))]
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    given = {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    roots = {name.partition(".")[0] for name in plain | given}
    return roots - set(sys.stdlib_module_names) - {"integrationd"}


def test_what_is_declared_is_what_is_imported():
    """No dependency is left over, and none is used that only another one brings."""
    names = {canonicalize_name(item.name) for item in [*declared(), *optional()]}
    used = names - ONLY_DATA - DECLARED_AHEAD

    assert {IMPORTED_AS.get(name, name.replace("-", "_")) for name in used} == imported()


def test_lock_fits_the_declaration():
    """Each declared dependency is locked at a version that the declaration allows."""
    locked = lock("run.txt")

    wrong = {
        str(requirement): locked.get(canonicalize_name(requirement.name))
        for requirement in declared()
        if not requirement.specifier.contains(locked.get(canonicalize_name(requirement.name), "0"))
    }
    assert wrong == {}


def test_tests_run_on_what_is_shipped():
    """The development lock holds every package of the run lock, at the same version."""
    assert lock("run.txt").items() <= lock("dev.txt").items()


@pytest.mark.parametrize("name", ["run.txt", "dev.txt", "moto.txt", "airbyte.txt"])
def test_every_locked_package_has_hashes_and_no_host(name):
    """A lock names hashes for each package and never where to fetch it."""
    text = (ROOT / "requirements" / name).read_text(encoding="utf-8")
    blocks = re.split(r"^(?=[a-z0-9-]+==)", text, flags=re.MULTILINE)[1:]

    assert [block for block in blocks if "--hash=sha256:" not in block] == []
    assert re.findall(r"https?://\S+|--(?:extra-)?index\S*|--find-links\S*", text) == []


@pytest.mark.needs("systemd-analyze")
def test_unit_is_closed():
    """The unit's exposure is at most 1.5, by systemd's own count."""
    unit = ROOT / "systemd" / "integrationd.service"
    command = ["systemd-analyze", "security", "--offline=yes", f"--threshold={EXPOSURE_MAX}"]
    done = subprocess.run([*command, str(unit)], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout[-300:] + done.stderr
