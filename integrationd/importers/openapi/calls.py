"""The calls of a document: paths with their methods, parameters, bodies and answers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from integrationd.importers.openapi.document import Document, Spot
from integrationd.importers.report import Finding, Report

METHODS: Final = ("get", "post", "put", "patch", "delete")
_NEVER: Final = ("head", "options", "trace")
_IGNORED: Final = frozenset({"accept", "content-type", "authorization"})
"""Headers that are no parameters, whatever a document says of them."""
_HOLE: Final = re.compile(r"\{([^{}]+)\}")
_JSON: Final = re.compile(r"application/(?:[\w.+-]*\+)?json\b|text/json\b|\*/\*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter."""

    spot: Spot
    name: str
    place: str
    """``query``, ``header``, ``path``, ``cookie``, and in version 2 ``body`` and ``formData``."""

    @property
    def is_required(self) -> bool:
        """Tell whether it has to be there."""
        return self.place == "path" or self.spot.flag("required")

    @property
    def schema(self) -> Spot | None:
        """Return what says its values."""
        if self.spot.has("schema"):
            return self.spot.get("schema")
        content = self.spot.get("content")
        for _, media in content.entries() if content is not None else ():
            return media.get("schema")
        # In version 2 a parameter is its own schema.
        return self.spot if self.spot.has("type") else None

    @property
    def is_json(self) -> bool:
        """Tell whether its value is written as JSON text."""
        return self.spot.has("content")


@dataclass(slots=True)
class Call:
    """One method of one path."""

    spot: Spot
    method: str
    path: str
    parameters: list[Parameter]
    item: Spot
    """The path that it belongs to."""
    report: Report = field(repr=False)
    lost: list[Finding] = field(default_factory=list)

    @property
    def title(self) -> str:
        """Return how people are told it."""
        return f"{self.method.upper()} {self.path}"

    @property
    def holes(self) -> list[str]:
        """Return the names in its path, in their order."""
        return _HOLE.findall(self.path)

    def lose(self, spot: Spot, why: str) -> None:
        """Tell what it does not do."""
        finding = Finding(spot.position, f"{spot.pointer}: {why}")
        self.lost.append(finding)
        self.report.tell(finding)

    def note(self, why: str) -> None:
        """Tell what was chosen for it."""
        self.report.note(self.spot.position, f"{self.spot.pointer}: {why}")

    def named(self, place: str) -> list[Parameter]:
        """Return the parameters in one part of the request."""
        return [parameter for parameter in self.parameters if parameter.place == place]

    def answer(self) -> Spot | None:
        """Return what a success looks like."""
        responses = self.spot.get("responses")
        if responses is None:
            return None
        found = dict(responses.entries())
        codes = [code for code in found if re.fullmatch(r"2(\d\d|XX)", code, re.IGNORECASE)]
        for code in [*sorted(codes), "default"]:
            if code in found and (code not in ("202", "204") or len(codes) == 1):
                return found[code]
        return None

    def contents(self) -> dict[str, Spot | None]:
        """Return the schemas of its answer by their media type."""
        answer = self.answer()
        return {} if answer is None else read_contents(answer, self, "produces")

    def server(self) -> Spot | None:
        """Return what says a host of its own."""
        return self.spot.get("servers") or self.item.get("servers")


def read_contents(spot: Spot, call: Call, key: str) -> dict[str, Spot | None]:
    """Return the schemas of a body or an answer by their media type."""
    content = spot.get("content")
    if content is not None:
        return {kind: media.get("schema") for kind, media in content.entries()}
    if not spot.has("schema"):
        return {}
    found = call.spot.value(key) or spot.document.top.value(key)
    kinds = found if isinstance(found, list) and found else ["application/json"]
    return {str(kind): spot.get("schema") for kind in kinds}


def is_json(kind: str) -> bool:
    """Tell whether a media type is JSON."""
    return _JSON.match(kind) is not None


def find_calls(document: Document) -> Iterator[Call]:
    """Yield all calls in the order of the document."""
    paths = document.top.get("paths")
    for path, item in paths.entries() if paths is not None else ():
        for method in (*METHODS, *_NEVER):
            spot = item.get(method)
            if spot is None:
                continue
            call = Call(spot, method, path, [], item, document.report)
            if method in _NEVER:
                call.note(f"{method.upper()} is nothing that is asked here")
                continue
            call.parameters = list(_read_parameters(call))
            yield call


def _listed(call: Call, owner: Spot) -> Iterator[Parameter]:
    listed = owner.get("parameters")
    for spot in listed.items() if listed is not None else ():
        name, place = spot.text("name"), spot.text("in")
        if not name or not place:
            call.lose(spot, "a parameter without 'name' or 'in' is left out")
        elif place != "header" or name.lower() not in _IGNORED:
            yield Parameter(spot, name, place)


def _read_parameters(call: Call) -> Iterator[Parameter]:
    found = {
        (each.name, each.place): each
        for owner in (call.item, call.spot)
        for each in _listed(call, owner)
    }
    for name in call.holes:
        if (name, "path") not in found:
            call.note(f"the path has {{{name}}}, and no parameter says what it is; taken as text")
            found[name, "path"] = Parameter(call.spot, name, "path")
    for (name, place), parameter in list(found.items()):
        if place == "path" and name not in call.holes:
            call.note(f"the path has no {{{name}}}, though a parameter is for it")
            continue
        yield parameter
