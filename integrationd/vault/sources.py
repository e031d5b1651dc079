"""Where secrets are looked for: the encrypted store, credentials, files, the environment."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from integrationd.errors import SecretError
from integrationd.model.json import Json
from integrationd.model.secret import Secret
from integrationd.vault.reading import UnusableError, read_file

_ENV_PREFIX: Final = "INTEGRATIOND_SECRET_"
_STORE: Final = "the encrypted store"


class Kept(Protocol):
    """The encrypted store, as the look-up needs it."""

    async def look(
        self, tenant: str, integration: str, names: Sequence[str]
    ) -> Mapping[str, Secret | str]:
        """Return the values that there are, and what is wrong with those that cannot be opened."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What came of looking for one secret."""

    secret: Secret | None = None
    where: str = ""
    """Where it was found: ``store``, ``credential C``, ``env X``, ``file P``."""
    problem: str = ""
    """The whole message where it was not."""
    is_there: bool = False
    """Whether there is something that cannot be used, rather than nothing."""


@dataclass(frozen=True, slots=True)
class _Place:
    """One place to look at."""

    where: str
    told: str
    """As messages say it."""
    read: Callable[[], str | Secret | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class LookupSecrets:
    """Finds an integration's secrets, each in the place that its reference names.

    Without a reference the encrypted store is looked at, then the credential ``INTEGRATION.NAME``,
    then the environment variable ``INTEGRATIOND_SECRET_INTEGRATION__NAME``. An empty secret is a
    missing one. Nothing is cached: a secret that was changed is seen at the next look-up.
    """

    kept: Kept
    """The encrypted store."""
    env_prefix: tuple[str, ...]
    """Variables that a reference may name begin with one of these."""
    dirs: tuple[str, ...]
    """Directories that a reference may read from, links resolved."""
    credentials_dir: str | None
    """``$CREDENTIALS_DIRECTORY``, None where systemd gave none."""
    environ: Mapping[str, str] = field(repr=False)
    """The process's environment."""
    learn: Callable[[str, Secret], None] = field(repr=False, default=lambda _place, _secret: None)
    """Told each secret that is found and a name for its place, so that logs can mask it."""

    async def resolve(
        self, tenant: str, integration: str, references: Mapping[str, Json]
    ) -> Mapping[str, Json]:
        """Find all secrets; see :class:`integrationd.ports.outside.SecretSource`."""
        findings = await self.locate(tenant, integration, references)
        faults = [found.problem for found in findings.values() if found.problem]
        if faults:
            raise SecretError("\n".join(faults))
        return {name: found.secret for name, found in findings.items()}

    async def locate(
        self, tenant: str, integration: str, references: Mapping[str, Json]
    ) -> Mapping[str, Finding]:
        """Say of each secret where it is, or why it cannot be found.

        Raises:
            SecretError: The encrypted store cannot be used at all.
        """
        stored = (stored_name(name, reference) for name, reference in references.items())
        names = sorted({name for name in stored if name is not None})
        kept = await self.kept.look(tenant, integration, names) if names else {}

        def find_all() -> dict[str, Finding]:
            return {
                name: self._find(integration, name, reference, kept)
                for name, reference in references.items()
            }

        reads_disk = self._reads_files(references.values())
        found = await asyncio.to_thread(find_all) if reads_disk else find_all()
        for name, finding in found.items():
            if finding.secret is not None:
                self.learn(f"{tenant}/{integration}/{name}", finding.secret)
        return found

    def _reads_files(self, references: Iterable[Json]) -> bool:
        """Tell whether a disk may hold us up, which must not hold the event loop."""
        by_name = self.credentials_dir is not None
        return any(
            by_name if reference is None else "file" in reference or "credential" in reference
            for reference in references
            if reference is None or isinstance(reference, dict)
        )

    def _find(
        self,
        integration: str,
        name: str,
        reference: Json,
        kept: Mapping[str, Secret | str],
    ) -> Finding:
        looked = []
        try:
            for place in self._places(integration, name, reference, kept):
                looked.append(place.told)
                if found := place.read():
                    secret = found if isinstance(found, Secret) else Secret(found)
                    return Finding(secret=secret, where=place.where)
        except UnusableError as unusable:
            problem = f"integration {integration} cannot use secret {name!r}: {unusable}"
            return Finding(problem=problem, is_there=True)
        places = ", then in ".join(looked)
        problem = f"integration {integration} needs secret {name!r}; looked in {places}"
        can_be_set = stored_name(name, reference) is not None
        advice = (
            f"; set it with: integrationd secret set {integration} {name}" if can_be_set else ""
        )
        return Finding(problem=f"{problem}{advice}")

    def _places(
        self,
        integration: str,
        name: str,
        reference: Json,
        kept: Mapping[str, Secret | str],
    ) -> tuple[_Place, ...]:
        """Return where one secret is looked for, in order; raises UnusableError."""
        match reference:
            case None:
                variable = f"{_ENV_PREFIX}{integration}__{name}".upper().replace("-", "_")
                return (
                    _Place("store", _STORE, lambda: _opened(kept.get(name))),
                    self._credential(f"{integration}.{name}"),
                    _Place(
                        f"env {variable}", f"env {variable}", lambda: self.environ.get(variable)
                    ),
                )
            case dict() if any("\0" in str(value) for value in reference.values()):
                raise UnusableError("its reference holds a NUL character")
            case {"env": str(variable), **others} if not others:
                told = f"env {variable}"
                return (_Place(told, told, lambda: self._read_env(variable)),)
            case {"file": str(path), **others} if not others:
                return (_Place(f"file {path}", f"file {path}", lambda: self._read_allowed(path)),)
            case {"credential": str(credential), **others} if not others:
                return (self._credential(credential, alone=True),)
            case {"store": str(stored), **others} if not others:
                told = f"{_STORE} under {stored!r}"
                return (_Place("store", told, lambda: _opened(kept.get(stored))),)
            case _:
                raise UnusableError(
                    "its reference names no place; write {env: NAME}, {file: PATH}, "
                    "{credential: NAME} or {store: NAME}"
                )

    def _credential(self, credential: str, *, alone: bool = False) -> _Place:
        unset = alone and self.credentials_dir is None
        hint = " ($CREDENTIALS_DIRECTORY is not set)" if unset else ""
        return _Place(
            f"credential {credential}",
            f"the credential {credential}{hint}",
            lambda: self._read_credential(credential),
        )

    def _read_env(self, variable: str) -> str | None:
        if not variable.startswith(self.env_prefix):
            allowed = " or ".join(self.env_prefix) or "nothing"
            raise UnusableError(
                f"env {variable} is out of reach, its name must begin with {allowed}; "
                "open it in the settings: secrets.env_prefix"
            )
        return self.environ.get(variable)

    def _read_credential(self, credential: str) -> str | None:
        if not credential or "/" in credential or credential in {".", ".."}:
            raise UnusableError(f"credential {credential!r} is not a file name")
        if self.credentials_dir is None:
            return None
        return read_file(Path(self.credentials_dir) / credential)

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
            raise UnusableError(
                f"file {path} is out of reach, it must lie in {allowed}; "
                "open its directory in the settings: secrets.dirs"
            )
        return next(filter(None, (read_file(Path(target)) for target in open_targets)), None)


def _is_under(path: str, root: str) -> bool:
    return os.path.commonpath((path, root)) == root and path != root


def stored_name(name: str, reference: Json) -> str | None:
    """Return the name in the encrypted store where a secret is looked for; None: not there."""
    match reference:
        case None:
            return name
        case {"store": str(stored), **others} if not others:
            return stored
        case _:
            return None


def _opened(found: Secret | str | None) -> Secret | None:
    if isinstance(found, str):
        raise UnusableError(found)
    return found
