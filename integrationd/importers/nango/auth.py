"""``auth_mode`` with what goes with it, as ``auth``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from integrationd.importers.literals import to_expression
from integrationd.importers.naming import to_word
from integrationd.importers.nango.block import Block
from integrationd.importers.nango.login import read_login
from integrationd.importers.nango.saying import said, text_of, texts_of
from integrationd.importers.nango.texts import Names

_CLIENT: Final = {
    "client_id": "{{ secrets.client_id }}",
    "client_secret": "{{ secrets.client_secret }}",
}
_SEND_AS: Final = {"form": "form", "json": "json", "query": "query"}
_SIGNATURES: Final = ("HMAC-SHA1", "HMAC-SHA256", "RSA-SHA1", "PLAINTEXT")
_ALGORITHMS: Final = frozenset(
    {"HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA"}
)
_SUB_MS: Final = 1000


def read_auth(block: Block, names: Names) -> dict[str, Any] | None:
    """Return what ``auth`` says; None where nobody is asked for, or where it is not known yet.

    Where a key goes that is sent as it is, the headers of ``proxy`` say.
    """
    mode = block.text("auth_mode")
    reader = _READERS.get(mode)
    if reader is not None:
        return reader(block, names)
    if mode not in ("API_KEY", "NONE"):
        block.lose("auth_mode", f"credentials of the kind {mode or 'that is not said'}")
    return None


def _read_basic(_block: Block, names: Names) -> dict[str, Any]:
    made = {"type": "basic"}
    for word in ("username", "password"):
        found = names.variable(word)
        made[word] = f"{{{{ {found} }}}}"
    return made


def _token_url(block: Block, names: Names, *words: str) -> str:
    """Return where tokens are had; of several by mode, the one that is meant."""
    for word in words:
        if block.find(f"token_url.{word}") is not None:
            return text_of(block, names, f"token_url.{word}")
    return text_of(block, names, "token_url")


def _client(block: Block, names: Names) -> dict[str, Any]:
    """Return what every request for a token says."""
    for name in ("client_id", "client_secret"):
        names.secrets.setdefault(name, {})
    made: dict[str, Any] = dict(_CLIENT)
    method = block.text("token_request_auth_method") or block.text("authorization_method")
    made["client_auth"] = "basic" if method in ("basic", "header") else "post"
    if method not in ("", "basic", "header", "body"):
        key = "token_request_auth_method" if block.find("token_request_auth_method") else ""
        block.lose(key or "authorization_method", f"a client that is told by {method!r}")
    body = block.text("body_format")
    if body and body not in _SEND_AS:
        block.lose("body_format", f"a token request as {body}")
    elif body and body != "form":
        made["send_as"] = _SEND_AS[body]
    separator = block.text("scope_separator")
    if separator and separator != " ":
        made["scope_separator"] = separator
    scopes = [said(block, names, "default_scopes", each) for each in block.listed("default_scopes")]
    if any(scopes):
        made["scopes"] = [scope for scope in scopes if scope]
    headers = texts_of(block, names, "token_headers")
    return {**made, **({"headers": headers} if headers else {}), **_reply(block)}


def _reply(block: Block) -> dict[str, Any]:
    reply: dict[str, str] = {}
    path = block.text("alternate_access_token_response_path")
    if path:
        reply["access_token"] = to_expression(path.split("."), "body")
    if block.text("expires_in_unit") == "milliseconds":
        reply["expires_in_ms"] = "body.expires_in"
    if block.find("token_expiration_buffer") is not None:
        block.used.add("token_expiration_buffer")
        block.note("token_expiration_buffer", "tokens are renewed a minute before they end")
    return {"reply": reply} if reply else {}


def _read_consent(block: Block, names: Names) -> dict[str, Any]:
    """Return the grant that a person's consent gives."""
    form = texts_of(block, names, "token_params")
    grant = form.pop("grant_type", "authorization_code")
    if grant == "client_credentials":
        return _with_form(_read_client(block, names), form)
    if grant != "authorization_code":
        block.lose("token_params.grant_type", f"the grant {grant} after a person's consent")
    query = texts_of(block, names, "authorization_params")
    if query.get("response_type") == "code":
        del query["response_type"]
    authorize: dict[str, Any] = {"url": text_of(block, names, "authorization_url")}
    if query:
        authorize["query"] = query
    if block.flag("disable_pkce"):
        authorize["pkce"] = False
    made: dict[str, Any] = {"type": "oauth2", "grant": "authorization_code"}
    made["token_url"] = _token_url(block, names, "OAUTH2")
    made = _with_form({**made, **_client(block, names)}, form)
    made["authorize"] = authorize
    refresh: dict[str, Any] = {}
    url = text_of(block, names, "refresh_url")
    if url:
        refresh["url"] = url
    more = texts_of(block, names, "refresh_params")
    more.pop("grant_type", None)
    if more != form:
        refresh["form"] = more
    return {**made, **({"refresh": refresh} if refresh else {})}


def _with_form(made: dict[str, Any], form: dict[str, str]) -> dict[str, Any]:
    return {**made, "form": form} if form else made


def _read_client(block: Block, names: Names) -> dict[str, Any]:
    made: dict[str, Any] = {"type": "oauth2", "grant": "client_credentials"}
    made["token_url"] = _token_url(block, names, "OAUTH2CC", "OAUTH2")
    form = texts_of(block, names, "token_params")
    if form.get("grant_type") == "client_credentials":
        del form["grant_type"]
    return _with_form({**made, **_client(block, names)}, form)


def _read_oauth1(block: Block, names: Names) -> dict[str, Any]:
    """Return how calls are signed; the consent that gives the token is had elsewhere."""
    method = block.text("signature_method") or "HMAC-SHA1"
    if method not in _SIGNATURES:
        block.lose("signature_method", f"a signature by {method}")
    made = {"type": "oauth1", "signature_method": method}
    for word in ("consumer_key", "consumer_secret", "token", "token_secret"):
        names.secrets.setdefault(word, {})
        made[word] = f"{{{{ secrets.{word} }}}}"
    if method == "RSA-SHA1":
        names.secrets["private_key"] = {}
        made = {**made, "private_key": "{{ secrets.private_key }}"}
        del made["consumer_secret"], made["token_secret"]
    asking = (
        *("request_url", "authorization_url", "token_url", "request_params", "token_params"),
        *("request_http_method", "token_http_method", "authorization_params"),
    )
    there = [name for name in asking if block.find(name) is not None]
    block.used.update(there)
    if there:
        block.note(there[0], "a consent of OAuth 1 is not asked for here; supply its token")
    return made


def _read_tba(block: Block, names: Names) -> dict[str, Any]:
    """Return NetSuite's signed calls."""
    made = _read_oauth1(block, names)
    made["signature_method"] = "HMAC-SHA256"
    realm = names.variable("connectionConfig.accountId")
    return {**made, "realm": f"{{{{ {realm} }}}}"}


def _read_jwt(block: Block, names: Names) -> dict[str, Any] | None:
    """Return a token that is signed for each call."""
    return signed_token(block, names, "token")


def signed_token(block: Block, names: Names, path: str) -> dict[str, Any] | None:
    """Return how a token is signed, and what it says."""
    algorithm = block.text(f"{path}.header.alg") or block.text(f"{path}.headers.alg")
    block.used.update({f"{path}.header.typ", f"{path}.headers.typ", "signature.protocol"})
    key = text_of(block, names, f"{path}.signing_key")
    if not key:
        names.secrets.setdefault("private_key", {})
        key = "{{ secrets.private_key }}"
    if algorithm not in _ALGORITHMS:
        block.lose(f"{path}.header", f"a token that is signed by {algorithm or 'nothing named'}")
        return None
    made: dict[str, Any] = {"type": "jwt", "algorithm": algorithm, "key": key}
    claims = texts_of(block, names, f"{path}.payload")
    if claims:
        made["claims"] = claims
    headers = {
        key: text_of(block, names, f"{path}.header.{key}")
        for key in block.children(f"{path}.header")
        if key not in ("alg", "typ")
    }
    if headers:
        made["headers"] = headers
    lifetime = block.value(f"{path}.expires_in_ms")
    if isinstance(lifetime, int) and lifetime >= _SUB_MS:
        made["lifetime"] = f"{lifetime // _SUB_MS}s"
    return made


def _read_app_store(block: Block, names: Names) -> dict[str, Any]:
    """Return Apple's tokens, which are signed with a key of the account."""
    made: dict[str, Any] = {"type": "jwt", "algorithm": "ES256"}
    names.secrets.setdefault("private_key", {})
    issuer, key_id = (
        names.variable(f"credentials.{each}") for each in ("issuerId", "privateKeyId")
    )
    made["key"] = "{{ secrets.private_key }}"
    made["claims"] = {"iss": f"{{{{ {issuer} }}}}"}
    audience = block.text("authorization_params.audience")
    if audience:
        made["claims"]["aud"] = audience
    block.used.add("token_url")
    return {**made, "headers": {"kid": f"{{{{ {key_id} }}}}"}, "lifetime": "15m"}


def _read_sigv4(block: Block, names: Names) -> dict[str, Any]:
    made: dict[str, Any] = {"type": "sigv4"}
    service = block.text("aws_service") or block.text("service") or "execute-api"
    made["service"] = to_word(service).replace("_", "-")
    region = names.variable("connectionConfig.region")
    made["region"] = f"{{{{ {region} }}}}"
    for word in ("access_key", "secret_key"):
        names.secrets.setdefault(word, {})
        made[word] = f"{{{{ secrets.{word} }}}}"
    names.secrets.pop("role_arn", None)
    block.lose("auth_mode", "keys that are got for a role; supply keys of a user instead")
    return made


def _read_session(block: Block, names: Names) -> dict[str, Any] | None:
    signer = signed_token(block, names, "token") if block.find("token") is not None else None
    if signer is not None:
        block.lose("token", "a login with a token that is signed for it")
    return read_login(block, names)


_READERS: Final[Mapping[str, Callable[[Block, Names], dict[str, Any] | None]]] = {
    "BASIC": _read_basic,
    "OAUTH2": _read_consent,
    "OAUTH2_CC": _read_client,
    "OAUTH1": _read_oauth1,
    "TBA": _read_tba,
    "JWT": _read_jwt,
    "APP_STORE": _read_app_store,
    "TWO_STEP": _read_session,
    "AWS_SIGV4": _read_sigv4,
}
"""By ``auth_mode``."""
