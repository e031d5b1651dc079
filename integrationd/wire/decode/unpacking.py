"""What every decoder can do first: unpack a file of gzip or zip."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Generator
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Final

from integrationd.errors import PageShapeError
from integrationd.model.json import Json
from integrationd.wire import decoding, pieces, unpack
from integrationd.wire.charsets import Charset
from integrationd.wire.messages import Answer
from integrationd.wire.pieces import Steps
from integrationd.wire.unpack import Room

LAYERS_MAX: Final = 3
"""How often ``auto`` unpacks: a file inside gzip inside a zip is two."""


class Compression(StrEnum):
    """How a body is packed, beside what HTTP itself unpacks."""

    NONE = "none"
    GZIP = "gzip"
    ZIP = "zip"
    AUTO = "auto"
    """Whatever its first bytes say, also nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnpackingDecoder(ABC):
    """A decoder that reads packed bodies too."""

    reads_failures: ClassVar[bool] = False

    compression: Compression = Compression.NONE
    """A file that is packed: ``gzip``, ``zip``, or ``auto`` for whatever its first bytes say, also
    nothing. What it unpacks to counts for ``http.max_response``."""
    member: str = "*"
    """The files of a zip that are read, ``*.csv``; the records of several are put together."""

    def decode(self, answer: Answer) -> Steps:
        """Return the value; see :class:`integrationd.wire.decode.decoder.Decoder`."""
        if self.compression is Compression.NONE:
            return self.read(answer)
        return self._read_packed(answer)

    def decode_loosely(self, answer: Answer) -> Json:
        """Return the value; see :class:`integrationd.wire.decode.decoder.Decoder`."""
        files = pieces.finish(self._unpack(answer))
        return _join([self.read_loosely(file) for file in files], answer)

    @abstractmethod
    def read(self, answer: Answer) -> Steps:
        """Return the value of a body that is not packed, or not any more."""

    def read_loosely(self, answer: Answer) -> Json:  # noqa: ARG002 - for those that can
        """Return a value that :meth:`read` refused, with what nothing can store still in it.

        Raises:
            PageShapeError: This kind has no such values.
        """
        raise PageShapeError("it holds nothing that could be set aside")

    def _read_packed(self, answer: Answer) -> Steps:
        files = yield from self._unpack(answer)
        values: list[Json] = []
        for number, file in enumerate(files, start=1):
            try:
                values.append((yield from self.read(file)))
            except PageShapeError as wrong:
                where = f"file {number} of {len(files)}: " if len(files) > 1 else ""
                raise PageShapeError(f"{where}{wrong}", status=answer.status) from None
        return _join(values, answer)

    def _unpack(self, answer: Answer) -> Generator[None, None, list[Answer]]:
        if self.compression is Compression.NONE or not answer.body:
            return [answer]
        room = Room(answer.room_bytes)
        try:
            bodies = yield from self._open(answer.body, room, LAYERS_MAX)
        except PageShapeError as wrong:
            decoding.refuse_page(answer, f"a file of {self.compression}")
            message = f"{decoding.name_answer(answer)} cannot be unpacked: {wrong}"
            raise PageShapeError(message, status=answer.status) from None
        return [dataclasses.replace(answer, body=body) for body in bodies]

    def _open(self, body: bytes, room: Room, layers: int) -> Generator[None, None, list[bytes]]:
        automatic = self.compression is Compression.AUTO
        as_gzip, as_zip = body.startswith(unpack.GZIP), self.is_archive(body)
        if automatic and not (as_gzip or as_zip):
            return [body]
        if not layers:
            raise PageShapeError(f"it is packed more than {LAYERS_MAX} times")
        if as_zip and self.compression is not Compression.GZIP:
            inner = yield from self._open_zip(body, room)
        elif as_gzip and self.compression is not Compression.ZIP:
            inner = [(yield from unpack.gunzip(body, room))]
        else:
            raise PageShapeError(f"it is not {self.compression}; say 'auto' where it varies")
        if not automatic:
            return inner
        found: list[bytes] = []
        for one in inner:
            found += yield from self._open(one, room, layers - 1)
        return found

    def is_archive(self, body: bytes) -> bool:
        """Tell whether a body is a zip that is to be opened."""
        return body.startswith(unpack.ZIP)

    def _open_zip(self, body: bytes, room: Room) -> Generator[None, None, list[bytes]]:
        members = unpack.list_members(body)
        chosen = unpack.choose_members(members, self.member)
        if not chosen:
            message = f"none of the {len(members)} files in its zip is called {self.member!r}"
            raise PageShapeError(f"{message}; say the right name as 'member'")
        found: list[bytes] = []
        for member in chosen:
            found.append((yield from unpack.unzip(body, member, room)))  # noqa: PERF401 - it pauses
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class TextualDecoder(UnpackingDecoder):
    """A decoder of text."""

    encoding: Charset | None = None
    """How the text is written, ``windows-1252``. Where it is left out a byte order mark decides,
    then the content type, and then it is UTF-8."""


def _join(values: list[Json], answer: Answer) -> Json:
    """Put the lists of several files together; of one file the value stands as it is."""
    if len(values) == 1:
        return values[0]
    joined: list[Json] = []
    for value in values:
        if value is not None and not isinstance(value, list):
            found = f"{decoding.name_answer(answer)} holds {len(values)} files"
            message = f"{found}, of which each is one value, expected one file, or lists"
            raise PageShapeError(f"{message}; say which file as 'member'", status=answer.status)
        joined += value or []
    return joined
