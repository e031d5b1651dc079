"""How the body of an answer is read; one kind, one file."""

from __future__ import annotations

from typing import Final

from integrationd.wire.decode.csv import CsvDecoder
from integrationd.wire.decode.json import JsonDecoder
from integrationd.wire.decode.ndjson import NdjsonDecoder
from integrationd.wire.decode.text import TextDecoder
from integrationd.wire.decode.xlsx import XlsxDecoder
from integrationd.wire.decode.xml import XmlDecoder

KINDS: Final = (JsonDecoder, NdjsonDecoder, CsvDecoder, XmlDecoder, XlsxDecoder, TextDecoder)
"""What every decoder offers."""
