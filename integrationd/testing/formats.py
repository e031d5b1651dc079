"""Answers as bytes, in whatever format the spec's decoder reads them."""

from __future__ import annotations

import csv
import gzip
import io
import zipfile
from collections.abc import Sequence
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from integrationd.errors import UsageError
from integrationd.model.json import Json
from integrationd.model.secret import reveal
from integrationd.testing import workbooks
from integrationd.wire import pieces, texts
from integrationd.wire.decode.csv import CsvDecoder
from integrationd.wire.decode.decoder import Decoder
from integrationd.wire.decode.json import JsonDecoder
from integrationd.wire.decode.ndjson import NdjsonDecoder
from integrationd.wire.decode.text import TextDecoder
from integrationd.wire.decode.unpacking import Compression, TextualDecoder, UnpackingDecoder
from integrationd.wire.decode.xlsx import XlsxDecoder
from integrationd.wire.decode.xml import XmlDecoder
from integrationd.wire.messages import Answer

_MADE: Final = (1980, 1, 1, 0, 0, 0)
"""The time of every file in a zip, so that the same answer is the same bytes."""


def write_body(decoder: Decoder, body: Json, columns: Sequence[str] = ()) -> tuple[bytes, str]:
    """Return a body as bytes, and its content type.

    Args:
        decoder: How it will be read.
        body: What it holds.
        columns: What a table without rows is headed by.

    Raises:
        UsageError: There is no such body in this format.
    """
    if isinstance(decoder, XlsxDecoder):
        data = workbooks.write_workbook(decoder, _rows(body, "a workbook"))
        return _pack(decoder, data), workbooks.KIND
    text, kind = _write_text(decoder, body, columns)
    assert isinstance(decoder, TextualDecoder)
    charset = decoder.encoding or "utf-8"
    if charset != "utf-8":
        kind = f"{kind}; charset={charset}"
    return _pack(decoder, text.encode(charset, "xmlcharrefreplace")), kind


def _write_text(decoder: Decoder, body: Json, columns: Sequence[str]) -> tuple[str, str]:
    """Return a body as text, and its content type."""
    match decoder:
        case JsonDecoder():
            return texts.dump_json(body), "application/json"
        case NdjsonDecoder():
            lines = (f"{texts.dump_json(line)}\n" for line in _rows(body, "NDJSON"))
            return "".join(lines), "application/x-ndjson"
        case CsvDecoder():
            return _write_csv(decoder, _rows(body, "CSV"), columns), "text/csv"
        case XmlDecoder():
            return _write_xml(body), "application/xml"
        case TextDecoder():
            parts = texts.to_texts(body) if decoder.lines else (texts.to_text(body) or "",)
            return "\n".join(map(reveal, parts)), "text/plain"
        case _:
            raise UsageError(f"answers of type {decoder.kind!r} cannot be played")


def read_back(decoder: Decoder, body: Json) -> Json:
    """Return a body as a decoder reads it once it was written.

    Raises:
        UsageError: There is no such body in this format.
        PageShapeError: It cannot be read again.
    """
    data, kind = write_body(decoder, body)
    headers = {"content-type": kind}
    answer = Answer(status=200, headers=headers, body=data, url="http://player.invalid/")
    return pieces.finish(decoder.decode(answer))


def _rows(body: Json, kind: str) -> list[Json]:
    if body is None or isinstance(body, list):
        return body or []
    raise UsageError(f"an answer of {kind} is a list, so 'records' must be the whole body")


def _write_csv(decoder: CsvDecoder, rows: list[Json], named: Sequence[str]) -> str:
    own = dict.fromkeys(name for row in rows for name in row)
    columns = decoder.columns or tuple(own) or tuple(named)
    null = decoder.nulls[0] if decoder.nulls else ""
    written = io.StringIO(newline="")
    writer = csv.writer(
        written,
        delimiter="\t" if decoder.delimiter == "tab" else decoder.delimiter,
        quotechar=decoder.quote,
        quoting=csv.QUOTE_NONE if decoder.quote is None else csv.QUOTE_MINIMAL,
    )
    try:
        if not decoder.columns and columns:
            writer.writerow(columns)
        for row in rows:
            found = [texts.to_text(row.get(name)) for name in columns]
            writer.writerow([null if text is None else reveal(text) for text in found])
    except csv.Error:
        raise UsageError("a field holds the delimiter and the spec says no 'quote'") from None
    return "played\r\n" * decoder.skip_lines + written.getvalue()


def _write_xml(body: Json) -> str:
    if not isinstance(body, dict) or len(body) != 1:
        raise UsageError("an answer of XML is one element, so 'records' must begin with its name")
    return '<?xml version="1.0"?>' + "".join(_write_element(*pair) for pair in body.items())


def _write_element(name: str, value: Json) -> str:
    if isinstance(value, list):
        return "".join(_write_element(name, item) for item in value)
    if not isinstance(value, dict):
        return f"<{name}>{escape(reveal(texts.to_text(value) or ''))}</{name}>"
    attributes, inside = "", ""
    for key, item in value.items():
        if key.startswith("@"):
            attributes += f" {key[1:]}={quoteattr(reveal(texts.to_text(item) or ''))}"
        elif key == "#text":
            inside += escape(reveal(texts.to_text(item) or ""))
        else:
            inside += _write_element(key, item)
    return f"<{name}{attributes}>{inside}</{name}>"


def _pack(decoder: UnpackingDecoder, data: bytes) -> bytes:
    match decoder.compression:
        case Compression.GZIP:
            return gzip.compress(data, mtime=0)
        case Compression.ZIP:
            packed = io.BytesIO()
            with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
                name = decoder.member.replace("*", "played").replace("?", "x")
                archive.writestr(zipfile.ZipInfo(name, _MADE), data)
            return packed.getvalue()
        case _:
            return data
