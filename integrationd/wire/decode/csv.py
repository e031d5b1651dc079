"""Rows of fields."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, ClassVar, Final

from typing_extensions import override

from integrationd.config.decode import INVALID, Bounds, Invalid, Site
from integrationd.config.nodes import Fields
from integrationd.errors import PageShapeError
from integrationd.model.json import Json
from integrationd.model.unstorable import Unstorable
from integrationd.wire import charsets, decoding, pieces
from integrationd.wire.decode.unpacking import TextualDecoder
from integrationd.wire.messages import Answer
from integrationd.wire.pieces import Steps

COLUMNS_MAX: Final = 10_000
_FIELD_CHARS: Final = 100_000_000
"""Longest field. Python's own bound is 131,072, which descriptions pass; the body has its own."""
_STEP_CHARS: Final = 100_000
"""Read between two pauses: some 2,000 rows, 10 ms."""
csv.field_size_limit(_FIELD_CHARS)  # there is one for the whole process, and no other reader
_LINE: Final = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")


class Ragged(StrEnum):
    """What becomes of a row with more or fewer fields than there are columns."""

    REFUSE = "refuse"
    ALLOW = "allow"


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvDecoder(TextualDecoder):
    """Read rows as objects of text; ``body`` is the list of them. Empty lines count for nothing.

    A row with more or fewer fields than the others is set aside, as its fields may have moved; in
    an operation it fails the call. No type is guessed: mappings say what is a number or a date.

    Source:
        RFC 4180.
    """

    kind: ClassVar[str] = "csv"

    delimiter: str = ","
    """What stands between two fields: one character, ``";"``, or ``tab``."""
    quote: str | None = '"'
    """What stands around a field that holds delimiters or line ends, doubled inside it; null where
    there is no such sign."""
    columns: tuple[str, ...] = ()
    """Names, where the first row is no header."""
    skip_lines: Annotated[int, Bounds(0, 1000)] = 0
    """Lines before the header, or before the first row."""
    comment: str | None = None
    """Lines that begin with it are left out, ``"#"``."""
    nulls: tuple[str, ...] = ()
    """Fields that stand for null, ``["", "NULL"]``."""
    ragged: Ragged = Ragged.REFUSE
    """A row of another length: ``refuse`` sets it aside; ``allow`` takes it, without its last
    columns or without the fields that have no column."""

    def check(self, node: Fields, site: Site) -> Invalid | None:
        """Refuse signs that are not one character or stand for two things, and repeated names."""
        wrong = {
            "delimiter": _is_no_sign(self._sign) and "one character, or tab",
            "quote": self.quote is not None
            and _is_no_sign(self.quote)
            and "one character, or null",
            "comment": self.comment == "" and "at least one character",
        }
        told = [
            site.key(key).expected(node.entries[key], what, "E111")
            for key, what in wrong.items()
            if what
        ]
        if self.quote == self._sign:
            message = f"{site.name} has the same sign as 'delimiter' and as 'quote'"
            told.append(site.refuse(node.position, "E114", message))
        if len(set(self.columns)) < len(self.columns):
            message = f"{site.name} names a column twice in 'columns'"
            told.append(site.refuse(node.key_position("columns"), "E114", message))
        return INVALID if told else None

    @override
    def read(self, answer: Answer) -> Steps:
        """Return the rows, None where the body is empty."""
        return self._read_rows(answer, strict=True)

    @override
    def read_loosely(self, answer: Answer) -> Json:
        """Return the rows, with an ``Unstorable`` in the place of each of another length."""
        return pieces.finish(self._read_rows(answer, strict=False))

    @property
    def _sign(self) -> str:
        return "\t" if self.delimiter == "tab" else self.delimiter

    def _read_rows(self, answer: Answer, *, strict: bool) -> Steps:
        decoding.refuse_page(answer, "CSV")
        text = charsets.to_text(answer, self.encoding)
        if not text.strip():
            return None
        lines = _Lines(_LINE.finditer(text), self.comment)
        rows: list[Json] = []
        try:
            found = self._split(lines)
            columns = self._head(found)
            for row in found:
                if columns.fit(row):
                    rows.append(columns.name(row))
                else:
                    where = f"row {len(rows) + 1} (line {lines.number})"
                    rows.append(columns.refuse(row, where, strict=strict))
                if lines.taken > _STEP_CHARS:
                    lines.taken = 0
                    yield
        except PageShapeError as wrong:
            message = f"{decoding.name_answer(answer)} is not CSV as it is said: {wrong}"
            raise PageShapeError(message, status=answer.status) from None
        return rows

    def _split(self, lines: _Lines) -> Iterator[list[str]]:
        """Yield the fields of each row that has any."""
        for _ in range(self.skip_lines):
            lines.skip()
        reader = csv.reader(
            lines,
            delimiter=self._sign,
            quotechar=self.quote,
            quoting=csv.QUOTE_NONE if self.quote is None else csv.QUOTE_MINIMAL,
            strict=True,
        )
        while True:
            lines.begins_row = True
            try:
                row = next(reader, None)
            except csv.Error as wrong:
                raise PageShapeError(f"line {lines.number}: {wrong}") from None
            if row is None:
                return
            if row:
                yield row

    def _head(self, rows: Iterator[list[str]]) -> _Columns:
        names = self.columns or tuple(name.strip() for name in next(rows, []))
        if len(names) > COLUMNS_MAX:
            raise PageShapeError(f"it has more than {COLUMNS_MAX} columns")
        if len({*filter(None, names)}) < len([*filter(None, names)]):
            message = "a name stands twice in its header"
            raise PageShapeError(f"{message}; say 'columns' and 'skip_lines: 1'")
        return _Columns(names, frozenset(self.nulls), self.ragged)


@dataclass(slots=True)
class _Lines:
    """Lines with their ends, without comments, which begin where a row does."""

    found: Iterator[re.Match[str]]
    comment: str | None
    number: int = 0
    taken: int = 0
    """Characters since this was last set to zero."""
    begins_row: bool = True

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        while True:
            line = self.skip()
            if line is None:
                raise StopIteration
            if not (self.begins_row and self.comment and line.startswith(self.comment)):
                self.begins_row = False
                return line

    def skip(self) -> str | None:
        """Return the next line whatever it is."""
        match = next(self.found, None)
        if match is None:
            return None
        line = match.group()
        self.number += 1
        self.taken += len(line)
        return line


@dataclass(frozen=True, slots=True)
class _Columns:
    """The names of fields, in order; a column without a name is left out."""

    names: tuple[str, ...]
    nulls: frozenset[str]
    ragged: Ragged

    def fit(self, row: list[str]) -> bool:
        """Tell whether it is known which field is which."""
        return len(row) == len(self.names) or self.ragged is Ragged.ALLOW

    def name(self, row: list[str]) -> Json:
        """Return a row as an object."""
        nulls = self.nulls
        if not nulls and "" not in self.names:
            return dict(zip(self.names, row, strict=False))
        return {
            name: None if text in nulls else text
            for name, text in zip(self.names, row, strict=False)
            if name
        }

    def refuse(self, row: list[str], where: str, *, strict: bool) -> Json:
        """Return what stands for a row of another length.

        Raises:
            PageShapeError: Nothing may.
        """
        message = f"{where} has {len(row)} fields, expected {len(self.names)}"
        if strict:
            raise PageShapeError(f"{message}; say 'ragged: allow' where that is normal")
        # Which field is which is not known any more, so not even its key is believed.
        return Unstorable({}, {"fields": row}, message)


def _is_no_sign(text: str) -> bool:
    return len(text) != 1 or text in "\r\n"
