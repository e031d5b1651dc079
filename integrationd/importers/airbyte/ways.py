"""Who asks: the credentials of most streams, and those of the others by name.

A stream with credentials of its own says ``auth: NAME``, and they stand under ``http.auths``; those
that are word for word the same are one way, as they would share their tokens there too.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from integrationd.importers.airbyte import unsaid
from integrationd.importers.airbyte.addresses import most
from integrationd.importers.airbyte.auth import Auth
from integrationd.importers.airbyte.parts import Part
from integrationd.importers.naming import distinct

_CHOICE: Final = "choice"
"""The kind that the language has for all streams together, and for none alone."""
_NOBODY: Final = "nobody"
"""What the way without credentials is called."""


@dataclass(frozen=True, slots=True)
class Ways:
    """How the streams of one provider say who asks."""

    usual: Auth | str = "none"
    """``http.auth``."""
    named: dict[str, Auth] = field(default_factory=dict)
    """``http.auths``."""

    def name_of(self, auth: Auth | str) -> str | None:
        """Return the name of a stream's own way; None for the usual one."""
        wanted = _written(auth)
        return next((name for name, way in self.named.items() if way == wanted), None)


def choose_ways(asking: Sequence[tuple[Part, Auth | str]]) -> Ways:
    """Return the ways of some streams; what cannot be said beside the others is told.

    Args:
        asking: Each stream, and what ``auth`` says of it.
    """
    texts = [json.dumps(auth) for _, auth in asking]
    choices = [text for text, (_, auth) in zip(texts, asking, strict=True) if _is_choice(auth)]
    usual: Auth | str = json.loads(most(choices or texts) or '"none"')
    named: dict[str, Auth] = {}
    for part, auth in asking:
        if auth == usual or _written(auth) in named.values():
            continue
        if _is_choice(auth):
            unsaid.lose(part, "auth_per_stream")
            continue
        way = json.loads(json.dumps(_written(auth)))
        named[distinct(_NOBODY if way["type"] == "none" else way["type"], named)] = way
    return Ways(usual, named)


def _is_choice(auth: Auth | str) -> bool:
    return isinstance(auth, dict) and auth["type"] == _CHOICE


def _written(auth: Auth | str) -> Auth:
    """Return what stands under a name, where a word alone would be read as one."""
    return {"type": auth} if isinstance(auth, str) else auth
