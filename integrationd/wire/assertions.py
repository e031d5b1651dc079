"""Tokens that a client signs itself and hands in for an access token."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated

from integrationd.config.decode import SECRET
from integrationd.model.json import Json
from integrationd.model.secret import Secret
from integrationd.transform.template import JsonTemplate, Template
from integrationd.wire import grants, jws, texts
from integrationd.wire.attempt import Attempt
from integrationd.wire.credentials import CONSTANTS, render_secret
from integrationd.wire.jws import Algorithm


@dataclass(frozen=True, slots=True, kw_only=True)
class Assertion:
    """A JSON Web Token that is signed for each token request.

    It says ``aud``, the address that is asked, ``iat`` and ``exp``, the time and its end, ``jti``,
    a text that never comes again, and with a ``client_id`` ``iss``; one that proves which client
    asks says ``sub`` too. A claim of the same name replaces them, and an empty one (``jti: null``)
    leaves them out.

    Source:
        RFC 7523 sections 2 and 3.
    """

    key: Annotated[Template, CONSTANTS, SECRET]
    """The private key in PEM form without a passphrase; with ``HS…`` the shared key's text."""
    algorithm: Algorithm = Algorithm.RS256
    """``RS…`` and ``PS256`` with an RSA key, ``ES256`` and ``ES384`` with one on P-256 and P-384,
    ``EdDSA`` with one on Ed25519, ``HS…`` with a shared key."""
    claims: Annotated[Mapping[str, JsonTemplate], CONSTANTS] = field(default_factory=dict)
    """What it says besides, ``{iss: "{{ config.email }}", scope: calendar.read}``."""
    headers: Annotated[Mapping[str, JsonTemplate], CONSTANTS] = field(default_factory=dict)
    """Its own headers beside ``alg`` and ``typ``, ``kid: "{{ config.key_id }}"``."""
    lifetime: timedelta = timedelta(minutes=5)
    """How long it is good; many providers refuse more than an hour or a few minutes."""

    def build(
        self,
        usual: Mapping[str, Json],
        variables: Mapping[str, Json],
        attempt: Attempt | None,
        where: str,
    ) -> Secret:
        """Sign one.

        Args:
            usual: Claims that the file may replace.
            variables: ``config`` and ``secrets``.
            attempt: The time and nonce; without one a digest of all that is signed comes back,
                by which a request is known again and which no provider takes.
            where: The field in the file, for messages.

        Raises:
            SecretError: The key is empty or of another kind, or a claim cannot be made.
        """
        key = render_secret(self.key, variables, f"{where}.key")
        claims = jws.render_claims(self.claims, variables, f"{where}.claims")
        headers = jws.render_claims(self.headers, variables, f"{where}.headers")
        if attempt is None:
            said = texts.dump_json([{**usual, **claims}, headers, key, str(self.algorithm)])
            return Secret(grants.digest_of(Secret(said)))
        now_s = int(attempt.at.timestamp())
        moment = {
            "iat": now_s,
            "exp": now_s + int(self.lifetime.total_seconds()),
            "jti": attempt.nonce,
        }
        signing_key = key.reveal().encode() if self.algorithm.is_shared else key
        return jws.build_token(
            self.algorithm, signing_key, {**usual, **moment, **claims}, headers, f"{where}.key"
        )
