"""Bodies are unpacked here, with every bound in our own hands."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from typing import Final, Protocol

from integrationd.config.units import format_size
from integrationd.errors import UnavailableError, UnreadableError

_STEP_BYTES: Final = 256 * 1024
"""Unpacked at once: about a millisecond, so that no answer holds the event loop."""
_RATIO_MAX: Final = 200
_RATIO_FREE_BYTES: Final = 1_000_000
"""Below this any ratio is good: a short page of blanks is no bomb."""
_MEMBERS_MAX: Final = 64
"""Gzip streams that may follow each other; a flood of empty ones costs time and yields nothing."""
_KNOWN: Final = frozenset({"br", "zstd", "compress", "dcb", "dcz"})
"""Encodings that we do not take, but can name."""
_WRAPPED: Final = {"gzip": 16 + zlib.MAX_WBITS, "x-gzip": 16 + zlib.MAX_WBITS}


class _Inflater(Protocol):
    """What zlib hands out."""

    @property
    def eof(self) -> bool:
        """Whether the stream is whole."""
        ...

    @property
    def unconsumed_tail(self) -> bytes:
        """What was not read yet, as there was no room for what it holds."""
        ...

    @property
    def unused_data(self) -> bytes:
        """What stands behind the end of the stream."""
        ...

    def decompress(self, data: bytes, max_length: int = 0, /) -> bytes:
        """Unpack up to ``max_length`` bytes."""
        ...


@dataclass(slots=True, kw_only=True)
class Unpacker:
    """Takes a body piece by piece and keeps what it holds, up to a size.

    Messages have no place: the caller knows which call it was.
    """

    encoding: str
    """The ``Content-Encoding`` header; empty where there is none."""
    max_bytes: int
    """Of the body, packed or not."""
    _kept: list[bytes] = field(default_factory=list)
    _read: int = 0
    _held: int = 0
    _members: int = 0
    _inflater: _Inflater | None = None

    def __post_init__(self) -> None:
        """Refuse what could not be unpacked before anything of it is read.

        Raises:
            UnreadableError: The encoding is not gzip, deflate or none, or there are several.
        """
        self.encoding = self.encoding.strip().lower()
        if self.encoding not in ("", "identity", "deflate", *_WRAPPED):
            # The header is the sender's text; only words that we know are repeated.
            shown = f"as {self.encoding}" if self.encoding in _KNOWN else "in an unknown way"
            raise UnreadableError(f"the answer is encoded {shown}, expected gzip, deflate or none")

    def expect(self, body_bytes: int | None) -> None:
        """Refuse an answer by the size that it announces.

        Raises:
            UnreadableError: It is larger than allowed.
        """
        if body_bytes is not None and body_bytes > self.max_bytes:
            raise self._too_large()

    def feed(self, data: bytes) -> None:
        """Take one piece.

        Raises:
            UnreadableError: There is too much of it, or it unpacks to far more than it is.
            UnavailableError: It is damaged.
        """
        self._read += len(data)
        if self._read > self.max_bytes:
            raise self._too_large()
        if self.encoding in ("", "identity"):
            self._kept.append(data)
            return
        while data:
            if self._inflater is None or self._inflater.eof:
                # Zeros behind the end are padding, as gzip(1) has it.
                data = data.lstrip(b"\0") if self._inflater is not None else data
                if not data:
                    return
                self._inflater = self._open_member(data)
            data = self._inflate(self._inflater, data)

    def finish(self) -> bytes:
        """Return the whole body.

        Raises:
            UnavailableError: It ended early.
        """
        if self._inflater is not None and not self._inflater.eof:
            raise UnavailableError(f"the answer's {self.encoding} data ended early")
        return self._kept[0] if len(self._kept) == 1 else b"".join(self._kept)

    def _inflate(self, inflater: _Inflater, data: bytes) -> bytes:
        """Unpack one member as far as ``data`` goes and return what stands behind its end."""
        while True:
            try:
                piece = inflater.decompress(data, _STEP_BYTES)
            except zlib.error:
                raise UnavailableError(f"the answer's {self.encoding} data is damaged") from None
            self._keep(piece)
            if inflater.eof:
                return inflater.unused_data
            data = inflater.unconsumed_tail
            # A full step may have more inside although all input was taken.
            if not data and len(piece) < _STEP_BYTES:
                return b""

    def _open_member(self, data: bytes) -> _Inflater:
        self._members += 1
        if self._members > _MEMBERS_MAX or (self._members > 1 and self.encoding == "deflate"):
            raise UnreadableError(f"the answer holds too many {self.encoding} streams")
        if self.encoding in _WRAPPED:
            return zlib.decompressobj(wbits=_WRAPPED[self.encoding])
        # RFC 9110 section 8.4.1.2: the zlib format, but some send the bare stream.
        is_zlib = data[0] & 0x0F == zlib.DEFLATED
        return zlib.decompressobj(wbits=zlib.MAX_WBITS if is_zlib else -zlib.MAX_WBITS)

    def _keep(self, piece: bytes) -> None:
        self._held += len(piece)
        if self._held > self.max_bytes:
            raise self._too_large()
        if self._held > _RATIO_FREE_BYTES and self._held > self._read * _RATIO_MAX:
            raise UnreadableError(f"the answer unpacks to more than {_RATIO_MAX} times its size")
        if piece:
            self._kept.append(piece)

    def _too_large(self) -> UnreadableError:
        size = format_size(self.max_bytes)
        return UnreadableError(f"the answer is larger than {size}; raise http.max_response")
