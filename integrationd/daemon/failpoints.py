"""Failpoints armed by the environment, for tests that kill the process at a known place."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from typing import Final

from integrationd.engine.failpoints import POINTS, UNARMED, Armed, Unarmed
from integrationd.errors import SettingsError

FLAG: Final = "INTEGRATIOND_FAILPOINT"
"""``page.committed:3`` kills the process after the third page; never set in production."""


def read_failpoints(environ: Mapping[str, str]) -> Unarmed:
    """Return what the flag arms, and nothing without it.

    Raises:
        SettingsError: It names no point.
    """
    said = environ.get(FLAG)
    if not said:
        return UNARMED
    point, _, nth = said.partition(":")
    if point not in POINTS or (nth and not nth.isdecimal()):
        listed = ", ".join(POINTS)
        raise SettingsError(f"{FLAG} is {said!r}, expected POINT:N with one of {listed}")
    return Armed(point, int(nth or 1), _die)


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
