"""Where airbyte-cdk is: an environment of its own, made on demand."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
LOCK = ROOT / "requirements" / "airbyte.txt"


def find_python() -> Path:
    """Return a Python that has airbyte-cdk, after installing it where there is none."""
    named = os.environ.get("INTEGRATIOND_TEST_AIRBYTE_CDK", "")
    if named:
        return Path(named)
    made = ROOT / ".venv-airbyte"
    stamp, python = made / "made", made / "bin" / "python"
    lock = LOCK.read_text()
    if not stamp.exists() or stamp.read_text() != lock:
        subprocess.run([sys.executable, "-m", "venv", "--clear", made], check=True)
        subprocess.run(
            [
                *(python, "-m", "pip", "--quiet", "--disable-pip-version-check", "install"),
                *("--require-hashes", "--only-binary", ":all:", "-r", LOCK),
            ],
            check=True,
        )
        stamp.write_text(lock)
    return python
