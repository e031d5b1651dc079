"""A whole manifest to a provider."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any, Final, TypeAlias

from integrationd.config.nodes import Fields
from integrationd.config.problems import Problem, Problems
from integrationd.config.yaml import FOREIGN, parse_yaml
from integrationd.importers.airbyte import unsaid
from integrationd.importers.airbyte.addresses import (
    find_hosts,
    is_configured,
    most,
    settle_base,
)
from integrationd.importers.airbyte.limits import read_limits
from integrationd.importers.airbyte.login import settle
from integrationd.importers.airbyte.parts import Manifest, ManifestError, Part
from integrationd.importers.airbyte.streams import Made, Streams
from integrationd.importers.airbyte.supplies import read_supplies
from integrationd.importers.airbyte.ways import choose_ways
from integrationd.importers.naming import to_system
from integrationd.importers.printing import Entry, print_provider
from integrationd.importers.report import Imported, Report
from integrationd.model.json import Json
from integrationd.spec.read import read_file
from integrationd.spec.source import SourceFile

_SHARED: Final = ("headers", "errors", "paginate")
"""What is said once where all streams say the same."""
_CONCURRENCY_MAX: Final = 100
_Own: TypeAlias = Mapping[str, dict[str, Any]]
"""What a stream says of who asks, by its name; those that ask as most do are not in it."""


def import_manifest(data: bytes, *, file: str, name: str | None = None) -> Imported:
    """Translate a manifest.

    Args:
        data: The file as it is.
        file: How the report calls it.
        name: Of the provider; made of the file's by default.

    Raises:
        ManifestError: It is no manifest.
    """
    report = Report()
    manifest = Manifest(read_tree(data, file, report), report)
    source = Part(manifest, manifest.root, "DeclarativeSource", "")
    source.tell_unknown()
    provider = to_system(name or _guess_name(file))
    return _Provider(source, provider).build()


def read_tree(data: bytes, file: str, report: Report) -> Fields:
    """Return a manifest's tree; what our own reader refuses and theirs takes is noted.

    Raises:
        ManifestError: It is no manifest.
    """
    problems = Problems()
    root = parse_yaml(data, file=file, problems=problems, bounds=FOREIGN)
    if not isinstance(root, Fields):
        told = "; ".join(str(problem) for problem in problems.found)
        raise ManifestError(told or f"{file}: no manifest, expected an object with 'streams'")
    if not {"streams", "dynamic_streams"} & root.entries.keys():
        raise ManifestError(f"{file}: no manifest, expected an object with 'streams'")
    for problem in problems.found:
        report.note(problem.position, problem.message)
    return root


def _guess_name(file: str) -> str:
    path = PurePath(file)
    stem = path.stem if path.stem.lower() != "manifest" else path.parent.name
    return stem.removeprefix("source-") or "imported"


class _Provider:
    """Puts one provider together."""

    def __init__(self, source: Part, name: str) -> None:
        self._source = source
        self._name = name
        self._report = source.report
        self._spec = source.child("spec")
        self._supplies = read_supplies(source, self._spec)
        self._streams = Streams(self._supplies)

    def build(self) -> Imported:
        self._tell_passed_over()
        self._streams.read_all(self._source.children("streams"))
        for part in self._source.children("dynamic_streams"):
            unsaid.lose_kind(part)
        self._streams.tell_apart()
        self._tell_addresses()
        text = self._print()
        while problems := self._problems(text):
            if not self._drop(text, problems):
                self._report.lose(self._source.position, f"the file has errors: {problems[0]}")
                break
            text = self._print()
        return Imported(
            files={self._path: text},
            findings=self._report.lines(),
            streams=tuple(self._streams.made),
        )

    @property
    def _path(self) -> str:
        return f"specs/{self._name}.yaml"

    def _problems(self, text: str) -> list[Problem]:
        """Return what our own reader says of the file."""
        found = read_file(SourceFile(self._path, text.encode()))
        return [problem for problem in found.problems if problem.is_error]

    def _drop(self, text: str, problems: list[Problem]) -> bool:
        """Take out the streams that our own reader refuses; tells whether there were any."""
        lines = _stream_lines(text)
        dropped = False
        for problem in problems:
            at = problem.position.line
            name = next((name for name, span in lines.items() if at in span), None)
            made = None if name is None else self._streams.made.get(name)
            for gone in [] if made is None else list(self._streams.pop(made.name)):
                dropped = True
                message = f"{gone.part.path}: the stream {gone.name!r} is left out: "
                why = problem.message if gone is made else f"it needs {name!r}"
                self._report.lose(gone.part.position, message + why)
        return dropped

    def _print(self) -> str:
        made = list(self._streams.made.values())
        base = settle_base([each.asked for each in made])
        ways = choose_ways([(each.part, each.auth) for each in made])
        further = [at for way in (ways.usual, *ways.named.values()) for at in settle(way, base)]
        shared = _find_shared(made)
        http: dict[str, Any] = {"base_url": base}
        if "headers" in shared:
            http["headers"] = shared["headers"]
        if ways.usual != "none":
            http["auth"] = ways.usual
        if ways.named:
            http["auths"] = ways.named
        http.update({key: shared[key] for key in ("paginate", "errors") if key in shared})
        http.update(self._read_limits(made, base))
        retries = max((each.retries for each in made if each.retries is not None), default=None)
        if retries is not None:
            http["retries"] = retries
        hosts = find_hosts([*further, *(each.asked.base for each in made)], base)
        if hosts:
            http["hosts"] = hosts
        own = {each.name: {"auth": name} for each in made if (name := ways.name_of(each.auth))}
        head = self._head(http, made, own)
        entries = [self._entry(each, base, shared, own) for each in made]
        return print_provider(head, entries, self._about())

    def _head(self, http: dict[str, Any], made: list[Made], own: _Own) -> dict[str, Any]:
        head: dict[str, Any] = {"provider": self._name, "title": self._title()}
        docs = None if self._spec is None else self._spec.text("documentation_url")
        if docs:
            head["docs"] = docs
        head.update(self._read_supplies(http, made))
        head["http"] = http
        probe = self._read_probe(made, own)
        return {**head, "probe": probe} if probe else head

    def _tell_addresses(self) -> None:
        """Tell the requests that go where nothing but the configuration says."""
        made = list(self._streams.made.values())
        base = settle_base([each.asked for each in made])
        for each in made:
            logins = settle(each.auth, base)
            others = [each.asked.base, *(address for address in logins if address != base)]
            if any(is_configured(address) and address != base for address in others):
                unsaid.lose(each.part, "address")

    def _read_supplies(self, http: dict[str, Any], made: list[Made]) -> dict[str, Any]:
        """Return what has to be supplied; what nothing uses would be asked for in vain."""
        text = json.dumps([http, *([each.asked.path, each.asked.said, each.said] for each in made)])
        used = set(re.findall(r"\b(?:config|secrets)\.\w+", text))
        head: dict[str, Any] = {}
        idle: list[str] = []
        for key, named in (("config", self._supplies.config), ("secrets", self._supplies.secrets)):
            kept = {name: said for name, said in named.items() if f"{key}.{name}" in used}
            idle += [f"{key}.{name}" for name in named if name not in kept]
            head.update({key: kept} if kept else {})
        if idle and self._spec is not None:
            message = f"spec: nothing here uses {', '.join(idle)}, so that nobody is asked for it"
            self._report.note(self._spec.position, message)
        return head

    def _title(self) -> str:
        found = None if self._spec is None else self._spec.value("connection_specification")
        title = found.get("title") if isinstance(found, dict) else None
        told = re.sub(r"\s+(?:Source\s+)?Spec$", "", title) if isinstance(title, str) else ""
        return told or self._name.replace("-", " ").title()

    def _about(self) -> list[str]:
        file = PurePath(self._source.position.file).name
        return [
            f"Made of {file}, a manifest of Airbyte's low-code language; no schedule is said yet.",
            "Check it, say 'schedule' in the integration, and keep what you change here.",
        ]

    def _read_limits(self, made: list[Made], base: str) -> dict[str, Any]:
        paths = [each.asked.path for each in made if each.asked.base == base]
        limits = read_limits(self._source.child("api_budget"), base, paths)
        level = self._source.child("concurrency_level")
        number = None if level is None else level.value("default_concurrency")
        if isinstance(number, int) and 0 < number <= _CONCURRENCY_MAX:
            limits["concurrency"] = number
        return {"limits": limits} if limits else {}

    def _read_probe(self, made: list[Made], own: _Own) -> dict[str, Any]:
        check = self._source.child("check")
        names = None if check is None else check.value("stream_names")
        wanted = names if isinstance(names, list) else []
        usual = most(each.asked.base for each in made)
        for each in made:
            asked = each.asked
            if each.part.text("name") in wanted and asked.base == usual and asked.method == "get":
                query = {key: v for key, v in asked.said.get("query", {}).items() if _is_fixed(v)}
                if _is_fixed(asked.path) and not each.scope.each:
                    more = {"query": query} if query else {}
                    return {**own.get(each.name, {}), "get": asked.path, **more}
        return {}

    def _entry(self, made: Made, base: str, shared: Mapping[str, Any], own: _Own) -> Entry:
        asked = made.asked
        path = asked.path if asked.base == base else f"{asked.base}{asked.path}"
        said = {**own.get(made.name, {}), asked.method: path, **asked.said, **made.said}
        said = {key: value for key, value in said.items() if key not in shared}
        return Entry(
            made.name,
            said,
            f"{made.part.path}, line {made.part.position.line}",
            tuple(found for found in self._report.sorted() if self._concerns(found.message, made)),
        )

    def _concerns(self, message: str, made: Made) -> bool:
        path = made.part.path
        losses = {finding.message for finding in self._report.found if finding.is_loss}
        return message in losses and message.startswith((f"{path}.", f"{path}:"))

    def _tell_passed_over(self) -> None:
        source = self._source
        if self._spec is not None and self._spec.has("advanced_auth"):
            message = (
                "spec.advanced_auth: a person's consent is not asked for here; supply its token"
            )
            source.report.note(self._spec.place("advanced_auth"), message)
        if self._spec is not None and self._spec.has("config_normalization_rules"):
            message = (
                "spec.config_normalization_rules: the configuration is taken as it is supplied"
            )
            source.report.note(self._spec.place("config_normalization_rules"), message)


def _find_shared(made: list[Made]) -> dict[str, Any]:
    """Return what all streams say the same."""
    shared: dict[str, Any] = {}
    for key in _SHARED:
        values = [{**each.asked.said, **each.said}.get(key) for each in made]
        if len(values) > 1 and values[0] and all(value == values[0] for value in values):
            text = json.dumps(values[0])
            if not re.search(r"\{[{%][^}]*\b(?:each|cursor|window|now|page)\b", text):
                shared[key] = values[0]
    return shared


def _is_fixed(value: Json) -> bool:
    return not re.search(r"\{[{%][^}]*\b(?:each|cursor|window|page)\b", json.dumps(value))


def _stream_lines(text: str) -> dict[str, range]:
    """Return the lines of each stream of a file of ours."""
    found: dict[str, range] = {}
    name, first = "", 0
    lines = text.splitlines()
    begin = next((at for at, line in enumerate(lines, 1) if line == "streams:"), len(lines))
    for at, line in enumerate(lines, 1):
        match = re.fullmatch(r"  ([a-z][a-z0-9_]*):", line) if at > begin else None
        if match:
            if name:
                found[name] = range(first, at)
            name, first = match.group(1), at
    if name:
        found[name] = range(first, len(lines) + 1)
    return found
