"""First files of a kind, commented, to be filled in: what ``new`` writes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

from integrationd.config.printing import print_yaml
from integrationd.model.json import Json
from integrationd.spec.documents import ProviderDocument

PLACES: Final = {
    "provider": "specs",
    "integration": "integrations",
    "mapping": "mappings",
    "entity": "mappings",
}
"""In which directory a kind of file lies."""

_PROVIDER: Final = """\
# What every account at the product has in common. Nothing runs until an integration uses it.
provider: {name}
title: {name}
category: custom
docs: https://developer.example.org      # the page that this was written from

config:                                  # what an integration has to supply: a JSON Schema each
  base_url: {{type: string, format: uri, description: "where the API is, https://api.example.org"}}
secrets:
  token: {{}}

http:
  base_url: "{{{{ config.base_url }}}}"
  auth: {{type: bearer, token: "{{{{ secrets.token }}}}"}}
  limits: {{rate: 5/s}}

streams:                                 # read again and again into the record store
  items:
    get: /items                          # added to base_url
    paginate: {{type: page, into: query.page, size: {{into: query.per_page, value: 100}}}}
    records: body                        # where the list is in the answer
    key: id                              # what makes a record itself
    schedule: 30m
    # incremental: {{field: updated_at, into: query.since}}   # read only what changed
    # mapping: {mapping}.item               # a file in mappings/, from the record to an entity
"""
_INLINE: Final = """\
# One system for one tenant, all in one file; with 'uses: PROVIDER' much of it is said elsewhere.
integration: {name}

secrets:
  token: {{}}                              # integrationd secret set {name} token

http:
  base_url: https://api.example.org
  auth: {{type: bearer, token: "{{{{ secrets.token }}}}"}}

streams:
  items:
    get: /items
    paginate: none                       # one answer holds all
    key: id
    schedule: 30m
"""
_MAPPING: Final = """\
# From a provider's record to an entity: an expression, or a rule, for each field.
mapping: {name}
entity: item
fields:
  name: title
  state: {{path: status, map: {{"1": active, "0": inactive}}, default: unknown}}
  changed_at: {{path: updated_at, type: datetime}}
required: [name]
"""


_ENTITY: Final = """\
# The common shape of one kind of thing, whatever system it comes from. Mappings are held to it.
entity: {name}
title: {name}
schema:                                  # a JSON Schema; a record that breaks it is set aside
  type: object
  required: [name]
  properties:
    name: {{type: string, minLength: 1}}
    state: {{enum: [active, inactive, unknown]}}
    changed_at: {{type: [string, "null"], format: date-time}}
custom_fields: false                     # true: tenants may add fields, in the settings
"""


def first_provider(name: str) -> str:
    """Return a provider that can be checked as it is."""
    return _PROVIDER.format(name=name, mapping=name.replace("-", "_"))


def first_mapping(name: str) -> str:
    """Return a mapping that can be checked as it is."""
    return _MAPPING.format(name=name)


def first_entity(name: str) -> str:
    """Return an entity that can be checked as it is."""
    return _ENTITY.format(name=name)


def first_integration(name: str, provider: ProviderDocument | None) -> str:
    """Return an integration: of a provider, with all that it asks for; else all inline."""
    if provider is None:
        return _INLINE.format(name=name)
    return "\n".join(_lines(name, provider)) + "\n"


def _lines(name: str, provider: ProviderDocument) -> Iterator[str]:
    title = provider.body.title or str(provider.name)
    yield f"# One account at {' '.join(title.split())}."
    yield f"integration: {name}"
    yield f"uses: {provider.name}"
    if provider.body.docs:
        yield f"# {' '.join(provider.body.docs.split())}"
    if provider.config:
        yield ""
        asked = any("default" not in schema for schema in provider.config.values())
        yield "config:" if asked else "# config:"
        for key, schema in provider.config.items():
            yield from _value(key, schema)
    if provider.secrets:
        yield ""
        yield "secrets:"
        for secret in sorted(provider.secrets):
            yield f"  {secret}: {{}}  # integrationd secret set {name} {secret}"
    if provider.body.streams:
        yield ""
        yield "# All of these are read on their schedules; here one can be switched off or changed."
        yield "# streams:"
        for stream in provider.body.streams:
            yield f"#   {stream}: {{enabled: false}}"


def _value(key: str, schema: Json) -> Iterator[str]:
    facts = schema if isinstance(schema, dict) else {}
    if text := str(facts.get("description", "")):
        yield f"  # {' '.join(text.split())}"
    if "default" in facts:
        yield f"  # {key}: {_print(facts['default'])}"
        return
    yield f"  {key}: {_print(_example(facts))}"


def _example(facts: dict[str, Json]) -> Json:
    """Return a value to be replaced; one that the schema names, or of its type."""
    for word in ("examples", "enum"):
        if isinstance(facts.get(word), list) and facts[word]:
            return facts[word][0]
    if facts.get("format") == "uri":
        return "https://example.org"
    return _EMPTY.get(str(facts.get("type")), "")


_EMPTY: Final[dict[str, Json]] = {"integer": 0, "number": 0, "boolean": False}


def _print(value: Json) -> str:
    """Print a value on one line; JSON is YAML too."""
    return json.dumps(value) if isinstance(value, list | dict) else print_yaml(value).strip()
