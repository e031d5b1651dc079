"""Bodies in the formats of the source's decoders."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zipfile
from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import escape


def write_body(decoder: Mapping[str, Any] | None, body: Any) -> tuple[str, bytes]:  # noqa: PLR0911 - a table with a line for each kind
    """Return the content type and the bytes."""
    decoder = decoder or {}
    inner = decoder.get("decoder") or decoder.get("parser") or {}
    match decoder.get("type"):
        case "GzipDecoder":
            return "application/gzip", gzip.compress(write_body(inner, body)[1], mtime=0)
        case "ZipfileDecoder":
            return "application/zip", _zip(write_body(inner, body)[1])
        case "JsonlDecoder" | "JsonLineParser":
            rows = body if isinstance(body, list) else [body]
            return "application/x-ndjson", b"".join(
                json.dumps(row).encode() + b"\n" for row in rows
            )
        case "IterableDecoder":
            rows = body if isinstance(body, list) else [body]
            return "text/plain", "\n".join(str(row) for row in rows).encode()
        case "CsvDecoder" | "CsvParser":
            return "text/csv", _csv(decoder, body if isinstance(body, list) else [])
        case "XmlDecoder":
            return "application/xml", f"<?xml version='1.0'?>{_xml('root', body)}".encode()
        case "CompositeRawDecoder":
            return write_body(inner, body)
    return "application/json", json.dumps(body).encode()


def _zip(data: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as packed:
        packed.writestr(zipfile.ZipInfo("one", (2026, 1, 1, 0, 0, 0)), data)
    return target.getvalue()


def _csv(decoder: Mapping[str, Any], rows: list[Any]) -> bytes:
    target = io.StringIO()
    names = list(rows[0]) if rows else []
    delimiter = str(decoder.get("delimiter") or ",").replace("\\t", "\t")
    writer = csv.DictWriter(target, names, delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return target.getvalue().encode(str(decoder.get("encoding") or "utf-8"))


def _xml(name: str, value: Any) -> str:
    if isinstance(value, list):
        inner = "".join(_xml("item" if name == "root" else name, each) for each in value)
        return f"<root>{inner}</root>" if name == "root" else inner
    if isinstance(value, dict):
        inner = "".join(_xml(key, each) for key, each in value.items())
        if name == "root" and len(value) == 1:
            return inner
        return f"<{name}>{inner}</{name}>"
    return f"<{name}>{escape(str(value))}</{name}>"
