"""Secrets of the settings: in one place each, and refused where others could read them."""

import pytest

from integrationd.errors import SettingsError
from integrationd.vault.plain import read_secret


def read(place, name, *, credentials=None, environ=None):
    """Read the password of a database."""
    return read_secret(
        place,
        name,
        told="database.password",
        credentials_dir=credentials,
        environ=environ or {},
    ).reveal()


def refusal(*where, **context):
    """Return what is said of a secret that cannot be used."""
    with pytest.raises(SettingsError) as caught:
        read(*where, **context)
    return str(caught.value)


def test_each_place_gives_its_text(tmp_path):
    """A newline at the end of a file is not part of the secret."""
    path = tmp_path / "password"
    path.write_text("hunter2\n")
    path.chmod(0o600)

    assert read("file", str(path)) == "hunter2"
    assert read("credential", "password", credentials=str(tmp_path)) == "hunter2"
    assert read("env", "DB", environ={"DB": "hunter2"}) == "hunter2"


def test_what_is_missing_or_empty_is_told(tmp_path):
    """Where it was looked for is said."""
    empty = tmp_path / "empty"
    empty.touch(0o600)

    assert (
        refusal("file", f"{tmp_path}/none") == f"database.password: nothing in file {tmp_path}/none"
    )
    assert refusal("file", str(empty)) == f"database.password: nothing in file {empty}"
    assert refusal("env", "DB") == "database.password: nothing in env DB"
    assert refusal("credential", "db", credentials=str(tmp_path)) == (
        "database.password: nothing in credential db"
    )


def test_a_credential_without_systemd_is_told():
    """The unit has to hand it on."""
    assert refusal("credential", "db") == (
        "database.password: no credential db, as $CREDENTIALS_DIRECTORY is not set; "
        "put LoadCredential into the unit"
    )


def test_a_file_that_everybody_can_read_is_refused(tmp_path):
    """The cure is said."""
    path = tmp_path / "password"
    path.write_text("hunter2\n")
    path.chmod(0o644)

    assert refusal("file", str(path)) == (
        f"database.password: everybody can read {path}; run: chmod o= {path}"
    )
