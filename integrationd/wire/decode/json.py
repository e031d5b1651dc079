"""One JSON text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from typing_extensions import override

from integrationd.errors import PageShapeError
from integrationd.model.json import Json
from integrationd.wire import charsets, decoding
from integrationd.wire.decode.unpacking import TextualDecoder
from integrationd.wire.messages import Answer
from integrationd.wire.pieces import Steps


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonDecoder(TextualDecoder):
    """Read the whole body as one JSON text.

    JSON is UTF-8, whatever the content type says; where it is not, and the content type or a byte
    order mark names another encoding, it is read so.

    Source:
        RFC 8259, section 8.1.
    """

    kind: ClassVar[str] = "json"

    @override
    def read(self, answer: Answer) -> Steps:
        """Return the value."""
        if self.encoding is not None:
            return (yield from decoding.decode_in_steps(charsets.to_utf8(answer, self.encoding)))
        try:
            return (yield from decoding.decode_in_steps(answer))
        except PageShapeError:
            if not charsets.names_another(answer):
                raise
        return (yield from decoding.decode_in_steps(charsets.to_utf8(answer, None)))

    @override
    def read_loosely(self, answer: Answer) -> Json:
        """Return the value with what nothing can store still in it."""
        if self.encoding is not None or charsets.names_another(answer):
            answer = charsets.to_utf8(answer, self.encoding)
        return decoding.decode_loosely(answer.body)
