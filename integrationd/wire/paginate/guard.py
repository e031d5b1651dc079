"""What keeps a walk from going on for ever, whatever the provider answers."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Sequence
from typing import Final

import msgspec

from integrationd.errors import PaginationLoopError
from integrationd.model.json import Json

RECENT: Final = 16
"""Tokens that are remembered: the cycles seen in the wild have two or three pages."""
SAMPLE: Final = 16
"""Records of a page that are compared with the page before; all of them would cost 5 % of a run."""
_DIGEST_BYTES: Final = 16


class WalkGuard:
    """What is remembered of one walk, of bounded size.

    A short cycle of tokens is refused at once and a long one soon after its second round: one
    token is held fast and replaced at pages 1, 2, 4, 8 and so on, which finds a cycle of any
    length without remembering it (Brent's algorithm).
    """

    __slots__ = ("_content", "_held", "_pages", "_pages_max", "_recent")

    def __init__(self, *, pages_max: int) -> None:
        """Begin a walk; one of more than ``pages_max`` pages is refused."""
        self._pages_max = pages_max
        self._pages = 0
        self._content = b""
        self._held = b""
        self._recent: deque[bytes] = deque(maxlen=RECENT)

    def admit(self, *, token: Json, following: Json, records: Sequence[Json]) -> None:
        """Take one page.

        Args:
            token: The token that the page was asked with, None for the first.
            following: The token of the next page, None at the end of the walk.
            records: What the page held; pages without records may look the same.

        Raises:
            PaginationLoopError: The page is the one before, its next token was seen already, or
                the walk is longer than it may be.
        """
        self._pages += 1
        self._compare_content(records)
        self._remember(_digest(token))
        if following is None:
            return
        if self._pages >= self._pages_max:
            message = f"the walk is longer than {self._pages_max} pages"
            raise PaginationLoopError(f"{message}; raise 'max_pages' if the list is that long")
        ahead = _digest(following)
        if ahead == self._held or ahead in self._recent:
            message = f"page {self._pages} leads back to a page that was read already"
            raise PaginationLoopError(f"{message}; the provider repeats its page tokens")

    def _compare_content(self, records: Sequence[Json]) -> None:
        content = _sample(records) if records else b""
        if content and content == self._content:
            message = f"page {self._pages} holds what page {self._pages - 1} held"
            raise PaginationLoopError(
                f"{message}; the provider may not know the parameter that 'paginate' sends"
            )
        self._content = content

    def _remember(self, token: bytes) -> None:
        self._recent.append(token)
        if self._pages & (self._pages - 1) == 0:
            self._held = token


def _sample(records: Sequence[Json]) -> bytes:
    step = max(1, len(records) // SAMPLE)
    return _digest([len(records), records[-1], *records[::step]])


def _digest(value: Json) -> bytes:
    return hashlib.blake2b(msgspec.json.encode(value), digest_size=_DIGEST_BYTES).digest()
