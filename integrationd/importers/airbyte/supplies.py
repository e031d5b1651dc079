"""``connection_specification`` to ``config`` and ``secrets``, and the paths into it to their names.

What stands in an object is declared by its own name, so that an integration is a flat list:
``credentials.client_id`` is ``client_id``, or ``credentials_client_id`` where that name is taken.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from integrationd.config.hiding import names_secret
from integrationd.config.nodes import Fields, Scalar, walk
from integrationd.config.schema import schema_problems
from integrationd.importers.airbyte import jinja
from integrationd.importers.airbyte.parts import Part
from integrationd.importers.airbyte.terms import Const, Name, Step, Term, UnsayableError
from integrationd.importers.naming import distinct, to_word
from integrationd.model.json import Json

Path: TypeAlias = tuple[str, ...]

_CREDENTIALS: Final = frozenset({"api_token", "secret_key"})
"""Fields of the source whose values are secret, whatever the specification says of them, beside
those that our own files take for secret by their names, such as ``password``."""
_KEPT: Final = (
    *("type", "description", "enum", "format", "pattern", "minimum", "maximum", "minLength"),
    *("maxLength", "items", "minItems", "uniqueItems", "default"),
)
"""Words of a schema that are taken over."""
UNDECLARED: Final[Mapping[str, Json]] = {"default": None}
"""What a template uses and the specification does not say is nothing where nobody supplies it."""
_TAG: Final = re.compile(r"<[^>]{0,500}>")
_TEXT_MAX: Final = 300


@dataclass(slots=True)
class Supplies:
    """What an integration has to supply."""

    config: dict[str, Json] = field(default_factory=dict)
    """A JSON Schema by name."""
    secrets: dict[str, Json] = field(default_factory=dict)
    names: dict[Path, tuple[str, str]] = field(default_factory=dict)
    """The variable and the name of each path into the source's configuration."""
    _words: dict[Path, str] = field(default_factory=dict)

    def resolve(self, steps: tuple[Step, ...]) -> Term:
        """Return our term for what stands behind ``config``.

        Raises:
            UnsayableError: It is an object of several values.
        """
        path = tuple(map(str, steps))
        for length in range(len(path), 0, -1):
            found = self.names.get(path[:length])
            if found is not None:
                return Name((*found, *steps[length:]))
        if not path or any(known[: len(path)] == path for known in self.names):
            what = ".".join(path) or "config"
            raise UnsayableError(f"{what!r} stands for several values of the configuration")
        return Name(self.declare(path, dict(UNDECLARED), is_secret=False))

    def name(self, path: Path) -> str:
        """Return the name of a path, which is its own from then on."""
        if path not in self._words:
            taken = set(self._words.values())
            word = to_word(path[-1])
            if word in taken and len(path) > 1:
                word = to_word("_".join(path))
            self._words[path] = distinct(word, taken)
        return self._words[path]

    def declare(self, path: Path, schema: Json, *, is_secret: bool) -> tuple[str, str]:
        """Give a path its name."""
        word = self.name(path)
        if is_secret:
            text = schema.get("description")
            self.secrets[word] = {"description": text} if text else {}
        else:
            self.config[word] = schema
        self.names[path] = ("secrets" if is_secret else "config", word)
        return self.names[path]


@dataclass(frozen=True, slots=True)
class _Leaf:
    """One value of the specification."""

    path: Path
    schema: Mapping[str, Any]
    is_required: bool


def read_supplies(source: Part, spec: Part | None) -> Supplies:
    """Read the specification, and see which values are used as credentials."""
    supplies = Supplies()
    found = None if spec is None else spec.value("connection_specification")
    secret = set(_find_credentials(source))
    merged: dict[Path, _Leaf] = {}
    for leaf in _leaves(found if isinstance(found, dict) else {}, (), is_required=True):
        merged[leaf.path] = _merge(merged.get(leaf.path), leaf)
    # What lies less deep has the first choice of a name.
    for path in sorted(merged, key=len):
        supplies.name(path)
    for path, leaf in merged.items():
        is_secret = bool(leaf.schema.get("airbyte_secret")) or path in secret
        supplies.declare(path, _schema(leaf), is_secret=is_secret)
    for path in sorted(secret - merged.keys()):
        supplies.declare(path, {}, is_secret=True)
    return supplies


def _leaves(schema: Mapping[str, Any], path: Path, *, is_required: bool) -> Iterator[_Leaf]:
    required = schema.get("required")
    wanted = required if isinstance(required, list) else []
    properties = schema.get("properties")
    for name, inner in (properties if isinstance(properties, dict) else {}).items():
        if not isinstance(inner, dict):
            continue
        here = (*path, name)
        needed = is_required and name in wanted
        variants = [each for each in _variants(inner) if isinstance(each, dict)]
        if variants:
            for each in variants:
                yield from _leaves(each, here, is_required=needed and len(variants) == 1)
            yield from _leaves(inner, here, is_required=needed)
        elif isinstance(inner.get("properties"), dict):
            yield from _leaves(inner, here, is_required=needed)
        else:
            yield _Leaf(here, inner, needed)


def _variants(schema: Mapping[str, Any]) -> list[Any]:
    """Return the objects of which one is chosen."""
    several = schema.get("oneOf") or schema.get("anyOf")
    if not isinstance(several, list):
        return []
    return several if any("properties" in each for each in several) else []


def _merge(before: _Leaf | None, leaf: _Leaf) -> _Leaf:
    """Join what several variants say of one value."""
    if before is None:
        return leaf
    values = [*_constants(before.schema), *_constants(leaf.schema)]
    schema = {**before.schema, **leaf.schema}
    if values:
        schema = {"type": "string", "enum": list(dict.fromkeys(values))}
        return _Leaf(leaf.path, schema, is_required=True)
    return _Leaf(leaf.path, schema, is_required=False)


def _constants(schema: Mapping[str, Any]) -> list[Any]:
    if "const" in schema:
        return [schema["const"]]
    several = schema.get("enum")
    return several if isinstance(several, list) else []


def _schema(leaf: _Leaf) -> Json:
    """Return a schema with what we need of it; what may be left out is null then."""
    schema = {key: leaf.schema[key] for key in _KEPT if key in leaf.schema}
    if "const" in leaf.schema and "enum" not in schema:
        schema["enum"] = [leaf.schema["const"]]
        schema.setdefault("default", leaf.schema["const"])
    text = leaf.schema.get("description") or leaf.schema.get("title")
    schema.pop("description", None)
    if isinstance(text, str):
        schema["description"] = " ".join(_TAG.sub("", text).split())[:_TEXT_MAX]
    if not leaf.is_required and "default" not in schema:
        schema = _nullable(schema)
    return schema if not schema_problems(schema) else {"description": schema.get("description", "")}


def _nullable(schema: dict[str, Json]) -> dict[str, Json]:
    kind = schema.get("type")
    if kind is not None:
        kinds = kind if isinstance(kind, list) else [kind]
        schema["type"] = list(dict.fromkeys([*kinds, "null"]))
    if "enum" in schema:
        schema["enum"] = [*schema["enum"], None]
    return {**schema, "default": None}


def _find_credentials(source: Part) -> Iterator[Path]:
    """Yield the paths that stand in fields for credentials."""
    for node in walk(source.node):
        if not isinstance(node, Fields):
            continue
        keys = [key for key in node.entries if key in _CREDENTIALS or names_secret(key)]
        if "username" in node.entries and not _says(node, "password"):
            keys.append("username")
        for key in keys:
            value = node.entries[key]
            if isinstance(value, Scalar) and isinstance(value.value, str):
                yield from _paths_in(value.value)
        if "refresh_token_updater" in node.entries:
            yield updated_path(source.plain(node.entries["refresh_token_updater"]))


def updated_path(updater: Json) -> Path:
    """Return where the source keeps a refresh token that is replaced with each use."""
    said = updater.get("refresh_token_config_path") if isinstance(updater, dict) else None
    return tuple(map(str, said)) if isinstance(said, list) else ("credentials", "refresh_token")


def _says(node: Fields, key: str) -> bool:
    found = node.get(key)
    return isinstance(found, Scalar) and bool(found.value)


def _paths_in(text: str) -> list[Path]:
    found: list[Path] = []

    def note(steps: tuple[Step, ...]) -> Term:
        root, *rest = steps
        if root == "config" and rest:
            found.append(tuple(map(str, rest)))
        return Const(None)

    try:
        jinja.parse(text, note)
    except UnsayableError:
        return []
    return found
