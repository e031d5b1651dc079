"""A provider made ready to be played: an account that nobody has, at an address of our own."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final
from urllib.parse import urlsplit

from integrationd.config.problems import nearest
from integrationd.errors import IntegrationError, SecretError, UsageError
from integrationd.model.json import Json
from integrationd.model.secret import Secret, reveal
from integrationd.spec.build import build_bundle
from integrationd.spec.bundle import Bundle
from integrationd.spec.documents import Integration, ProviderDocument
from integrationd.spec.http import TOKEN_STAND_IN
from integrationd.spec.read import read_file
from integrationd.spec.settings import Settings
from integrationd.spec.source import Layer, SourceFile
from integrationd.testing.limits import suit
from integrationd.wire.auth.oauth2 import OAuth2Auth


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
    found: Integration | None = None
    wrong = ""
    for config in choose_configs(provider, origin):
        text = {"integration": name, "uses": name, "config": config}
        account = SourceFile(ACCOUNT, json.dumps(text).encode(), Layer.GIVEN)
        bundle = build_bundle([*reads, read_file(account)], settings)
        wrong = wrong or _told(bundle)
        if name in bundle.integrations:
            found = bundle.integrations[name]
            if can_log_in(found):
                return found
    if found is None:
        raise UsageError(f"provider {name!r} cannot be played{wrong}")
    return found


def can_log_in(integration: Integration) -> bool:
    """Tell whether all is there that the way to log in wants, whatever the secrets are."""
    auth = None if integration.http is None else integration.http.auth
    if not isinstance(auth, OAuth2Auth):
        return True
    secrets = {name: Secret(name) for name in integration.secrets}
    try:
        auth.given_refresh_token(integration.variables(secrets))
        auth.token_request(integration.variables(secrets), None, None)
    except SecretError:
        return False
    return True


def choose_configs(provider: ProviderDocument, origin: str) -> Iterator[dict[str, Json]]:
    """Yield configurations to try: with the first choice of everything, then with others."""
    usual = choose_config(provider, origin)
    yield usual
    for name, schema in provider.config.items():
        for choice in schema.get("enum", ())[1:]:
            yield {**usual, name: choice}
    # Some specs put a path behind an address that ends with a slash.
    yield {name: f"{value}/" if value == origin else value for name, value in usual.items()}


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
        variables = {"config": dict(integration.config), "secrets": {}, "token": TOKEN_STAND_IN}
        url = http.base_url.render_text(variables)
    except IntegrationError as wrong:
        raise UsageError(f"{integration.name}: http.base_url cannot be made: {wrong}") from None
    return reveal(url or "").rstrip("/")


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
    kinds = [kind] if isinstance(kind, str) else [one for one in kind or () if one != "null"]
    if kinds and kinds[0] in made:
        value = made[kinds[0]]
        if kinds[0] == "array":
            items = schema.get("items") or {"type": "string"}
            return [_choose(name.removesuffix("s"), items, origin)]
        return suit(value, schema, 1)
    return _choose_text(name, schema)


def _choose_text(name: str, schema: Mapping[str, Json]) -> str:
    """Return a text that suits a schema, and the name where that can be: times lie far back."""
    if any(word in name for word in _ENDS):
        times = [text.replace("2025-12-31", "2099-12-31") for text in _TIMES]
    else:
        times = list(_TIMES)
    usual = f"played-{name.replace('_', '-')}"
    is_time = any(word in name for word in _TIME_WORDS)
    wanted = [*times, usual] if is_time or "date" in schema.get("format", "") else [usual, *times]
    pattern = schema.get("pattern")
    for text in [*schema.get("examples", ()), *wanted, *_OTHERS]:
        if isinstance(text, str) and _suits(text, schema, pattern):
            return text
    return usual


def _suits(text: str, schema: Mapping[str, Json], pattern: Json) -> bool:
    if not schema.get("minLength", 0) <= len(text) <= schema.get("maxLength", len(text)):
        return False
    form = _FORMATS.get(schema.get("format", ""))
    if form is not None and not form.fullmatch(text):
        return False
    try:
        return not isinstance(pattern, str) or re.search(pattern, text) is not None
    except re.error:
        return False


ACCOUNT: Final = "player.yaml"
"""The file of an account that was made up."""
_TIME_WORDS: Final = ("date", "since", "start", "until", "time")
_ENDS: Final = ("end", "until", "_to")
_TIMES: Final = (
    "2025-12-31",
    "2025-12-31T00:00:00Z",
    "2025-12-31T00:00:00.000Z",
    "2025-12-31T00:00:00",
    "2025-12-31 00:00:00",
    "1767139200",
)
_OTHERS: Final = ("1", "12345", "played", "played.example.org", "a@example.org", "A1", "PLAYED")
_FORMATS: Final = {
    "date": re.compile(r"\d{4}-\d\d-\d\d"),
    "date-time": re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z"),
    "email": re.compile(r"\S+@\S+"),
}


def _is_address(name: str, schema: Mapping[str, Json]) -> bool:
    is_uri = schema.get("format") in ("uri", "url")
    return is_uri or _is_url(schema.get("default")) or name in ("base_url", "url")


def _is_url(value: Json) -> bool:
    return isinstance(value, str) and value.startswith(("http://", "https://"))


def _told(bundle: Bundle) -> str:
    errors = [str(problem) for problem in bundle.problems if problem.is_error]
    return "".join(f"\n{error}" for error in errors)
