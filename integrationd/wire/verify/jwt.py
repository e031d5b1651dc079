"""A JSON Web Token that comes with the call."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, ClassVar, Final

from typing_extensions import override

from integrationd.config.decode import INVALID, Invalid, Site
from integrationd.config.nodes import Fields, Items
from integrationd.errors import ExpressionError, PageShapeError, SecretError, SignatureError
from integrationd.model.json import Json
from integrationd.model.secret import reveal
from integrationd.transform.template import Template
from integrationd.wire import decoding, jws, public_keys, signing
from integrationd.wire.credentials import CONSTANTS
from integrationd.wire.encoding import encode
from integrationd.wire.inbound.candidates import Encoding, Source
from integrationd.wire.inbound.checks import Demands
from integrationd.wire.inbound.fetched import NOTHING, Fetched, UnknownKeyError
from integrationd.wire.inbound.keys import (
    KeyEncoding,
    PublicKey,
    given_keys,
    read_shared,
)
from integrationd.wire.inbound.times import check_age
from integrationd.wire.jws import Algorithm
from integrationd.wire.messages import Call, Request
from integrationd.wire.public_keys import Family, LoadedKey, PublicEncoding, Way

_TOKEN_MAX: Final = 16_384
_PARTS: Final = 3
_LEEWAY: Final = timedelta(minutes=1)
"""How far clocks may differ where a token ends or begins."""
_SHARED: Final = {
    Algorithm.HS256: "sha256",
    Algorithm.HS384: "sha384",
    Algorithm.HS512: "sha512",
}
_WAYS: Final = {
    Algorithm.RS256: Way(Family.RSA_PKCS1, "sha256"),
    Algorithm.RS384: Way(Family.RSA_PKCS1, "sha384"),
    Algorithm.RS512: Way(Family.RSA_PKCS1, "sha512"),
    Algorithm.PS256: Way(Family.RSA_PSS, "sha256"),
    Algorithm.ES256: Way(Family.ECDSA_RAW, "sha256"),
    Algorithm.ES384: Way(Family.ECDSA_RAW, "sha384"),
    Algorithm.EDDSA: Way(Family.ED25519),
}


class Digest(StrEnum):
    """The digest of a body."""

    SHA256 = "sha256"
    SHA384 = "sha384"
    SHA512 = "sha512"


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyHash:
    """The claim that holds a digest of the body; it is what ties the token to the call."""

    claim: str
    """Its name, ``payload_hash``."""
    digest: Digest = Digest.SHA256
    """The digest."""
    encoding: Encoding = Encoding.HEX
    """How it is written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bearer(Source):
    """Where the token stands."""

    what: ClassVar[str] = "a token"

    prefix: str = "Bearer "
    """Stands before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JwtVerifier(Demands):
    """Accept what comes with a signed token that says what it has to.

    The file names the algorithms, of one sort: shared secrets (``HS…``) or public keys. A token has
    to end (``exp``) or, with ``max_age``, to say when it was made (``iat``). Vonage's:

        verify:
          type: jwt
          algorithms: [HS256]
          keys: ["{{ secrets.signature_secret }}"]
          token: {from: header.authorization}
          iss: Vonage
          max_age: 5m
          body_hash: {claim: payload_hash}

    Source:
        RFC 7519 and RFC 8725; Vonage, "Signed webhooks"; Microsoft Graph, "Change notifications
        with resource data".
    """

    kind: ClassVar[str] = "jwt"

    token: Bearer
    """Where the token stands."""
    algorithms: tuple[Algorithm, ...]
    """The algorithms that are taken."""
    keys: Annotated[tuple[PublicKey | Template, ...], CONSTANTS] = ()
    """The keys, newest first; of ``HS…`` shared secrets, else public keys in PEM."""
    key_encoding: KeyEncoding = KeyEncoding.UTF8
    """How a shared secret is written."""
    jwks: Annotated[Template | None, CONSTANTS] = None
    """In the place of ``keys``: the https address of the sender's key set, of which the token's
    ``kid`` picks one. It is kept for an hour; a ``kid`` that is not in it has it asked again."""
    select: str | None = None
    """The claim that names the key by its ``id``, ``api_key``; or ``kid``, of the token's head."""
    iss: Annotated[Template | None, CONSTANTS] = None
    """Who has to have made it."""
    aud: Annotated[Template | None, CONSTANTS] = None
    """For whom it has to be."""
    max_age: timedelta | None = None
    """How long ago it may have been made, ``iat``."""
    claims: Annotated[Mapping[str, Template], CONSTANTS] = field(default_factory=dict)
    """What else it has to say, ``{azp: "{{ config.sender }}"}``."""
    body_hash: BodyHash | None = None
    """The claim that holds a digest of the body."""

    def check(self, node: Fields, site: Site) -> Invalid | None:
        """Refuse what could never verify, and algorithms of two sorts."""
        valid = True
        sorts = {algorithm.is_shared for algorithm in self.algorithms}
        if len(sorts) != 1:
            message = f"{site.path}.algorithms: expected one or more, all HS… or all others"
            valid = site.refuse(node.entries["algorithms"].position, "E114", message) is None
        if bool(self.keys) == (self.jwks is not None):
            message = f"{site.path} needs 'keys' or 'jwks', and just one of them"
            valid = site.refuse(node.position, "E102", message) is None
        if self.jwks is not None and True in sorts:
            message = f"{site.path} has 'jwks', which holds no shared secrets"
            valid = site.refuse(node.key_position("jwks"), "E114", message) is None
        listed = node.entries.get("keys")
        if True in sorts and isinstance(listed, Items):
            for key, item in zip(self.keys, listed.items, strict=True):
                template = key if isinstance(key, Template) else key.key
                if template.is_written_out:
                    valid = site.key("keys").refuse_text(item) is None
        return None if valid else INVALID

    @property
    @override
    def covers_body(self) -> bool:
        """Tell whether the token is tied to the body."""
        return self.body_hash is not None

    @override
    def addresses(self, call: Call, variables: Mapping[str, Json]) -> tuple[str, ...]:
        """Return where the key set lies."""
        wanted = self.jwks is not None and self.may_hold(call)
        return (self._address(variables),) if wanted else ()

    def verify(
        self,
        call: Call,
        variables: Mapping[str, Json],
        now: datetime,
        fetched: Fetched = NOTHING,
    ) -> None:
        """Return when the token is right.

        Raises:
            SignatureError: It is not, or there is none.
            UnknownKeyError: The key set that was fetched has no key of that name.
            SecretError: A key is missing or none: the endpoint stays closed.
        """
        if self.keys:
            given_keys(self.keys, variables, now)
        self.demand(call, variables)
        text = self.token.read_texts(call)[0]
        head, claims, data, signature = _take_apart(text)
        algorithm = next((one for one in self.algorithms if one == head.get("alg")), None)
        if algorithm is None or "crit" in head:
            raise SignatureError("the token is signed in a way that is not taken")
        if not self._is_signed(algorithm, head, claims, data, signature, (variables, now, fetched)):
            raise SignatureError("the token's signature does not fit it; another key?")
        self._hold_times(claims, now)
        self._hold_claims(claims, variables)
        if self.body_hash is not None:
            made = hashlib.new(self.body_hash.digest, call.body).digest()
            shown = self.body_hash.encoding.read(str(claims.get(self.body_hash.claim, "")))
            if shown is None or not hmac.compare_digest(shown, made):
                raise SignatureError(f"the token's {self.body_hash.claim} does not fit the body")

    def sign(
        self, request: Request, body: bytes, variables: Mapping[str, Json], now: datetime
    ) -> Request:
        """Return the request with a token; raises SecretError where only the sender can."""
        if not self.algorithms[0].is_shared:
            raise SecretError("the token is signed by a private key, which only the sender has")
        key = given_keys(self.keys, variables, now)[0]
        made_at = int(now.timestamp())
        claims: dict[str, Json] = {"iat": made_at, "exp": made_at + 300, **self._wanted(variables)}
        if self.select not in (None, "kid"):
            claims[str(self.select)] = key.id
        if self.body_hash is not None:
            carried = body if request.body is None else encode(request).body or b""
            digest = hashlib.new(self.body_hash.digest, carried).digest()
            claims[self.body_hash.claim] = self.body_hash.encoding.write(digest)
        head = {"kid": key.id} if self.select == "kid" else {}
        secret = read_shared(key, self.key_encoding)
        token = jws.build_token(self.algorithms[0], secret, claims, head, key.where)
        return self.token.put(request, token.reveal())

    def _address(self, variables: Mapping[str, Json]) -> str:
        assert self.jwks is not None
        try:
            address = reveal(self.jwks.render_text(variables) or "")
        except ExpressionError as wrong:
            raise SecretError(f"verify.jwks cannot be made: {wrong}") from None
        if not address.startswith("https://"):
            raise SecretError("verify.jwks gives no https address")
        return address

    def _is_signed(
        self,
        algorithm: Algorithm,
        head: Mapping[str, Json],
        claims: Mapping[str, Json],
        data: bytes,
        signature: bytes,
        known: tuple[Mapping[str, Json], datetime, Fetched],
    ) -> bool:
        variables, now, fetched = known
        if self.jwks is not None:
            loaded = self._of_set(head.get("kid"), self._address(variables), fetched)
            return any(public_keys.fits(_WAYS[algorithm], key, data, signature) for key in loaded)
        named = None
        if self.select is not None:
            named = str((head if self.select == "kid" else claims).get(self.select, ""))
        given = given_keys(self.keys, variables, now, named=named)
        if algorithm in _SHARED:
            made = [
                signing.authenticate(_SHARED[algorithm], read_shared(key, self.key_encoding), data)
                for key in given
            ]
            return any(hmac.compare_digest(one, signature) for one in made)
        keys = [public_keys.load(key.text, PublicEncoding.PEM, key.where) for key in given]
        return any(public_keys.fits(_WAYS[algorithm], key, data, signature) for key in keys)

    def _of_set(self, kid: Json, address: str, fetched: Fetched) -> list[LoadedKey]:
        data = fetched.get(address)
        if data is None:
            raise SignatureError("verify.jwks was not fetched")
        found = public_keys.load_set(data, kid if isinstance(kid, str) else None)
        if not found:
            raise UnknownKeyError("the token names a key that is not in verify.jwks", address)
        return found

    def _hold_times(self, claims: Mapping[str, Json], now: datetime) -> None:
        ends, begins, made = (_time(claims, name) for name in ("exp", "nbf", "iat"))
        if ends is None and self.max_age is None:
            raise SignatureError("the token never ends, expected 'exp'")
        if ends is not None and now.timestamp() > ends + _LEEWAY.total_seconds():
            raise SignatureError("the token has ended")
        if begins is not None and now.timestamp() < begins - _LEEWAY.total_seconds():
            raise SignatureError("the token has not begun")
        if self.max_age is not None:
            if made is None:
                raise SignatureError("the token does not say when it was made, expected 'iat'")
            check_age("the token's iat", made, now, self.max_age, _LEEWAY)

    def _wanted(self, variables: Mapping[str, Json]) -> dict[str, Json]:
        named = {**self.claims, "iss": self.iss, "aud": self.aud}
        wanted: dict[str, Json] = {}
        for name, template in named.items():
            if template is None:
                continue
            try:
                value = template.render(variables)
            except ExpressionError as wrong:
                raise SecretError(f"verify: {name} cannot be made: {wrong}") from None
            wanted[name] = reveal(value) if not isinstance(value, int | float) else value
            if wanted[name] in (None, ""):
                raise SecretError(f"verify: {name} is empty, expected what the token has to say")
        return wanted

    def _hold_claims(self, claims: Mapping[str, Json], variables: Mapping[str, Json]) -> None:
        for name, value in self._wanted(variables).items():
            said = claims.get(name)
            listed = said if name == "aud" and isinstance(said, list) else [said]
            if not any(type(one) is type(value) and one == value for one in listed):
                raise SignatureError(f"the token's {name} is not what it has to be")


def _take_apart(text: str) -> tuple[Mapping[str, Json], Mapping[str, Json], bytes, bytes]:
    """Return head, claims, what is signed, and the signature; raises SignatureError."""
    parts = text.split(".") if len(text) <= _TOKEN_MAX and text.isascii() else []
    decoded = [Encoding.BASE64URL.read(part) for part in parts]
    if len(decoded) != _PARTS or decoded[0] is None or decoded[1] is None or decoded[2] is None:
        raise SignatureError("the token cannot be read, expected three parts in base64url")
    try:
        head, claims = decoding.decode_bytes(decoded[0]), decoding.decode_bytes(decoded[1])
    except PageShapeError:
        raise SignatureError("the token cannot be read, expected JSON") from None
    if not isinstance(head, dict) or not isinstance(claims, dict):
        raise SignatureError("the token cannot be read, expected objects")
    return head, claims, text.rpartition(".")[0].encode(), decoded[2]


def _time(claims: Mapping[str, Json], name: str) -> float | None:
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise SignatureError(f"the token's {name} is no time")
    try:
        return float(value)
    except OverflowError:
        raise SignatureError(f"the token's {name} is no time") from None
