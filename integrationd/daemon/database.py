"""Which database the settings name, and what this process is called in it."""

from __future__ import annotations

import os
import platform

from integrationd.daemon.inputs import Learn, ignore
from integrationd.daemon.paths import Paths
from integrationd.errors import StoreError
from integrationd.model.secret import Secret
from integrationd.ports.outside import Randomness
from integrationd.spec.references import SecretReference
from integrationd.spec.settings import Settings
from integrationd.store.database import Database
from integrationd.store.opening import find_database
from integrationd.vault.plain import read_secret

_LOCAL = "local"
_ID_BYTES = 5


def database_of(paths: Paths, settings: Settings, learn: Learn = ignore) -> Database:
    """Return the database, not yet opened.

    Raises:
        SettingsError: Its library is not installed, or its password cannot be found.
    """
    wanted = settings.database
    if not wanted.url:
        return find_database(paths.database)
    password = None if wanted.password is None else _find_password(wanted.password)
    if password is not None:
        learn("database.password", password)
    return find_database(wanted.url, password)


def node_of(paths: Paths, settings: Settings, randomness: Randomness) -> str:
    """Return what claims are held by in this state directory, whose lock the caller holds.

    On a server that several daemons use it is the host's name, or the settings', and chance that is
    kept in the state directory: two daemons on one machine are two, and so are two machines that
    were given one name.

    Raises:
        StoreError: The state directory cannot be written.
    """
    if not settings.database.url:
        return _LOCAL  # nobody else is there
    name = settings.node or platform.node().replace(":", "-")
    try:
        try:
            kept = paths.node.read_text(encoding="ascii").strip()
        except FileNotFoundError:
            kept = ""
        if not kept:
            kept = randomness.token(_ID_BYTES).hex()
            paths.node.write_text(f"{kept}\n", encoding="ascii")
    except (OSError, UnicodeError) as wrong:
        raise StoreError(f"{paths.node}: {wrong}; remove the file, or put it right") from wrong
    return f"{name}.{kept}"


def _find_password(reference: SecretReference) -> Secret:
    return read_secret(
        reference.place,
        reference.name,
        told="database.password",
        credentials_dir=os.environ.get("CREDENTIALS_DIRECTORY"),
        environ=os.environ,
    )
