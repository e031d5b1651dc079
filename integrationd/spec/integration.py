"""One integration compiled: merged over its provider, checked, with everything it needs in it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace

from integrationd.config.decode import Invalid, Marked, Site, decode, decode_fields
from integrationd.config.nodes import Fields
from integrationd.config.problems import Problems, shorten
from integrationd.model.json import Json
from integrationd.spec.addresses import check_address
from integrationd.spec.checks import (
    Declared,
    check_system,
    mappings_of,
)
from integrationd.spec.documents import (
    OWN_KEYS,
    SYSTEM_NAME,
    Integration,
    IntegrationDocument,
    Mould,
    ProviderDocument,
    SystemBody,
    secrets_in,
)
from integrationd.spec.entity import RecordShape
from integrationd.spec.fingerprints import fingerprints_of
from integrationd.spec.fitting import Shaping
from integrationd.spec.http import HttpSpec
from integrationd.spec.lookups import check_lookups, files_of
from integrationd.spec.merge import without
from integrationd.spec.overlay import decode_over
from integrationd.spec.settings import Settings, Tenant
from integrationd.spec.shelf import ReadFile, Shelf
from integrationd.spec.supply import Supplier
from integrationd.spec.zoned import zoned
from integrationd.wire.choice import ChoiceAuth


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
    body, named = _read_body(making)
    body = body if isinstance(body, Invalid) else zoned(body)
    supplier = Supplier(document.name, document.node, making.site, provider)
    config, secrets = supplier.config(), supplier.secrets(settings.secrets)
    tenant = _read_tenant(making)
    if isinstance(body, Invalid):
        return None
    http = _choose(body.http, config, making.site)
    if http is not None and config is not None:
        check_address(http, config, making.site)
    if config is None or secrets is None or tenant is None or problems.has_errors:
        return None
    mappings = {name: shelf.mapping(name) for name in named}
    present = {name: entry for name, entry in mappings.items() if entry is not None}
    shaping = Shaping(
        str(document.name), tenant, settings.tenants.get(tenant, Tenant()), shelf, making.site
    )
    shapes = {name: shaping.build(name, stream) for name, stream in body.streams.items()}
    moulds = _mould(body, shaping)
    every = [*shapes.values(), *(mould.shape for own in moulds.values() for mould in own.values())]
    looking = [shape.mapping for shape in every if shape.mapping is not None]
    given = {shape.entity for shape in every}
    for mapping in looking:
        check_lookups(mapping, str(document.name), tenant, given, shelf, making.site)
    if problems.has_errors:
        return None
    paths = _paths_of(read, [found, *present.values()], every, shelf)
    built = Integration(
        **{field.name: getattr(body, field.name) for field in fields(body)},
        name=str(document.name),
        tenant=tenant,
        provider=None if provider is None else str(provider.name),
        config=config,
        secrets=secrets,
        mappings={name: entry[0].mapping for name, entry in present.items()},
        shapes=shapes,
        moulds=moulds,
        fingerprints={},
        position=document.name.position,
        path=read.source.path,
        files={path: shelf.digests[path] for path in sorted(paths)},
    )
    return replace(
        built,
        http=http,
        idle_secrets=_find_idle(built, http),
        # How it logs in is no part of what a stream gives, and shared parts are known again.
        fingerprints=fingerprints_of(built),
    )


def _paths_of(
    read: ReadFile,
    used: Sequence[tuple[object, str] | None],
    shapes: Sequence[RecordShape],
    shelf: Shelf,
) -> set[str]:
    """Return the paths of all files that an integration is made of.

    Args:
        read: Its own.
        used: Its provider and its mappings, each with its path.
        shapes: What its records become.
        shelf: Where everything is found.
    """
    entities = [shelf.entity(shape.entity) for shape in shapes]
    paths = {read.source.path, *(entry[1] for entry in (*used, *entities) if entry is not None)}
    looking = [shape.mapping for shape in shapes if shape.mapping is not None]
    paths.update(path for mapping in looking for path in files_of(mapping, shelf))
    return paths


def _mould(body: SystemBody, shaping: Shaping) -> dict[str, dict[str, Mould]]:
    """Return what the streams of each list are made of."""
    return {
        name: {key: Mould(each, shaping.build(name, each)) for key, each in rule.all.items()}
        for name, stream in body.streams.items()
        if (rule := stream.discover) is not None
    }


def _tell_missing(uses: Marked, shelf: Shelf, problems: Problems) -> None:
    reason = shelf.explain_missing("provider", uses)
    problems.add(uses.position, "E301", f"uses provider {str(uses)!r}, {reason}")


def _read_body(making: _Making) -> tuple[SystemBody | Invalid, frozenset[str]]:
    """Return the system, checked, and the names of its mappings.

    Most integrations add nothing to their provider: theirs is what its file gave, and what was
    told of it.
    """
    own, provider = without(making.document.node, *OWN_KEYS), making.provider
    if provider is not None and not own.entries:
        held = making.shelf.held[provider.name]
        making.site.problems.found.extend(held.problems)
        return provider.body, held.mappings
    if provider is None:
        body = decode_fields(own, SystemBody, making.site)
    else:
        body = decode_over(provider, own, making.site)
    if isinstance(body, Invalid):
        return body, frozenset()
    check_system(body, making.site, _declared(making), making.shelf)
    return body, mappings_of(body)


def _choose(
    http: HttpSpec | None, config: Mapping[str, Json] | None, site: Site
) -> HttpSpec | None:
    """Return how a provider is asked, with the one way to log in that the configuration picks."""
    if http is None or config is None or not isinstance(http.auth, ChoiceAuth):
        return http
    picked = http.auth.pick(config, site.key("http").key("auth"))
    return http if isinstance(picked, Invalid) else replace(http, auth=picked)


def _find_idle(built: Integration, http: HttpSpec | None) -> frozenset[str]:
    """Return the secrets that only ways to log in use which were not picked."""
    if http is built.http:
        return frozenset()
    before, after = (secrets_in(body) for body in (built, replace(built, http=http)))
    return before - after


def _declared(making: _Making) -> Declared:
    if making.provider is not None:
        return Declared(making.provider.config, making.provider.secrets)
    named = [making.document.node.get(key) for key in ("config", "secrets")]
    return Declared(*(node.entries if isinstance(node, Fields) else () for node in named))


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
