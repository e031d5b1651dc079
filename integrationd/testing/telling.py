"""What people are told of a played provider: what it is, how to read it, what happens."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from integrationd.model.json import Json
from integrationd.model.secret import reveal
from integrationd.testing.consents import ConsentBooth
from integrationd.testing.provider import Player
from integrationd.testing.stage import ACCOUNT
from integrationd.testing.tokens import TokenBooth
from integrationd.transform.template import Template
from integrationd.wire.auth.login import LoginAuth


def describe_stage(player: Player) -> dict[str, Json]:
    """Say what is played and what an integration has to supply to read it."""
    integration = player.integration
    served = f"{player.origin}{urlsplit(player.base_url).path}".rstrip("/")
    reached = player.base_url.rstrip("/") == served
    is_made_up = integration.path == ACCOUNT
    used = {
        name: value
        for name, value in integration.config.items()
        if is_made_up or player.origin in str(value)
    }
    return {
        "event": "playing",
        "name": integration.name,
        "provider": integration.provider,
        "base_url": served,
        "config": used if reached or is_made_up else {},
        "http": {**({} if reached else {"base_url": served}), **_auth_of(player)},
        "elsewhere": dict(_elsewhere(player)),
        "secrets": dict(player.secrets),
        "streams": [
            {
                "name": scene.name,
                "request": scene.shown,
                "records": len(player.sources[scene.name].entries),
                "bad": sum(entry.is_bad for entry in player.sources[scene.name].entries),
            }
            for scene in player.scenes
            if scene.name in player.sources
        ],
        "unplayed": dict(player.unplayed),
        "webhooks": list(integration.webhooks),
        "consent": isinstance(player.guard, ConsentBooth),
    }


def _auth_of(player: Player) -> dict[str, Json]:
    """Return what an integration has to say where its tokens would be asked for elsewhere."""
    own = {way: _auth_of_booth(player, booth) for way, booth in player.booths.items()}
    main = own.pop("", {})
    others: Json = {way: places for way, places in own.items() if places}
    return {**({"auth": main} if main else {}), **({"auths": others} if others else {})}


def _auth_of_booth(player: Player, booth: TokenBooth) -> dict[str, Json]:
    auth = booth.auth
    places: dict[str, tuple[str, ...]] = {
        "auth.token_url": ("token_url",),
        "auth.refresh.url": ("refresh", "url"),
        "auth.device.url": ("device", "url"),
    }
    templates = dict(auth.token_addresses)
    if auth.authorize is not None:
        places["auth.authorize.url"] = ("authorize", "url")
        templates["auth.authorize.url"] = auth.authorize.url
    found: dict[str, Json] = {}
    for name, template in templates.items():
        own = reveal(template.render_text(player.variables) or "")
        played = f"{player.origin}{urlsplit(own).path}"
        if own != played:
            first, *rest = places[name]
            found[first] = {rest[0]: played} if rest else played
    return found


def _elsewhere(player: Player) -> Iterator[tuple[str, str]]:
    """Yield the other addresses that the spec names in whole, and where they are played."""
    for name, stream in player.integration.streams.items():
        if name in player.sources and stream.path is not None and stream.method is not None:
            found = _here(player, stream.path)
            if found:
                yield f"streams.{name}.{stream.method.lower()}", found
    http = player.integration.http
    assert http is not None
    if isinstance(http.auth, LoginAuth):
        for index, step in enumerate(http.auth.steps):
            found = "" if step.path is None else _here(player, step.path)
            if found and step.method is not None:
                yield f"http.auth.steps[{index}].{step.method.lower()}", found


def _here(player: Player, path: Template) -> str:
    """Return the player's address in the place of another one; empty where none is named."""
    parts = urlsplit(path.text)
    if parts.scheme not in ("http", "https") or path.text.startswith(player.origin):
        return ""
    return (
        f"{player.origin}{path.text.partition('://')[2].partition('/')[1]}"
        + (path.text.partition("://")[2].partition("/")[2])
    )


def lines_of(told: Mapping[str, Json]) -> Iterator[str]:
    """Lay out what happened, for people."""
    match told["event"]:
        case "playing":
            yield from _stage_lines(told)
        case "called":
            status = told["status"]
            named = isinstance(status, int)
            shown = f"{status} {HTTPStatus(status).phrase}" if named else status
            yield f"{told['method']} {told['path']}: {shown}"
        case "changed":
            parts = [
                f"{word} {', '.join(told[word])}"
                for word in ("changed", "added", "deleted")
                if told.get(word)
            ]
            yield f"{told['stream']}: {'; '.join(parts)}"
        case _:
            fault = f", {_FAULTS[told['fault']]}" if "fault" in told else ""
            outcome = told["error"] if "error" in told else f"answered {told['status']}"
            yield f"webhook {told['endpoint']}, event {told['number']}{fault}: {outcome}"


def _stage_lines(told: Mapping[str, Json]) -> Iterator[str]:
    name = told["name"]
    yield f"playing {name} at {told['base_url']} until Ctrl-C"
    for stream in told["streams"]:
        yield f"  {stream['name']}: {stream['records']} records, {stream['bad']} of them bad"
    for why in told["unplayed"].values():
        yield f"  NOT PLAYED: {why}"
    yield "to read it, an integration needs:"
    yield from _need_lines(told)
    yield "and the settings, integrationd.yaml:"
    yield "  egress: {allow: [127.0.0.1/32]}"


def _need_lines(told: Mapping[str, Json]) -> Iterator[str]:
    name = told["name"]
    if told["provider"]:
        yield f"  uses: {told['provider']}"
    for part in ("config", "http"):
        for key, value in told[part].items():
            yield f"  {part}: {_flow({key: value})}"
    for place, url in told["elsewhere"].items():
        yield f"  {place}: {url}"
    for key, value in told["secrets"].items():
        yield f"  secret {key}: {value}"
        own = f"{name.upper().replace('-', '_')}__{key.upper()}"
        yield f"    where it is called {name}, as the variable INTEGRATIOND_SECRET_{own}"
    if told["consent"]:
        yield f"  a person's consent: integrationd auth login {name}"
        yield "    whoever opens the address that it prints is sent back with an answer at once"


_FAULTS: Final = {"signature": "wrongly signed", "replay": "once more"}


def _flow(value: Json) -> str:
    """Write an object of texts as a file would have it."""
    if not isinstance(value, dict):
        return str(value)
    return "{" + ", ".join(f"{key}: {_flow(inner)}" for key, inner in value.items()) + "}"
