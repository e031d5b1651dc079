"""Fingerprints of streams: equal for files that mean the same, however they are written.

They are made of the decoded values and not of the text, so that comments, the order of keys, and a
default that somebody wrote out do not count.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, Final

from integrationd.model.fingerprints import Fingerprints
from integrationd.model.json import Json
from integrationd.spec.checks import references_in
from integrationd.spec.documents import Integration
from integrationd.transform.expression import Expression
from integrationd.transform.mapping import Mapping as RecordMapping
from integrationd.transform.template import Template

IDLE: Final = frozenset({"schedule", "enabled", "sweep", "max_pages", "errors"})
"""Fields of a stream that say when it is read and what a failure is, not what comes of it."""
IDENTITY: Final = frozenset({"key"})
SHAPE: Final = frozenset({"records", "deleted", "where", "mapping", "fields", "custom"})
"""Fields that decide what a record becomes. Those named nowhere here decide what is asked for."""
TELLING: Final = ("base_url", "headers", "query")
"""Fields of ``http`` that decide what a reading gives."""


def fingerprints_of(integration: Integration) -> Mapping[str, Fingerprints]:
    """Return the fingerprints of each stream; of ``config`` only what a part uses counts for it."""
    return {name: _of_stream(integration, name) for name in integration.streams}


def _of_stream(integration: Integration, name: str) -> Fingerprints:
    stream, http = integration.streams[name], integration.http
    fields = dataclasses.fields(stream)
    own = {field.name: getattr(stream, field.name) for field in fields}
    asking = {key: own[key] for key in own if key not in (*IDLE, *IDENTITY, *SHAPE, "position")}
    if http is not None:
        asking["paginate"] = stream.paginate or http.paginate
        asking["http"] = {key: getattr(http, key) for key in TELLING}
    becoming = {key: own[key] for key in SHAPE}
    shape = integration.shapes[name]
    if shape.mapping is not None:
        becoming["mapping"] = shape.mapping
    if shape.schema is not None:
        becoming["schema"] = shape.schema.schema
    defaults = {field.name: _default(field) for field in fields}
    key = [part.text for part in stream.key.parts]
    names: dict[str, Json] = {"entity": integration.entity_of(name), "key": key}
    if used := _used(stream.key, integration.config):
        names["config"] = used
    return Fingerprints(
        identity=json.dumps(names, sort_keys=True),
        reading=_digest(asking, integration.config, defaults),
        shape=_digest(becoming, integration.config, defaults),
    )


def _digest(
    parts: Mapping[str, Any], config: Mapping[str, Json], defaults: Mapping[str, Any]
) -> str:
    """Digest values and what they use of the configuration."""
    said = {name: value for name, value in parts.items() if value != defaults.get(name)}
    text = json.dumps([plain(said), _used(parts, config)], sort_keys=True, default=str)
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()


def _used(parts: Any, config: Mapping[str, Json]) -> dict[str, Json]:  # noqa: ANN401
    """Return those configured values that decoded values read."""
    reads = [reference.path for reference in references_in(parts)]
    names = {path[1:2] for path in reads if path[0] == "config"}
    return dict(config) if () in names else {name: config.get(name) for (name,) in names}


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
