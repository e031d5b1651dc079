"""A file as it was found, before anything is made of it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import IntEnum

from integrationd.config.problems import Problem


class Layer(IntEnum):
    """Whose file it is; of two things with the same name that of the higher layer wins."""

    SHIPPED = 0
    """Part of the package."""
    CONFIGURED = 1
    """In the configuration directory."""
    GIVEN = 2
    """Named on the command line, to be checked before it is put in place."""


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file as it was read."""

    path: str
    """As people are told it: relative to the configuration directory, or ``shipped/…``."""
    data: bytes
    layer: Layer = Layer.CONFIGURED
    problem: Problem | None = None
    """Why it could not be read; ``data`` is empty then."""


def digest_of(data: bytes) -> str:
    """Return the digest by which contents are told apart, 32 hexadecimal digits."""
    return hashlib.blake2b(data, digest_size=16).hexdigest()
