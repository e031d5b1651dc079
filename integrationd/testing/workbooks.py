"""Workbooks of one sheet, the least that a spec's reader takes."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from integrationd.model.json import Json
from integrationd.model.secret import reveal
from integrationd.wire import texts
from integrationd.wire.decode.xlsx import XlsxDecoder

KIND: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_MADE: Final = (1980, 1, 1, 0, 0, 0)
"""The time of every part, so that the same answer is the same bytes."""
_HEAD: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
_MAIN: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE: Final = "http://schemas.openxmlformats.org/package/2006"
_SHEET: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_TYPES: Final = (
    f'{_HEAD}<Types xmlns="{_PACKAGE}/content-types">'
    '<Default Extension="rels" '
    'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_SHEET}.sheet.main+xml"/>'
    f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_SHEET}.worksheet+xml"/>'
    "</Types>"
)


def write_workbook(decoder: XlsxDecoder, rows: Sequence[Json]) -> bytes:
    """Return a workbook in which a decoder finds these rows.

    Source:
        ECMA-376, part 1, sections 12.3.23, 18.2.19 and 18.3.1.
    """
    columns = decoder.columns or tuple(dict.fromkeys(name for row in rows for name in row))
    skipped: list[list[Json]] = [["played"]] * decoder.skip_rows
    header: list[list[Json]] = [] if decoder.columns or not columns else [list(columns)]
    listed = [*skipped, *header, *([row.get(name) for name in columns] for row in rows)]
    lines = "".join(
        f'<row r="{number}">{"".join(map(_write_cell, cells))}</row>'
        for number, cells in enumerate(listed, start=1)
    )
    parts = {
        "[Content_Types].xml": _TYPES,
        "_rels/.rels": _relations("officeDocument", "xl/workbook.xml"),
        "xl/workbook.xml": (
            f'{_HEAD}<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>'
            f'<sheet name={quoteattr(decoder.sheet or "played")} sheetId="1" r:id="rId1"/>'
            "</sheets></workbook>"
        ),
        "xl/_rels/workbook.xml.rels": _relations("worksheet", "worksheets/sheet1.xml"),
        "xl/worksheets/sheet1.xml": (
            f'{_HEAD}<worksheet xmlns="{_MAIN}"><sheetData>{lines}</sheetData></worksheet>'
        ),
    }
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(zipfile.ZipInfo(name, _MADE), text)
    return packed.getvalue()


def _relations(kind: str, target: str) -> str:
    return (
        f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_OFFICE}/{kind}" Target="{target}"/></Relationships>'
    )


def _write_cell(value: Json) -> str:
    if value is None:
        return "<c/>"
    if isinstance(value, bool):
        return f'<c t="b"><v>{int(value)}</v></c>'
    if isinstance(value, int | float):
        return f"<c><v>{value}</v></c>"
    text = escape(reveal(texts.to_text(value) or ""))
    return f'<c t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'
