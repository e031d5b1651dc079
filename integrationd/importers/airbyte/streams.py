"""Streams of a manifest to streams of ours, each parent before its children."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Final

from integrationd.importers.airbyte import times, unsaid
from integrationd.importers.airbyte.auth import Auth, read_auth
from integrationd.importers.airbyte.cursors import read_bounds, read_incremental
from integrationd.importers.airbyte.failures import read_failures
from integrationd.importers.airbyte.paging import has_first_token, read_paging
from integrationd.importers.airbyte.partitions import Parent, Partitions, read_partitions, send
from integrationd.importers.airbyte.parts import Part
from integrationd.importers.airbyte.records import (
    Transformations,
    read_condition,
    read_decoder,
    read_key,
    read_records,
)
from integrationd.importers.airbyte.requests import Asked, read_request
from integrationd.importers.airbyte.scope import Scope
from integrationd.importers.airbyte.supplies import Supplies
from integrationd.importers.naming import distinct, to_word
from integrationd.model.json import Json

_ONCE: Final = "ignore_stream_slicer_parameters_on_paginated_requests"
"""Says that what a stream is read for each of is told with the first page of each alone."""
_FIRST_ALONE: Final = " if page.first else omit"
_CURSOR: Final = re.compile(r"\{\{[^}]*\b(?:cursor|window\.(?:start|end))\b")


@dataclass(slots=True)
class Made:
    """One stream, before it is known what all of them share."""

    name: str
    part: Part
    scope: Scope
    asked: Asked
    auth: Auth | str
    said: dict[str, Any] = field(default_factory=dict)
    """What follows the request."""
    retries: int | None = None

    def same_as(self, other: Made) -> bool:
        """Tell whether both read the same, whatever they are called."""
        return (self.asked, self.auth, self.said) == (other.asked, other.auth, other.said)


@dataclass(slots=True)
class Streams:
    """The streams that were translated, in the order in which they are written."""

    supplies: Supplies
    made: dict[str, Made] = field(default_factory=dict)
    waiting: dict[str, Part] = field(default_factory=dict)
    """The manifest's own streams that were not read yet, by the source's names."""

    def read_all(self, parts: list[Part]) -> None:
        """Translate streams, each after its parents."""
        self.waiting = {part.text("name"): part for part in parts}
        for part in parts:
            if self.waiting.pop(part.text("name"), None) is not None:
                self.read(part)

    def read(self, part: Part, *, is_parent: bool = False) -> Made | None:
        """Translate a stream; None where that cannot be done, which is told."""
        if part.kind == "StateDelegatingStream":
            made = self._read_both(part)
        else:
            made = self._read_one(part)
        return None if made is None else self._keep(made, is_parent=is_parent)

    def _read_one(self, part: Part) -> Made | None:
        if part.kind != "DeclarativeStream":
            unsaid.lose_kind(part)
            return None
        retriever = part.child("retriever")
        if retriever is None or retriever.kind != "SimpleRetriever":
            unsaid.lose_kind(retriever or part)
            return None
        return _Reader(part, retriever, self).read()

    def _read_both(self, part: Part) -> Made | None:
        """Translate a list that is read first, and what changes from then on."""
        both = [part.child(key) for key in ("full_refresh_stream", "incremental_stream")]
        made = [None if each is None else self._read_one(each) for each in both]
        whole, changes = made
        if whole is None or changes is None:
            return None
        joined = join_feed(part, whole, changes)
        if joined is None:
            unsaid.lose(part, "StateDelegatingStream")
        return joined

    def _keep(self, made: Made, *, is_parent: bool) -> Made:
        """Keep a stream; one that is there already, as a parent, is the same."""
        wanted = to_word(made.part.text("name") or "stream", "stream")
        for known in self.made.values():
            if known.name.startswith(wanted) and known.same_as(made):
                return known
        made.name = distinct(wanted, self.made)
        if is_parent:
            message = f"{made.part.path}: read as the stream {made.name!r}, for its children"
            made.part.report.note(made.part.position, message)
        self.made[made.name] = made
        return made

    def find_parent(self, part: Part) -> Parent | None:
        """Translate a stream whose values another one needs."""
        own = self.waiting.pop(part.text("name"), None)
        if own is not None:
            self.read(own)
        made = self.read(part, is_parent=True)
        return None if made is None else Parent(made.name, made.scope)

    def tell_apart(self) -> None:
        """Give a parent's records keys of their own in each of its partitions.

        A person in two teams is one record of the people by the source's key, and two parents.
        """
        wanted = {name for made in self.made.values() for name in _parents(made)}
        for made in self.made.values():
            several = made.said.get("for_each", [])
            dimensions = several if isinstance(several, list) else [several]
            if made.name not in wanted or not dimensions:
                continue
            key = made.said["key"]
            own = [f"var('each.{each['as']}')" for each in dimensions if "batch" not in each]
            made.said["key"] = [*own, *(key if isinstance(key, list) else [key])]

    def pop(self, name: str) -> Iterator[Made]:
        """Take a stream out, and all that are read for each of its records."""
        found = self.made.pop(name, None)
        if found is None:
            return
        yield found
        for other in list(self.made.values()):
            if name in _parents(other):
                yield from self.pop(other.name)


def join_feed(part: Part, whole: Made, changes: Made) -> Made | None:
    """Return one stream of a list and the changes of it; None where they do not go together."""
    rule = changes.said.get("incremental")
    keys = ("key", "for_each")
    if rule is None or any(whole.said.get(key) != changes.said.get(key) for key in keys):
        return None
    if whole.auth != changes.auth:
        return None  # a feed has no way of its own to say who asks
    path = changes.asked.path
    if changes.asked.base != whole.asked.base:
        path = f"{changes.asked.base}{path}"
    has_field = whole.part.has("incremental_sync")
    feed: dict[str, Any] = {changes.asked.method: path, **changes.asked.said}
    feed["from"] = "records" if has_field else "now"
    own = ("paginate", "decode", "records", "errors")
    feed.update({key: changes.said[key] for key in own if key in changes.said})
    span = times.read_span(part.text("api_retention_period"))
    if span:
        feed["keeps"] = times.write_span(span)
    rest = {key: value for key, value in whole.said.items() if key != "incremental"}
    # Where the feed begins, the list says.
    follows = {key: value for key, value in rule.items() if key != "start"}
    said = {**rest, "incremental": follows, "feed": feed}
    return replace(whole, part=part, said=said)


def _parents(made: Made) -> list[str]:
    several = made.said.get("for_each", [])
    dimensions = several if isinstance(several, list) else [several]
    return [dimension["stream"] for dimension in dimensions if "stream" in dimension]


class _Reader:
    """Reads one stream."""

    def __init__(self, part: Part, retriever: Part, streams: Streams) -> None:
        self._part = part
        self._retriever = retriever
        self._streams = streams

    def read(self) -> Made | None:
        part, retriever = self._part, self._retriever
        cursor = part.child("incremental_sync")
        bounds, notation = read_bounds(cursor, retriever)
        plain = Scope(
            self._streams.supplies,
            bounds=bounds,
            notation=notation,
            has_first_token=has_first_token(retriever.child("paginator")),
        )
        partitions = read_partitions(retriever, plain, self._streams.find_parent)
        scope = replace(plain, each=partitions.each, parent=partitions.parent)
        requester = retriever.child("requester")
        asked = None if requester is None else read_request(requester, scope)
        if requester is None or asked is None or not partitions.is_whole:
            self._tell_left_out()
            return None
        for place, name in partitions.sent:
            send(asked.said, place, self._once(name))
        records = read_records(retriever, scope)
        if records is None:
            self._tell_left_out()
            return None
        made = Made("", part, scope, asked, read_auth(requester.child("authenticator"), scope))
        failures = read_failures(requester.child("error_handler"), scope)
        made.retries = failures.retries
        made.said.update(self._read_answer(records, scope, partitions))
        made.said["paginate"] = read_paging(retriever.child("paginator"), scope, records, asked)
        self._read_rest(made, cursor)
        if failures.rules:
            made.said["errors"] = failures.rules
        self._tell_passed_over(made)
        return made

    def _tell_left_out(self) -> None:
        part = self._part
        part.report.lose(
            part.position, f"{part.path}: the stream {part.text('name')!r} is left out"
        )

    def _read_answer(self, records: str, scope: Scope, partitions: Partitions) -> dict[str, Any]:
        """Return how records are found and changed."""
        selector = self._retriever.child("record_selector")
        changes = Transformations(scope, partitions)
        for each in self._part.children("transformations"):
            changes.read(each)
        changes.fit(selector, self._part)
        condition = read_condition(selector, scope)
        said: dict[str, Any] = {}
        decoder = read_decoder(self._retriever.child("decoder"))
        if decoder is not None:
            said["decode"] = decoder
        is_late = selector is not None and selector.is_true("transform_before_filtering")
        goes_first = condition is not None and bool(changes.touched) and not is_late
        said["records"] = changes.apply(records, condition if goes_first else None)
        if said["records"] == "body":
            del said["records"]
        said["key"] = read_key(self._part)
        if condition is not None and not goes_first:
            said["where"] = condition
        if partitions.dimensions:
            several = partitions.dimensions
            said["for_each"] = several[0] if len(several) == 1 else several
        return said

    def _read_rest(self, made: Made, cursor: Part | None) -> None:
        incremental = read_incremental(cursor, self._retriever, made.scope)
        if cursor is None or incremental is None:
            return
        is_sent = bool(incremental.keys() & {"into", "filter"})
        if self._retriever.is_true(_ONCE):
            self._send_once(incremental, made)
        request = json.dumps([made.asked.path, made.asked.said])
        if is_sent or _CURSOR.search(request):
            made.said["incremental"] = incremental
        else:
            message = f"{cursor.path}: no request uses the cursor; all is read each time, as there"
            cursor.report.note(cursor.position, message)

    def _once(self, name: str) -> str:
        """Return the template of a value, which may be for the first page alone."""
        is_once = self._retriever.is_true(_ONCE)
        return f"{{{{ {name}{_FIRST_ALONE} }}}}" if is_once else f"{{{{ {name} }}}}"

    def _send_once(self, incremental: dict[str, Any], made: Made) -> None:
        """Send the ends of an interval with the first page alone: by templates, not by ``into``."""
        window = incremental.get("window", {})
        start = "window.start" if window else "cursor"
        for said, name in ((incremental, start), (window, "window.end")):
            place = said.pop("into", None)
            if place is not None:
                send(made.asked.said, place, self._once(name))

    def _tell_passed_over(self, made: Made) -> None:
        part, retriever = self._part, self._retriever
        if made.said["paginate"] != "none" and _is_emptied(made.asked.said.get("json")):
            unsaid.lose(retriever, _ONCE, field=_ONCE)
        reset = retriever.child("pagination_reset")
        if reset is not None and not _begin_anew(reset, made.said.get("incremental")):
            unsaid.lose(retriever, "pagination_reset", field="pagination_reset")
        for key in ("page_size_reduction", "request_window_splitting"):
            if retriever.has(key):
                unsaid.lose(retriever, key, field=key)
        part.children("schema_loader")  # opened, so that names it does not have are told
        if part.has("file_uploader"):
            unsaid.lose(part, "file_uploader", field="file_uploader")


def _is_emptied(body: Json) -> bool:
    """Tell whether nothing is left of an object in a body, or of all of it, after the first page.

    The source sends no object then.
    """
    if not isinstance(body, dict):
        return False
    gone = [isinstance(value, str) and _FIRST_ALONE in value for value in body.values()]
    return (bool(gone) and all(gone)) or any(map(_is_emptied, body.values()))


def _begin_anew(reset: Part, incremental: dict[str, Any] | None) -> bool:
    """Say that a walk begins anew at the cursor after so many records; tells whether it can."""
    limits = reset.child("limits")
    number = None if limits is None else limits.value("number_of_records")
    if reset.text("action") != "SPLIT_USING_CURSOR" or not isinstance(number, int) or number < 1:
        return False
    if incremental is None or "sorted" in incremental:
        return False
    # The source takes it for granted that what is older comes first.
    incremental.update(sorted=True, reset_after=number)
    return True
