"""Secrets of the settings themselves, found before there is a store."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from integrationd.errors import SettingsError
from integrationd.model.secret import Secret
from integrationd.vault.reading import UnusableError, read_file


def read_secret(
    place: str, name: str, *, told: str, credentials_dir: str | None, environ: Mapping[str, str]
) -> Secret:
    """Return what stands in one place, which the administrator has named.

    Args:
        place: env, file or credential.
        name: Of the variable, the file or the credential.
        told: The setting, for messages.
        credentials_dir: ``$CREDENTIALS_DIRECTORY``, None where systemd gave none.
        environ: The process's environment.

    Raises:
        SettingsError: There is nothing, or something that cannot be used.
    """
    text: str | None
    if place == "env":
        text = environ.get(name)
    elif place == "credential" and credentials_dir is None:
        message = f"{told}: no credential {name}, as $CREDENTIALS_DIRECTORY is not set"
        raise SettingsError(f"{message}; put LoadCredential into the unit")
    else:
        # The path is the administrator's own: a link there is followed, unlike one in a spec.
        directory = Path(credentials_dir or "") if place == "credential" else Path()
        try:
            path = Path(os.path.realpath(directory / name))
            text = read_file(path, private=place == "file")
        except UnusableError as unusable:
            raise SettingsError(f"{told}: {unusable}") from None
    if not text:
        raise SettingsError(f"{told}: nothing in {place} {name}")
    return Secret(text)
