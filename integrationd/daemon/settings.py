"""The settings' file, read once at start."""

from __future__ import annotations

from integrationd.daemon.paths import Paths
from integrationd.errors import SettingsError
from integrationd.spec.read_settings import read_settings
from integrationd.spec.settings import Settings


def load_settings(paths: Paths) -> Settings:
    """Read the settings; a missing file means the defaults.

    Raises:
        SettingsError: Every problem of the file, one to a line.
    """
    try:
        data = paths.settings.read_bytes()
    except FileNotFoundError:
        return Settings()
    except OSError as wrong:
        raise SettingsError(f"{paths.settings}: {wrong.strerror}") from wrong
    settings, problems = read_settings(data, file=str(paths.settings))
    errors = [str(problem) for problem in problems if problem.is_error]
    if errors:
        raise SettingsError("\n".join(errors))
    return settings
