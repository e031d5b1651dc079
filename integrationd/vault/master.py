"""The master key: where it is looked for, and what it has to look like."""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from integrationd.errors import SettingsError
from integrationd.model.secret import Secret
from integrationd.vault.reading import UnusableError, read_file

CREDENTIAL: Final = "integrationd.master-key"
VARIABLE: Final = "INTEGRATIOND_MASTER_KEY"
KEY_BYTES: Final = 32
_KINDS_MIN: Final = 8
"""Different bytes in 32 random ones: fewer never happen by chance, but in made-up keys they do."""

MAKE_ONE: Final = "(umask 077; head -c 32 /dev/urandom | base64 > /etc/integrationd/master-key)"
"""The one command that makes a key."""
PUT_BACK: Final = (
    f"put back the one that stored secrets are sealed with; where there are none yet: {MAKE_ONE}"
)
"""What to do where there is none: a new one opens nothing that an old one has sealed."""


@dataclass(frozen=True, slots=True)
class MasterKey:
    """The key that wraps all others; it is never stored."""

    key: bytes = field(repr=False)
    where: str
    """Where it was found, for messages."""

    @property
    def id(self) -> str:
        """Return its check value: tells two keys apart and nothing else of them."""
        return hashlib.blake2b(key=self.key, digest_size=8, person=b"integrationd.id").hexdigest()


def find_master_key(
    *, file: str | None, credentials_dir: str | None, environ: Mapping[str, str]
) -> MasterKey | None:
    """Return the key of the first place that has one; None where none has.

    Args:
        file: What the settings name; it has to be there.
        credentials_dir: ``$CREDENTIALS_DIRECTORY``, None where systemd gave none.
        environ: The process's environment.

    Raises:
        SettingsError: There is something that is no key, or that others can read; never shown.
    """
    if credentials_dir is not None:
        where = f"the credential {CREDENTIAL}"
        text = _read(Path(credentials_dir) / CREDENTIAL, where, private=False)
        if text is not None:
            return parse_master_key(text, where)
    if file is not None:
        where = f"the file {file}"
        # The path is the administrator's own: a link there is followed, unlike one in a spec.
        text = _read(Path(os.path.realpath(file)), where, private=True)
        if text is None:
            message = f"{where} of secrets.master_key does not exist; {PUT_BACK}"
            raise SettingsError(message)
        return parse_master_key(text, where)
    text = environ.get(VARIABLE)
    return parse_master_key(text, f"env {VARIABLE}") if text else None


def parse_master_key(text: str, where: str, *, remedy: str = PUT_BACK) -> MasterKey:
    """Read 32 bytes written as base64 or as hexadecimal digits.

    Args:
        text: What was found.
        where: Named in messages.
        remedy: What to do where it is no key.

    Raises:
        SettingsError: It is nothing of the kind; the text is not shown.
    """
    key = _decode("".join(text.split()))
    if key is None or len(key) != KEY_BYTES:
        message = (
            f"the master key in {where} is not 32 bytes, written as base64 or as hexadecimal "
            f"digits; {remedy}"
        )
        raise SettingsError(message)
    if len(set(key)) < _KINDS_MIN:
        raise SettingsError(f"the master key in {where} is not random; make one: {MAKE_ONE}")
    return MasterKey(key, where)


def read_key_file(file: Path) -> Secret:
    """Read a new master key; raises SettingsError where it is none or others can read it."""
    where = f"the file {file}"
    text = _read(Path(os.path.realpath(file)), where, private=True)
    if text is None:
        raise SettingsError(f"{where} does not exist; make a key: {MAKE_ONE}")
    parse_master_key(text, where, remedy=f"make one: {MAKE_ONE}")
    return Secret(text)


def _decode(text: str) -> bytes | None:
    if len(text) == 2 * KEY_BYTES:
        try:
            return bytes.fromhex(text)
        except ValueError:
            return None
    try:
        padded = text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4)
        return base64.b64decode(padded.translate(_URL_SAFE), validate=True)
    except (binascii.Error, ValueError):
        return None


_URL_SAFE: Final = str.maketrans("-_", "+/")


def _read(path: Path, where: str, *, private: bool) -> str | None:
    try:
        return read_file(path, private=private)
    except UnusableError as unusable:
        raise SettingsError(f"the master key in {where}: {unusable}") from None
