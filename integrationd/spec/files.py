"""Each kind of file as a whole, with the keys that are read before the rest: for descriptions.

What reads a file is :mod:`integrationd.spec.read`; a test holds the two against each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Final

from integrationd.config.editor import DIALECT, Schema, Writer
from integrationd.config.forms import Described, ObjectForm
from integrationd.config.sites import Leaf
from integrationd.model.json import Json
from integrationd.spec.cases import CasesBody
from integrationd.spec.documents import DOTTED_NAME, SYSTEM_NAME, WORD_NAME, SystemBody
from integrationd.spec.entity import Entity
from integrationd.spec.references import SecretReference
from integrationd.spec.settings import Settings
from integrationd.transform.mapping import Mapping as RecordMapping


class ConfigDeclaration:
    """A JSON Schema, under the name of a value that an integration supplies."""

    FORM = Leaf("a JSON Schema", {"type": ["object", "boolean"]})


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretDeclaration:
    """What a provider says of a secret that it needs."""

    description: str = ""
    """For people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderFile(SystemBody):
    """What all accounts at one product have in common; nothing runs until an integration uses it.

    It lies in ``specs/``.
    """

    provider: Annotated[str, SYSTEM_NAME]
    """The product's name."""
    config: Annotated[Mapping[str, ConfigDeclaration], WORD_NAME] = field(default_factory=dict)
    """What an integration has to supply, required unless it has a ``default``."""
    secrets: Annotated[Mapping[str, SecretDeclaration], WORD_NAME] = field(default_factory=dict)
    """The names of secrets that an integration needs; ``{}`` each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IntegrationFile(SystemBody):
    """One account at a provider, for one tenant; what it says is laid over what it ``uses``.

    It lies in ``integrations/``. Objects are merged by key, lists and single values replaced, null
    removes.
    """

    integration: Annotated[str, SYSTEM_NAME]
    """Its name, unique on the node."""
    uses: Annotated[str | None, SYSTEM_NAME] = None
    """The provider; without one all is said here."""
    tenant: Annotated[str, SYSTEM_NAME] = "default"
    """Whose data it is."""
    config: Mapping[str, Json] = field(default_factory=dict)
    """The values that the provider asks for; without one, any that the file uses."""
    secrets: Annotated[Mapping[str, SecretReference], WORD_NAME] = field(default_factory=dict)
    """Where each secret is; ``{}`` where it is found by its name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingFile(RecordMapping):
    """From a provider's record to an entity. It lies in ``mappings/``."""

    mapping: Annotated[str, DOTTED_NAME]
    """Its name, words joined by dots."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityFile(Entity):
    """The common shape of one kind of thing, whatever system it comes from.

    It lies in ``mappings/``. An entity needs no file; without one its records have no schema.
    """

    entity: Annotated[str, WORD_NAME]
    """Its name, as mappings say it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CasesFile(CasesBody):
    """Exchanges with a provider and what comes of them, run offline by ``integrationd test``.

    It lies in ``cases/``; several files may be about the same provider or integration.
    """

    cases: Annotated[str, SYSTEM_NAME]
    """The provider or integration that they are about; where both have this name, the provider."""


FILES: Final[Mapping[str, type[Any]]] = {
    "provider": ProviderFile,
    "integration": IntegrationFile,
    "mapping": MappingFile,
    "entity": EntityFile,
    "cases": CasesFile,
    "settings": Settings,
}
"""The kinds of files, each as it is written; ``settings`` is ``integrationd.yaml``."""

_OVERLAID: Final = {"required": ["uses"]}
"""An integration that uses a provider says only what is different."""


def describe_file(kind: str) -> tuple[Described, str]:
    """Describe one kind of file; returns every table, and the name of the file's own."""
    described = Described()
    return described, described.describe_fields(FILES[kind]).table


def build_schema(kind: str) -> Schema:
    """Build the JSON Schema by which an editor helps to write one kind of file."""
    described, table = describe_file(kind)
    writer = Writer(described)
    whole = writer.form(ObjectForm(table), "whole")
    body: Schema = whole
    if kind == "integration":
        part = {**writer.form(ObjectForm(table), "part"), "required": ["integration"]}
        body = {"if": _OVERLAID, "then": part, "else": whole}
    return {
        "$schema": DIALECT,
        "title": f"integrationd: {kind}",
        "definitions": writer.definitions(),
        **body,
    }
