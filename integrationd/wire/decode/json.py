"""One JSON text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from integrationd.wire import decoding
from integrationd.wire.messages import Answer
from integrationd.wire.pieces import Steps


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonDecoder:
    """Read the whole body as one JSON text.

    Source:
        RFC 8259.
    """

    kind: ClassVar[str] = "json"

    def decode(self, answer: Answer) -> Steps:
        """Return the value; see :class:`integrationd.wire.decode.decoder.Decoder`."""
        return decoding.decode_in_steps(answer)
