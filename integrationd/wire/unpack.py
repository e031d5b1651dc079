"""Bodies that are packed: gzip, and members of a zip, unpacked in bounded steps."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from integrationd.config.units import format_size
from integrationd.errors import PageShapeError
from integrationd.wire.pieces import STEP_BYTES

Bytes = Generator[None, None, bytes]
"""Pauses, and in the end the bytes."""

GZIP: Final = b"\x1f\x8b"
ZIP: Final = (b"PK\x03\x04", b"PK\x05\x06")
"""What a zip begins with; the second is one without members."""
STREAMS_MAX: Final = 64
"""Streams of gzip behind each other: with each of them the rest is copied."""
MEMBERS_MAX: Final = 1000
"""Files in a zip: each costs time, however small it is."""

_GZIP_BITS: Final = 16 + zlib.MAX_WBITS
_END: Final = struct.Struct("<4s4H2LH")
_ENTRY: Final = struct.Struct("<4s6H3L5H2L")
_LOCAL: Final = struct.Struct("<4s5H3L2H")
_COMMENT_MAX: Final = 65_535
_ENCRYPTED: Final = 0x1
_UTF8: Final = 0x800
_STORED: Final = 0
_DEFLATED: Final = 8
_64_BIT: Final = 0xFFFFFFFF


@dataclass(slots=True)
class Room:
    """How many bytes may still be unpacked, of all that one answer holds."""

    max_bytes: int
    used_bytes: int = 0

    def take(self, size: int) -> None:
        """Count bytes.

        Raises:
            PageShapeError: There is no room for them.
        """
        self.used_bytes += size
        if self.used_bytes > self.max_bytes:
            limit = format_size(self.max_bytes)
            raise PageShapeError(f"it unpacks to more than {limit}; raise http.max_response")


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One file inside a zip."""

    name: str
    flags: int
    method: int
    crc: int
    packed_bytes: int
    header_at: int


def is_zip(body: bytes) -> bool:
    """Tell whether a body begins as a zip does."""
    return body.startswith(ZIP)


def gunzip(body: bytes, room: Room) -> Bytes:
    """Unpack gzip, one stream or several behind each other.

    Raises:
        PageShapeError: It is damaged, ended early, or unpacks to too much.

    Source:
        RFC 1952.
    """
    kept: list[bytes] = []
    for _ in range(STREAMS_MAX):
        body = yield from _inflate(body, _GZIP_BITS, kept, room)
        body = body.lstrip(b"\0")  # padding, as gzip(1) has it
        if not body:
            return b"".join(kept)
        yield
    raise PageShapeError(f"its gzip data has more than {STREAMS_MAX} streams")


def list_members(body: bytes) -> list[Member]:
    """List the files of a zip, in the order of its directory; folders are none.

    Raises:
        PageShapeError: Its directory cannot be read.

    Source:
        PKWARE's APPNOTE 6.3.10, sections 4.3.12 and 4.3.16.
    """
    start = max(0, len(body) - _END.size - _COMMENT_MAX)
    at = body.rfind(b"PK\x05\x06", start)
    if at < 0 or at + _END.size > len(body):
        raise PageShapeError("its zip data has no directory; was it cut off?")
    _, disk, first_disk, _, count, size, begins_at, _ = _END.unpack_from(body, at)
    if disk or first_disk or _64_BIT in (size, begins_at):
        raise PageShapeError("its zip data is of more than one part, or larger than 4 GB")
    if count > MEMBERS_MAX:
        raise PageShapeError(f"its zip data has {count} members, expected at most {MEMBERS_MAX}")
    found = list(_walk_directory(body, begins_at, count))
    return [member for member in found if not member.name.endswith("/")]


def choose_members(members: list[Member], pattern: str) -> list[Member]:
    """Return the files that a pattern such as ``*.csv`` names; ``*`` stands for ``/`` too."""
    return [
        member
        for member in members
        if fnmatchcase(member.name, pattern) and not member.name.startswith("__MACOSX/")
    ]


def unzip(body: bytes, member: Member, room: Room) -> Bytes:
    """Unpack one file of a zip.

    Raises:
        PageShapeError: It is damaged, encrypted, packed in another way, or unpacks to too much.
    """
    if member.flags & _ENCRYPTED:
        raise PageShapeError("its zip data is encrypted")
    if member.header_at + _LOCAL.size > len(body):
        raise _damaged()
    signature, *_, name_bytes, extra_bytes = _LOCAL.unpack_from(body, member.header_at)
    begins_at = member.header_at + _LOCAL.size + name_bytes + extra_bytes
    packed = body[begins_at : begins_at + member.packed_bytes]
    if signature != b"PK\x03\x04" or len(packed) != member.packed_bytes:
        raise _damaged()
    if member.method == _STORED:
        room.take(len(packed))
        found = packed
    elif member.method == _DEFLATED:
        kept: list[bytes] = []
        yield from _inflate(packed, -zlib.MAX_WBITS, kept, room)
        found = b"".join(kept)
    else:
        raise PageShapeError("its zip data is packed in a way that is not read; use deflate")
    if zlib.crc32(found) != member.crc:
        raise _damaged()
    return found


def _walk_directory(body: bytes, at: int, count: int) -> Iterator[Member]:
    for _ in range(count):
        if at + _ENTRY.size > len(body):
            raise _damaged()
        entry = _ENTRY.unpack_from(body, at)
        signature, flags, method, crc, packed_bytes = entry[0], *entry[3:5], *entry[7:9]
        name_bytes, extra_bytes, comment_bytes = entry[10:13]
        name_at = at + _ENTRY.size
        name = body[name_at : name_at + name_bytes]
        if signature != b"PK\x01\x02" or len(name) != name_bytes:
            raise _damaged()
        yield Member(
            name=name.decode("utf-8" if flags & _UTF8 else "cp437", "replace"),
            flags=flags,
            method=method,
            crc=crc,
            packed_bytes=packed_bytes,
            header_at=entry[16],
        )
        at = name_at + name_bytes + extra_bytes + comment_bytes


def _inflate(data: bytes, bits: int, kept: list[bytes], room: Room) -> Bytes:
    """Unpack one stream and return what stands behind its end."""
    inflater = zlib.decompressobj(wbits=bits)
    while not inflater.eof:
        try:
            piece = inflater.decompress(data, STEP_BYTES)
        except zlib.error:
            raise _damaged() from None
        if not piece and not inflater.unconsumed_tail and not inflater.eof:
            raise PageShapeError("its packed data ended early")
        room.take(len(piece))
        kept.append(piece)
        data = inflater.unconsumed_tail
        if len(piece) == STEP_BYTES:
            yield
    return inflater.unused_data


def _damaged() -> PageShapeError:
    return PageShapeError("its packed data is damaged")
