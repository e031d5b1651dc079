"""OAuth 1.0a."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, ClassVar, Final
from urllib.parse import quote, urlsplit

from integrationd.config.decode import INVALID, SECRET, Invalid, Site
from integrationd.config.nodes import Fields
from integrationd.errors import RefusedError
from integrationd.model.json import Json
from integrationd.model.secret import Secret, reveal
from integrationd.transform.template import Template
from integrationd.wire import places, signable, signing
from integrationd.wire.attempt import Attempt
from integrationd.wire.challenges import quote_text
from integrationd.wire.credentials import CONSTANTS, render_secret
from integrationd.wire.encoding import EncodedRequest, encode, host_of
from integrationd.wire.messages import Request
from integrationd.wire.signing import Scheme


class Method(StrEnum):
    """How a request is signed, RFC 5849 section 3.4."""

    HMAC_SHA1 = "HMAC-SHA1"
    HMAC_SHA256 = "HMAC-SHA256"
    """Not in the RFC; NetSuite wants it."""
    RSA_SHA1 = "RSA-SHA1"
    """With a private key in the place of both secrets."""
    PLAINTEXT = "PLAINTEXT"
    """The secrets themselves are sent; over TLS alone."""


_DIGESTS: Final = {Method.HMAC_SHA1: "sha1", Method.HMAC_SHA256: "sha256"}


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuth1Auth:
    """Sign every request with the keys of a client and, where there is one, of a person's token.

    Query and form are signed with it, as they are sent.

    Source:
        RFC 5849; NetSuite's token-based authentication for HMAC-SHA256 and ``realm``.
    """

    kind: ClassVar[str] = "oauth1"

    consumer_key: Annotated[Template, CONSTANTS]
    """Which client asks."""
    consumer_secret: Annotated[Template | None, CONSTANTS, SECRET] = None
    """Its secret; not with ``RSA-SHA1``."""
    token: Annotated[Template | None, CONSTANTS] = None
    """The access token that a person's consent gave; some APIs do without."""
    token_secret: Annotated[Template | None, CONSTANTS, SECRET] = None
    """Its secret; not with ``RSA-SHA1``."""
    private_key: Annotated[Template | None, CONSTANTS, SECRET] = None
    """With ``RSA-SHA1``: the client's private key in PEM form."""
    signature_method: Method = Method.HMAC_SHA1
    """``HMAC-SHA1``, ``HMAC-SHA256``, ``RSA-SHA1`` or ``PLAINTEXT``."""
    realm: Annotated[Template | None, CONSTANTS] = None
    """Stands first in the header and is not signed; NetSuite wants the account there."""
    send_version: bool = True
    """Whether ``oauth_version`` is sent, which is ``1.0``; it may be left out."""

    def check(self, node: Fields, site: Site) -> Invalid | None:
        """Refuse a method without its key, keys that it does not use, and half a token."""
        uses_rsa = self.signature_method is Method.RSA_SHA1
        told: Invalid | None = None
        needed = "private_key" if uses_rsa else "consumer_secret"
        if getattr(self, needed) is None:
            message = f"{site.name} has no {needed!r}, which {self.signature_method} needs"
            told = site.refuse(node.position, "E102", message)
        for key in ("consumer_secret", "token_secret") if uses_rsa else ("private_key",):
            if key in node.entries:
                message = f"{site.name} has {key!r}, which {self.signature_method} does not use"
                told = site.refuse(node.key_position(key), "E114", message)
        if self.token_secret is not None and self.token is None:
            message = f"{site.name} has no 'token', which goes with 'token_secret'"
            told = site.refuse(node.position, "E102", message)
        return INVALID if told is INVALID else None

    def sign(self, request: Request, variables: Mapping[str, Json], attempt: Attempt) -> Request:
        """Return the request with its signature in the ``authorization`` header.

        Raises:
            SecretError: A key is empty or cannot be used.
            RefusedError: The request cannot be sent.
        """
        key = render_secret(self.consumer_key, variables, "auth.consumer_key").reveal()
        values = {
            "oauth_consumer_key": key,
            "oauth_signature_method": self.signature_method.value,
            "oauth_timestamp": str(int(attempt.at.timestamp())),
            "oauth_nonce": attempt.nonce,
        }
        if self.token is not None:
            values["oauth_token"] = render_secret(self.token, variables, "auth.token").reveal()
        if self.send_version:
            values["oauth_version"] = "1.0"
        base = _base_string(request, encode(request), values)
        values["oauth_signature"] = self._signature(base, variables)
        parts = [f'{name}="{_escape(value)}"' for name, value in values.items()]
        if self.realm is not None:
            realm = reveal(self.realm.render_text(variables) or "")
            parts.insert(0, f"realm={quote_text(realm)}")
        value = Secret(f"OAuth {', '.join(parts)}")
        places.check_header("authorization", value)
        return request.with_header("authorization", value)

    def _signature(self, base: str, variables: Mapping[str, Json]) -> str:
        if self.private_key is not None:
            pem = render_secret(self.private_key, variables, "auth.private_key")
            signed = signing.sign(Scheme.RSA_SHA1, pem, base.encode(), "auth.private_key")
            return base64.b64encode(signed).decode()
        secrets = [
            "" if each is None else render_secret(each, variables, where).reveal()
            for each, where in (
                (self.consumer_secret, "auth.consumer_secret"),
                (self.token_secret, "auth.token_secret"),
            )
        ]
        key = "&".join(map(_escape, secrets))
        if self.signature_method is Method.PLAINTEXT:
            return key
        digest = _DIGESTS[self.signature_method]
        return base64.b64encode(signing.authenticate(digest, key.encode(), base.encode())).decode()


def _base_string(request: Request, sent: EncodedRequest, values: Mapping[str, str]) -> str:
    """Return what is signed, RFC 5849 section 3.4.1."""
    parts = urlsplit(sent.url)
    uri = f"{parts.scheme}://{host_of(sent.url).lower()}{parts.path or '/'}"
    pairs = [*signable.parameters(request, sent), *values.items()]
    escaped = sorted((_escape(name), _escape(value)) for name, value in pairs)
    normal = "&".join(f"{name}={value}" for name, value in escaped)
    return "&".join((sent.method, _escape(uri), _escape(normal)))


def _escape(text: str) -> str:
    """Escape all but letters, digits and ``-._~``, RFC 5849 section 3.6."""
    try:
        return quote(text, safe="-._~")
    except UnicodeEncodeError:
        raise RefusedError("a parameter is not valid Unicode, which cannot be signed") from None
