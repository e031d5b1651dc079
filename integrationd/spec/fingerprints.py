"""Fingerprints of streams: equal for files that mean the same, however they are written.

They are made of the decoded values and not of the text, so that comments, the order of keys, and a
default that somebody wrote out do not count.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from operator import is_
from typing import Any, Final

from typing_extensions import override

from integrationd.model.fingerprints import Fingerprints
from integrationd.model.json import Json
from integrationd.spec.documents import Integration
from integrationd.spec.entity import RecordShape
from integrationd.spec.families import relays_of
from integrationd.spec.http import HttpSpec
from integrationd.spec.narrowing import idle_inputs
from integrationd.spec.stream import Stream
from integrationd.transform.expression import Expression
from integrationd.transform.finding import references_in, templates_in
from integrationd.transform.mapping import Mapping as RecordMapping
from integrationd.transform.schema.record import RecordSchema
from integrationd.transform.template import Template
from integrationd.wire import parameters

IDLE: Final = frozenset(
    {"schedule", "enabled", "sweep", "max_pages", "errors", "cost", "input", "discover", "auth"}
)
"""Fields of a stream that say when and as whom it is read, what a failure is, and what is made of
its records, not what those are; of ``input`` only the defaults count."""
IDENTITY: Final = frozenset({"key"})
SHAPE: Final = frozenset(
    {"records", "explode", "item_error", "deleted", "where", "mapping", "fields", "custom"}
    | {"timezone"}
)
"""Fields that decide what a record becomes. Those named nowhere here decide what is asked for."""
TELLING: Final = ("base_url", "headers", "query")
"""Fields of ``http`` that decide what a reading gives."""
_KEPT: Final = 1024
"""Streams of providers that are remembered, as a thousand integrations may use one."""


@dataclass(frozen=True, slots=True, eq=False)
class _Source:
    """What one stream's fingerprints are made of, the same objects for all of a provider's."""

    stream: Stream
    http: HttpSpec | None
    mapping: RecordMapping | None
    schema: RecordSchema | None
    mappings: Mapping[str, RecordMapping]
    """All of the integration, some of which its templates may use."""

    @override
    def __eq__(self, other: object) -> bool:
        """Tell whether they are the very same objects; what they say takes long to compare."""
        if not isinstance(other, _Source):
            return False
        mine, others = self._parts(), other._parts()
        return len(mine) == len(others) and all(map(is_, mine, others))

    @override
    def __hash__(self) -> int:
        """Go by the same."""
        return hash(tuple(map(id, self._parts())))

    def _parts(self) -> tuple[object, ...]:
        named = sorted(self.mappings.items())
        return (self.stream, self.http, self.mapping, self.schema, *(one for _, one in named))


@dataclass(frozen=True, slots=True)
class _Said:
    """What some parts of a file say, and which configured values they read."""

    text: str
    config: frozenset[tuple[str, ...]]
    object: frozenset[tuple[str, ...]]
    """Of a stream that a list discovers, which fields of its object."""

    @classmethod
    def of(cls, parts: Any, said: Any) -> _Said:  # noqa: ANN401 - any decoded value
        """Print it once for all that use it."""
        text = json.dumps(plain(said), sort_keys=True, default=str)
        reads = [reference.path for reference in references_in(parts)]
        return cls(text, _below("config", reads), _below("object", reads))

    def used(self, config: Mapping[str, Json]) -> dict[str, Json]:
        """Return those configured values that are read."""
        if () in self.config:
            return dict(config)
        return {name: config.get(name) for (name,) in self.config}

    def used_object(self, value: Json) -> Json:
        """Return what is read of an object; nothing where that is nothing."""
        if () in self.object or not isinstance(value, dict):
            return value if self.object else {}
        return {name: value.get(name) for (name,) in self.object}

    def digest(self, config: Mapping[str, Json], value: Json = None) -> str:
        """Digest what is said and what it uses of the configuration, and of an object."""
        used = json.dumps(self.used(config), sort_keys=True, default=str)
        text = f"[{self.text}, {used}]"
        if self.object:
            text += json.dumps(self.used_object(value), sort_keys=True, default=str)
        return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()


def _below(root: str, reads: Iterable[tuple[str, ...]]) -> frozenset[tuple[str, ...]]:
    """Return the names that are read of a variable; an empty one stands for all of it."""
    return frozenset(path[1:2] for path in reads if path[0] == root)


def fingerprints_of(integration: Integration) -> Mapping[str, Fingerprints]:
    """Return the fingerprints of each stream; of ``config`` only what a part uses counts for it."""
    found = {}
    for name, stream in integration.streams.items():
        prints = print_stream(integration, stream, integration.shapes[name])
        # What children need is kept when their parent is read; other children, another reading.
        if relays := relays_of(integration.streams, name):
            own = _Said.of(relays, relays).digest(integration.config)
            prints = dataclasses.replace(prints, shape=f"{prints.shape}-{own}")
        found[name] = prints
    return found


def print_stream(
    integration: Integration, stream: Stream, shape: RecordShape, value: Json = None
) -> Fingerprints:
    """Return the fingerprints of one stream that has no children.

    Args:
        integration: Whose.
        stream: As it is read.
        shape: What its records become.
        value: The object of one that a list discovers.
    """
    config = integration.config
    source = _Source(stream, integration.http, shape.mapping, shape.schema, integration.mappings)
    said = _say(source)
    key = [part.text for part in stream.key.parts]
    names: dict[str, Json] = {"entity": shape.entity, "key": key}
    if used := said["key"].used(config):
        names["config"] = used
    if said["key"].object:
        names["object"] = said["key"].used_object(value)
    return Fingerprints(
        identity=json.dumps(names, sort_keys=True),
        reading=said["asking"].digest(config, value),
        shape=said["becoming"].digest(config, value),
    )


@lru_cache(maxsize=_KEPT)
def _say(source: _Source) -> Mapping[str, _Said]:
    stream, http = source.stream, source.http
    fields = dataclasses.fields(stream)
    own = {field.name: getattr(stream, field.name) for field in fields}
    asking = {key: own[key] for key in own if key not in (*IDLE, *IDENTITY, *SHAPE, "position")}
    if any(value is not None for value in idle_inputs(stream).values()):
        asking["input"] = idle_inputs(stream)
    if http is not None:
        asking["paginate"] = stream.paginate or http.paginate
        if stream.feed is not None:
            asking["paginate of feed"] = stream.feed.paginate or http.paginate
        encode = stream.encode or http.encode
        asking["encode"] = None if encode == parameters.PLAIN else encode
        asking["http"] = {key: getattr(http, key) for key in TELLING}
    # What a template maps and sends decides what is asked for.
    sent = {name for template in templates_in(asking) for name in template.mappings}
    if sent:
        asking["mappings"] = {name: source.mappings[name] for name in sorted(sent)}
    becoming = {key: own[key] for key in SHAPE}
    if source.mapping is not None:
        becoming["mapping"] = source.mapping
    if source.schema is not None:
        becoming["schema"] = source.schema.schema
    defaults = {field.name: _default(field) for field in fields}
    return {
        "key": _Said.of(stream.key, None),
        "asking": _Said.of(asking, _without(asking, defaults)),
        "becoming": _Said.of(becoming, _without(becoming, defaults)),
    }


def _without(parts: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in parts.items() if value != defaults.get(name)}


def plain(value: Any) -> Json:  # noqa: ANN401 - any decoded value
    """Return what a decoded value says as JSON; what is as by default is left out.

    A field that a later version adds, with a default, therefore changes no fingerprint.
    """
    match value:
        case Template():
            found: Json = value.value if value.is_constant else {"{{": value.text}
        case Expression():
            found = value.text
        case timedelta():
            found = value.total_seconds()
        case Mapping():
            found = {str(key): plain(item) for key, item in value.items()}
        case tuple() | list():
            found = [plain(item) for item in value]
        case _ if dataclasses.is_dataclass(value):
            found = _plain_object(value)
        case _:
            found = value
    return found


def _plain_object(value: Any) -> Json:  # noqa: ANN401 - any dataclass
    memo: dict[str, Any] = value.memo if isinstance(value, RecordMapping) else {}
    if "plain" not in memo:
        memo["plain"] = {"type": getattr(value, "kind", None), **dict(_said(value))}
    return memo["plain"]


def _said(value: Any) -> Iterator[tuple[str, Json]]:  # noqa: ANN401
    for field in dataclasses.fields(value):
        own = getattr(value, field.name)
        if field.name == "position" or field.metadata.get("internal") or own == _default(field):
            continue
        yield field.name, plain(own)


def _default(field: dataclasses.Field[Any]) -> Any:  # noqa: ANN401
    made = field.default_factory
    return field.default if made is dataclasses.MISSING else made()
