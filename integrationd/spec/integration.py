"""One integration compiled: merged over its provider, checked, with everything it needs in it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Final

from integrationd.config.decode import Invalid, Marked, Site, decode, decode_fields
from integrationd.config.nodes import Fields
from integrationd.config.problems import Problems, shorten
from integrationd.model.json import Json
from integrationd.spec.checks import Declared, check_address, check_system, templates_in
from integrationd.spec.documents import (
    SYSTEM_NAME,
    Integration,
    IntegrationDocument,
    ProviderDocument,
    SystemBody,
)
from integrationd.spec.fingerprints import fingerprints_of
from integrationd.spec.fitting import Shaping
from integrationd.spec.merge import merge_fields, without
from integrationd.spec.settings import Settings, Tenant
from integrationd.spec.shelf import ReadFile, Shelf
from integrationd.spec.supply import Supplier

_OWN_KEYS: Final = ("integration", "uses", "tenant", "config", "secrets")


@dataclass(frozen=True, slots=True)
class _Making:
    """One compilation under way."""

    document: IntegrationDocument
    provider: ProviderDocument | None
    shelf: Shelf
    site: Site


def compile_integration(
    read: ReadFile, shelf: Shelf, settings: Settings, problems: Problems
) -> Integration | None:
    """Make an integration of its file, its provider's and its mappings'; None where that fails.

    Problems that its own file has by itself were told when it was read.
    """
    own = Problems()
    built = _compile(read, shelf, settings, own)
    problems.found.extend(own.found)
    return None if own.has_errors else built


def _compile(
    read: ReadFile, shelf: Shelf, settings: Settings, problems: Problems
) -> Integration | None:
    document = read.document
    assert isinstance(document, IntegrationDocument)
    found = None if document.uses is None else shelf.provider(document.uses)
    if document.uses is not None and found is None:
        _tell_missing(document.uses, shelf, problems)
        return None
    provider = None if found is None else found[0]
    making = _Making(document, provider, shelf, Site(problems, ""))
    node = _merge(document, provider)
    body = decode_fields(node, SystemBody, making.site)
    supplier = Supplier(document.name, document.node, making.site, provider)
    config, secrets = supplier.config(), supplier.secrets(settings.secrets)
    tenant = _read_tenant(making)
    if isinstance(body, Invalid):
        return None
    _check(body, making, config)
    if config is None or secrets is None or tenant is None or problems.has_errors:
        return None
    mappings = {name: shelf.mapping(name) for name in _mapping_names(body)}
    present = {name: entry for name, entry in mappings.items() if entry is not None}
    shaping = Shaping(
        str(document.name), tenant, settings.tenants.get(tenant, Tenant()), shelf, making.site
    )
    shapes = {name: shaping.build(name, stream) for name, stream in body.streams.items()}
    if problems.has_errors:
        return None
    entities = [shelf.entity(shape.entity) for shape in shapes.values()]
    others = [found, *present.values(), *entities]
    paths = {read.source.path, *(entry[1] for entry in others if entry is not None)}
    built = Integration(
        **{field.name: getattr(body, field.name) for field in fields(body)},
        name=str(document.name),
        tenant=tenant,
        provider=None if provider is None else str(provider.name),
        config=config,
        secrets=secrets,
        mappings={name: entry[0].mapping for name, entry in present.items()},
        shapes=shapes,
        fingerprints={},
        position=document.name.position,
        path=read.source.path,
        files={path: shelf.digests[path] for path in sorted(paths)},
    )
    return replace(built, fingerprints=fingerprints_of(built))


def _tell_missing(uses: Marked, shelf: Shelf, problems: Problems) -> None:
    reason = shelf.explain_missing("provider", uses)
    problems.add(uses.position, "E301", f"uses provider {str(uses)!r}, {reason}")


def _merge(document: IntegrationDocument, provider: ProviderDocument | None) -> Fields:
    node = without(document.node, *_OWN_KEYS)
    if provider is None:
        return node
    return merge_fields(without(provider.node, "provider", "config", "secrets"), node)


def _check(body: SystemBody, making: _Making, config: Mapping[str, Json] | None) -> None:
    if making.provider is not None:
        declared = Declared(making.provider.config, making.provider.secrets)
    else:
        named = [making.document.node.get(key) for key in ("config", "secrets")]
        declared = Declared(*(node.entries if isinstance(node, Fields) else () for node in named))
    check_system(body, making.site, declared, making.shelf)
    if body.http is not None and config is not None:
        check_address(body.http, config, making.site)


def _read_tenant(making: _Making) -> str | None:
    node = making.document.node.get("tenant")
    if node is None:
        return "default"
    site = making.site.key("tenant")
    tenant = decode(node, str, site)
    if isinstance(tenant, Invalid):
        return None
    if not re.fullmatch(SYSTEM_NAME.pattern, tenant):
        message = f"tenant is {shorten(tenant)}, expected {SYSTEM_NAME.what}"
        site.refuse(node.position, "E109", message)
        return None
    return str(tenant)


def _mapping_names(body: SystemBody) -> set[str]:
    named = {str(stream.mapping) for stream in body.streams.values() if stream.mapping is not None}
    return named | {name for template in templates_in(body) for name in template.mappings}
