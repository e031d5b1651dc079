"""How the next page is asked for; one kind, one file."""

from __future__ import annotations

from typing import Final, TypeAlias

from integrationd.wire.paginate.cursor import CursorPaging
from integrationd.wire.paginate.keyset import KeysetPaging
from integrationd.wire.paginate.link import LinkPaging
from integrationd.wire.paginate.next_url import NextUrlPaging
from integrationd.wire.paginate.none import NoPaging
from integrationd.wire.paginate.offset import OffsetPaging
from integrationd.wire.paginate.page import PageNumberPaging

AnyPaging: TypeAlias = (
    NoPaging
    | PageNumberPaging
    | OffsetPaging
    | CursorPaging
    | KeysetPaging
    | NextUrlPaging
    | LinkPaging
)
KINDS: Final = (
    NoPaging,
    PageNumberPaging,
    OffsetPaging,
    CursorPaging,
    KeysetPaging,
    NextUrlPaging,
    LinkPaging,
)
