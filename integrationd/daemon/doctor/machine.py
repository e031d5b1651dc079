"""The machine around the daemon: its time, systemd, and what the kernel allows."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from integrationd.daemon.doctor.finding import Finding

UNIT: Final = "integrationd.service"
WATCHES_MIN: Final = 256
INSTANCES_MIN: Final = 8
BEHIND_MAX: Final = timedelta(minutes=1)
_FIRST_DAY: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""No clock that is right says less."""
_ASK_S: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """Where to look; tests look elsewhere."""

    proc: Path = Path("/proc")
    run: Path = Path("/run")
    unit_dirs: tuple[Path, ...] = (
        Path("/etc/systemd/system"),
        Path("/run/systemd/system"),
        Path("/usr/local/lib/systemd/system"),
        Path("/usr/lib/systemd/system"),
        Path("/lib/systemd/system"),
    )
    timedatectl: str = "timedatectl"


def examine_clock(machine: Machine, now: datetime, latest: datetime | None) -> Iterator[Finding]:
    """Compare the time with what it must at least be.

    Args:
        machine: Where to look.
        now: What the clock says.
        latest: When the newest run began, by the clock of then.
    """
    advice = "set it, for example with: timedatectl set-ntp true"
    if now < _FIRST_DAY:
        yield Finding.bad("clock", f"it says {now:%Y-%m-%d %H:%M} UTC", advice)
    elif latest is not None and latest - now > BEHIND_MAX:
        told = f"it says {now:%Y-%m-%d %H:%M} UTC, but a run began at {latest:%Y-%m-%d %H:%M}"
        yield Finding.bad("clock", told, advice)
    elif _is_synchronized(machine) is False:
        told = "it is not kept right by anybody; signatures of webhooks are bound to the time"
        yield Finding.warn("clock", told, advice)
    else:
        yield Finding.ok("clock", f"{now:%Y-%m-%d %H:%M:%S} UTC")


def _is_synchronized(machine: Machine) -> bool | None:
    """Ask systemd whether the kernel's clock is kept right; None where nobody knows."""
    program = shutil.which(machine.timedatectl)
    if program is None:
        return None
    try:
        done = subprocess.run(  # noqa: S603 - a fixed question
            [program, "show", "--property=NTPSynchronized", "--value"],
            capture_output=True,
            text=True,
            timeout=_ASK_S,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return {"yes": True, "no": False}.get(done.stdout.strip())


def examine_systemd(machine: Machine) -> Iterator[Finding]:
    """Look whether the daemon is a unit, where there is systemd."""
    if not (machine.run / "systemd" / "system").is_dir():
        yield Finding.ok("systemd", "it does not run here; something else has to start the daemon")
        return
    found = next((path / UNIT for path in machine.unit_dirs if (path / UNIT).exists()), None)
    if found is None:
        advice = "copy systemd/integrationd.service to /etc/systemd/system, then run: "
        advice += "systemctl enable --now integrationd"
        yield Finding.warn("systemd", f"there is no {UNIT}; a restart ends the daemon", advice)
    else:
        yield Finding.ok("systemd", str(found))


def examine_inotify(machine: Machine) -> Iterator[Finding]:
    """Look at what the kernel gives one user to watch files with."""
    place = machine.proc / "sys" / "fs" / "inotify"
    few = []
    for name, least in (("max_user_watches", WATCHES_MIN), ("max_user_instances", INSTANCES_MIN)):
        try:
            count = int((place / name).read_text(encoding="ascii"))
        except (OSError, ValueError):
            advice = "a changed file is noticed within three seconds instead of one"
            yield Finding.warn("inotify", "the kernel has none", advice)
            return
        if count < least:
            few.append(f"fs.inotify.{name} is {count}, expected at least {least}")
    if few:
        yield Finding.warn("inotify", "; ".join(few), "raise it with: sysctl -w NAME=NUMBER")
    else:
        yield Finding.ok("inotify", "enough to watch all directories")
