"""Session tokens to ``auth: {type: login}``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from integrationd.importers.airbyte import times, unsaid
from integrationd.importers.airbyte.failures import read_failures
from integrationd.importers.airbyte.partitions import send
from integrationd.importers.airbyte.parts import Part
from integrationd.importers.airbyte.places import read_place
from integrationd.importers.airbyte.records import read_decoder
from integrationd.importers.airbyte.requests import Asked, read_request
from integrationd.importers.airbyte.scope import SESSION, Missing, Scope
from integrationd.importers.airbyte.terms import Apply, Const, Text
from integrationd.importers.airbyte.writing import path_of, write_template
from integrationd.model.json import Json

_ALONE: Final = f"{{{{ {'.'.join(SESSION)} }}}}"
"""The token as it is, which is what is sent where nothing else is said."""


def read_login(part: Part, scope: Scope, own: Json) -> dict[str, Any] | str:
    """Return what ``auth`` says; ``none`` where the call cannot be said, which is told.

    Args:
        part: The authenticator.
        scope: The variables of the stream.
        own: What ``auth`` would say of the credentials of the call itself.
    """
    requester = part.child("login_requester")
    asked = None if requester is None else read_request(requester, scope)
    if requester is None or asked is None:
        return "none"
    _add_own(requester, own, asked, scope)
    step: dict[str, Any] = {asked.method: f"{asked.base}{asked.path}", **asked.said}
    decoder = read_decoder(part.child("decoder") or requester.child("decoder"))
    if decoder is not None:
        step["decode"] = decoder
    rules = read_failures(requester.child("error_handler"), scope).rules
    if rules:
        step["errors"] = rules
    steps = part.value("session_token_path")
    words = [str(each) for each in steps] if isinstance(steps, list) else []
    step["read"] = {SESSION[-1]: path_of(words, after="body")}
    span = times.read_span(part.text("expiration_duration"))
    lifetime = {} if not span else {"lifetime": times.write_span(span)}
    return {"type": "login", "steps": [step], **_read_sent(part, scope), **lifetime}


def _add_own(requester: Part, own: Json, asked: Asked, scope: Scope) -> None:
    """Put the credentials of the call itself into it."""
    match own:
        case {"type": "bearer", "token": token}:
            send(asked.said, "header.authorization", f"Bearer {token}")
        case {"type": "api_key", "into": str(place), "value": value}:
            send(asked.said, place, value)
        case {"type": "basic"}:
            send(asked.said, "header.authorization", _name_basic(requester, scope))
        case {"type": _}:
            unsaid.lose(requester, "login_auth", field="authenticator")


def _name_basic(requester: Part, scope: Scope) -> Json:
    """Return the header of a user name and a password."""
    own = requester.child("authenticator")
    assert own is not None  # it has a kind
    name, password = (scope.term(own, own.text(key)) for key in ("username", "password"))
    both = Apply("b64encode", (Text((name, Const(":"), password)),))
    return write_template(Text((Const("Basic "), both)))


def _read_sent(part: Part, scope: Scope) -> dict[str, Json]:
    """Return where the token goes, and what stands around it."""
    request = part.child("request_authentication")
    if request is None or request.kind == "Bearer":
        return {}
    option = request.child("inject_into")
    if request.kind != "ApiKey" or option is None:
        unsaid.lose_kind(request)
        return {}
    node, place = request.get("api_token"), read_place(option, scope)
    token: Json | Missing = None
    if node is not None:
        token = scope.template(request, node, f"{request.path}.api_token")
    made: dict[str, Json] = {}
    if not isinstance(token, Missing) and token not in (None, "", _ALONE):
        made["token"] = token
    if place is not None:
        made["into"] = place
    if place == "header.authorization":
        made["prefix"] = ""
    return made


def settle(auth: Json, base: str) -> Iterator[str]:
    """Shorten the addresses of a login's calls that begin as all requests do; yield the others."""
    of = auth.get("of") if isinstance(auth, dict) else None
    for way in [auth, *(of.values() if isinstance(of, dict) else ())]:
        steps = way.get("steps", []) if isinstance(way, dict) else []
        for step in steps:
            method = next(iter(step))
            path = step[method].removeprefix(base)
            if path.startswith("/"):
                step[method] = path
            else:
                yield step[method]
