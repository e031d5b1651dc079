"""Outputs of calls, kept for as long as their operation's ``cache`` says."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, TypeAlias

from integrationd.model.json import Json
from integrationd.spec.documents import Integration
from integrationd.wire import decoding, texts

BYTES_MAX: Final = 16_000_000
"""Of all outputs together."""
ONE_BYTES_MAX: Final = 1_000_000
"""Of one; a larger one is not kept."""

Key: TypeAlias = tuple[str, str, str, str]
"""Tenant and integration, digest of its files, operation, input."""


def key_of(integration: Integration, operation: str, given: Json) -> Key:
    """Return by what an output is found again: other files, or another input, is another one."""
    owner = f"{integration.tenant}/{integration.name}"
    ordered = {name: given[name] for name in sorted(given)}
    return (owner, integration.digest, operation, texts.dump_json(ordered))


@dataclass(slots=True)
class Memory:
    """What is kept; the oldest is forgotten where it grows too large."""

    bytes_max: int = BYTES_MAX
    _kept: dict[Key, tuple[float, bytes]] = field(default_factory=dict)
    _bytes: int = 0

    def keep(self, key: Key, output: Json, until_s: float) -> None:
        """Keep an output until a time."""
        data = texts.dump_json(output).encode(errors="surrogatepass")
        self.forget(key)
        if len(data) > min(ONE_BYTES_MAX, self.bytes_max):
            return
        self._kept[key] = (until_s, data)
        self._bytes += len(data)
        while self._bytes > self.bytes_max:
            self.forget(next(iter(self._kept)))

    def find(self, key: Key, now_s: float) -> tuple[Json] | None:
        """Return an output that may still be given, alone in a tuple as it may be null."""
        kept = self._kept.get(key)
        if kept is None:
            return None
        if kept[0] <= now_s:
            self.forget(key)
            return None
        return (decoding.decode_bytes(kept[1]),)

    def forget(self, key: Key) -> None:
        """Drop an output, if it is there."""
        _, data = self._kept.pop(key, (0.0, b""))
        self._bytes -= len(data)
