"""What a composition reads: files and secrets; to look at them needs neither network nor store."""

from __future__ import annotations

import os

from integrationd.bundles.library import Library
from integrationd.bundles.shipped import shipped_dirs
from integrationd.daemon.paths import Paths
from integrationd.errors import SecretError
from integrationd.ports.outside import SecretSource
from integrationd.spec.documents import Integration
from integrationd.spec.settings import Settings
from integrationd.vault.sources import LookupSecrets


async def missing_secrets(source: SecretSource, integration: Integration) -> str:
    """Tell which secrets of an integration cannot be found; empty where all are there."""
    try:
        await source.resolve(integration.tenant, integration.name, integration.secret_references())
    except SecretError as missing:
        return str(missing)
    return ""


def build_secrets(settings: Settings) -> LookupSecrets:
    """Build the look-up of secrets from the settings and the environment."""
    return LookupSecrets(
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
