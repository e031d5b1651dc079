"""What had to be fetched before a call could be verified."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, TypeAlias

from integrationd.errors import SignatureError

Fetched: TypeAlias = Mapping[str, bytes]
"""By its address what lay there, as it came."""
NOTHING: Final[Fetched] = MappingProxyType({})


class UnknownKeyError(SignatureError):
    """The call names a key that was not in what was fetched; it may be newer."""

    def __init__(self, message: str, address: str) -> None:
        """Keep where to look again."""
        super().__init__(message)
        self.address = address
