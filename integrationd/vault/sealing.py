"""One key that seals: AES-256-GCM, every value bound to its place.

A sealed value is one byte of version, a nonce of 96 random bits, then ciphertext and tag. The
associated data are the version, the id of the key and the place, each part with its length in
front: two places never give the same bytes, and a value that is moved to another place, or whose
row names another key, does not open.

How often one key may seal: :data:`integrationd.ports.vault.SEALS_MAX` times; the store counts, and
then the ring begins a new key. A value has at most 64 kB, far below GCM's 2**36 bytes.

Source:
    NIST SP 800-38D, sections 5.2.1.1 and 8.2.2.
"""

from __future__ import annotations

from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
VERSION: Final = 1
_TAG_BYTES: Final = 16


class BrokenSealError(Exception):
    """A sealed value does not open: another key, another place, or damaged; says which is known."""


class Sealer:
    """One key; nothing shows it."""

    __slots__ = ("_cipher", "id")

    def __init__(self, key_id: str, key: bytes) -> None:
        """Take 32 bytes."""
        if len(key) != KEY_BYTES:
            raise BrokenSealError("it is not a key of 256 bits")
        self.id = key_id
        self._cipher = AESGCM(key)

    def seal(self, plain: bytes, place: tuple[str, ...], nonce: bytes) -> bytes:
        """Seal a value for one place.

        Args:
            plain: The value.
            place: What it is of; the same is needed to open it.
            nonce: 12 random bytes, never used before.
        """
        assert len(nonce) == NONCE_BYTES
        data = self._cipher.encrypt(nonce, plain, _bind(self.id, place))
        return bytes([VERSION]) + nonce + data

    def open(self, sealed: bytes, place: tuple[str, ...]) -> bytes:
        """Return the value; raises BrokenSealError."""
        if sealed[:1] != bytes([VERSION]):
            raise BrokenSealError("it is not sealed in a way that this version knows")
        nonce, data = sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :]
        if len(data) < _TAG_BYTES:
            raise BrokenSealError("it is cut off")
        try:
            return self._cipher.decrypt(nonce, data, _bind(self.id, place))
        except InvalidTag:
            raise BrokenSealError("it was changed, or sealed for another place") from None


def _bind(key_id: str, place: tuple[str, ...]) -> bytes:
    """Return the associated data; no two places give the same."""
    parts = (bytes([VERSION]), key_id.encode(), *(part.encode() for part in place))
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)
