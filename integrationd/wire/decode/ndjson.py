"""One JSON text in each line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from typing_extensions import override

from integrationd.errors import PageShapeError
from integrationd.model.json import Json
from integrationd.wire import charsets, decoding
from integrationd.wire.decode.unpacking import TextualDecoder
from integrationd.wire.messages import Answer
from integrationd.wire.pieces import STEP_BYTES, Steps

_BOM: Final = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True, kw_only=True)
class NdjsonDecoder(TextualDecoder):
    """Read each line as a JSON text; ``body`` is the list of them. Empty lines count for nothing.

    A line that is broken, the last one included, fails the whole page: an answer that was cut off
    must not pass for a short one.

    Source:
        The NDJSON specification 1.0, and JSON Lines, which differ in no way that matters here.
    """

    kind: ClassVar[str] = "ndjson"

    @override
    def read(self, answer: Answer) -> Steps:
        """Return the lines' values."""
        if self.encoding is not None:
            return (yield from _read_lines(charsets.to_utf8(answer, self.encoding)))
        try:
            return (yield from _read_lines(answer))
        except PageShapeError:
            if not charsets.names_another(answer):
                raise
        return (yield from _read_lines(charsets.to_utf8(answer, None)))

    @override
    def read_loosely(self, answer: Answer) -> Json:
        """Return the lines' values with what nothing can store still in them."""
        if self.encoding is not None or charsets.names_another(answer):
            answer = charsets.to_utf8(answer, self.encoding)
        lines = answer.body.removeprefix(_BOM).split(b"\n")
        return [decoding.decode_loosely(line) for line in lines if line.strip()]


def _read_lines(answer: Answer) -> Steps:
    values: list[Json] = []
    done_bytes = 0
    lines = answer.body.removeprefix(_BOM).split(b"\n")
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            values.append(decoding.decode_bytes(line))
        except PageShapeError as wrong:
            decoding.refuse_page(answer, "a JSON text in each line")
            where = decoding.name_answer(answer)
            message = f"line {number} of {where} is not JSON: {wrong}{decoding.hint(answer)}"
            raise PageShapeError(message, status=answer.status) from None
        done_bytes += len(line)
        if done_bytes > STEP_BYTES:
            done_bytes = 0
            yield
    return values or None
