"""The validator: jsonschema-rs, with nothing fetched and nothing that takes long.

It is imported when the first schema is met; files without any do not pay for it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final, NoReturn

from integrationd.config.wording import expect
from integrationd.model.json import Json

if TYPE_CHECKING:
    from jsonschema_rs import RegexOptions, ValidationError, Validator

FORMATS: Final = frozenset(
    {"date", "date-time", "time", "duration", "email", "idn-email", "hostname", "idn-hostname"}
    | {"ipv4", "ipv6", "uri", "uri-reference", "iri", "iri-reference", "uri-template", "uuid"}
    | {"json-pointer", "relative-json-pointer", "regex"}
)
"""What ``format`` may say; all of them are checked."""
_PATTERN_BYTES: Final = 1_000_000
"""Of a compiled pattern."""
_PATTERNS_MAX: Final = 1024
"""Patterns that are kept ready."""
_UNBOUNDED: Final = (
    "which looks around or refers back, as (?=…) and \\1 do; the time that it takes has no bound"
)
_METASCHEMA: Final = "https://json-schema.org/draft/2020-12/schema"


def compile_schema(schema: Json) -> Validator:
    """Compile a schema in which nothing was found wrong.

    Patterns are run by an engine whose time grows with the text alone. Formats are held against
    their definitions. A reference to elsewhere is refused here too, whatever let it through.

    Raises:
        ValueError: There is something wrong with it after all.
    """
    from jsonschema_rs import Draft202012Validator, EmailOptions  # noqa: PLC0415 - see the module

    return Draft202012Validator(
        schema,
        validate_formats=True,
        ignore_unknown_formats=False,
        retriever=_refuse,
        pattern_options=_linear(),
        email_options=EmailOptions(allow_display_text=False, allow_domain_literal=False),
    )


def find_violations(schema: Json) -> list[ValidationError]:
    """Hold a schema against the schema of schemas."""
    return list(_metaschema().iter_errors(schema))


def explain_pattern(pattern: str) -> str:
    """Say what is wrong with a pattern, to follow its name; empty where it can be used."""
    from jsonschema_rs import Draft202012Validator, FancyRegexOptions  # noqa: PLC0415

    for options, reason in (
        (_linear(), ""),
        (FancyRegexOptions(size_limit=_PATTERN_BYTES), _UNBOUNDED),
    ):
        try:
            Draft202012Validator({"pattern": pattern}, pattern_options=options)
        except ValueError:
            continue
        return reason
    return "which is no regular expression, or too large a one"


@functools.lru_cache(_PATTERNS_MAX)
def pattern_matcher(pattern: str) -> Callable[[str], bool]:
    """Return what tells whether a pattern is found in a text, in time that grows with it alone.

    Raises:
        ValueError: The pattern cannot be used; :func:`explain_pattern` says why.
    """
    from jsonschema_rs import Draft202012Validator  # noqa: PLC0415 - see the module

    return Draft202012Validator({"pattern": pattern}, pattern_options=_linear()).is_valid


def word_violation(error: ValidationError) -> tuple[list[str | int], str]:
    """Return where a value breaks a schema, and what was expected there; never the value itself."""
    facts: Mapping[str, Json] = error.kind.as_dict()
    path, name = list(error.instance_path), error.kind.name
    if "context" in facts:
        return _word_alternatives(error, facts["context"])
    match name:
        case "required":
            return [*path, facts["property"]], "expected a value, it is required"
        case "additionalProperties" | "unevaluatedProperties":
            return [*path, facts["unexpected"][0]], "no such field"
        case "falseSchema" | "not":
            return path, "expected something else"
        case "propertyNames":
            _, expected = word_violation(facts["error"])
            return path, f"a name in it: {expected}"
    return path, f"expected {expect(name, _limit_of(name, facts))}"


def _word_alternatives(
    error: ValidationError, branches: list[list[ValidationError]]
) -> tuple[list[str | int], str]:
    """Word what no alternative takes, by the one that takes all but something inside the value."""
    firsts = [errors[0] for errors in branches if errors]
    own = list(error.instance_path)
    inner = max(firsts, key=lambda each: len(each.instance_path), default=error)
    if len(inner.instance_path) > len(own):
        return word_violation(inner)
    if not firsts:
        return own, f"expected {expect('oneOf', None)}"
    several = dict.fromkeys(word_violation(each)[1].removeprefix("expected ") for each in firsts)
    return own, f"expected {' or '.join(several)}"


def _limit_of(name: str, facts: Mapping[str, Json]) -> Json:
    """Return what a keyword says in the schema."""
    if name == "type":
        return [each for each in _TYPES if each in facts["types"]]
    return next(iter(facts.values()), None)


def _refuse(uri: str) -> NoReturn:
    message = f"nothing is fetched: {uri}"
    raise LookupError(message)


@functools.cache
def _linear() -> RegexOptions:
    from jsonschema_rs import RegexOptions  # noqa: PLC0415 - see the module

    return RegexOptions(size_limit=_PATTERN_BYTES, dfa_size_limit=_PATTERN_BYTES)


@functools.cache
def _metaschema() -> Validator:
    from jsonschema_rs import Draft202012Validator  # noqa: PLC0415 - see the module

    return Draft202012Validator({"$ref": _METASCHEMA}, retriever=_refuse)


_TYPES: Final = ("string", "integer", "number", "boolean", "object", "array", "null")
