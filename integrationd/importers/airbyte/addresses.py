"""Where the requests of a manifest go: one base for most of them, and the hosts of the others."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from integrationd.importers.airbyte.requests import AUTHORITY, Asked

_EXAMPLE: Final = "https://example.org"
_TEMPLATE: Final = re.compile(r"\{[{%].*?[}%]\}")
_LABELS_MIN: Final = 2
"""Of a name under which anything may be called; less is a whole country."""


def settle_base(several: Sequence[Asked]) -> str:
    """Return where most requests begin; those of the same host are made to begin there.

    Only a path that is written out as a URL stands for itself: one that begins with a value of the
    configuration is taken for a path, so that what differs behind the host is moved into it.
    """
    usual = most(asked.base for asked in several) or _EXAMPLE
    host = _host_of(usual)
    own = [asked for asked in several if _host_of(asked.base) == host]
    if all(asked.base == usual or not is_configured(asked.base) for asked in own):
        return usual
    for asked in own:
        asked.path = f"{asked.base[len(host) :]}{asked.path}"
        asked.base = host
    return host


def is_configured(address: str) -> bool:
    """Tell whether an address begins with a value of the configuration."""
    return address.startswith(("{{", "{%"))


def find_hosts(addresses: Iterable[str], base: str) -> list[str]:
    """Return the further hosts that are asked, as far as they are written out."""
    own = _name_of(base)
    found = {_name_of(each) for each in addresses if each != base}
    return sorted(host for host in map(_open, found - {own}) if host)


def _host_of(address: str) -> str:
    found = AUTHORITY.match(address)
    return address if found is None else found.group()


def _name_of(address: str) -> str:
    return re.sub(r"^https?://", "", _host_of(address)).partition(":")[0]


def _open(host: str) -> str:
    """Return a host; of one that begins with a value, all that end as it does."""
    if "{" not in host:
        return host
    rest = _TEMPLATE.split(host)[-1]
    is_whole = rest.startswith(".") and rest.count(".") >= _LABELS_MIN and "{" not in rest
    return f"*{rest}" if is_whole else ""


def most(values: Iterable[str]) -> str | None:
    """Return the value that comes most often, the first of equals."""
    counted = Counter(values).most_common(1)
    return counted[0][0] if counted else None
