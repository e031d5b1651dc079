"""Texts that a call may prove itself by: where they stand, and how their bytes are written."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, ClassVar, Final

from integrationd.errors import SignatureError
from integrationd.wire.messages import Call, Request
from integrationd.wire.places import Place, Root, Roots

SIGNATURES_MAX: Final = 8
"""Signatures in one header that are looked at; senders give two while they rotate a secret."""
_HEX = re.compile(r"(?:[0-9a-fA-F]{2})+")
INBOUND_PLACES: Final = Roots((Root.HEADER, Root.QUERY, Root.JSON, Root.FORM))
"""Where a sender can put something."""


class Encoding(StrEnum):
    """How the bytes of a signature are written."""

    HEX = "hex"
    BASE64 = "base64"
    BASE64URL = "base64url"
    """Without padding."""

    def write(self, data: bytes) -> str:
        """Write bytes as a sender does."""
        return _WRITERS[self](data)

    def read(self, text: str) -> bytes | None:
        """Return the bytes of what is written in the one canonical way, else None."""
        if self is Encoding.HEX:
            return bytes.fromhex(text) if _HEX.fullmatch(text) else None
        padded = text if self is Encoding.BASE64 else text + "=" * (-len(text) % 4)
        altchars = None if self is Encoding.BASE64 else b"-_"
        try:
            decoded = base64.b64decode(padded, altchars=altchars, validate=True)
        except (binascii.Error, ValueError):
            return None
        return decoded if self.write(decoded) == text else None


_WRITERS: Final[Mapping[Encoding, Callable[[bytes], str]]] = {
    Encoding.HEX: bytes.hex,
    Encoding.BASE64: lambda data: base64.b64encode(data).decode(),
    Encoding.BASE64URL: lambda data: base64.urlsafe_b64encode(data).rstrip(b"=").decode(),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where something stands in a call, alone or among others."""

    from_: Annotated[tuple[Place, ...] | Place, INBOUND_PLACES]
    """Its place, ``header.x-signature``, or a list of places of which the first that is there
    counts."""
    split: str = ""
    """What parts several from each other, ``","``; nothing where one stands alone."""
    key: str | None = None
    """Of parts such as ``t=1,v1=ab`` the name of the one that is meant, ``v1``."""
    prefix: str = ""
    """Stands before it, ``"sha256="``; what begins otherwise is passed over."""

    what: ClassVar[str] = "a value"
    """How messages call it."""

    @property
    def places(self) -> tuple[Place, ...]:
        """Return the places, the first that is there counts."""
        return (self.from_,) if isinstance(self.from_, Place) else self.from_

    def read_texts(self, call: Call) -> list[str]:
        """Return what stands there, in its order.

        Raises:
            SignatureError: Nothing does, or more than anybody needs.
        """
        found = ((place, place.take(call)) for place in self.places)
        place, text = next(((p, t) for p, t in found if t), (self.places[0], ""))
        if not text:
            raise SignatureError(f"{place} is missing, expected {self.what}")
        parts = text.split(self.split, SIGNATURES_MAX) if self.split else [text]
        if len(parts) > SIGNATURES_MAX:
            raise SignatureError(f"{place} holds more than {SIGNATURES_MAX} signatures")
        begin = self.prefix if self.key is None else f"{self.key}={self.prefix}"
        # Of a header that came twice the values are joined by a comma, however they are parted.
        trimmed = (part.strip().rstrip(",") if self.split else part for part in parts)
        texts = [part.removeprefix(begin) for part in trimmed if part.startswith(begin)]
        if not texts:
            noun = self.what.removeprefix("a ")
            raise SignatureError(f"{place} holds no {noun} that begins with {begin!r}")
        return texts

    def put(self, request: Request, text: str) -> Request:
        """Return the request with a text there; beside others where they share the place."""
        place = self.places[0]
        begin = "" if self.key is None else f"{self.key}="
        whole = f"{begin}{self.prefix}{text}"
        if self.key is not None and self.split and place.root is Root.HEADER:
            there = request.headers.get(place.name)
            whole = f"{there}{self.split}{whole}" if isinstance(there, str) else whole
        return place.put(request, whole)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature(Source):
    """Where the sender's signature stands and how it is written."""

    what: ClassVar[str] = "a signature"

    encoding: Encoding = Encoding.HEX
    """``hex`` (either case), ``base64`` or ``base64url``."""
    split: str = ","
    """What parts several signatures from each other, any of which may fit."""

    def read_candidates(self, call: Call, what: str, size: int | None = None) -> list[bytes]:
        """Return the signatures that can be read; what cannot is passed over.

        Args:
            call: What came.
            what: The kind of signature, for messages: ``sha256``.
            size: Of each, in bytes; None where it is not known beforehand.

        Raises:
            SignatureError: There is none.
        """
        read = map(self.encoding.read, self.read_texts(call))
        decoded = [one for one in read if one and (size is None or len(one) == size)]
        if not decoded:
            told = f"expected a {what} signature in {self.encoding}"
            raise SignatureError(f"{self.shown} cannot be read, {told}")
        return decoded

    @property
    def shown(self) -> str:
        """Return its places as messages name them."""
        return " or ".join(map(str, self.places))
