"""A provider made ready to be played: an account that nobody has, at an address of our own."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from integrationd.config.problems import nearest
from integrationd.errors import IntegrationError, UsageError
from integrationd.model.json import Json
from integrationd.model.secret import reveal
from integrationd.spec.build import build_bundle
from integrationd.spec.bundle import Bundle
from integrationd.spec.documents import Integration, ProviderDocument
from integrationd.spec.read import read_file
from integrationd.spec.settings import Settings
from integrationd.spec.source import Layer, SourceFile


def stage(sources: Iterable[SourceFile], name: str, settings: Settings, origin: str) -> Integration:
    """Return the integration to play: one of the files', or an account at one of their providers.

    Its configuration is such that its base URL leads to ``origin`` where the spec allows that.

    Raises:
        UsageError: Nothing has this name, or its files have errors.
    """
    reads = [read_file(source) for source in sources]
    bundle = build_bundle(reads, settings)
    if name in bundle.integrations:
        return _move(bundle.integrations[name], origin)
    provider = bundle.providers.get(name)
    if provider is None:
        known = {*bundle.integrations, *bundle.providers}
        raise UsageError(f"nothing to play is called {name!r}{nearest(name, known)}{_told(bundle)}")
    text = {"integration": name, "uses": name, "config": choose_config(provider, origin)}
    account = SourceFile("player.yaml", json.dumps(text).encode(), Layer.GIVEN)
    bundle = build_bundle([*reads, read_file(account)], settings)
    if name not in bundle.integrations:
        raise UsageError(f"provider {name!r} cannot be played{_told(bundle)}")
    return bundle.integrations[name]


def choose_config(provider: ProviderDocument, origin: str) -> dict[str, Json]:
    """Choose a value for everything that a provider asks an account for."""
    chosen: dict[str, Json] = {}
    for name, schema in provider.config.items():
        value = _choose(name, schema, origin)
        if value is not None:
            chosen[name] = value
    return chosen


def base_url_of(integration: Integration) -> str:
    """Return an integration's base URL, without a slash at its end.

    Raises:
        UsageError: It has none, or it cannot be made without its secrets.
    """
    http = integration.http
    if http is None:
        raise UsageError(f"{integration.name} has no 'http' that could be played")
    try:
        url = http.base_url.render_text({"config": dict(integration.config), "secrets": {}})
    except IntegrationError as wrong:
        raise UsageError(f"{integration.name}: http.base_url cannot be made: {wrong}") from None
    return reveal(url or "").rstrip("/")


def played_base_url(integration: Integration, origin: str) -> str:
    """Return where the player stands in for a base URL: the same path, at ``origin``."""
    return f"{origin}{urlsplit(base_url_of(integration)).path}"


def _move(integration: Integration, origin: str) -> Integration:
    """Let every address in an integration's configuration be the player's."""
    config = {
        name: f"{origin}{urlsplit(value).path}" if _is_url(value) else value
        for name, value in integration.config.items()
    }
    return dataclasses.replace(integration, config=config)


def _choose(name: str, schema: Mapping[str, Json], origin: str) -> Json:
    if _is_address(name, schema):
        return origin
    if "default" in schema:
        return None
    if schema.get("enum"):
        return schema["enum"][0]
    made: dict[str, Json] = {"integer": 1, "number": 1, "boolean": True, "array": [], "object": {}}
    kind = schema.get("type")
    return made.get(kind, f"played-{name.replace('_', '-')}") if isinstance(kind, str) else name


def _is_address(name: str, schema: Mapping[str, Json]) -> bool:
    is_uri = schema.get("format") in ("uri", "url")
    return is_uri or _is_url(schema.get("default")) or name in ("base_url", "url")


def _is_url(value: Json) -> bool:
    return isinstance(value, str) and value.startswith(("http://", "https://"))


def _told(bundle: Bundle) -> str:
    errors = [str(problem) for problem in bundle.problems if problem.is_error]
    return "".join(f"\n{error}" for error in errors)
