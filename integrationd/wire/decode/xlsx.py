"""One sheet of a workbook."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Annotated, ClassVar, Final

from typing_extensions import override

from integrationd.config.decode import INVALID, Bounds, Invalid, Site
from integrationd.config.nodes import Fields
from integrationd.errors import PageShapeError
from integrationd.model.json import Json
from integrationd.wire import decoding, unpack, workbook
from integrationd.wire.decode.unpacking import UnpackingDecoder
from integrationd.wire.messages import Answer
from integrationd.wire.pieces import Steps
from integrationd.wire.unpack import Room

_INSIDE: Final = "[Content_Types].xml"
"""A file that every workbook has, and no other archive."""
_STEP_ROWS: Final = 1000
"""Named between two pauses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class XlsxDecoder(UnpackingDecoder):
    """Read a sheet of an Excel workbook as objects; ``body`` is the list of them.

    The first row that is not empty names the columns. Numbers, texts and true or false keep their
    type, dates are text as ISO 8601 writes it, without a zone, and an empty cell is null; of a
    formula its last result counts. Empty rows count for nothing.

    Source:
        ECMA-376, part 1, sections 18.2 to 18.4 and 18.8.
    """

    kind: ClassVar[str] = "xlsx"

    sheet: str | None = None
    """The name of the sheet; the first one by default."""
    columns: tuple[str, ...] = ()
    """Names, where the first row is no header."""
    skip_rows: Annotated[int, Bounds(0, 1000)] = 0
    """Rows before the header, or before the first row, the empty ones counted."""

    def check(self, node: Fields, site: Site) -> Invalid | None:
        """Refuse repeated names."""
        if len(set(self.columns)) == len(self.columns):
            return None
        message = f"{site.name} names a column twice in 'columns'"
        site.refuse(node.key_position("columns"), "E114", message)
        return INVALID

    @override
    def read(self, answer: Answer) -> Steps:
        """Return the rows, None where the body is empty."""
        if not answer.body:
            return None
        decoding.refuse_page(answer, "a workbook")
        try:
            return (yield from self._read_sheet(answer))
        except PageShapeError as wrong:
            message = f"{decoding.name_answer(answer)} is not a workbook as it is said: {wrong}"
            raise PageShapeError(message, status=answer.status) from None

    @override
    def is_archive(self, body: bytes) -> bool:
        """Tell whether it is a zip with workbooks in it; a workbook itself is one too."""
        if not body.startswith(unpack.ZIP):
            return False
        return all(member.name != _INSIDE for member in unpack.list_members(body))

    def _read_sheet(self, answer: Answer) -> Generator[None, None, list[Json]]:
        book = yield from workbook.open_book(answer.body, Room(answer.room_bytes))
        found = yield from book.read_rows(self.sheet)
        rows = [row for number, row in found if number > self.skip_rows]
        names = self.columns or tuple(
            workbook.to_name(cell) for cell in (rows.pop(0) if rows else ())
        )
        known = [name for name in names if name]
        if len(set(known)) < len(known):
            message = "a name stands twice in its header"
            raise PageShapeError(f"{message}; say 'columns' and skip the header by 'skip_rows'")
        if len(names) * len(rows) > workbook.CELLS_MAX:
            raise PageShapeError("it has more cells than are read")
        records: list[Json] = []
        for number, row in enumerate(rows):
            cells = row + [None] * (len(names) - len(row))
            records.append({name: cell for name, cell in zip(names, cells, strict=False) if name})
            if number % _STEP_ROWS == 0:
                yield
        return records
