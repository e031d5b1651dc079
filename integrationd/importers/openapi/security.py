"""Security schemes to ``auth``, several alternatives to a choice."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urljoin

from integrationd.importers.draft import Draft
from integrationd.importers.naming import distinct, to_word
from integrationd.importers.openapi.calls import Call
from integrationd.importers.openapi.document import Document, Spot
from integrationd.model.json import Json
from integrationd.wire.places import Place

_FLOWS: Final = {"application": "clientCredentials", "accessCode": "authorizationCode"}
"""Names of version 2, as later versions have them."""
_GRANTS: Final = {
    "clientCredentials": "client_credentials",
    "password": "password",
    "authorizationCode": "authorization_code",
    "deviceAuthorization": "device_code",
}
_PLACES: Final = {
    "authorizationCode": "authorizationUrl",
    "deviceAuthorization": "deviceAuthorizationUrl",
}
"""Where consent is given, by flow."""


@dataclass(slots=True)
class _Way:
    """One alternative: what ``auth`` says, and keys that go beside it."""

    name: str
    auth: dict[str, Any]
    headers: dict[str, str] = field(default_factory=dict)
    query: dict[str, str] = field(default_factory=dict)


class Security:
    """Reads what a document says of credentials."""

    def __init__(self, document: Document, draft: Draft, base: str) -> None:
        self._document = document
        self._draft = draft
        self._base = base
        self._schemes = dict(_read_schemes(document))
        self._used: set[str] = set()

    def settle(self, calls: list[Call]) -> None:
        """Say in the draft how most calls are asked, and tell the calls that are not."""
        top = self._document.top
        wanted = [self._requirements(call.spot) for call in calls]
        usual = self._choose(wanted)
        if not usual:
            self._tell_none()
            return
        for call, mine in zip(calls, wanted, strict=True):
            if mine and not {*map(_key, mine)} & {*map(_key, usual)}:
                names = " or ".join(" with ".join(each) for each in mine)
                call.lose(call.spot, f"its credentials, {names}, are not those of the others")
        place = top.get("security") or top
        ways = [way for each in usual if (way := self._way(each, place)) is not None]
        self._write(ways)

    def _requirements(self, spot: Spot) -> list[dict[str, Json]]:
        owner = spot if spot.has("security") else self._document.top
        found = owner.value("security")
        listed = found if isinstance(found, list) else []
        return [each for each in listed if isinstance(each, dict)]

    def _choose(self, wanted: list[list[dict[str, Json]]]) -> list[dict[str, Json]]:
        """Return the alternatives that most calls have."""
        top = self._requirements(self._document.top)
        if any(top):
            return top
        counted = Counter(json.dumps(each) for each in wanted if any(each))
        if counted:
            found: list[dict[str, Json]] = json.loads(counted.most_common(1)[0][0])
            return found
        return [{name: []} for name in self._schemes]

    def _tell_none(self) -> None:
        message = "#: no credentials are said; say 'auth' under 'http' where it wants some"
        self._draft.report.note(self._document.top.position, message)

    def _way(self, wanted: dict[str, Json], place: Spot) -> _Way | None:
        """Return what one alternative says; None where it cannot be said, which is told."""
        if not wanted:
            return _Way("none", {"type": "none"})
        made: list[_Way] = []
        for name in wanted:
            scheme = self._schemes.get(name)
            if scheme is None:
                message = f"{place.pointer}: names the scheme {name!r}, which is not defined"
                self._draft.report.lose(place.position, message)
                return None
            found = list(self._read(name, scheme))
            if not found:
                return None
            made.append(found[0] if len(found) == 1 else self._choice(name, found))
        return self._join(made, place)

    def _join(self, ways: list[_Way], place: Spot) -> _Way | None:
        """Return one way of several that are all wanted: one is ``auth``, keys go beside it."""
        main = next((way for way in ways if way.auth["type"] != "api_key"), ways[0])
        for way in ways:
            if way is main:
                continue
            into = Place.parse(str(way.auth.get("into", "")))
            if into is None or into.root not in ("header", "query"):
                message = f"{place.pointer}: {main.name} together with {way.name} cannot be said"
                self._draft.report.lose(place.position, message)
                return None
            target = main.headers if into.root == "header" else main.query
            target[into.name] = str(way.auth["value"])
        return main

    def _write(self, ways: list[_Way]) -> None:
        if not ways:
            return
        http = self._draft.http
        if len(ways) == 1:
            way = ways[0]
            if way.auth["type"] != "none":
                http["auth"] = way.auth
            for key, said in (("headers", way.headers), ("query", way.query)):
                if said:
                    http[key] = {**http.get(key, {}), **said}
            return
        for way in ways:
            if way.headers or way.query:
                message = f"#: the keys that go with {way.name} cannot be said of one choice alone"
                self._draft.report.lose(self._document.top.position, message)
        http["auth"] = self._choice("login", ways).auth

    def _choice(self, name: str, ways: list[_Way]) -> _Way:
        named: dict[str, Any] = {}
        for way in ways:
            named[distinct(to_word(way.name, "way"), named)] = way.auth
        by = distinct(to_word(name), self._draft.config)
        self._draft.config[by] = {
            "type": "string",
            "enum": list(named),
            "default": next(iter(named)),
            "description": "How to log in",
        }
        top = self._document.top
        message = f"#: there are {len(ways)} ways to log in, chosen by 'config.{by}'"
        self._draft.report.note(top.position, message)
        return _Way(name, {"type": "choice", "by": f"{{{{ config.{by} }}}}", "of": named})

    def _read(self, name: str, scheme: Spot) -> Iterator[_Way]:
        kind, word = scheme.text("type"), scheme.text("scheme").lower()
        if kind == "basic" or (kind == "http" and word in ("basic", "digest")):
            auth = {"username": self._config("username"), "password": self._secret("password")}
            yield _Way(name, {"type": word or "basic", **auth})
        elif kind == "http" and word == "bearer":
            yield _Way(name, {"type": "bearer", "token": self._secret("token")})
        elif kind == "apiKey":
            yield from self._read_key(name, scheme)
        elif kind == "oauth2":
            yield from self._read_flows(name, scheme)
        elif kind == "mutualTLS":
            tls = {"certificate": self._secret("certificate"), "key": self._secret("private_key")}
            self._draft.http["tls"] = tls
            yield _Way(name, {"type": "none"})
        elif kind == "openIdConnect":
            message = (
                f"{scheme.pointer}: openIdConnectUrl is not asked for its addresses; a token that "
                "was got elsewhere is sent, or write 'oauth2' with its token_url"
            )
            self._draft.report.lose(scheme.position, message)
            yield _Way(name, {"type": "bearer", "token": self._secret("token")})
        else:
            message = f"{scheme.pointer}: the scheme {kind} {word}".rstrip() + " cannot be said"
            self._draft.report.lose(scheme.position, message)

    def _read_key(self, name: str, scheme: Spot) -> Iterator[_Way]:
        place, key = scheme.text("in"), scheme.text("name")
        into = Place.parse(f"{place}.{key.lower() if place == 'header' else key}")
        if place not in ("header", "query", "cookie") or into is None:
            message = f"{scheme.pointer}: no place of ours is {place!r} with {key!r}"
            self._draft.report.lose(scheme.position, message)
            return
        secret = self._secret(to_word(name, "api_key"))
        yield _Way(name, {"type": "api_key", "into": str(into), "value": secret})
        if key.lower() == "authorization":
            message = (
                f"{scheme.pointer}: the key is the whole header; say 'prefix' where a word such as "
                "Bearer stands before it"
            )
            self._draft.report.note(scheme.position, message)

    def _read_flows(self, name: str, scheme: Spot) -> Iterator[_Way]:
        flows = scheme.get("flows")
        found = {} if flows is None else dict(flows.entries())
        if not found and scheme.text("flow"):
            found = {scheme.text("flow"): scheme}
        for key, flow in found.items():
            word = _FLOWS.get(key, key)
            way = self._read_flow(f"{name}_{word}" if len(found) > 1 else name, word, flow)
            if way is not None:
                yield way

    def _read_flow(self, name: str, word: str, flow: Spot) -> _Way | None:
        grant, url = _GRANTS.get(word), flow.text("tokenUrl")
        place = _PLACES.get(word)
        if grant is None or not url or (place is not None and not flow.text(place)):
            missing = "tokenUrl" if not url else place
            what = word if grant is None else f"{word} without {missing!r}"
            message = f"{flow.pointer}: the flow {what} cannot be said; a token is sent as it is"
            self._draft.report.lose(flow.position, message)
            return _Way(name, {"type": "bearer", "token": self._secret("token")})
        auth: dict[str, Any] = {"type": "oauth2", "grant": grant}
        auth["token_url"] = urljoin(f"{self._base}/", url)
        auth["client_id"] = self._secret("client_id")
        auth["client_secret"] = self._secret("client_secret")
        if grant == "password":
            auth |= {"username": self._config("username"), "password": self._secret("password")}
        if place is not None:
            asked = {"url": urljoin(f"{self._base}/", flow.text(place))}
            auth["authorize" if grant == "authorization_code" else "device"] = asked
            refresh = flow.text("refreshUrl")
            if refresh and refresh != url:
                auth["refresh"] = {"url": urljoin(f"{self._base}/", refresh)}
            scopes = flow.get("scopes")
            named = [] if scopes is None else [each for each, _ in scopes.entries()]
            auth.update({"scopes": named} if named else {})
        self._tell_flow(grant, flow)
        return _Way(name, auth)

    def _tell_flow(self, grant: str, flow: Spot) -> None:
        scopes = flow.get("scopes")
        named = [] if scopes is None else [name for name, _ in scopes.entries()]
        report, place = self._draft.report, flow
        message = f"{place.pointer}: client id and secret go in a header, as 'client_auth' is basic"
        report.note(place.position, message)
        if grant in ("authorization_code", "device_code"):
            message = f"{place.pointer}: a person's consent is asked for by 'auth login'"
            report.note(place.position, f"{message}, for all scopes; take out what is too much")
        elif named:
            shown = ", ".join(named[:5]) + (" and more" if named[5:] else "")
            message = f"{place.pointer}: no scopes are asked for; say those it needs: {shown}"
            report.note(place.position, message)

    def _secret(self, word: str) -> str:
        self._draft.secrets.setdefault(word, {})
        return f"{{{{ secrets.{word} }}}}"

    def _config(self, word: str) -> str:
        self._draft.config.setdefault(word, {"type": "string"})
        return f"{{{{ config.{word} }}}}"


def _read_schemes(document: Document) -> Iterator[tuple[str, Spot]]:
    top = document.top
    components = top.get("components")
    found = top.get("securityDefinitions") if document.is_old else None
    if found is None and components is not None:
        found = components.get("securitySchemes")
    if found is not None:
        yield from found.entries()


def _key(wanted: dict[str, Json]) -> frozenset[str]:
    return frozenset(wanted)
