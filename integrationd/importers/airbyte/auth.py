"""Authenticators to ``auth``."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from integrationd.importers.airbyte import unsaid
from integrationd.importers.airbyte.login import read_login
from integrationd.importers.airbyte.parts import Part
from integrationd.importers.airbyte.places import read_place
from integrationd.importers.airbyte.scope import Missing, Scope
from integrationd.importers.airbyte.supplies import UNDECLARED, updated_path
from integrationd.importers.airbyte.terms import Name
from integrationd.importers.airbyte.writing import write_template
from integrationd.importers.naming import distinct, to_word
from integrationd.model.json import Json

Auth: TypeAlias = dict[str, Any]

_GRANTS: Final = ("client_credentials", "refresh_token")
_NAMES: Final = ("client_id", "client_secret", "refresh_token", "grant_type")
"""Fields of a token request that the source may rename."""
_CHOICE_NAME: Final = re.compile(r"[a-z][a-z0-9_]*")


def read_auth(part: Part | None, scope: Scope) -> Auth | str:
    """Return what ``auth`` says; ``none`` where nothing can be said, which is told."""
    if part is None:
        return "none"
    reader = _READERS.get(part.kind)
    if reader is None:
        unsaid.lose_kind(part)
        return "none"
    return reader(part, scope)


def _read_none(_part: Part, _scope: Scope) -> Auth | str:
    return "none"


def _template(part: Part, key: str, scope: Scope) -> Json:
    node = part.get(key)
    made = None if node is None else scope.template(part, node, f"{part.path}.{key}")
    return "" if made is None or isinstance(made, Missing) else made


def _read_api_key(part: Part, scope: Scope) -> Auth | str:
    option = part.child("inject_into")
    header = _template(part, "header", scope)
    place = read_place(option, scope) if option is not None else f"header.{header}".lower()
    if place is None:
        return "none"
    return {"type": "api_key", "into": place, "value": _template(part, "api_token", scope)}


def _read_basic(part: Part, scope: Scope) -> Auth:
    username = _template(part, "username", scope)
    password = _template(part, "password", scope)
    return {"type": "basic", "username": username, "password": password}


def _read_bearer(part: Part, scope: Scope) -> Auth:
    return {"type": "bearer", "token": _template(part, "api_token", scope)}


def _read_oauth(part: Part, scope: Scope) -> Auth | str:
    if part.is_true("use_profile_assertion"):
        return _read_asserted(part, scope)
    grant = _template(part, "grant_type", scope) or "refresh_token"
    has_token = part.has("refresh_token") or part.has("refresh_token_updater")
    is_known = grant in _GRANTS and (grant != "refresh_token" or has_token)
    made: Auth = {
        "type": "oauth2",
        # Of another grant the fields are those of this one, under its own name.
        "grant": grant if is_known else "client_credentials",
        "token_url": _template(part, "token_refresh_endpoint", scope),
        "client_id": _template(part, "client_id", scope),
        "client_secret": _template(part, "client_secret", scope),
        "client_auth": "post",
    }
    if not made["client_secret"]:
        del made["client_secret"]
    if made["grant"] == "refresh_token":
        made["refresh_token"] = _refresh_token(part, scope)
        made["rotates"] = part.has("refresh_token_updater")
    if part.is_true("send_refresh_request_as_query_params"):
        made["send_as"] = "query"
    for key in ("access_token_value", "use_profile_assertion"):
        if part.text(key):
            unsaid.lose(part, key, field=key)
    request = _read_token_request(part, scope)
    if not is_known:
        request["form"] = {**_name_grant(part, grant), **request.get("form", {})}
    return {**made, **request, **_read_reply(part)}


def _name_grant(part: Part, grant: Json) -> dict[str, Json]:
    """Return the fields of a grant that has no word here."""
    is_empty = part.get("refresh_token") is not None
    return {"grant_type": grant, **({"refresh_token": ""} if is_empty else {})}


def _refresh_token(part: Part, scope: Scope) -> Json:
    """Return the refresh token: one that is replaced with each use has its own place."""
    if not part.has("refresh_token_updater"):
        return _template(part, "refresh_token", scope)
    return write_template(scope.supplies.resolve(updated_path(part.value("refresh_token_updater"))))


def _read_asserted(part: Part, scope: Scope) -> Auth | str:
    """Return the grant that hands in a signed token, and nothing else but it."""
    signer = part.child("profile_assertion")
    if signer is None or signer.kind != "JwtAuthenticator":
        unsaid.lose_kind(signer or part)
        return "none"
    made: Auth = {
        "type": "oauth2",
        "grant": "jwt_bearer",
        "token_url": _template(part, "token_refresh_endpoint", scope),
        "assertion": _read_signed(signer, scope),
    }
    if part.is_true("send_refresh_request_as_query_params"):
        made["send_as"] = "query"
    headers = _object(part, "refresh_request_headers", scope)
    return {**made, **({"headers": headers} if headers else {}), **_read_reply(part)}


def _read_token_request(part: Part, scope: Scope) -> Auth:
    form: dict[str, Json] = {}
    for name in _NAMES:
        own = part.text(f"{name}_name")
        if own and own != name:
            form[own] = _template(part, name, scope)
            form[name] = None
    body = part.get("refresh_request_body")
    more = {} if body is None else scope.template(part, body, f"{part.path}.refresh_request_body")
    form.update(more if isinstance(more, dict) else {})
    scopes = part.get("scopes")
    if scopes is not None and part.has("scopes"):
        # The source sends them under this name, one by one, where the standard has 'scope'.
        made_of = scope.template(part, scopes, f"{part.path}.scopes")
        if isinstance(made_of, list) and len(made_of) == 1:
            made_of = made_of[0]
        form["scopes"] = None if isinstance(made_of, Missing) else made_of
    made: Auth = {"form": form} if form else {}
    headers = part.get("refresh_request_headers")
    if headers is not None:
        said = scope.template(part, headers, f"{part.path}.refresh_request_headers")
        made["headers"] = said
    return made


def _read_reply(part: Part) -> Auth:
    reply = {
        ours: f"body.{name}"
        for ours, field in (
            ("access_token", "access_token_name"),
            ("expires_in", "expires_in_name"),
        )
        if (name := part.text(field)) and name != ours
    }
    return {"reply": reply} if reply else {}


def _read_signed(part: Part, scope: Scope) -> Auth:
    """Return how a token is signed, and what it says."""
    key = _template(part, "secret_key", scope)
    if part.is_true("base64_encode_secret_key"):
        key = str(key).replace(" }}", " | b64encode }}")
    if part.has("passphrase"):
        unsaid.lose(part, "passphrase", field="passphrase")
    claims = _object(part, "jwt_payload", scope) | _object(part, "additional_jwt_payload", scope)
    made: Auth = {"algorithm": _template(part, "algorithm", scope), "key": key}
    if claims:
        made["claims"] = claims
    headers = _object(part, "jwt_headers", scope) | _object(part, "additional_jwt_headers", scope)
    if headers:
        made["headers"] = headers
    duration = part.value("token_duration")
    made["lifetime"] = f"{duration if isinstance(duration, int) else 1200}s"
    return made


def _read_jwt(part: Part, scope: Scope) -> Auth:
    made: Auth = {"type": "jwt", **_read_signed(part, scope)}
    own = {"nbf": "{{ timestamp }}"} | _object(part, "additional_jwt_payload", scope)
    made["claims"] = made.get("claims", {}) | own
    option = part.child("request_option")
    place = None if option is None else read_place(option, scope)
    if place is not None:
        made["into"] = place
    prefix = part.text("header_prefix")
    if prefix or place is None:
        made["prefix"] = f"{prefix} ".lstrip()
    return made


def _object(part: Part, key: str, scope: Scope) -> dict[str, Json]:
    node = part.get(key)
    made = {} if node is None else scope.template(part, node, f"{part.path}.{key}")
    return made if isinstance(made, dict) else {}


def _read_session(part: Part, scope: Scope) -> Auth | str:
    requester = part.child("login_requester")
    own = None if requester is None else requester.child("authenticator")
    return read_login(part, scope, read_auth(own, scope))


def _read_choice(part: Part, scope: Scope) -> Auth | str:
    path = part.value("authenticator_selection_path")
    ways = part.named("authenticators")
    steps = tuple(path) if isinstance(path, list) else ()
    by = scope.supplies.resolve(steps)
    made: dict[str, Any] = {}
    names: dict[str, str] = {}
    for name, way in ways.items():
        names[name] = distinct(to_word(name, "way"), made)
        made[names[name]] = read_auth(way, scope)
    if not isinstance(by, Name) or not made:
        part.report.lose(part.position, f"{part.path}: nothing to choose by")
        return "none"
    written = str(write_template(by)).removeprefix("{{ ").removesuffix(" }}")
    _list_choices(by, names, scope)
    if all(_CHOICE_NAME.fullmatch(name) and name == ours for name, ours in names.items()):
        return {"type": "choice", "by": f"{{{{ {written} }}}}", "of": made}
    chosen = " else ".join(f"'{ours}' if {written} == '{name}'" for name, ours in names.items())
    return {"type": "choice", "by": f"{{{{ {chosen} else '' }}}}", "of": made}


def _list_choices(by: Name, names: Mapping[str, str], scope: Scope) -> None:
    """Say in the configuration what may be chosen, where the source does not."""
    schema = scope.supplies.config.get(str(by.steps[1]))
    if schema == UNDECLARED:
        schema.pop("default")
    if isinstance(schema, dict) and not {"enum", "default"} & schema.keys():
        schema["enum"] = list(names)


_READERS: Final[Mapping[str, Callable[[Part, Scope], Auth | str]]] = {
    "NoAuth": _read_none,
    "ApiKeyAuthenticator": _read_api_key,
    "BasicHttpAuthenticator": _read_basic,
    "BearerAuthenticator": _read_bearer,
    "OAuthAuthenticator": _read_oauth,
    "JwtAuthenticator": _read_jwt,
    "SelectiveAuthenticator": _read_choice,
    "SessionTokenAuthenticator": _read_session,
}
"""By kind."""
