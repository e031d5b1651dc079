"""Workbooks of Excel: a zip of XML files, of which a few are read."""

from __future__ import annotations

import math
import re
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from typing_extensions import override

from integrationd.errors import PageShapeError
from integrationd.model.json import Json
from integrationd.wire import sax, unpack
from integrationd.wire.unpack import Member, Room

COLUMNS_MAX: Final = 16_384
"""As Excel has it: a sheet with one cell in its last column would need that many places a row."""
CELLS_MAX: Final = 5_000_000
"""Places of all rows, the empty ones before a cell counted: of few bytes come many of them."""

_CELL: Final = re.compile(r"([A-Z]{1,3})[0-9]{1,7}")
_ESCAPE: Final = re.compile(r"_x((?:[0-9A-Ca-cE-Fe-f][0-9A-Fa-f]|[Dd][0-7])[0-9A-Fa-f]{2})_")
"""All but halves of surrogate pairs."""
_DATES: Final = frozenset({*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)})
"""Formats without a text of their own that show a date or a time. Source: ECMA-376, 18.8.30."""
_NOT_SIGNS: Final = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?![hms]+\])[^\]]*\]', re.IGNORECASE)
"""What in a format is shown as it stands, or is a colour or a condition."""
_DATE_SIGNS: Final = re.compile(r"[dmyhs]", re.IGNORECASE)
_ELAPSED: Final = re.compile(r"\[[hms]+\]", re.IGNORECASE)
_WHOLE_MAX: Final = 2**53
_DAYS_MAX: Final = 2_958_466
"""The last day of the year 9999, as Excel counts."""
_MACHINE: Final = "/officeDocument"
_TEXTS: Final = "/sharedStrings"
_STYLES: Final = "/styles"

Row = list[Json]


def to_name(value: Json) -> str:
    """Return what a cell of the header calls its column, empty where it has no name."""
    return "" if value is None else str(value).strip()


@dataclass(slots=True)
class Book:
    """A workbook, of which the small parts have been read."""

    body: bytes
    room: Room
    members: Mapping[str, Member]
    sheets: Mapping[str, str] = field(default_factory=dict)
    """Files by the names of sheets, in their order."""
    texts: list[str] = field(default_factory=list)
    dated: list[bool] = field(default_factory=list)
    """Of each style whether it shows a date."""
    epoch: datetime = datetime(1899, 12, 30)  # noqa: DTZ001 - sheets know no zone

    def read_part(self, path: str, reader: sax.Reader) -> Generator[None, None, None]:
        """Read one file of the workbook.

        Raises:
            PageShapeError: It is not there, or damaged.
        """
        member = self.members.get(path)
        if member is None:
            raise PageShapeError("a part of it is missing")
        content = yield from unpack.unzip(self.body, member, self.room)
        yield from sax.read_in_steps(content, reader)

    def read_rows(self, sheet: str | None) -> Generator[None, None, list[tuple[int, Row]]]:
        """Return the rows of a sheet that are not empty, each with its number from 1 on.

        Raises:
            PageShapeError: There is no such sheet.
        """
        name = next(iter(self.sheets), None) if sheet is None else sheet
        if name is None or name not in self.sheets:
            raise PageShapeError("it has no sheet" if name is None else f"it has no sheet {name!r}")
        reader = _Sheet(self)
        yield from self.read_part(self.sheets[name], reader)
        return reader.rows


def open_book(body: bytes, room: Room) -> Generator[None, None, Book]:
    """Open a workbook.

    Raises:
        PageShapeError: It is none, or unpacks to more than there is room for.
    """
    if not body.startswith(unpack.ZIP):
        raise PageShapeError("it is no XLSX file; the older XLS is not read")
    book = Book(body, room, {member.name: member for member in unpack.list_members(body)})
    parts = _Relations("")
    yield from book.read_part("_rels/.rels", parts)
    path = parts.find(_MACHINE)
    if path is None:
        raise PageShapeError("it is no XLSX file")
    folder, _, file = path.rpartition("/")
    related = _Relations(folder)
    yield from book.read_part(f"{folder}/_rels/{file}.rels".lstrip("/"), related)
    index = _Index()
    yield from book.read_part(path, index)
    if index.counts_from_1904:
        book.epoch = datetime(1904, 1, 1)  # noqa: DTZ001 - sheets know no zone
    book.sheets = {name: related.by_id[key] for name, key in index.sheets if key in related.by_id}
    texts, styles = related.find(_TEXTS), related.find(_STYLES)
    if texts is not None:
        read = _SharedTexts()
        yield from book.read_part(texts, read)
        book.texts = read.texts
    if styles is not None:
        formats = _Styles()
        yield from book.read_part(styles, formats)
        book.dated = formats.dated()
    return book


class _Quiet:
    """Takes what nobody asks for."""

    def begin(self, name: str, attributes: Mapping[str, str]) -> None:
        """Take a beginning."""

    def end(self, name: str) -> None:
        """Take an end."""

    def add_text(self, text: str) -> None:
        """Take a text."""


class _Relations(_Quiet):
    """Which file is what: ``.rels``."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.by_id: dict[str, str] = {}
        self.by_type: dict[str, str] = {}

    @override
    def begin(self, name: str, attributes: Mapping[str, str]) -> None:
        if sax.local(name) != "Relationship":
            return
        target = attributes.get("Target", "")
        path = target[1:] if target.startswith("/") else f"{self.folder}/{target}".lstrip("/")
        self.by_id[attributes.get("Id", "")] = path
        self.by_type["/" + attributes.get("Type", "").rpartition("/")[2]] = path

    def find(self, kind: str) -> str | None:
        return self.by_type.get(kind)


class _Index(_Quiet):
    """The sheets, by name and relation."""

    def __init__(self) -> None:
        self.sheets: list[tuple[str, str]] = []
        self.counts_from_1904 = False

    @override
    def begin(self, name: str, attributes: Mapping[str, str]) -> None:
        match sax.local(name):
            case "sheet":
                named = {sax.local(key): value for key, value in attributes.items()}
                self.sheets.append((named.get("name", ""), named.get("id", "")))
            case "workbookPr":
                self.counts_from_1904 = attributes.get("date1904") in ("1", "true")


class _SharedTexts(_Quiet):
    """Texts that cells name by their number; what says how to pronounce them is left out."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.parts: list[str] = []
        self.in_text = False
        self.in_sound = False

    @override
    def begin(self, name: str, attributes: Mapping[str, str]) -> None:
        match sax.local(name):
            case "si":
                self.parts = []
            case "rPh":
                self.in_sound = True
            case "t":
                self.in_text = not self.in_sound

    @override
    def end(self, name: str) -> None:
        match sax.local(name):
            case "si":
                self.texts.append(_unescape("".join(self.parts)))
            case "rPh":
                self.in_sound = False
            case "t":
                self.in_text = False

    @override
    def add_text(self, text: str) -> None:
        if self.in_text:
            self.parts.append(text)


class _Styles(_Quiet):
    """Which styles show a date."""

    def __init__(self) -> None:
        self.codes: dict[str, str] = {}
        self.formats: list[str] = []
        self.in_cells = False

    @override
    def begin(self, name: str, attributes: Mapping[str, str]) -> None:
        match sax.local(name):
            case "numFmt":
                self.codes[attributes.get("numFmtId", "")] = attributes.get("formatCode", "")
            case "cellXfs":
                self.in_cells = True
            case "xf" if self.in_cells:
                self.formats.append(attributes.get("numFmtId", "0"))

    @override
    def end(self, name: str) -> None:
        if sax.local(name) == "cellXfs":
            self.in_cells = False

    def dated(self) -> list[bool]:
        return [self._is_date(number) for number in self.formats]

    def _is_date(self, number: str) -> bool:
        code = self.codes.get(number)
        if code is None:
            return number.isascii() and number.isdigit() and int(number) in _DATES
        signs = _NOT_SIGNS.sub("", code.partition(";")[0])
        return not _ELAPSED.search(signs) and _DATE_SIGNS.search(signs) is not None


class _Sheet(_Quiet):
    """The rows of a sheet."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self.rows: list[tuple[int, Row]] = []
        self.number = 0
        self.row: Row = []
        self.column = 0
        self.kind = "n"
        self.style = 0
        self.parts: list[str] = []
        self.in_value = False
        self.cells = 0

    @override
    def begin(self, name: str, attributes: Mapping[str, str]) -> None:
        match sax.local(name):
            case "c":
                self._begin_cell(attributes)
            case "row":
                self.number = _read_index(attributes.get("r")) or self.number + 1
                self.row, self.column = [], 0
            case "v" | "t":
                self.in_value = True
            case "rPh":
                self.kind = "sound"

    @override
    def end(self, name: str) -> None:
        match sax.local(name):
            case "c":
                self._end_cell()
            case "row":
                if self.row:
                    self.rows.append((self.number, self.row))
            case "v" | "t":
                self.in_value = False

    @override
    def add_text(self, text: str) -> None:
        if self.in_value and self.kind != "sound":
            self.parts.append(text)

    def _begin_cell(self, attributes: Mapping[str, str]) -> None:
        found = _CELL.fullmatch(attributes.get("r", ""))
        self.column = _read_letters(found[1]) if found else self.column + 1
        self.kind = attributes.get("t", "n")
        self.style = _read_index(attributes.get("s")) or 0
        self.parts = []

    def _end_cell(self) -> None:
        value = self._value("".join(self.parts))
        missing = self.column - 1 - len(self.row)
        if value is None or missing < 0:
            return
        self.cells += missing + 1
        if self.column > COLUMNS_MAX or self.cells > CELLS_MAX:
            raise PageShapeError("it has more cells than are read")
        self.row += [None] * missing
        self.row.append(value)

    def _value(self, text: str) -> Json:
        match self.kind:
            case "s":
                at = _read_index(text)
                if at is None or at >= len(self.book.texts):
                    raise PageShapeError("a cell names a text that is not there")
                return self.book.texts[at] or None
            case "b":
                return text == "1"
            case "e":
                return None  # #N/A and the like
            case "n":
                return self._number(text)
            case _:
                return _unescape(text) or None

    def _number(self, text: str) -> Json:
        try:
            number = float(text)
        except ValueError:
            return text or None
        dated = self.book.dated
        if self.style < len(dated) and dated[self.style] and 0 <= number < _DAYS_MAX:
            return _show_date(self.book.epoch, number)
        if not math.isfinite(number):
            return text
        return int(number) if number.is_integer() and abs(number) < _WHOLE_MAX else number


def _show_date(epoch: datetime, days: float) -> str:
    """Print a moment that is counted in days; below one day it is a time alone."""
    # Whole milliseconds: a double has no more of a second that so many days are before.
    moment = epoch + timedelta(milliseconds=round(days * 86_400_000))
    spec = "milliseconds" if moment.microsecond else "seconds"
    if days < 1:
        return moment.time().isoformat(spec)
    whole = moment.hour == moment.minute == moment.second == moment.microsecond == 0
    return moment.date().isoformat() if whole else moment.isoformat(timespec=spec)


def _unescape(text: str) -> str:
    """Return a text with its ``_x000D_`` as signs. Source: ECMA-376, 22.9.2.19."""
    if "_x" not in text:
        return text
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text)


def _read_index(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else None  # noqa: PLR2004


def _read_letters(letters: str) -> int:
    """Return the number of a column, 28 of ``AB``."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number
