"""An integration over its provider: merged, and decoded where it says something itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from integrationd.config.decode import Invalid, Site, decode_fields
from integrationd.config.nodes import Fields
from integrationd.spec.documents import ProviderDocument, SystemBody
from integrationd.spec.merge import merge_fields, without

_BY_NAME: Final = ("streams", "operations", "webhooks")


def decode_over(provider: ProviderDocument, own: Fields, site: Site) -> SystemBody | Invalid:
    """Decode what an integration says, merged over its provider.

    What it leaves as it was is taken as it came of the provider's file: whole sections, and single
    streams, operations and webhooks. A thousand integrations that each change one schedule take a
    third less time so, and share what they do not change.
    """
    under, base = provider.node, provider.body
    merged = merge_fields(without(under, "provider", "config", "secrets"), own)
    same = _same(merged, under)
    laid = dict(without(merged, *same).entries)
    parts: dict[str, Fields] = {}
    for name in _BY_NAME:
        over, was = laid.get(name), under.get(name)
        if isinstance(over, Fields) and isinstance(was, Fields):
            parts[name], laid[name] = over, without(over, *_same(over, was))
    body = decode_fields(Fields(laid, merged.position, merged.key_positions), SystemBody, site)
    if isinstance(body, Invalid):
        return body
    taken = {name: getattr(base, name) for name in same}
    for name, part in parts.items():
        found = {**getattr(base, name), **getattr(body, name)}
        taken[name] = {key: found[key] for key in part.entries}
    return replace(body, **taken)


def _same(node: Fields, under: Fields) -> set[str]:
    """Return the keys under which merging left the very values that were there before."""
    return {key for key, value in node.entries.items() if value is under.get(key)}
