"""A changed key or entity gives records other names: nothing is read until a person agrees."""

from __future__ import annotations

import json

from integrationd.model.fingerprints import Fingerprints
from integrationd.ports.store import StreamKey


def is_renamed(identity: str, prints: Fingerprints) -> bool:
    """Tell whether stored records have other names than those that a reading would give.

    Args:
        identity: Of the spec by which the stored ones are called, empty where there are none.
        prints: Of the spec as it is.
    """
    return identity not in ("", prints.identity)


def explain_renaming(key: StreamKey, identity: str, prints: Fingerprints) -> str:
    """Say what changed and what to run."""
    name = f"{key.integration}/{key.stream}"
    old, new = json.loads(identity), json.loads(prints.identity)
    told = [
        f"the {what} of {name} changed from {_show(old[what])} to {_show(new[what])}"
        for what in ("key", "entity")
        if old[what] != new[what]
    ] or [f"what the key of {name} reads of the configuration changed"]
    return (
        f"{' and '.join(told)}; what is stored has other names now, so nothing is read until a "
        f"person agrees to read it all anew; run: integrationd sync {name} --full --confirm"
    )


def _show(said: str | list[str]) -> str:
    return repr(said) if isinstance(said, str) else ", ".join(map(repr, said))
