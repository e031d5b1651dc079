"""Lists that discover: what their streams are called, and an integration with all of them."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from integrationd.config.problems import nearest
from integrationd.errors import ExpressionError
from integrationd.model.json import Json
from integrationd.model.objects import Found, Listing
from integrationd.model.secret import reveal
from integrationd.spec.documents import Integration, Mould
from integrationd.spec.entity import RecordShape
from integrationd.spec.fingerprints import print_stream
from integrationd.spec.stream import Discover, Stream

NAME_MAX: Final = 63
_UNFIT: Final = re.compile(r"[^a-z0-9_]+")
_LETTER: Final = re.compile(r"[a-z]")


@dataclass(slots=True)
class _Naming:
    """Names as they are given away, one after the other."""

    rule: Discover
    of: str
    config: Mapping[str, Json]
    taken: set[str]
    wrong: list[str] = field(default_factory=list)

    def name(self, key: str, data: Json) -> str:
        """Return the name of a new object's stream; empty where it gets none."""
        try:
            text = self.rule.name.render_text({"config": self.config, "object": data})
        except ExpressionError as failed:
            self.wrong.append(f"{key}: {failed}")
            return ""
        if text is None or not reveal(text):
            return ""
        wanted = safe_name(reveal(text), self.of, key)
        name, number = wanted, 1
        while name in self.taken:
            number += 1
            name = f"{wanted[: NAME_MAX - len(str(number)) - 1]}_{number}"
        self.taken.add(name)
        return name


def safe_name(text: str, prefix: str, key: str) -> str:
    """Return a name that a stream can have.

    Args:
        text: What it is called by its provider.
        prefix: What it begins with where its own first sign may not be the first.
        key: What it is known by, for one of which nothing is left.
    """
    plain = unicodedata.normalize("NFKD", text.lower())
    plain = "".join(sign for sign in plain if not unicodedata.combining(sign))
    name = _UNFIT.sub("_", plain).strip("_")
    if not name:
        name = hashlib.blake2b(key.encode(errors="replace"), digest_size=4).hexdigest()
        return f"{prefix[: NAME_MAX - 9]}_{name}"
    return (name if _LETTER.match(name) else f"{prefix}_{name}")[:NAME_MAX].rstrip("_")


def list_objects(
    integration: Integration,
    name: str,
    living: Iterable[tuple[str, Json]],
    known: Sequence[Found],
) -> Listing:
    """Hold the records of a list against what is known; who has a name keeps it.

    Args:
        integration: As its files say it, without what was discovered.
        name: Of the list.
        living: External ids and data of its records, in their order.
        known: All objects of the integration, those of other lists included.
    """
    rule = integration.streams[name].discover
    assert rule is not None
    own = {found.key: found for found in known if found.of == name}
    reserved = reserved_names(integration)
    others = {*(found.stream for found in known), *reserved}
    naming = _Naming(rule, name, integration.config, others)
    found: dict[str, Found] = {key: replace(old, listed=False) for key, old in own.items()}
    count, over = 0, 0
    fresh: list[tuple[str, Json]] = []
    for key, data in living:
        if key in own:
            found[key] = replace(own[key], data=data, listed=True)
            count += 1
        else:
            fresh.append((key, data))
    for key, data in fresh:
        if count >= rule.max:
            over += 1
            continue
        stream = naming.name(key, data)
        if stream:
            found[key] = Found(of=name, key=key, stream=stream, data=data)
            count += 1
    there = {one.stream for one in found.values()}
    return Listing(
        found=tuple(found.values()),
        over=over,
        wrong=tuple(naming.wrong),
        taken=tuple(one for one in found.values() if one.listed and one.stream in reserved),
        unused=tuple(sorted(rule.special.keys() - there)) if there else (),
    )


def reserved_names(integration: Integration) -> Collection[str]:
    """Return the names that files give, which no object can have."""
    return {*integration.streams, *integration.operations}


def tell_unknown(integration: Integration, what: str, name: str, known: Collection[str]) -> str:
    """Say that an integration has no such thing, and where else it might come from."""
    lists = ", ".join(f"{integration.name}/{key}" for key in integration.moulds)
    others = f"; there are also those that {lists} lists" if lists else ""
    message = f"integration {integration.name!r} has no {what} {name!r}"
    return f"{message}{nearest(name, known)}{others}"


def expand(integration: Integration, listings: Mapping[str, Listing]) -> Integration:
    """Return an integration with a stream for each object that its lists were seen to hold.

    Args:
        integration: As its files say it.
        listings: What each list holds.
    """
    streams, shapes = dict(integration.streams), dict(integration.shapes)
    prints, objects = dict(integration.fingerprints), dict[str, Found]()
    idle: dict[int, Stream] = {}
    for one in _within(integration, listings):
        moulds = integration.moulds[one.of]
        mould = moulds.get(one.stream) or moulds[""]
        shape = _shape_of(integration, mould, one.stream)
        stream = mould.stream
        if not one.listed:
            # The same object for all, as fingerprints are found by it.
            stream = idle.setdefault(id(mould), replace(stream, enabled=False))
        streams[one.stream], shapes[one.stream], objects[one.stream] = stream, shape, one
        prints[one.stream] = print_stream(integration, mould.stream, shape, one.data)
    return replace(
        integration,
        streams=streams,
        shapes=shapes,
        fingerprints=prints,
        objects=objects,
        listings=listings,
    )


def _within(integration: Integration, listings: Mapping[str, Listing]) -> Iterator[Found]:
    """Yield all objects but those whose name a file has taken since."""
    reserved = reserved_names(integration)
    for listing in listings.values():
        yield from (one for one in listing.found if one.stream not in reserved)


def _shape_of(integration: Integration, mould: Mould, name: str) -> RecordShape:
    if mould.names_entity:
        return mould.shape
    return replace(mould.shape, entity=f"{integration.name}.{name}")
