"""Functions that digest texts, and write them in other letters."""

from __future__ import annotations

import base64
import binascii
import hashlib
import itertools
import re
from collections.abc import Callable
from typing import Final

from integrationd.model.json import Json
from integrationd.transform.functions.function import Function

_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_NAMESPACES: Final = {
    "dns": "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
    "url": "6ba7b811-9dad-11d1-80b4-00c04fd430c8",
    "oid": "6ba7b812-9dad-11d1-80b4-00c04fd430c8",
}
"""RFC 9562, section 6.6."""


def sha256(text: str) -> Json:
    """Return the SHA-256 digest of a text in UTF-8, in hexadecimal digits.

    sha256('abc') -> "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    """
    return hashlib.sha256(_bytes(text)).hexdigest()


def sha1(text: str) -> Json:
    """Return the SHA-1 digest of a text in UTF-8, in hexadecimal digits; for those that ask for it.

    sha1('abc') -> "a9993e364706816aba3e25717850c26c9cd0d89d"
    """
    return hashlib.sha1(_bytes(text), usedforsecurity=False).hexdigest()


def md5(text: str) -> Json:
    """Return the MD5 digest of a text in UTF-8, in hexadecimal digits; for those that ask for it.

    md5('abc') -> "900150983cd24fb0d6963f7d28e17f72"
    """
    return hashlib.md5(_bytes(text), usedforsecurity=False).hexdigest()


def crc32(text: str) -> Json:
    """Return the CRC-32 checksum of a text in UTF-8, as a number; it is no digest, see PayPal.

    crc32('abc') -> 891568578
    """
    return binascii.crc32(_bytes(text))


def b64encode(text: str) -> Json:
    """Return a text, in UTF-8, as Base64.

    b64encode('añb') -> "YcOxYg=="
    """
    return base64.b64encode(_bytes(text)).decode()


def b64decode(text: str) -> Json:
    """Return the text that Base64 holds, of either alphabet, with or without ``=`` at its end.

    b64decode('YcOxYg') -> "añb"
    """
    plain = text.translate(_STANDARD).rstrip("=")
    padded = plain + "=" * (-len(plain) % 4)
    return _text_in(lambda: base64.b64decode(padded, validate=True), "Base64")


def hexencode(text: str) -> Json:
    """Return a text, in UTF-8, as hexadecimal digits.

    hexencode('añ') -> "61c3b1"
    """
    return _bytes(text).hex()


def hexdecode(text: str) -> Json:
    """Return the text that hexadecimal digits hold.

    hexdecode('61c3b1') -> "añ"
    """
    return _text_in(lambda: binascii.unhexlify(text), "hexadecimal digits")


def uuid5(name: str, namespace: str) -> Json:
    """Return the UUID of a name in a namespace: ``dns``, ``url``, ``oid`` or a UUID of your own.

    uuid5('python.org', 'dns') -> "886313e1-3b8a-5372-9b90-0c9aee199e5d"
    """
    space = _NAMESPACES.get(namespace, namespace)
    if not _UUID.fullmatch(space):
        raise ValueError("expected the namespace 'dns', 'url', 'oid' or a UUID")
    data = bytes.fromhex(space.replace("-", "")) + _bytes(name)
    found = bytearray(hashlib.sha1(data, usedforsecurity=False).digest()[:16])
    found[6] = found[6] & 0x0F | 0x50
    found[8] = found[8] & 0x3F | 0x80
    digits = found.hex()
    ends = (0, 8, 12, 16, 20, 32)
    return "-".join(digits[a:b] for a, b in itertools.pairwise(ends))


def _bytes(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise ValueError("got text with half a surrogate pair") from None


def _text_in(read: Callable[[], bytes], what: str) -> str:
    try:
        return read().decode()
    except ValueError:
        raise ValueError(f"expected {what} of text in UTF-8") from None


_STANDARD: Final = str.maketrans("-_", "+/")
FUNCTIONS: Final = tuple(
    Function.of(run, weight=4)
    for run in (sha256, sha1, md5, crc32, b64encode, b64decode, hexencode, hexdecode, uuid5)
)
