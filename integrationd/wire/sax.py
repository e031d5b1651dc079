"""XML read piece by piece: no document types, no entities, bounded depth, and pauses."""

from __future__ import annotations

import pyexpat
from collections.abc import Generator, Mapping
from typing import Final, Protocol

from integrationd.errors import PageShapeError
from integrationd.wire.pieces import STEP_BYTES

DEPTH_MAX: Final = 100
"""Elements inside each other; real documents have a dozen."""
_STEP_BYTES: Final = 40_000
"""Read between two pauses where elements are small: some 10,000 of them, 20 ms."""
_FEW: Final = 1000
"""Elements in a step, below which the next one is longer: what is inside one long text is looked
through again with each step."""


class Reader(Protocol):
    """What is told of a document, in its order."""

    def begin(self, name: str, attributes: Mapping[str, str]) -> None:
        """Take the beginning of an element, its names with their prefixes."""
        ...

    def end(self, name: str) -> None:
        """Take the end of an element."""
        ...

    def add_text(self, text: str) -> None:
        """Take text; what stands together may come in several pieces."""
        ...


def read_in_steps(
    body: bytes, reader: Reader, encoding: str | None = None
) -> Generator[None, None, None]:
    """Tell a reader what is in a document.

    Args:
        body: The document.
        reader: What is told.
        encoding: How it is written, whatever it says of that itself.

    Raises:
        PageShapeError: It is no document; the message has the reason alone.

    Source:
        XML 1.0. Of document types come all attacks with entities, so there is none.
    """
    watch = _Watch(reader)
    parser = pyexpat.ParserCreate(encoding)
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse_document_type
    parser.StartElementHandler = watch.begin
    parser.EndElementHandler = watch.end
    parser.CharacterDataHandler = reader.add_text
    at, step_bytes = 0, _STEP_BYTES
    try:
        while at < len(body):
            watch.closed = 0
            parser.Parse(body[at : at + step_bytes], False)  # noqa: FBT003 - not the end
            at += step_bytes
            step_bytes = _STEP_BYTES if watch.closed > _FEW else min(step_bytes * 2, STEP_BYTES)
            yield
        parser.Parse(b"", True)  # noqa: FBT003 - the end
    except pyexpat.ExpatError as wrong:
        told = pyexpat.ErrorString(wrong.code)
        where = f"line {wrong.lineno}, column {wrong.offset + 1}"
        raise PageShapeError(f"{told} ({where})") from None
    except (ValueError, LookupError):
        message = "it says an unknown encoding; say the right one as 'encoding'"
        raise PageShapeError(message) from None


class _Watch:
    """Counts what goes to a reader."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.depth = 0
        self.closed = 0
        """Elements that were closed since this was last set to zero."""

    def begin(self, name: str, attributes: Mapping[str, str]) -> None:
        self.depth += 1
        if self.depth > DEPTH_MAX:
            raise PageShapeError(f"nested deeper than {DEPTH_MAX} elements")
        self.reader.begin(name, attributes)

    def end(self, name: str) -> None:
        self.depth -= 1
        self.closed += 1
        self.reader.end(name)


def local(name: str) -> str:
    """Return a name without the prefix of its namespace."""
    return name.rpartition(":")[2] if ":" in name else name


def _refuse_document_type(*_: object) -> None:
    raise PageShapeError("it has a document type (DTD), which is not read")
