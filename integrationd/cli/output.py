"""Rows on stdout: as a table for people, as NDJSON or CSV for programs."""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Final

import click
import msgspec

from integrationd.model.json import Json

SAMPLE_ROWS: Final = 200
"""Rows that decide how wide a table's columns are; the rest is cut to fit."""
WIDTH_MAX: Final = 60
FORMULA_STARTS: Final = frozenset("=+-@")
"""What makes a spreadsheet compute; tabs and line ends, which do too, are not printed at all."""
_NUMBER = re.compile(r"-[0-9]+(\.[0-9]+)?")


def print_json(value: Json) -> None:
    """Print one JSON value, indented."""
    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2))


async def print_rows(
    rows: AsyncIterator[Mapping[str, Json]],
    columns: Sequence[str],
    *,
    style: str | None,
    as_json: bool,
) -> int:
    """Print rows as they come, in bounded memory; returns how many there were.

    Args:
        rows: Each a JSON object.
        columns: The fields that a table or CSV shows; NDJSON shows all.
        style: table, ndjson or csv; None chooses by whether stdout is a terminal.
        as_json: ``--json``: NDJSON, whatever ``style`` says.
    """
    chosen = "ndjson" if as_json else style or ("table" if sys.stdout.isatty() else "ndjson")
    if chosen == "csv":
        return await _print_csv(rows, columns)
    if chosen == "table":
        return await _print_table(rows, columns)
    count = 0
    async for row in rows:
        click.echo(msgspec.json.encode(row))
        count += 1
    return count


async def _print_csv(rows: AsyncIterator[Mapping[str, Json]], columns: Sequence[str]) -> int:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(columns)
    count = 0
    async for row in rows:
        writer.writerow([_cell(row.get(column)) for column in columns])
        count += 1
    # What is left is written now, where a reader that went away is no error.
    sys.stdout.flush()
    return count


async def _print_table(rows: AsyncIterator[Mapping[str, Json]], columns: Sequence[str]) -> int:
    sample: list[list[str]] = []
    widths = [len(column) for column in columns]
    count = 0
    async for row in rows:
        cells = [printable(row.get(column)) for column in columns]
        count += 1
        if count <= SAMPLE_ROWS:
            sample.append(cells)
            widths = [min(WIDTH_MAX, max(w, len(c))) for w, c in zip(widths, cells, strict=True)]
            continue
        if sample:
            _flush(sample, columns, widths)
        click.echo(_line(cells, widths))
    if sample:
        _flush(sample, columns, widths)
    return count


def _flush(sample: list[list[str]], columns: Sequence[str], widths: Sequence[int]) -> None:
    click.echo(_line([column.upper() for column in columns], widths))
    for cells in sample:
        click.echo(_line(cells, widths))
    sample.clear()


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (
        f"{cell if len(cell) <= width else cell[: width - 1] + '…':<{width}}"
        for cell, width in zip(cells, widths, strict=True)
    )
    return "  ".join(padded).rstrip()


def printable(value: Json) -> str:
    """Return a value as one line that moves no terminal; null is nothing."""
    if value is None:
        return ""
    if isinstance(value, str):
        return "".join(c if c.isprintable() else "�" for c in value)
    return msgspec.json.encode(value).decode()


def _cell(value: Json) -> str:
    """Keep a spreadsheet from taking a provider's text for a formula; a number stays one.

    Source:
        OWASP, "CSV Injection".
    """
    text = printable(value)
    if isinstance(value, str) and text[:1] in FORMULA_STARTS and not _NUMBER.fullmatch(text):
        return f"'{text}"
    return text
