"""Large JSON texts, decoded piece by piece with pauses, so that others get their turn meanwhile."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from dataclasses import dataclass
from typing import Final

import msgspec

from integrationd.model.json import Json

STEP_BYTES: Final = 1_000_000
"""Decoded between two pauses: some 6 ms."""
DEPTH_MAX: Final = 4
"""How far in pieces are looked for; each level looks once over all that is in it, 1 ms a megabyte.
The records of a page seldom lie deeper than three."""

_whole: Final = msgspec.json.Decoder().decode
_outer: Final = msgspec.json.Decoder(dict[str, msgspec.Raw] | list[msgspec.Raw]).decode

Text = bytes | msgspec.Raw
Steps = Generator[None, None, Json]
"""Pauses, and in the end the value."""


def finish(steps: Steps) -> Json:
    """Return the value without any pause, of what is small or rare."""
    while True:
        try:
            next(steps)
        except StopIteration as done:
            return done.value


def decode_in_steps(text: bytes) -> Steps:
    """Decode as a whole would be, pausing after each :data:`STEP_BYTES`.

    Raises:
        msgspec.DecodeError: It is not JSON; places in the message count from some piece's begin.
        UnicodeDecodeError: Likewise.
        RecursionError: It is nested too deep.
    """
    return (yield from _Walk().decode(text, DEPTH_MAX))


@dataclass(slots=True)
class _Walk:
    """How much was decoded since the last pause."""

    done_bytes: int = 0

    def decode(self, text: Text, depth: int) -> Steps:
        if len(text) <= STEP_BYTES or not depth:
            return (yield from self._decode_whole(text))
        try:
            parts = _outer(text)
        except msgspec.ValidationError:  # neither object nor list: one long text
            return (yield from self._decode_whole(text))
        yield
        found: Json
        places: Iterable[tuple[int | str, msgspec.Raw]]
        if isinstance(parts, list):
            found, places = [None] * len(parts), enumerate(parts)
        else:
            found, places = dict.fromkeys(parts), parts.items()
        for place, part in places:
            found[place] = yield from self.decode(part, depth - 1)
        return found

    def _decode_whole(self, text: Text) -> Steps:
        self.done_bytes += len(text)
        if self.done_bytes > STEP_BYTES:
            self.done_bytes = 0
            yield
        return _whole(text)
