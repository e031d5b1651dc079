"""Values that must show up nowhere, and every form in which they might."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

SPECIAL = '"/+<&%\\'
"""Signs that each way of writing changes: JSON, URLs, HTML, base64."""


def forms_of(secret: str) -> dict[str, bytes]:
    """Return a secret in every form in which it could be printed, stored or sent on."""
    raw = secret.encode()
    forms = {
        "plain": raw,
        "json": json.dumps(secret)[1:-1].encode(),
        "json, not ascii": json.dumps(secret, ensure_ascii=False)[1:-1].encode(),
        "repr": repr(secret)[1:-1].encode(),
        "bytes": repr(raw)[2:-1].encode(),
        "url": quote(secret, safe="").encode(),
        "url, slashes": quote(secret).encode(),
        "url, small": quote(secret, safe="").lower().encode(),
        "latin": secret.encode("latin-1"),
        "utf-16": secret.encode("utf-16-le"),
        "hex": raw.hex().encode(),
        "reversed": secret[::-1].encode(),
    }
    for shift in range(3):
        # As a part of a longer text, without the signs that depend on its neighbours.
        inner = base64.b64encode(b"\0" * shift + raw)[4 if shift else 0 :]
        forms[f"base64 {shift}"] = inner[: len(inner) // 4 * 4 - 4]
    return forms


@dataclass
class Canaries:
    """Distinct secrets by name."""

    values: dict[str, str] = field(default_factory=dict)

    def make(self, name: str, *, special: bool = True) -> str:
        """Make one; ``special`` has signs that each way of writing changes."""
        mark = f"cnry{len(self.values):02}{name.replace('_', '').upper()}"
        return self.add(name, f"{mark}{SPECIAL if special else ''}Qz7")

    def add(self, name: str, value: str) -> str:
        """Take one that was made elsewhere."""
        assert name not in self.values
        self.values[name] = value
        return value

    def found_in(self, texts: Mapping[str, bytes]) -> list[str]:
        """Say which secret shows up where, and in which form."""
        forms = [
            (name, form, needle)
            for name, value in self.values.items()
            for form, needle in forms_of(value).items()
        ]
        return sorted(
            f"{name} ({form}) in {where}"
            for where, text in texts.items()
            for name, form, needle in forms
            if needle in text
        )


def files_below(directory: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the raw bytes of every file: database, write-ahead log, copies of good files."""
    for path in sorted(directory.rglob("*")):
        if path.is_file():
            yield str(path.relative_to(directory)), path.read_bytes()
