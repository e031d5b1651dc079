"""Signed calls, verified: the player signs what came with its own made-up key and compares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import parse_qsl, unquote

from integrationd.errors import ExpressionError, IntegrationError, PageShapeError
from integrationd.model.json import Json
from integrationd.model.secret import reveal
from integrationd.testing.routes import Found, mark, read_text
from integrationd.transform.finding import references_in
from integrationd.transform.template import JsonTemplate
from integrationd.wire import decoding, encoding, jws, signable, texts
from integrationd.wire.attempt import Attempt
from integrationd.wire.auth.authenticator import Signer
from integrationd.wire.auth.jwt import JwtAuth
from integrationd.wire.auth.oauth1 import OAuth1Auth
from integrationd.wire.auth.shared_key import SharedKeyAuth
from integrationd.wire.auth.signed import SignedAuth
from integrationd.wire.auth.sigv4 import SigV4Auth
from integrationd.wire.credentials import USUAL_PLACE
from integrationd.wire.messages import Answer, Call, FormBody, JsonBody, Request, TextBody
from integrationd.wire.places import Place, Root
from integrationd.wire.showing import STAND_IN

_MOMENTS: Final = {name: mark(name) for name in signable.MOMENT}
_TRANSPORT: Final = frozenset(
    {"host", "content-length", "connection", "accept-encoding", "user-agent", "transfer-encoding"}
)


@dataclass(frozen=True, slots=True)
class SignatureGuard:
    """Takes what the spec's own key would have signed, at whatever time, and nothing else."""

    signer: Signer
    variables: Mapping[str, Json]
    is_blind: bool = False
    """Whether it can only see that something is there; see :func:`unverified`."""

    def answer(self, call: Call, now_s: float) -> Answer | None:
        """Return None: there is nothing to ask for first."""
        _ = call, now_s
        return None

    def admits(self, call: Call, now_s: float) -> bool:
        """Tell whether the signature is right."""
        _ = now_s
        try:
            return self._verify(call)
        except (IntegrationError, ValueError, KeyError, TypeError, OverflowError):
            # What cannot be read is no signature.
            return False

    @property
    def gives(self) -> bool:
        """Return False."""
        return False

    def is_own(self, call: Call) -> bool:
        """Return False."""
        _ = call
        return False

    def challenge(self) -> Mapping[str, str]:
        """Return none."""
        return {}

    def revoke(self) -> None:
        """Do nothing: what is signed anew each time cannot be taken back."""

    def try_key(self) -> None:
        """Sign something; raises IntegrationError where the key or a template is of no use."""
        self.signer.sign(
            Request(method="GET", url="http://player.invalid/"), self.variables, STAND_IN
        )

    def _verify(self, call: Call) -> bool:
        places = _own_places(self.signer)
        if self.is_blind:
            return all(place.take(call) for place in places)
        bare = bare_request(call, *places)
        if isinstance(self.signer, JwtAuth):
            return _verify_token(self.signer, call, bare, self.variables)
        attempt = _attempt_of(self.signer, call, self.variables)
        signed = self.signer.sign(bare, self.variables, attempt)
        return _is_same(encoding.encode(signed), call)


def bare_request(call: Call, *places: Place) -> Request:
    """Return an inbound call as a request, without what stands at some places."""
    headers = {name: text for name, text in call.headers.items() if name not in _TRANSPORT}
    named = {root: {place.name for place in places if place.root is root} for root in Root}
    for name in named[Root.HEADER]:
        headers.pop(name, None)
    head, _, query = call.url.partition("?")
    kept = [
        part
        for part in query.split("&")
        if part and unquote(part.partition("=")[0].replace("+", " ")) not in named[Root.QUERY]
    ]
    request = Request(
        method=call.method,
        url=f"{head}?{'&'.join(kept)}" if kept else head,
        headers=headers,
    )
    return replace(request, body=_body_of(call, named[Root.FORM], named[Root.JSON]))


def _body_of(
    call: Call, form: set[str], members: set[str]
) -> FormBody | JsonBody | TextBody | None:
    if not call.body:
        return None
    kind = call.headers.get("content-type", "")
    if kind.startswith("application/x-www-form-urlencoded"):
        pairs = parse_qsl(call.body.decode(), keep_blank_values=True)
        return FormBody(tuple(pair for pair in pairs if pair[0] not in form)) if pairs else None
    if members:
        value = decoding.decode_bytes(call.body)
        return JsonBody({key: item for key, item in value.items() if key not in members})
    return TextBody(call.body.decode("utf-8", "replace"), kind)


def _own_places(signer: Signer) -> list[Place]:
    """Return where a signer puts what it adds."""
    if isinstance(signer, SignedAuth):
        named = (Place.parse(name) for name in signer.with_)
        return [signer.into, *(place for place in named if place is not None)]
    if isinstance(signer, JwtAuth):
        return [signer.into]
    return [USUAL_PLACE]


def _attempt_of(signer: Signer, call: Call, variables: Mapping[str, Json]) -> Attempt:
    """Return when and with which nonce a call was signed, as it says itself."""
    match signer:
        case SigV4Auth():
            text = call.headers["x-amz-date"]
            at = datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
            return Attempt(at=at, nonce="")
        case SharedKeyAuth():
            return Attempt(at=parsedate_to_datetime(call.headers["x-ms-date"]), nonce="")
        case OAuth1Auth():
            parts = _oauth_parts(call.headers["authorization"])
            at = datetime.fromtimestamp(int(parts["oauth_timestamp"]), UTC)
            return Attempt(at=at, nonce=parts["oauth_nonce"])
        case SignedAuth():
            found: Found = {}
            for name, template in signer.with_.items():
                place = Place.parse(name)
                assert place is not None
                found |= _moments_in(template, place.take(call), variables)
            return _attempt(found)
        case _:
            return STAND_IN


def _oauth_parts(header: str) -> dict[str, str]:
    scheme, _, rest = header.partition(" ")
    if scheme != "OAuth":
        raise ValueError
    pairs = (part.strip().partition("=") for part in rest.split(","))
    return {name: unquote(value.strip('"')) for name, _, value in pairs}


def _moments_in(template: JsonTemplate, text: str | None, variables: Mapping[str, Json]) -> Found:
    """Return the time and nonce that a template has put into a text; none where it cannot tell."""
    if text is None:
        return {}
    try:
        wanted = template.render({**variables, **_MOMENTS})
    except ExpressionError:
        return {}
    return read_text(reveal(texts.to_text(wanted) or ""), text) or {}


def _attempt(found: Found) -> Attempt:
    at = STAND_IN.at
    if "timestamp_ms" in found:
        at = datetime.fromtimestamp(int(found["timestamp_ms"]) / 1000, UTC)
    elif "timestamp" in found:
        at = datetime.fromtimestamp(int(found["timestamp"]), UTC)
    elif "now" in found:
        at = datetime.fromisoformat(found["now"])
    return Attempt(at=at, nonce=found.get("nonce", ""))


def _is_same(expected: encoding.EncodedRequest, call: Call) -> bool:
    headers = all(
        call.headers.get(name) == text
        for name, text in expected.headers.items()
        if name not in ("accept", "content-type") or name in call.headers
    )
    return headers and expected.url == call.url and (expected.body or b"") == call.body


def _verify_token(auth: JwtAuth, call: Call, bare: Request, variables: Mapping[str, Json]) -> bool:
    text = auth.into.take(call) or ""
    prefix = auth.prefix
    if prefix is None:
        prefix = "Bearer " if auth.into == USUAL_PLACE else ""
    if not text.startswith(prefix):
        return False
    token = text.removeprefix(prefix)
    claims = read_claims(token)
    found: Found = {}
    for name, template in auth.claims.items():
        found |= _moments_in(template, _text(claims.get(name)), variables)
    if "iat" in claims and "iat" not in auth.claims:
        found["timestamp"] = str(claims["iat"])
    elif "exp" in claims and "exp" not in auth.claims and "timestamp" not in found:
        found["timestamp"] = str(claims["exp"] - int(auth.lifetime.total_seconds()))
    expected = auth.sign(bare, variables, _attempt(found))
    ours = auth.into.take(_as_call(expected)) or ""
    same = ours.rpartition(".")[0] == text.rpartition(".")[0]
    return same and jws.is_signed(auth.algorithm, auth.key_of(variables), token, "auth.key")


def read_claims(token: str) -> dict[str, Json]:
    """Return what a token says; raises ValueError where it is none."""
    parts = token.split(".")
    if len(parts) != 3:  # noqa: PLR2004 - header, claims, signature
        raise ValueError
    try:
        claims = decoding.decode_bytes(jws.decode_part(parts[1]))
    except PageShapeError:
        raise ValueError from None
    if not isinstance(claims, dict):
        raise ValueError  # noqa: TRY004 - as for all that is no token
    return claims


def _text(value: Json) -> str | None:
    return None if value is None else reveal(texts.to_text(value) or "")


def _as_call(request: Request) -> Call:
    sent = encoding.encode(request)
    query = parse_qsl(sent.url.partition("?")[2], keep_blank_values=True)
    return Call(
        method=sent.method,
        url=sent.url,
        path="/",
        query=tuple(query),
        headers=sent.headers,
        body=sent.body or b"",
    )


def unverified(signer: Signer) -> str:
    """Say why signatures cannot be verified; empty where they can."""
    if not isinstance(signer, SignedAuth):
        return ""
    used = {one.path[0] for one in references_in(signer.text)} & {*signable.MOMENT}
    sent = {one.path[0] for one in references_in(signer.with_)} & {*signable.MOMENT}
    times = {"now", "timestamp", "timestamp_ms"}
    if (used & times and not sent & times) or ("nonce" in used and "nonce" not in sent):
        return "a call does not say the time or nonce that its signature is made of"
    return ""
