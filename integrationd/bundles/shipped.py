"""Where the files that come with the package lie."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from integrationd.errors import SettingsError

NAMES: Final = ("specs", "mappings", "templates")
_PACKAGE: Final = Path(__file__).resolve().parents[1]


def shipped_dirs(package: Path = _PACKAGE) -> dict[str, Path]:
    """Return the shipped directories by name: beside the package in a checkout, inside it else.

    Args:
        package: The directory of the package ``integrationd``.

    Raises:
        SettingsError: They are in neither place, so the installation is not whole.
    """
    # Inside first: beside an installed package lie other people's packages.
    for root in (package / "shipped", package.parent):
        found = {name: root / name for name in NAMES if (root / name).is_dir()}
        if len(found) == len(NAMES):
            return found
    names = ", ".join(NAMES)
    raise SettingsError(f"{package}: the shipped {names} are missing; install the package again")
