"""The kinds of files that people write; the first key of a file says which one it is."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Annotated, Final, TypeAlias

from integrationd.config.decode import Marked
from integrationd.config.nodes import Fields, Position
from integrationd.model.fingerprints import Fingerprints
from integrationd.model.json import Json
from integrationd.model.objects import Found, Listing
from integrationd.spec.cases import CasesBody
from integrationd.spec.entity import Entity, RecordShape
from integrationd.spec.http import HttpSpec
from integrationd.spec.names import DOTTED_NAME, SYSTEM_NAME, WORD_NAME
from integrationd.spec.operation import Operation, Probe
from integrationd.spec.references import SecretReference
from integrationd.spec.source import digest_of
from integrationd.spec.stream import Stream
from integrationd.spec.webhook import Endpoint
from integrationd.transform.finding import references_in
from integrationd.transform.jinja.meter import MAPPINGS
from integrationd.transform.mapping import Mapping as RecordMapping

__all__ = [
    "DOTTED_NAME",
    "OWN_KEYS",
    "SYSTEM_NAME",
    "WORD_NAME",
    "CasesDocument",
    "Category",
    "Document",
    "EntityDocument",
    "Integration",
    "IntegrationDocument",
    "MappingDocument",
    "ProviderDocument",
    "SystemBody",
]

OWN_KEYS: Final = ("integration", "uses", "tenant", "config", "secrets")
"""What an integration says beside what a provider may say too."""


class Category(StrEnum):
    """What a product is for."""

    ILS = "ils"
    SIS = "sis"
    LMS = "lms"
    ATTENDANCE = "attendance"
    POS = "pos"
    PMS = "pms"
    GUESTS = "guests"
    EMAIL = "email"
    SMS = "sms"
    PAYMENTS = "payments"
    EVENTS = "events"
    FILES = "files"
    IMAGES = "images"
    PDF = "pdf"
    SHIPPING = "shipping"
    ACCOUNTING = "accounting"
    CRM = "crm"
    SHOP = "shop"
    CUSTOM = "custom"


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemBody:
    """What a provider and an integration have in common."""

    title: str = ""
    """For people."""
    category: Category = Category.CUSTOM
    """What it is for."""
    version: str = ""
    """Of the product or its API."""
    docs: str = ""
    """The page that the spec was written from."""
    notes: str = ""
    """What an administrator should know."""
    http: HttpSpec | None = None
    """How the provider is called."""
    probe: Probe | None = None
    """A request that shows whether address and credentials are right; it changes nothing."""
    streams: Annotated[Mapping[str, Stream], WORD_NAME] = field(default_factory=dict)
    """What is read."""
    operations: Annotated[Mapping[str, Operation], WORD_NAME] = field(default_factory=dict)
    """What can be asked for, one call at a time."""
    webhooks: Annotated[Mapping[str, Endpoint], WORD_NAME] = field(default_factory=dict)
    """Where the provider posts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderDocument:
    """A file that begins with ``provider``; nothing runs until an integration uses it."""

    name: Marked
    node: Fields
    """The whole file, to be merged under an integration."""
    config: Mapping[str, Json]
    """Declared: JSON Schema properties by name."""
    secrets: frozenset[str]
    """Declared names."""
    body: SystemBody


@dataclass(frozen=True, slots=True, kw_only=True)
class IntegrationDocument:
    """A file that begins with ``integration``, before anything is merged."""

    name: Marked
    uses: Marked | None
    node: Fields


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingDocument:
    """A file that begins with ``mapping``."""

    name: Marked
    node: Fields
    mapping: RecordMapping


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityDocument:
    """A file that begins with ``entity``."""

    name: Marked
    entity: Entity


@dataclass(frozen=True, slots=True, kw_only=True)
class CasesDocument:
    """A file that begins with ``cases``."""

    name: Marked
    """Of the provider or the integration that it is about."""
    body: CasesBody


Document: TypeAlias = (
    ProviderDocument | IntegrationDocument | MappingDocument | EntityDocument | CasesDocument
)


@dataclass(frozen=True, slots=True)
class Mould:
    """What discovered streams are made of."""

    stream: Stream
    shape: RecordShape
    """What their records become; where no entity is named, each has one of its own."""

    @property
    def names_entity(self) -> bool:
        """Tell whether all streams that are made of it have the same entity."""
        return self.shape.mapping is not None and self.shape.mapping.entity is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Integration(SystemBody):
    """One account at a provider, everything merged, checked and compiled."""

    name: str
    tenant: str
    provider: str | None
    """The provider that it uses; None where all is inline."""
    config: Mapping[str, Json]
    """Supplied values, defaults filled in."""
    secrets: Mapping[str, SecretReference | None]
    """Every declared secret; None where it is to be found by its name."""
    mappings: Mapping[str, RecordMapping]
    """Those that its streams and templates name, as their files have them."""
    shapes: Mapping[str, RecordShape]
    """What the records of each stream become."""
    moulds: Mapping[str, Mapping[str, Mould]] = field(default_factory=dict)
    """Of each list that discovers, what its streams are made of: for single ones by their names,
    for all others without one."""
    objects: Mapping[str, Found] = field(default_factory=dict)
    """Of each stream that was discovered, its object."""
    listings: Mapping[str, Listing] = field(default_factory=dict)
    """What each list holds that discovers; empty in what is made of files alone."""
    idle_secrets: frozenset[str] = frozenset()
    """Those of ways to log in that its configuration does not choose."""
    asks_as: str = ""
    """Which of ``http.auths`` is its ``http.auth``; empty for its own."""
    fingerprints: Mapping[str, Fingerprints]
    """For each stream, of what its stored state depends on."""
    position: Position
    path: str
    """Of its own file."""
    files: Mapping[str, str]
    """Digests of the files that it was made of, by path; together they are kept as last good."""

    @property
    def digest(self) -> str:
        """Return one digest of all those files: equal digests mean that nothing changed."""
        return digest_of(
            "\n".join(f"{path}={self.files[path]}" for path in sorted(self.files)).encode()
        )

    def variables(self, secrets: Mapping[str, Json]) -> dict[str, Json]:
        """Return what every template of the integration may use."""
        variables: dict[str, Json] = {"config": dict(self.config), "secrets": secrets}
        if self.mappings:
            seen = {"config": dict(self.config)}
            variables[MAPPINGS] = {
                name: functools.partial(mapping.apply, variables=seen)
                for name, mapping in self.mappings.items()
            }
        return variables

    def secret_references(self) -> Mapping[str, Json]:
        """Return what is looked up: a reference for each secret, or None to find it by name."""
        return {
            name: None if reference is None else reference.to_json()
            for name, reference in self.secrets.items()
        }

    def needed_secrets(self) -> Mapping[str, Json]:
        """Return what has to be there for anything to be asked: all but the idle ones."""
        references = self.secret_references()
        return {name: references[name] for name in references if name not in self.idle_secrets}

    @property
    def auth_place(self) -> str:
        """Return where its files say who asks."""
        return f"http.auths.{self.asks_as}" if self.asks_as else "http.auth"

    @property
    def account(self) -> str:
        """Return what its tokens, its claims on them and its budget are called."""
        return self.account_of(self.asks_as)

    def account_of(self, way: str | None) -> str:
        """Return that of one of ``http.auths``; a name has no slash, so it is nobody else's."""
        return f"{self.name}/{way}" if way else self.name

    def asking_as(self, way: str | None) -> Integration:
        """Return it as it asks for a stream or a call: by ``http.auth``, or by one of the others.

        Secrets of the ways that are not taken need not be there.
        """
        if self.http is None or not self.http.auths:
            return self
        taken = replace(self, http=self.http.asking_as(way), asks_as=way or "")
        idle = secrets_in(self) - secrets_in(taken)
        return replace(taken, idle_secrets=self.idle_secrets | idle)

    def entity_of(self, stream: str) -> str:
        """Return the shape that a stream's records have."""
        return self.shapes[stream].entity


def secrets_in(body: SystemBody) -> frozenset[str]:
    """Return the names of the secrets that a system uses."""
    paths = [reference.path for reference in references_in(body)]
    return frozenset(path[1] for path in paths if path[0] == "secrets" and len(path) > 1)
