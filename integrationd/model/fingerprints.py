"""What of a stream's files its stored state depends on; see design decision 10."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprints:
    """Three digests of a stream: when one changes, something of what is stored is worth less."""

    identity: str
    """Of what a record is called, its entity and its key, as readable JSON. Another one means
    other records: it is refused until a person confirms a full reading."""
    reading: str
    """Of what is asked for. Another one makes stored progress worthless."""
    shape: str
    """Of what a record becomes. Another one makes stored records stale, too."""

    @property
    def progress(self) -> str:
        """Return the one that stored progress must match."""
        return f"{self.reading}:{self.shape}:{self.identity}"
