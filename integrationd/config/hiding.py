"""Where a file may hold a secret by mistake: told by the names on the way there."""

from __future__ import annotations

import functools
import re
from typing import Final

_SECTIONS: Final = frozenset({"auth", "database", "secrets", "verify"})
"""All below them is near a secret: what was pasted into the wrong line there is never shown."""
_SECRET: Final = re.compile(
    r"(?:.*[-_.]|client|consumer|app|user)?"
    r"(?:authorization|passwd|password|passphrase|pwd|secret|api[-_]?key"
    r"|(?:access|auth|refresh|private|bearer|session|security)[-_]?token|private[-_]?key|assertion)"
    r"|(?:x-|ws)?token",
    re.IGNORECASE,
)


@functools.lru_cache(4096)
def names_secret(name: str) -> bool:
    """Tell whether a header, a parameter or a field of this name carries a secret."""
    return _SECRET.fullmatch(name) is not None


def hides(name: str) -> bool:
    """Tell whether no message may show what stands under a name."""
    return name in _SECTIONS or names_secret(name)
