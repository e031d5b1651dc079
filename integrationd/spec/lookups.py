"""Look-ups of mappings against what there is to look up: integrations, and their entities."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final

from integrationd.config.decode import Site
from integrationd.config.nodes import Fields, Scalar
from integrationd.config.problems import nearest
from integrationd.spec.documents import IntegrationDocument
from integrationd.spec.shelf import Claim, Shelf
from integrationd.transform.lookup import SELF, LookUp
from integrationd.transform.mapping import Mapping as RecordMapping

_DEFAULT: Final = "default"


def check_lookups(
    mapping: RecordMapping, name: str, tenant: str, own: Collection[str], shelf: Shelf, site: Site
) -> None:
    """Tell a look-up that can never find anything.

    Args:
        mapping: Whose look-ups.
        name: The integration that uses it.
        tenant: Of that integration.
        own: The entities of its streams.
        shelf: All files.
        site: Where problems go.
    """
    for key, lookup in mapping.lookups.items():
        other = str(lookup.integration)
        if other in (SELF, name):
            _check_entity(key, lookup, name, own, site)
            continue
        document = _document(other, shelf)
        if document is None or _tenant_of(document) != tenant:
            reason = shelf.explain_missing("integration", other) if document is None else ""
            message = f"look-up {key!r} reads integration {other!r}, "
            message += reason or f"which is not one of tenant {tenant!r}"
            site.refuse(lookup.integration.position, "E308", message)
            continue
        _check_entity(key, lookup, other, {*_entities_of(document, shelf)}, site)


def files_of(mapping: RecordMapping, shelf: Shelf) -> Iterator[str]:
    """Yield the paths of the files in which a mapping's look-ups find other integrations."""
    for lookup in mapping.lookups.values():
        document = _document(str(lookup.integration), shelf)
        if document is None:
            continue
        for claim in _claims_of(document, shelf):
            path = shelf.path_of(*claim)
            if path is not None:
                yield path


def looks_elsewhere(mapping: RecordMapping) -> bool:
    """Tell whether a mapping reads records of other integrations than the one that uses it."""
    return any(str(lookup.integration) != SELF for lookup in mapping.lookups.values())


def _check_entity(
    key: str, lookup: LookUp, integration: str, known: Collection[str], site: Site
) -> None:
    entity = str(lookup.entity)
    if entity not in known:
        message = (
            f"look-up {key!r} reads entity {entity!r}, which no stream of {integration!r} gives"
        )
        site.refuse(lookup.entity.position, "E308", f"{message}{nearest(entity, known)}")


def _document(name: str, shelf: Shelf) -> IntegrationDocument | None:
    return next(
        (
            read.document
            for other, read in shelf.integrations()
            if other == name and isinstance(read.document, IntegrationDocument)
        ),
        None,
    )


def _tenant_of(document: IntegrationDocument) -> str:
    node = document.node.get("tenant")
    return str(node.value) if isinstance(node, Scalar) else _DEFAULT


def _claims_of(document: IntegrationDocument, shelf: Shelf) -> Iterator[Claim]:
    """Yield what an integration's entities depend on."""
    yield "integration", str(document.name)
    if document.uses is not None:
        yield "provider", str(document.uses)
    yield from (("mapping", mapping) for _, mapping in _streams_of(document, shelf) if mapping)


def _entities_of(document: IntegrationDocument, shelf: Shelf) -> Iterator[str]:
    for stream, mapping in _streams_of(document, shelf):
        found = shelf.mapping(mapping) if mapping else None
        named = None if found is None else found[0].mapping.entity
        yield str(named) if named is not None else f"{document.name}.{stream}"


def _streams_of(document: IntegrationDocument, shelf: Shelf) -> Iterator[tuple[str, str]]:
    """Yield the streams of an integration, with the names of their mappings, as far as it says."""
    provider = None if document.uses is None else shelf.provider(document.uses)
    streams = {} if provider is None else provider[0].body.streams
    found = {name: str(stream.mapping or "") for name, stream in streams.items()}
    own = document.node.get("streams")
    for name, node in own.entries.items() if isinstance(own, Fields) else ():
        said = node.get("mapping") if isinstance(node, Fields) else None
        found[name] = str(said.value) if isinstance(said, Scalar) else found.get(name, "")
    yield from found.items()
