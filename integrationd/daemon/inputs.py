"""What a composition reads: files and secrets; to look at them needs neither network nor store."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TypeAlias

from integrationd.bundles.library import Library
from integrationd.bundles.shipped import shipped_dirs
from integrationd.daemon.paths import Paths
from integrationd.errors import SecretError
from integrationd.model.secret import Secret
from integrationd.ports.outside import SecretSource
from integrationd.spec.documents import Integration
from integrationd.spec.settings import Settings
from integrationd.vault.master import MasterKey, find_master_key
from integrationd.vault.sources import Kept, LookupSecrets

Learn: TypeAlias = Callable[[str, Secret], None]
"""Told each secret that is looked up, and a name for its place."""


async def missing_secrets(source: SecretSource, integration: Integration) -> str:
    """Tell which secrets of an integration cannot be found; empty where all are there."""
    try:
        await source.resolve(integration.tenant, integration.name, integration.needed_secrets())
    except SecretError as missing:
        return str(missing)
    return ""


def find_master(settings: Settings) -> MasterKey | None:
    """Find the master key of the encrypted store; None where there is none.

    Raises:
        SettingsError: There is something that is no key.
    """
    named = settings.secrets.master_key
    return find_master_key(
        file=None if named is None else named.path,
        credentials_dir=os.environ.get("CREDENTIALS_DIRECTORY"),
        environ=os.environ,
    )


def ignore(_place: str, _secret: Secret) -> None:
    """Learn nothing: a command writes no log."""


def build_secrets(settings: Settings, kept: Kept, learn: Learn = ignore) -> LookupSecrets:
    """Build the look-up of secrets from the encrypted store, the settings and the environment."""
    return LookupSecrets(
        kept=kept,
        learn=learn,
        env_prefix=settings.secrets.env_prefix,
        dirs=settings.secrets.dirs,
        credentials_dir=os.environ.get("CREDENTIALS_DIRECTORY"),
        environ=os.environ,
    )


def build_library(paths: Paths, settings: Settings, *, read_only: bool = False) -> Library:
    """Build what reads the files."""
    return Library(
        config_dir=paths.config,
        state_dir=paths.state,
        settings=settings,
        shipped=shipped_dirs(),
        read_only=read_only,
    )
