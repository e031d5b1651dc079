"""JSON Schema over nodes: every violation told at the place of the value, in our own words.

Schemas are written by whoever writes a spec, so nothing is ever fetched: a ``$ref`` that leaves
the schema is refused. The library is imported when it is first needed; it takes longer to load
than all else that a check does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from integrationd.config import formats
from integrationd.config.nodes import Fields, Items, Node, Position, Scalar, to_json, walk
from integrationd.config.problems import Problems, nearest, shorten
from integrationd.config.sites import Site
from integrationd.config.wording import TYPE_NAMES, expect
from integrationd.model.json import Json

if TYPE_CHECKING:
    from jsonschema import FormatChecker
    from jsonschema.exceptions import ValidationError
    from referencing import Registry


def validate_against(schema: Json, node: Node, site: Site) -> bool:
    """Tell every way in which a value breaks a schema, as E305; True where there is none.

    Args:
        schema: A JSON Schema of draft 2020-12 in which :func:`schema_problems` finds nothing;
            with another one the value is refused as a whole.
        node: The value.
        site: Where the value stands.
    """
    wrong = schema_problems(schema)
    if wrong:
        site.refuse(node.position, "E305", f"{site.name} cannot be checked: {wrong[0]}")
        return False
    value = to_json(node)
    if _fits_plainly(schema, value):
        return True
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - see the module
    from referencing.exceptions import Unresolvable  # noqa: PLC0415

    validator = Draft202012Validator(
        schema, registry=_build_registry(), format_checker=_build_format_checker()
    )
    try:
        errors = list(validator.iter_errors(value))
    except (Unresolvable, RecursionError, OverflowError):
        message = f"{site.name} cannot be checked: schema refers to itself without an end"
        site.refuse(node.position, "E305", message)
        return False
    _tell_all(errors, node, site)
    return not errors


def value_problems(schema: Json, value: Json, name: str) -> list[str]:
    """Return every way in which a value breaks a schema, each as one line; see the above.

    Args:
        schema: One in which :func:`schema_problems` finds nothing.
        value: Any JSON, from elsewhere than a file.
        name: How messages call it.
    """
    if _fits_plainly(schema, value):
        return []
    problems = Problems()
    validate_against(schema, _build_node(value), Site(problems, name))
    return [problem.message for problem in problems.found]


def _fits_plainly(schema: Json, value: Json) -> bool:
    """Tell a value that a schema without further rules allows, without loading the library.

    Thousands of integrations supply such values, and the library takes 0.2 ms for each.
    """
    # Rules for texts say nothing of a null, which so many defaults are.
    known = _RULELESS | _FOR_TEXTS if value is None else _RULELESS
    if not isinstance(schema, dict) or not schema.keys() <= known:
        return False
    wanted = schema.get("type", list(TYPE_NAMES))
    names = wanted if isinstance(wanted, list) else [wanted]
    return any(type(value) in _PYTHON_TYPES[name] for name in names)


def schema_problems(schema: Json) -> list[str]:
    """Return what is wrong with a schema itself, each as one line that names the place in it."""
    if _is_plain_schema(schema):
        return []
    node = _build_node(schema)
    drafts = [draft for draft in _find_drafts(node) if draft != _DRAFT]
    if drafts:
        return [f"schema has the $schema {shorten(drafts[0])}, expected {_DRAFT!r} or none"]
    return _find_violations(schema, node) or list(_find_lost_references(schema))


def _find_drafts(node: Node) -> Iterator[str]:
    """Yield what is declared anywhere; the library would follow it in the middle of a schema."""
    for inner in walk(node):
        declared = inner.get("$schema") if isinstance(inner, Fields) else None
        if isinstance(declared, Scalar) and isinstance(declared.value, str):
            yield declared.value


def _find_violations(schema: Json, node: Node) -> list[str]:
    """Hold a schema against the schema of schemas."""
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - see the module

    validator = Draft202012Validator(
        Draft202012Validator.META_SCHEMA, format_checker=_build_format_checker()
    )
    problems = Problems()
    _tell_all(validator.iter_errors(schema), node, Site(problems, "schema"))
    return [problem.message for problem in problems.found]


@cache
def _build_registry() -> Registry[Any]:
    from referencing import Registry  # noqa: PLC0415

    # An empty registry knows no way to fetch; jsonschema's default one opens URLs.
    return Registry()


@cache
def _build_format_checker() -> FormatChecker:
    from jsonschema import FormatChecker  # noqa: PLC0415

    checker = FormatChecker(formats=())
    # The library's own checks are skipped without a word when further packages are missing.
    for name, check in formats.CHECKS.items():
        checker.checks(name)(_skip_other_types(check))
    return checker


def _skip_other_types(check: Callable[[str], bool]) -> Callable[[object], bool]:
    return lambda value: not isinstance(value, str) or check(value)


def _find_lost_references(schema: Json) -> Iterator[str]:
    """Follow every reference; a pointer may lead to what is no schema, or to none at all."""
    from referencing.exceptions import Unresolvable  # noqa: PLC0415
    from referencing.jsonschema import DRAFT202012  # noqa: PLC0415

    root = DRAFT202012.create_resource(schema)
    waiting = [(root, _build_registry().resolver_with_root(root))]
    seen: set[int] = set()
    while waiting:
        resource, resolver = waiting.pop()
        if id(resource.contents) in seen:
            continue
        seen.add(id(resource.contents))
        waiting += [(sub, resolver.in_subresource(sub)) for sub in resource.subresources()]
        for reference in _list_references(resource.contents):
            target = None
            with suppress(Unresolvable):
                target = resolver.lookup(reference)
            if target is None:
                hint = "expected a place inside itself such as '#/$defs/name'; nothing is fetched"
                yield f"schema refers to {shorten(reference)}, {hint}"
            elif not _is_schema(target.contents):
                yield f"schema refers to {shorten(reference)}, which is not a schema"
            else:
                found = DRAFT202012.create_resource(target.contents)
                waiting.append((found, target.resolver))


def _list_references(schema: Json) -> list[str]:
    keywords = ("$ref", "$dynamicRef")
    return [schema[key] for key in keywords if key in schema] if isinstance(schema, dict) else []


def _is_schema(value: Json) -> bool:
    if not isinstance(value, dict | bool):
        return False
    return _is_plain_schema(value) or not _find_violations(value, _build_node(value))


def _build_node(value: Json, position: Position = Position("", 0, 0)) -> Node:  # noqa: B008
    if isinstance(value, dict):
        return Fields({key: _build_node(item) for key, item in value.items()}, position)
    if isinstance(value, list):
        return Items(tuple(_build_node(item) for item in value), position)
    return Scalar(value, position)


def _tell_all(errors: Iterator[ValidationError] | list[Any], node: Node, site: Site) -> None:
    told: set[tuple[Position, str]] = set()
    for error in errors:
        for position, message in _word(error, node, site):
            # One missing field is an error of its own in the library, and all are worded at once.
            if (position, message) not in told:
                told.add((position, message))
                site.refuse(position, "E305", message)


def _word(error: ValidationError, node: Node, site: Site) -> Iterator[tuple[Position, str]]:
    deepest = max(error.context or (), key=lambda inner: len(inner.path), default=error)
    if len(deepest.path) > 0 and deepest is not error:
        # One alternative fits the value but for something inside it: that is what to change.
        yield from _word(deepest, node, site)
        return
    place, at = _find(node, site, list(error.absolute_path))
    if error.validator is None:
        # The library does not say which value met the schema `false`, only in which object.
        yield place.position, f"{at.name} has a value where its schema allows none"
    elif error.validator == "required" and isinstance(place, Fields):
        required: Any = error.validator_value
        for name in required:
            if name not in place.entries:
                yield place.position, f"{at.name} has no {name!r}, which is required"
    elif error.validator == "additionalProperties" and isinstance(place, Fields):
        yield from _word_unknown(error.schema, place, at)
    elif "propertyNames" in error.relative_schema_path and isinstance(place, Fields):
        name = str(error.instance)
        shown = at.quote(name, before="the name ") or "a name that does not fit"
        message = f"{at.name} has {shown}, expected {_expect(error)}"
        yield place.key_position(name), message
    else:
        yield place.position, f"{at.name} is {at.show(place)}, expected {_expect(error)}"


def _word_unknown(schema: Any, place: Fields, at: Site) -> Iterator[tuple[Position, str]]:  # noqa: ANN401
    known = schema.get("properties", {})
    patterns = schema.get("patternProperties", {})
    for name in place.entries:
        if name not in known and not any(re.search(pattern, name) for pattern in patterns):
            hint = nearest(name, known)
            shown = at.quote(name, known)
            yield place.key_position(name), f"unknown field{shown} in {at.name}{hint}"


def _find(node: Node, site: Site, path: Sequence[str | int]) -> tuple[Node, Site]:
    for step in path:
        if isinstance(node, Fields):
            node, site = node.entries[str(step)], site.key(str(step))
        elif isinstance(node, Items):
            node, site = node.items[int(step)], site.item(int(step))
    return node, site


def _expect(error: ValidationError) -> str:
    """Say what a keyword asks for."""
    if error.context:
        return " or ".join(dict.fromkeys(_expect(inner) for inner in error.context))
    return expect(str(error.validator), error.validator_value)


_DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"
_PYTHON_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "null": (type(None),),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "string": (str,),
    "array": (list,),
    "object": (dict,),
}
_FOR_TEXTS: Final = frozenset({"format", "minLength", "maxLength", "pattern"})
_RULELESS: Final = frozenset({"type", "title", "description", "default"})
"""Keywords of which only the type says what a value may be."""


def _is_count(value: Json) -> bool:
    return type(value) is int and value >= 0


def _is_number(value: Json) -> bool:
    return type(value) in (int, float)


def _is_text(value: Json) -> bool:
    return isinstance(value, str)


def _is_anything(_value: Json) -> bool:
    return True


def _is_type(value: Json) -> bool:
    if isinstance(value, list):
        return 0 < len(value) == len({str(item) for item in value}) and all(map(_is_type, value))
    return isinstance(value, str) and value in TYPE_NAMES


def _is_plain_schema(value: Json) -> bool:
    """Tell a schema of the common keywords, rightly used, without loading the library."""
    if not isinstance(value, dict):
        return isinstance(value, bool)
    return all(key in _PLAIN and _PLAIN[key](item) for key, item in value.items())


def _is_plain_schemas(value: Json) -> bool:
    return isinstance(value, dict) and all(map(_is_plain_schema, value.values()))


_PLAIN: Final[Mapping[str, Callable[[Json], bool]]] = {
    **dict.fromkeys(("title", "description", "format"), _is_text),
    **dict.fromkeys(("default", "const"), _is_anything),
    **dict.fromkeys(("minLength", "maxLength", "minItems", "maxItems"), _is_count),
    **dict.fromkeys(("minimum", "maximum"), _is_number),
    **dict.fromkeys(("items", "additionalProperties"), _is_plain_schema),
    "enum": lambda value: isinstance(value, list),
    "type": _is_type,
    "properties": _is_plain_schemas,
    "required": lambda value: (
        isinstance(value, list) and all(map(_is_text, value)) and len({*value}) == len(value)
    ),
}
