"""Texts for PostgreSQL, which cannot keep a NUL: another text stands for one that has some.

A provider's id may hold any character of Unicode. The stand-in sorts by bytes exactly as the text
itself does, so a listing in the order of ids is the same on every database.
"""

from __future__ import annotations

from typing import Any

from psycopg import postgres
from psycopg.adapt import Buffer, Dumper, Loader
from psycopg.pq import Format
from typing_extensions import override


def stand_in(text: str) -> str:
    """Return a text without NUL that no other text gives; most give themselves."""
    if "\1" in text or "\0" in text:
        return text.replace("\1", "\1\2").replace("\0", "\1\1")
    return text


def take_back(text: str) -> str:
    """Undo :func:`stand_in`."""
    if "\1" in text:
        return text.replace("\1\1", "\0").replace("\1\2", "\1")
    return text


class TextDumper(Dumper):
    """Python's text to the driver's; its type is left to the server."""

    @override
    def dump(self, obj: Any) -> bytes:
        return stand_in(obj).encode()


class BinaryTextDumper(TextDumper):
    """The same where values go in binary form, which has no unknown type."""

    format = Format.BINARY
    oid = postgres.types["text"].oid


class TextLoader(Loader):
    """The driver's text to Python's."""

    @override
    def load(self, data: Buffer) -> str:
        return take_back(str(data, "utf-8"))
