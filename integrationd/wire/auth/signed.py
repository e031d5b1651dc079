"""A text that is hashed or HMAC-ed."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, ClassVar, Final

from integrationd.config.decode import INVALID, SECRET, Invalid, Site
from integrationd.config.nodes import Fields
from integrationd.errors import ExpressionError, SecretError
from integrationd.model.json import Json
from integrationd.model.secret import Secret, reveal
from integrationd.transform.template import JsonTemplate, Template
from integrationd.wire import signable, signing
from integrationd.wire.attempt import Attempt
from integrationd.wire.credentials import CONSTANTS, render_secret
from integrationd.wire.messages import Request
from integrationd.wire.places import SENT, Place, Roots

_SENT: Final = Roots(SENT)


class Algorithm(StrEnum):
    """What is made of the text."""

    MD5 = "md5"
    """Old providers have nothing else; the secret is part of the text then."""
    SHA1 = "sha1"
    SHA256 = "sha256"
    SHA512 = "sha512"
    HMAC_MD5 = "hmac-md5"
    HMAC_SHA1 = "hmac-sha1"
    HMAC_SHA256 = "hmac-sha256"
    HMAC_SHA384 = "hmac-sha384"
    HMAC_SHA512 = "hmac-sha512"

    @property
    def is_keyed(self) -> bool:
        """Tell whether it takes a key."""
        return self.value.startswith("hmac-")


class Encoding(StrEnum):
    """How the bytes of a signature are written."""

    HEX = "hex"
    """In lower case."""
    BASE64 = "base64"
    BASE64URL = "base64url"
    """Without padding."""


class KeyForm(StrEnum):
    """How the key is written."""

    TEXT = "text"
    """Its characters are its bytes."""
    BASE64 = "base64"


_WRITERS: Final[Mapping[Encoding, Callable[[bytes], str]]] = {
    Encoding.HEX: bytes.hex,
    Encoding.BASE64: lambda digest: base64.b64encode(digest).decode(),
    Encoding.BASE64URL: lambda digest: base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedAuth:
    """Hash a text that is made of the request, with a key or a secret in it, and send that.

    Cloudinary and Vonage hash the sorted parameters with the secret behind them:

        auth:
          type: signed
          with: {form.timestamp: "{{ timestamp }}", form.api_key: "{{ secrets.api_key }}"}
          text: >-
            {% for each in parameters if each.name not in ['api_key', 'file'] %}{{ "" if
            loop.first else "&" }}{{ each.name }}={{ each.value }}{% endfor
            %}{{ secrets.api_secret }}
          algorithm: sha1
          into: form.signature

    Source:
        RFC 2104 for HMAC; Cloudinary, "Generating authentication signatures"; Vonage, "Signing
        messages".
    """

    kind: ClassVar[str] = "signed"

    text: Annotated[Template, signable.OVER_A_REQUEST]
    """What is hashed, byte for byte. Beside ``config`` and ``secrets`` there are ``now`` (RFC
    3339), ``timestamp`` (seconds since 1970), ``timestamp_ms`` and ``nonce``, and of the request
    as it is sent ``method``, ``url``, ``host``, ``path`` and ``query`` (both percent-encoded),
    ``body``, and ``parameters``: the decoded ``{name, value}`` of query and form, sorted."""
    algorithm: Algorithm
    """``hmac-…`` with a ``key``; ``md5``, ``sha1``, ``sha256`` or ``sha512`` without, where the
    secret is part of the text."""
    key: Annotated[Template | None, CONSTANTS, SECRET] = None
    """For ``hmac-…``: the shared key."""
    key_encoding: KeyForm = KeyForm.TEXT
    """How the key is written: ``text`` or ``base64``."""
    encoding: Encoding = Encoding.HEX
    """How the signature is written: ``hex``, ``base64`` or ``base64url``."""
    into: Annotated[Place, _SENT]
    """Where the signature goes, ``header.x-signature``. It is no part of what is signed."""
    prefix: Annotated[Template | None, CONSTANTS] = None
    """Stands before it, ``"HMAC {{ config.key_id }}:"``."""
    with_: Annotated[Mapping[str, JsonTemplate], signable.AT_A_MOMENT] = field(default_factory=dict)
    """What else is sent, by place: ``header.x-timestamp: "{{ timestamp }}"``. It is put there
    before the text is made, and has the same ``now`` and ``nonce``."""

    def check(self, node: Fields, site: Site) -> Invalid | None:
        """Refuse HMAC without a key, a key without HMAC, and a place that is none."""
        valid = True
        if self.algorithm.is_keyed and self.key is None:
            message = f"{site.name} has no 'key', which {self.algorithm} needs"
            valid = site.refuse(node.position, "E102", message) is None
        for name in ("key", "key_encoding"):
            if name in node.entries and not self.algorithm.is_keyed:
                message = (
                    f"{site.name} has {name!r}, which goes with the algorithms hmac-…; of a plain "
                    "hash the secret is part of 'text'"
                )
                valid = site.refuse(node.key_position(name), "E114", message) is None
        for name in self.with_:
            place = Place.parse(name)
            if place is None or place.root not in SENT:
                named = node.entries["with"]
                position = named.key_position(name) if isinstance(named, Fields) else named.position
                shown = site.quote(name, before="") or "a name that is none"
                message = (
                    f"{site.path}.with has {shown}, expected a place such as header.x-timestamp"
                )
                valid = site.refuse(position, "E206", message) is None
        return None if valid else INVALID

    def sign(self, request: Request, variables: Mapping[str, Json], attempt: Attempt) -> Request:
        """Return the request with what else is sent, and its signature.

        Raises:
            SecretError: The key is empty, or a template has no value.
            RefusedError: Something does not fit in its place.
        """
        moment = {**variables, **signable.of_moment(request, attempt)}
        for name, template in self.with_.items():
            place = Place.parse(name)
            assert place is not None
            request = place.put(request, _rendered(f"with.{name}", template, moment))
        scope = {**variables, **signable.of_request(request, attempt)}
        text = _rendered("text", self.text, scope)
        digest = self._digest(signable.as_bytes(reveal(text)), variables)
        prefix = "" if self.prefix is None else _rendered("prefix", self.prefix, variables)
        value = Secret(f"{reveal(prefix)}{_WRITERS[self.encoding](digest)}")
        return self.into.put(request, value)

    def _digest(self, text: bytes, variables: Mapping[str, Json]) -> bytes:
        name = self.algorithm.value.removeprefix("hmac-")
        if self.key is None:
            return hashlib.new(name, text, usedforsecurity=False).digest()
        key = render_secret(self.key, variables, "auth.key")
        if self.key_encoding is KeyForm.BASE64:
            return signing.authenticate(name, signing.read_base64_key(key, "auth.key"), text)
        return signing.authenticate(name, key.reveal().encode(), text)


def _rendered(where: str, template: Template | JsonTemplate, variables: Mapping[str, Json]) -> Json:
    try:
        if isinstance(template, Template):
            return template.render_text(variables) or ""
        return template.render(variables)
    except ExpressionError as wrong:
        raise SecretError(f"auth.{where} cannot be made: {wrong}") from None
