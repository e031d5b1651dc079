"""A machine of its own for one scenario: this one's files under an overlay, booted by nspawn."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import subprocess
import sysconfig
import tempfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
SYSTEM_PYTHON = Path("/usr/bin/python3")
PLACE = Path("opt/integrationd/venv")
BOOT_S = 240

TARGET = """\
[Unit]
Requires=basic.target
After=basic.target
Wants=scenario.service
AllowIsolate=yes
"""
SERVICE = """\
[Unit]
After=basic.target
[Service]
Type=oneshot
TimeoutStartSec=200
ExecStart=/usr/bin/python3 /scenario/scenario.py
StandardOutput=file:/out/scenario.log
StandardError=inherit
ExecStopPost=/bin/systemctl poweroff --force
"""


class CannotBootError(Exception):
    """No second machine can be booted on this one; says why."""


def play() -> dict[str, Any]:
    """Boot, play the scenario and return its report.

    The upper layer lies in memory: the file system of a small machine often refuses to carry one.
    """
    with tempfile.TemporaryDirectory(dir="/dev/shm") as place:
        top = Path(place)
        for name in ("upper", "work", "root", "out"):
            (top / name).mkdir()
        with _mounted(top):
            root = top / "root"
            _install(root)
            _write_units(root)
            booted = _boot(top)
        report = top / "out" / "report.json"
        if not report.exists():
            log = top / "out" / "scenario.log"
            told = log.read_text() if log.exists() else booted.stdout[-3000:]
            message = f"the machine gave no report (exit {booted.returncode}):\n{told}"
            raise AssertionError(message)
        told = json.loads(report.read_text())
        assert isinstance(told, dict)
        return told


@contextlib.contextmanager
def _mounted(top: Path) -> Iterator[None]:
    layers = f"lowerdir=/,upperdir={top}/upper,workdir={top}/work"
    mount = ["mount", "-t", "overlay", "overlay", "-o", layers, str(top / "root")]
    mounted = subprocess.run(mount, check=False, capture_output=True, text=True)
    if mounted.returncode != 0:
        message = f"no overlay can be mounted here: {mounted.stderr.strip()}"
        raise CannotBootError(message)
    try:
        yield
    finally:
        subprocess.run(["umount", str(top / "root")], check=True)


def _boot(top: Path) -> subprocess.CompletedProcess[str]:
    command = [
        *("systemd-nspawn", "--register=no", "--keep-unit", "--private-network", "--quiet"),
        *(f"--bind={top}/out:/out", f"--bind-ro={Path(__file__).parent}:/scenario"),
        *("-D", str(top / "root"), "-b", "systemd.unit=scenario.target"),
    ]
    return subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=BOOT_S,
        check=False,
    )


def _write_units(root: Path) -> None:
    units = root / "etc/systemd/system"
    shutil.rmtree(units)  # nothing of this machine's own is started
    units.mkdir()
    (units / "scenario.target").write_text(TARGET)
    (units / "scenario.service").write_text(SERVICE)
    shutil.copy(ROOT / "systemd" / "integrationd.service", units)


def _install(root: Path) -> None:
    """Put the program where the unit expects it: the system's Python, the locked packages, ours."""
    venv = root / PLACE
    site = venv / "lib" / f"python{sysconfig.get_python_version()}" / "site-packages"
    site.mkdir(parents=True)
    (venv / "bin").mkdir()
    (venv / "bin" / "python").symlink_to(SYSTEM_PYTHON)
    (venv / "pyvenv.cfg").write_text("home = /usr/bin\ninclude-system-site-packages = false\n")
    for name in re.findall(r"^([A-Za-z0-9._-]+)==", _lock(), re.MULTILINE):
        _copy_distribution(name, site)
    package = site / "integrationd"
    skip = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "integrationd", package, ignore=skip)
    for folder in ("specs", "mappings", "templates"):
        shutil.copytree(ROOT / folder, package / "shipped" / folder)
    script = venv / "bin" / "integrationd"
    shebang = f"#!/{PLACE}/bin/python\n"
    script.write_text(f"{shebang}from integrationd.__main__ import main\nmain()\n")
    script.chmod(0o755)


def _lock() -> str:
    return (ROOT / "requirements" / "run.txt").read_text()


def _copy_distribution(name: str, site: Path) -> None:
    with contextlib.suppress(metadata.PackageNotFoundError):  # of another platform
        for file in metadata.distribution(name).files or []:
            source = Path(str(file.locate()))
            if ".." not in file.parts and source.is_file():
                target = site / file
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, target)
