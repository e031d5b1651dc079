"""The time zone of a provider: said once, for all times that it writes without one."""

from __future__ import annotations

from dataclasses import replace

from integrationd.spec.documents import SystemBody
from integrationd.spec.stream import Stream
from integrationd.transform.cursors import CursorType
from integrationd.transform.zones import Zone


def zoned(body: SystemBody) -> SystemBody:
    """Return a system whose streams say their time zone; the same where none is said."""
    wide = None if body.http is None else body.http.timezone
    own = body.streams
    streams = {name: _in_zone(stream, stream.timezone or wide) for name, stream in own.items()}
    unchanged = all(streams[name] is stream for name, stream in own.items())
    return body if unchanged else replace(body, streams=streams)


def _in_zone(stream: Stream, zone: Zone | None) -> Stream:
    if zone is None:
        return stream
    if (rule := stream.discover) is not None:
        common = _in_zone(rule.stream, rule.stream.timezone or zone)
        special = {
            name: _in_zone(each, each.timezone or zone) for name, each in rule.special.items()
        }
        stream = replace(stream, discover=replace(rule, stream=common, special=special))
    cursor = stream.incremental
    if cursor is not None and cursor.type is CursorType.TIME and cursor.timezone is None:
        cursor = replace(cursor, timezone=zone)
    elif stream.timezone == zone:
        return stream
    return replace(stream, timezone=zone, incremental=cursor)
