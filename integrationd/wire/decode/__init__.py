"""How the body of an answer is read; one kind, one file."""

from __future__ import annotations

from typing import Final

from integrationd.wire.decode.json import JsonDecoder
from integrationd.wire.decode.ndjson import NdjsonDecoder

KINDS: Final = (JsonDecoder, NdjsonDecoder)
