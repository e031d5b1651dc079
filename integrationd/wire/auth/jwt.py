"""A token that we sign ourselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, ClassVar, Final

from integrationd.config.decode import SECRET, Invalid, Site
from integrationd.config.nodes import Fields
from integrationd.model.json import Json
from integrationd.model.secret import Secret
from integrationd.transform.template import JsonTemplate, Template
from integrationd.wire import jws, signable, signing
from integrationd.wire.attempt import Attempt
from integrationd.wire.credentials import CONSTANTS, USUAL_PLACE, put_token, render_secret
from integrationd.wire.jws import Algorithm
from integrationd.wire.messages import Request
from integrationd.wire.places import SENT, Place, Roots

_SENT: Final = Roots(SENT)


class KeyForm(StrEnum):
    """How a shared key is written."""

    TEXT = "text"
    """Its characters are its bytes."""
    BASE64 = "base64"
    """Either alphabet, padded or not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JwtAuth:
    """Sign a JSON Web Token for each request and send it.

    It says ``iat``, the time, and ``exp``, when it ends; a claim of the same name replaces them,
    and an empty one (``iat: null``) leaves them out.

    Source:
        RFC 7519, RFC 7515, RFC 7518 and RFC 8037.
    """

    kind: ClassVar[str] = "jwt"

    algorithm: Algorithm
    """``HS…`` with a shared key, ``RS…`` and ``PS256`` with an RSA key, ``ES256`` and ``ES384``
    with one on P-256 and P-384, ``EdDSA`` with one on Ed25519."""
    key: Annotated[Template, CONSTANTS, SECRET]
    """The shared key, or the private key in PEM form without a passphrase."""
    key_encoding: KeyForm = KeyForm.TEXT
    """How a shared key is written: ``text`` or ``base64``."""
    claims: Annotated[Mapping[str, JsonTemplate], signable.OVER_A_REQUEST] = field(
        default_factory=dict
    )
    """What it says, ``iss: "{{ config.issuer }}"``; ``jti: "{{ nonce }}"`` is new for each
    request. Beside ``config`` and ``secrets`` there are ``now``, ``timestamp`` (seconds since
    1970), ``timestamp_ms`` and ``nonce``, and of the request ``method``, ``url``, ``host``,
    ``path``, ``query``, ``parameters`` and ``body``."""
    headers: Annotated[Mapping[str, JsonTemplate], CONSTANTS] = field(default_factory=dict)
    """Its own headers beside ``alg`` and ``typ``, ``kid: "{{ config.key_id }}"``."""
    lifetime: timedelta = timedelta(minutes=5)
    """How long it is good; many providers refuse more than a few minutes."""
    into: Annotated[Place, _SENT] = USUAL_PLACE
    """Where it goes."""
    prefix: str | None = None
    """Stands before it; ``"Bearer "`` by default in the usual place, else nothing."""

    def check(self, node: Fields, site: Site) -> Invalid | None:
        """Refuse a way of writing shared keys where the key is none."""
        if "key_encoding" in node.entries and not self.algorithm.is_shared:
            message = f"{site.name} has 'key_encoding', which goes with HS256, HS384 and HS512"
            return site.refuse(node.key_position("key_encoding"), "E114", message)
        return None

    def sign(self, request: Request, variables: Mapping[str, Json], attempt: Attempt) -> Request:
        """Return the request with a token made for it.

        Raises:
            SecretError: The key is empty or of another kind, or a claim cannot be made.
            RefusedError: It does not fit there.
        """
        # The request is encoded only where a claim is about it.
        describe = signable.of_request if self._is_about_a_request() else signable.of_moment
        scope = describe(request, attempt)
        claims = {
            "iat": scope["timestamp"],
            "exp": scope["timestamp"] + int(self.lifetime.total_seconds()),
            **jws.render_claims(self.claims, {**variables, **scope}, "auth.claims"),
        }
        headers = jws.render_claims(self.headers, variables, "auth.headers")
        token = jws.build_token(self.algorithm, self.key_of(variables), claims, headers, "auth.key")
        return put_token(request, self.into, self.prefix, token)

    def _is_about_a_request(self) -> bool:
        used = {each.path[0] for claim in self.claims.values() for each in claim.references}
        return not used.isdisjoint(signable.SENT)

    def key_of(self, variables: Mapping[str, Json]) -> Secret | bytes:
        """Return the private key, or the bytes of a shared one.

        Raises:
            SecretError: It is empty, or not written as said.
        """
        key = render_secret(self.key, variables, "auth.key")
        if not self.algorithm.is_shared:
            return key
        if self.key_encoding is KeyForm.BASE64:
            return signing.read_base64_key(key, "auth.key")
        return key.reveal().encode()
