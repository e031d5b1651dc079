"""What a case is about, as an account: a provider with made-up values, or an integration."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from integrationd.config.nodes import Fields, Node
from integrationd.config.problems import Problems
from integrationd.config.yaml import parse_yaml
from integrationd.errors import UsageError
from integrationd.model.json import Json
from integrationd.spec.build import build_bundle
from integrationd.spec.bundle import Bundle
from integrationd.spec.documents import (
    CasesDocument,
    Integration,
    IntegrationDocument,
    ProviderDocument,
)
from integrationd.spec.read import read_file
from integrationd.spec.settings import Settings
from integrationd.spec.shelf import ReadFile
from integrationd.spec.source import Layer, SourceFile, digest_of
from integrationd.testing.stage import choose_config

_ACCOUNT = "account.yaml"


def made_up(name: str) -> str:
    """Return the secret of a case that gives none."""
    return f"made-up-{name.replace('_', '-')}"


@dataclass(slots=True)
class Accounts:
    """Makes the integrations that cases are run with; equal ones are made once."""

    reads: Sequence[ReadFile]
    settings: Settings
    bundle: Bundle
    """Of all files."""
    _made: dict[str, Integration] = field(default_factory=dict)

    def make(self, document: CasesDocument, config: Mapping[str, Json]) -> Integration:
        """Return the integration that a case is run with.

        Args:
            document: The file of the case, without errors.
            config: Of the case, laid over what the file says.

        Raises:
            UsageError: What it is about has errors, or the configuration does not fit.
        """
        given = {**document.body.config, **config}
        key = f"{document.name} {json.dumps(given, sort_keys=True, default=str)}"
        if key not in self._made:
            self._made[key] = self._build(str(document.name), given)
        return self._made[key]

    def _build(self, name: str, config: Mapping[str, Json]) -> Integration:
        provider = self.bundle.providers.get(name)
        if provider is not None:
            account = _open_account(provider, config)
        else:
            account = _lay_over(self._find(name), config)
        uses = account.document.uses if isinstance(account.document, IntegrationDocument) else None
        needed = [read for read in self.reads if _is_needed(read, uses)]
        bundle = build_bundle([*needed, account], self.settings)
        if name not in bundle.integrations:
            told = "; ".join(
                problem.message
                if problem.position.file == _ACCOUNT
                else str(problem).replace(f"{_ACCOUNT}:", "")
                for problem in bundle.errors
            )
            raise UsageError(f"{name} cannot be used: {told}")
        return bundle.integrations[name]

    def _find(self, name: str) -> ReadFile:
        """Return the file of an integration that has no errors.

        Raises:
            UsageError: It has, or that of a provider of this name; the first is told.
        """
        if name in self.bundle.integrations:
            found = [read for read in self.reads if read.claim == ("integration", name)]
            return max(found, key=lambda read: read.source.layer)
        about = (("provider", name), ("integration", name))
        files = {read.source.path for read in self.reads if read.claim in about}
        errors = [problem for problem in self.bundle.errors if problem.position.file in files]
        told = f": {errors[0]}" if errors else ""
        raise UsageError(f"{name} cannot be used, its file has errors{told}")


def _is_needed(read: ReadFile, uses: str | None) -> bool:
    """Leave out what an integration does not depend on: a library has hundreds of files."""
    kind, name = read.claim or ("", "")
    return kind in ("mapping", "entity") or (kind == "provider" and name == uses)


def _open_account(provider: ProviderDocument, config: Mapping[str, Json]) -> ReadFile:
    name = str(provider.name)
    asked = {key: schema for key, schema in provider.config.items() if "default" not in schema}
    # A name is no host name where it has a digit first; ours begin with a letter.
    fills = choose_config(dataclasses.replace(provider, config=asked), f"https://{name}.test")
    text = {"integration": name, "uses": name, "config": {**fills, **config}}
    return read_file(SourceFile(_ACCOUNT, json.dumps(text).encode(), Layer.GIVEN))


def _lay_over(read: ReadFile, config: Mapping[str, Json]) -> ReadFile:
    """Put a case's values over the configuration that an integration's own file supplies."""
    document = read.document
    assert isinstance(document, IntegrationDocument)
    if not config:
        return read
    own = document.node.get("config")
    values = {**(own.entries if isinstance(own, Fields) else {}), **_to_nodes(config)}
    laid = Fields(values, document.node.position)
    node = Fields({**document.node.entries, "config": laid}, document.node.position)
    return ReadFile(
        read.source,
        digest_of(read.digest.encode() + json.dumps(config, sort_keys=True).encode()),
        read.claim,
        dataclasses.replace(document, node=node),
        read.problems,
    )


def _to_nodes(config: Mapping[str, Json]) -> Mapping[str, Node]:
    node = parse_yaml(json.dumps(config).encode(), file=_ACCOUNT, problems=Problems())
    assert isinstance(node, Fields)
    return node.entries
