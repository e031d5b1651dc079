"""A keyed digest over the body."""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, ClassVar, Final

from integrationd.config.decode import SECRET, Invalid, Site
from integrationd.config.nodes import Fields
from integrationd.errors import SignatureError
from integrationd.model.json import Json
from integrationd.transform.template import Template
from integrationd.wire.credentials import CONSTANTS, render_secret
from integrationd.wire.messages import Call, Request
from integrationd.wire.places import Place, Root, Roots

SIGNATURES_MAX: Final = 8
"""Signatures in one header that are looked at; senders give two while they rotate a secret."""
_HEX = re.compile(r"(?:[0-9a-fA-F]{2})+")
_PLACES: Final = Roots((Root.HEADER, Root.QUERY))
"""A signature over the body cannot stand in the body."""


class Algorithm(StrEnum):
    """The digest that is keyed."""

    SHA256 = "sha256"
    SHA1 = "sha1"
    """As HMAC it still holds; some senders have no other."""
    SHA512 = "sha512"


class Encoding(StrEnum):
    """How the bytes of a signature are written."""

    HEX = "hex"
    BASE64 = "base64"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """Where the sender's signature stands and how it is written."""

    from_: Annotated[Place, _PLACES]
    """Its place, ``header.x-hub-signature-256``."""
    encoding: Encoding = Encoding.HEX
    """``hex`` (either case) or ``base64``."""
    prefix: str = ""
    """Stands before each signature, ``"sha256="``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HmacVerifier:
    """Accept what is signed with a shared secret: an HMAC over the body, byte for byte.

    Several signatures may stand in one header, parted by commas; any of them and any of the keys
    may match.

    Source:
        RFC 2104. GitHub, Shopify and Razorpay sign so.
    """

    kind: ClassVar[str] = "hmac"

    keys: Annotated[tuple[Template, ...], CONSTANTS, SECRET]
    """The shared secrets as text, newest first; several while a secret is being rotated."""
    signature: Signature
    """Where the signature stands."""
    algorithm: Algorithm = Algorithm.SHA256
    """The digest."""

    def check(self, node: Fields, site: Site) -> Invalid | None:
        """Refuse an empty list of keys: nothing could ever be verified."""
        if self.keys:
            return None
        message = f"{site.path}.keys is empty, expected at least one template such as"
        place = node.entries["keys"].position
        return site.refuse(place, "E102", f'{message} "{{{{ secrets.NAME }}}}"')

    def verify(self, call: Call, variables: Mapping[str, Json], now: datetime) -> None:
        """Return when a signature of the call fits its body.

        Raises:
            SignatureError: There is no usable signature, or none fits.
            SecretError: A key is empty: the endpoint stays closed, as anybody could sign.
        """
        _ = now
        expected = [self._digest(key, call.body) for key in self._render_keys(variables)]
        matches = False
        for candidate in self._read_candidates(call):
            for digest in expected:
                # Every pair is compared, so that time tells nothing of which one fits.
                matches |= hmac.compare_digest(candidate, digest)
        if not matches:
            message = f"no signature in {self.signature.from_} fits the body"
            raise SignatureError(f"{message}; another key, or the body was changed on its way")

    def sign(self, request: Request, body: bytes, variables: Mapping[str, Json]) -> Request:
        """Return the request as the sender would sign ``body`` with its newest key.

        Raises:
            SecretError: A key is empty.
        """
        digest = self._digest(self._render_keys(variables)[0], body)
        if self.signature.encoding is Encoding.HEX:
            text = digest.hex()
        else:
            text = base64.b64encode(digest).decode()
        return self.signature.from_.put(request, f"{self.signature.prefix}{text}")

    def _render_keys(self, variables: Mapping[str, Json]) -> list[bytes]:
        return [
            render_secret(key, variables, f"verify.keys[{index}]").reveal().encode()
            for index, key in enumerate(self.keys)
        ]

    def _digest(self, key: bytes, body: bytes) -> bytes:
        return hmac.digest(key, body, self.algorithm.value)

    def _read_candidates(self, call: Call) -> list[bytes]:
        place, prefix = self.signature.from_, self.signature.prefix
        text = place.take(call)
        if not text:
            raise SignatureError(f"{place} is missing, expected a signature")
        parts = text.split(",", SIGNATURES_MAX)
        if len(parts) > SIGNATURES_MAX:
            raise SignatureError(f"{place} holds more than {SIGNATURES_MAX} signatures")
        trimmed = (part.strip() for part in parts)
        texts = [part.removeprefix(prefix) for part in trimmed if part.startswith(prefix)]
        if not texts:
            raise SignatureError(f"{place} holds no signature that begins with {prefix!r}")
        decoded = [candidate for candidate in map(self._decode, texts) if candidate is not None]
        if not decoded:
            what = f"a {self.algorithm} signature in {self.signature.encoding}"
            raise SignatureError(f"{place} cannot be read, expected {what}")
        return decoded

    def _decode(self, text: str) -> bytes | None:
        """Return a signature's bytes, None where they are not of the digest's size."""
        if self.signature.encoding is Encoding.HEX:
            decoded = bytes.fromhex(text) if _HEX.fullmatch(text) else None
        else:
            decoded = _decode_base64(text)
        size = hmac.new(b"", b"", self.algorithm.value).digest_size
        return decoded if decoded is not None and len(decoded) == size else None


def _decode_base64(text: str) -> bytes | None:
    """Decode base64 that is written in the one canonical way."""
    try:
        decoded = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return decoded if base64.b64encode(decoded).decode() == text else None
