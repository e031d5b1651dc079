"""Cases held against what they are about: names that only all files together show."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from integrationd.config.decode import Marked
from integrationd.config.nodes import Position
from integrationd.config.problems import Problems, nearest
from integrationd.spec.cases import StreamCase
from integrationd.spec.documents import CasesDocument, Integration, SystemBody
from integrationd.spec.shelf import Shelf


@dataclass(frozen=True, slots=True)
class _About:
    """What cases are about, and the names that it declares."""

    system: SystemBody
    config: Collection[str]
    secrets: Collection[str]


def check_cases(
    document: CasesDocument,
    shelf: Shelf,
    integrations: Mapping[str, Integration],
    problems: Problems,
) -> None:
    """Tell cases about what is not there."""
    name = document.name
    about = _find(name, shelf, integrations)
    if about is None:
        if not any(shelf.is_broken(kind, name) for kind in ("provider", "integration")):
            names = {*integrations, *(known for known, _ in shelf.providers())}
            message = f"cases are about {str(name)!r}, which no file has{nearest(name, names)}"
            problems.add(name.position, "E309", message)
        return
    _check_names(document, about, problems)
    for position, key, given, declared in _supplies(document, about):
        if given not in declared:
            hint = nearest(given, declared)
            message = f"{key} has {given!r}, which {name} does not ask for{hint}"
            problems.add(position, "E309", message)


def _check_names(document: CasesDocument, about: _About, problems: Problems) -> None:
    name = document.name
    for kind, wanted, known in _names(document, about.system):
        if wanted not in known:
            message = f"there is no {kind} {str(wanted)!r} in {name}{nearest(wanted, known)}"
            problems.add(wanted.position, "E309", message)
    for case in document.body.streams:
        for other in case.before.streams:
            if other not in about.system.streams:
                hint = nearest(other, about.system.streams)
                message = f"before.streams: there is no stream {other!r} in {name}{hint}"
                problems.add(case.position, "E309", message)
    for probe in document.body.probes:
        if about.system.probe is None:
            message = f"{name} has no probe; add one, such as 'probe: {{get: /me}}'"
            problems.add(probe.position, "E309", message)


def _find(name: str, shelf: Shelf, integrations: Mapping[str, Integration]) -> _About | None:
    """Return what cases are about: the provider of a name, else the integration."""
    found, integration = shelf.provider(name), integrations.get(name)
    if found is not None:
        return _About(found[0].body, found[0].config, found[0].secrets)
    if integration is not None:
        return _About(integration, integration.config, integration.secrets)
    return None


def _names(
    document: CasesDocument, system: SystemBody
) -> Iterator[tuple[str, Marked, Collection[str]]]:
    readable = [name for name, stream in system.streams.items() if stream.is_read()]
    lists = any(stream.discover is not None for stream in system.streams.values())
    for case in document.body.each():
        # What a list holds is known when the case is run.
        if isinstance(case, StreamCase) and not lists:
            runs = [run.stream for run in case.runs if run.stream is not None]
            yield from (("stream", name, readable) for name in (case.stream, *runs))
    for call in document.body.operations:
        yield "operation", call.operation, system.operations
    for event in document.body.webhooks:
        yield "endpoint", event.endpoint, system.webhooks


def _supplies(
    document: CasesDocument, about: _About
) -> Iterator[tuple[Position, str, str, Collection[str]]]:
    """Yield every configuration value and secret that is given, and those that are asked for."""
    body = document.body
    for position, part in [
        (document.name.position, body),
        *((case.position, case) for case in body.each()),
    ]:
        yield from ((position, "config", name, about.config) for name in part.config)
        yield from ((position, "secrets", name, about.secrets) for name in part.secrets)
