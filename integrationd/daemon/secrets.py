"""What people ask of secrets, done here."""

from __future__ import annotations

from integrationd.config.problems import nearest
from integrationd.daemon.composition import Composition
from integrationd.daemon.whereabouts import list_secrets
from integrationd.engine.renewal import account_kept_as
from integrationd.engine.status import read_streams
from integrationd.errors import SecretError, SettingsError, UsageError
from integrationd.model.json import Json
from integrationd.model.secret import Secret
from integrationd.ports.store import StreamKey
from integrationd.signals import KeysRotated, SecretChanged
from integrationd.vault.closed import HOW_TO, RESTORE, ClosedVault
from integrationd.vault.master import parse_master_key
from integrationd.vault.sources import stored_name


class LocalSecrets:
    """Implements :class:`integrationd.ports.vault.SecretActions`."""

    def __init__(self, parts: Composition, *, running: bool) -> None:
        """Take the parts.

        Args:
            parts: Of this process.
            running: In the daemon: readings that lacked a secret begin again once it is there.
        """
        self._parts = parts
        self._running = running

    async def show(self, integration: str | None = None) -> list[Json]:
        """Tell of every declared secret, and of what is kept besides."""
        rows = await self._parts.store.secrets.list_secrets(None)
        bundle = self._parts.loaded.bundle
        return await list_secrets(bundle, self._parts.secrets, rows, integration)

    async def put(self, integration: str, name: str, value: Secret) -> Json:
        """Keep a declared secret; the next call uses it."""
        found = self._parts.conductor.integration(integration)
        references = found.secret_references()
        if name not in references:
            hint = nearest(name, references)
            raise UsageError(f"integration {integration!r} declares no secret {name!r}{hint}")
        kept_as = stored_name(name, references[name])
        if kept_as is None:
            raise UsageError(
                f"the file of integration {integration!r} says that secret {name!r} is in "
                f"{_written(references[name])}; take that out of it, or write {{store: {name}}}"
            )
        try:
            await self._parts.vault.put(found.tenant, integration, kept_as, value)
        except SecretError as refused:
            raise SettingsError(str(refused)) from None
        self._tell(found.tenant, integration, name, "set")
        problem = await self.look_again(integration)
        return {"integration": integration, "name": name, "problem": problem}

    async def remove(self, integration: str, name: str) -> Json:
        """Forget a kept secret, whether a file declares it or not."""
        rows = await self._parts.store.secrets.list_secrets(None)
        references: dict[str, Json] = {}
        known = self._parts.loaded.bundle.integrations.get(integration)
        if known is not None:
            rows = [row for row in rows if row.tenant == known.tenant] or rows
            references = dict(known.secret_references())
        kept_as = stored_name(name, references.get(name)) or name
        places = [row for row in rows if (row.integration, row.name) == (integration, kept_as)]
        if not places:
            hint = nearest(name, [row.name for row in rows if row.integration == integration])
            message = f"the encrypted store has no secret {name!r} of {integration!r}{hint}"
            raise UsageError(message)
        for row in places:
            await self._parts.vault.remove(row.tenant, integration, kept_as)
            account = account_kept_as(integration, kept_as)
            if account is not None:
                self._parts.world.tokens.forget((row.tenant, account))
            self._tell(row.tenant, integration, name, "removed")
        problem = await self.look_again(integration)
        return {"integration": integration, "name": name, "problem": problem}

    async def rotate(self, master_key: Secret | None = None) -> Json:
        """Seal all under new keys, or, given a new master key, the ring under that."""
        vault = self._parts.vault
        if isinstance(vault, ClosedVault):
            advice = RESTORE if vault.is_used else HOW_TO
            raise SettingsError(f"there is no master key, so nothing can be sealed anew; {advice}")
        try:
            if master_key is None:
                done = await vault.rotate()
            else:
                done = await vault.rewrap(parse_master_key(master_key.reveal(), "what was given"))
        except SecretError as refused:
            raise SettingsError(str(refused)) from None
        self._parts.broadcast.emit(
            KeysRotated(
                keys=done.keys, secrets=done.secrets, left=done.left, master=vault.master.id
            )
        )
        return {
            "keys": done.keys,
            "secrets": done.secrets,
            "finished": done.finished,
            "left": done.left,
            "master": vault.master.id,
        }

    def _tell(self, tenant: str, integration: str, name: str, change: str) -> None:
        self._parts.broadcast.emit(
            SecretChanged(tenant=tenant, integration=integration, name=name, change=change)
        )

    async def look_again(self, integration: str) -> str:
        """Take up what has changed; returns what the integration lacks now."""
        await self._parts.look_for_secrets()
        known = self._parts.loaded.bundle.integrations.get(integration)
        if known is None:
            return ""
        missing = self._parts.missing.get(integration, "")
        if self._running and not missing:
            await self._read_again(integration)
        return missing

    async def _read_again(self, name: str) -> None:
        """Begin the scheduled readings that failed last for want of a credential."""
        bundle = self._parts.loaded.bundle
        rows = await read_streams(self._parts.store, bundle)
        for stream_name, stream in bundle.integrations[name].streams.items():
            row = rows.get(StreamKey(name, stream_name))
            failed = None if row is None or not row.errors else row.last_run
            if failed is None or failed.kind != "auth":
                continue
            if stream.enabled and str(stream.schedule) != "manual":
                self._parts.conductor.due(name, stream_name)


def _written(reference: Json) -> str:
    assert isinstance(reference, dict)
    return ", ".join(f"{{{place}: {name}}}" for place, name in reference.items())
