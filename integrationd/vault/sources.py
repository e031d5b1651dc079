"""Secrets from the environment, from files and from systemd's credentials."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from integrationd.errors import SecretError
from integrationd.model.json import Json
from integrationd.model.secret import Secret

_BYTES_MAX: Final = 65_536
"""Of one secret; keys and certificates are far below."""
_ENV_PREFIX: Final = "INTEGRATIOND_SECRET_"


class _UnusableError(Exception):
    """A place holds something that is no secret, or may not be looked at; says what."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LookupSecrets:
    """Finds an integration's secrets, each in the place that its reference names.

    Without a reference the credential ``INTEGRATION.NAME`` is looked at, then the environment
    variable ``INTEGRATIOND_SECRET_INTEGRATION__NAME``. An empty secret is a missing one. Nothing is
    kept: a secret that was changed is seen at the next look-up.
    """

    env_prefix: tuple[str, ...]
    """Variables that a reference may name begin with one of these."""
    dirs: tuple[str, ...]
    """Directories that a reference may read from, links resolved."""
    credentials_dir: str | None
    """``$CREDENTIALS_DIRECTORY``, None where systemd gave none."""
    environ: Mapping[str, str] = field(repr=False)
    """The process's environment."""

    async def resolve(
        self, tenant: str, integration: str, references: Mapping[str, Json]
    ) -> Mapping[str, Json]:
        """Find all secrets; see :class:`integrationd.ports.outside.SecretSource`."""
        del tenant  # nothing that is looked at here is kept by tenant
        if self._reads_files(references.values()):
            return await asyncio.to_thread(self._resolve, integration, references)
        return self._resolve(integration, references)

    def _reads_files(self, references: Iterable[Json]) -> bool:
        """Tell whether a disk may hold us up, which must not hold the event loop."""
        by_name = self.credentials_dir is not None
        return any(
            by_name
            if reference is None
            else not (isinstance(reference, dict) and "env" in reference)
            for reference in references
        )

    def _resolve(self, integration: str, references: Mapping[str, Json]) -> Mapping[str, Json]:
        found: dict[str, Json] = {}
        faults = []
        for name, reference in references.items():
            try:
                text, looked = self._look_up(integration, name, reference)
            except _UnusableError as unusable:
                faults.append(f"integration {integration} cannot use secret {name!r}: {unusable}")
                continue
            if text:
                found[name] = Secret(text)
            else:
                places = ", then in ".join(looked)
                faults.append(
                    f"integration {integration} needs secret {name!r}; looked in {places}"
                )
        if faults:
            raise SecretError("\n".join(faults))
        return found

    def _look_up(
        self, integration: str, name: str, reference: Json
    ) -> tuple[str | None, tuple[str, ...]]:
        """Return a secret or None, and where it was looked for, in order."""
        match reference:
            case None:
                return self._find_by_name(integration, name)
            case dict() if any("\0" in str(value) for value in reference.values()):
                raise _UnusableError("its reference holds a NUL character")
            case {"env": str(variable), **others} if not others:
                return self._read_env(variable), (f"env {variable}",)
            case {"file": str(path), **others} if not others:
                return self._read_allowed(path), (f"file {path}",)
            case {"credential": str(credential), **others} if not others:
                hint = "" if self.credentials_dir else " ($CREDENTIALS_DIRECTORY is not set)"
                return self._read_credential(credential), (f"the credential {credential}{hint}",)
            case _:
                raise _UnusableError(
                    "its reference names no place; write {env: NAME}, {file: PATH} or "
                    "{credential: NAME}"
                )

    def _find_by_name(self, integration: str, name: str) -> tuple[str | None, tuple[str, ...]]:
        credential = f"{integration}.{name}"
        variable = f"{_ENV_PREFIX}{integration}__{name}".upper().replace("-", "_")
        text = self._read_credential(credential) or self.environ.get(variable)
        return text, (f"the credential {credential}", f"env {variable}")

    def _read_env(self, variable: str) -> str | None:
        if not variable.startswith(self.env_prefix):
            allowed = " or ".join(self.env_prefix) or "nothing"
            raise _UnusableError(
                f"env {variable} is out of reach, its name must begin with {allowed}; "
                "open it in the settings: secrets.env_prefix"
            )
        return self.environ.get(variable)

    def _read_credential(self, credential: str) -> str | None:
        if not credential or "/" in credential or credential in {".", ".."}:
            raise _UnusableError(f"credential {credential!r} is not a file name")
        if self.credentials_dir is None:
            return None
        return _read_file(Path(self.credentials_dir) / credential)

    def _read_allowed(self, path: str) -> str | None:
        """Read a file under one of the directories; a relative path is looked for in each."""
        roots = [os.path.realpath(directory) for directory in self.dirs]
        # Joining an absolute path gives that path.
        targets = (os.path.realpath(Path(root) / path) for root in roots)
        open_targets = [
            target for target in targets if any(_is_under(target, root) for root in roots)
        ]
        if not open_targets:
            allowed = " or ".join(self.dirs) or "no directory"
            raise _UnusableError(
                f"file {path} is out of reach, it must lie in {allowed}; "
                "open its directory in the settings: secrets.dirs"
            )
        return next(filter(None, (_read_file(Path(target)) for target in open_targets)), None)


def _is_under(path: str, root: str) -> bool:
    return os.path.commonpath((path, root)) == root and path != root


def _read_file(path: Path) -> str | None:
    """Read a secret's file; None where there is none.

    The links on the way were resolved before they were checked; one that appears in between is not
    followed, and a pipe does not hold us up.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise _UnusableError(f"{path} is not a regular file")
            # A regular file gives all that is asked for at once.
            data = os.read(descriptor, _BYTES_MAX + 1)
        finally:
            os.close(descriptor)
    except FileNotFoundError:
        return None
    except OSError as error:
        reason = (error.strerror or "no reason given").lower()
        raise _UnusableError(f"{path} cannot be read: {reason}") from None
    if len(data) > _BYTES_MAX:
        raise _UnusableError(f"{path} is larger than 64 kB")
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise _UnusableError(f"{path} is not UTF-8 text") from None
    return text[:-2] if text.endswith("\r\n") else text.removesuffix("\n")
