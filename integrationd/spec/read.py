"""One file's tree to a document, told apart by its first key."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from integrationd.config.decode import Invalid, Keys, Marked, Site, decode, decode_fields
from integrationd.config.nodes import Fields, Node
from integrationd.config.problems import Problems, nearest, shorten
from integrationd.config.yaml import parse_yaml
from integrationd.model.json import Json
from integrationd.spec.addresses import check_address
from integrationd.spec.cases import CasesBody
from integrationd.spec.checks import Declared, check_system
from integrationd.spec.documents import (
    DOTTED_NAME,
    OWN_KEYS,
    SYSTEM_NAME,
    WORD_NAME,
    CasesDocument,
    Document,
    EntityDocument,
    IntegrationDocument,
    MappingDocument,
    ProviderDocument,
    SystemBody,
)
from integrationd.spec.entity import Entity
from integrationd.spec.inputs import decode_schemas
from integrationd.spec.merge import without
from integrationd.spec.references import refuse_literal
from integrationd.spec.shelf import KINDS, ReadFile, find_claim
from integrationd.spec.source import SourceFile, digest_of
from integrationd.transform.mapping import Mapping as RecordMapping

_LATER: Final = ("route", "flow")
"""Kinds of the language that this version does not act on yet; said as such, not as a typo."""


def read_file(source: SourceFile) -> ReadFile:
    """Read one file as far as it can be read alone; never raises for what is in it."""
    digest = digest_of(source.data)
    if source.problem is not None:
        return ReadFile(source, digest, None, None, (source.problem,))
    problems = Problems()
    node = parse_yaml(source.data, file=source.path, problems=problems)
    document = None if node is None else _read_document(node, problems)
    if problems.has_errors and not isinstance(document, IntegrationDocument):
        document = None
    return ReadFile(source, digest, find_claim(node), document, tuple(problems.found))


def _read_document(node: Node, problems: Problems) -> Document | None:
    if not isinstance(node, Fields):
        message = f"the file holds no object, expected one that begins with {', '.join(KINDS)}"
        problems.add(node.position, "E112", message)
        return None
    kind = next(iter(node.entries), None)
    if kind is None:
        if not problems.has_errors:
            message = f"the file is empty, expected one that begins with {', '.join(KINDS)}"
            problems.add(node.position, "E112", message)
        return None
    if kind not in KINDS:
        _tell_unknown_kind(node, kind, problems)
        return None
    site = Site(problems, "")
    name = _read_name(node, kind, _NAMES.get(kind, SYSTEM_NAME), site)
    return _READERS[kind](node, name, site)


def _tell_unknown_kind(node: Fields, kind: str, problems: Problems) -> None:
    if kind in _LATER:
        message = f"{kind} files are not read by this version; move it out of the directory"
    else:
        hint = nearest(kind, KINDS)
        later = next((known for known in KINDS if known in node.entries), None)
        if later is not None:
            hint = f"; {later!r} stands further down, move it to the top"
        message = f"the first key is {shorten(kind)}, expected one of {', '.join(KINDS)}{hint}"
    problems.add(node.key_position(kind), "E112", message)


def _read_provider(node: Fields, name: Marked | Invalid, site: Site) -> ProviderDocument | None:
    config = _read_config(node, site)
    secrets = _read_secrets(node, site)
    body = decode_fields(without(node, "provider", "config", "secrets"), SystemBody, site)
    if isinstance(body, Invalid) or config is None or secrets is None:
        return None
    check_system(body, site, Declared(config, secrets), None)
    if body.http is not None:
        check_address(body.http, None, site)
    if isinstance(name, Invalid):
        return None
    return ProviderDocument(name=name, node=node, config=config, secrets=secrets, body=body)


def _read_integration(
    node: Fields, name: Marked | Invalid, site: Site
) -> IntegrationDocument | None:
    """Read what stands before merging; all else is read when the provider is known."""
    uses = node.get("uses")
    provider = None if uses is None else decode(uses, Marked, site.key("uses"))
    if isinstance(name, Invalid) and uses is None:
        # Nothing is made of it, so that nobody else tells what is wrong with the rest.
        decode_fields(without(node, *OWN_KEYS), SystemBody, site)
    if isinstance(provider, Invalid) or isinstance(name, Invalid):
        return None
    return IntegrationDocument(name=name, uses=provider, node=node)


def _read_mapping(node: Fields, name: Marked | Invalid, site: Site) -> MappingDocument | None:
    mapping = decode_fields(without(node, "mapping"), RecordMapping, site)
    if isinstance(mapping, Invalid) or isinstance(name, Invalid):
        return None
    return MappingDocument(name=name, node=node, mapping=mapping)


def _read_entity(node: Fields, name: Marked | Invalid, site: Site) -> EntityDocument | None:
    entity = decode_fields(without(node, "entity"), Entity, site)
    if isinstance(entity, Invalid) or isinstance(name, Invalid):
        return None
    return EntityDocument(name=name, entity=entity)


def _read_cases(node: Fields, name: Marked | Invalid, site: Site) -> CasesDocument | None:
    body = decode_fields(without(node, "cases"), CasesBody, site)
    if isinstance(body, Invalid) or isinstance(name, Invalid):
        return None
    return CasesDocument(name=name, body=body)


_NAMES: Final = {"mapping": DOTTED_NAME, "entity": WORD_NAME}
"""How things are called that are no systems."""
_READERS: Final = {
    "provider": _read_provider,
    "integration": _read_integration,
    "mapping": _read_mapping,
    "entity": _read_entity,
    "cases": _read_cases,
}


def _read_name(node: Fields, kind: str, keys: Keys, site: Site) -> Marked | Invalid:
    name = decode(node.entries[kind], Marked, site.key(kind))
    if isinstance(name, Invalid):
        return name
    if not re.fullmatch(keys.pattern, name):
        message = f"{kind} is {shorten(str(name))}, expected {keys.what}"
        return site.refuse(name.position, "E109", message)
    return Marked.at(name, name.position)


def _read_config(node: Fields, site: Site) -> Mapping[str, Json] | None:
    """Read what a provider declares under ``config``: a schema for each name."""
    declared = node.get("config")
    if declared is None:
        return {}
    site = site.key("config")
    schemas = decode_schemas(declared, site)
    if isinstance(schemas, Invalid):
        return None
    told = [_tell_secret(declared, name, site) for name in schemas if _is_secret(schemas[name])]
    return None if told else schemas


def _is_secret(schema: Json) -> bool:
    """Tell whether a schema says, in one of the usual ways, that its value is a secret."""
    if not isinstance(schema, dict):
        return False
    return schema.get("writeOnly") is True or schema.get("format") == "password"


def _tell_secret(declared: Node, name: str, site: Site) -> Invalid:
    assert isinstance(declared, Fields)
    message = (
        f"{site.path}.{name} is declared as a secret, expected it under secrets, as {{}}; config "
        "stands in files as text"
    )
    return site.refuse(declared.key_position(name), "E401", message)


@dataclass(frozen=True, slots=True, kw_only=True)
class _SecretDeclaration:
    """What a provider says of a secret that it needs."""

    description: str = ""
    """For people."""


def _read_secrets(node: Fields, site: Site) -> frozenset[str] | None:
    """Read what a provider declares under ``secrets``: names; what it holds is never shown."""
    declared = node.get("secrets")
    if declared is None:
        return frozenset()
    site = site.key("secrets")
    instead = "a provider only declares a secret, as {}"
    if not isinstance(declared, Fields):
        refuse_literal(declared, site, instead)
        return None
    valid = True
    for name, child in declared.entries.items():
        place = site.key(name)
        if not re.fullmatch(WORD_NAME.pattern, name):
            message = f"secrets has a name that does not fit, expected {WORD_NAME.what}"
            site.refuse(declared.key_position(name), "E109", message)
            valid = False
        if isinstance(child, Fields):
            valid &= not isinstance(decode_fields(child, _SecretDeclaration, place), Invalid)
        else:
            refuse_literal(child, place, instead)
            valid = False
    return frozenset(declared.entries) if valid else None
