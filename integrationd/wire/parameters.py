"""Parameters of a query or a form: templates by name, and the pairs that they make."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Final, Self

from integrationd.config.decode import INVALID, Invalid, Site, decode
from integrationd.config.leaves import decode_text
from integrationd.config.nodes import Node
from integrationd.config.sites import Written
from integrationd.errors import RefusedError
from integrationd.model.json import Json
from integrationd.model.secret import Secret, reveal
from integrationd.transform.scopes import Reference
from integrationd.transform.template import JsonTemplate, Template
from integrationd.wire import texts
from integrationd.wire.messages import Pairs, Text

_SIGNS: Final = "!$%'()*+,/:;=?@[]|"


class Lists(StrEnum):
    """How a list is written in a query or a form."""

    REPEAT = "repeat"
    """``a=1&a=2``"""
    BRACKETS = "brackets"
    """``a[]=1&a[]=2``"""
    INDEXED = "indexed"
    """``a[0]=1&a[1]=2``"""
    COMMAS = "commas"
    """``a=1,2``"""


class Objects(StrEnum):
    """How an object is written in a query or a form."""

    JSON = "json"
    """``a={"b":1}``"""
    BRACKETS = "brackets"
    """``a[b]=1``"""
    DOTS = "dots"
    """``a.b=1``"""


class Nulls(StrEnum):
    """What becomes of a null in a JSON body."""

    KEEP = "keep"
    OMIT = "omit"


class Signs(str):
    """Signs that a query may hold as they are."""

    __slots__ = ()

    @classmethod
    def decode_node(cls, node: Node, site: Site) -> Signs | Invalid:
        """Read some signs; what would end a parameter or the query is refused."""
        text = decode_text(node, site)
        if isinstance(text, Invalid):
            return text
        if not text or set(text) - set(_SIGNS):
            return site.expected(node, f"some of the signs {_SIGNS}", "E111")
        return cls(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Encode:
    """How values are written in a query, a form or a JSON body.

    A null in a query, a header or a form is never sent, so a condition is a template that gives
    null where it does not hold: ``"{{ 'open' if config.only_open else none }}"``.

    Source:
        Stripe and PHP take ``brackets`` for both; Rails takes ``filter[since]``; LinkedIn wants
        ``():,%`` as they are.
    """

    lists: Lists = Lists.REPEAT
    """A list in a query or a form: ``repeat`` (``a=1&a=2``), ``brackets`` (``a[]=1&a[]=2``),
    ``indexed`` (``a[0]=1&a[1]=2``) or ``commas`` (``a=1,2``)."""
    objects: Objects = Objects.JSON
    """An object in a query or a form: ``json`` (``a={"b":1}``), ``brackets`` (``a[b]=1``) or
    ``dots`` (``a.b=1``); what lies deeper is written likewise."""
    nulls: Nulls = Nulls.KEEP
    """A member of a JSON body that is null: ``keep`` sends it, ``omit`` leaves it out, so that it
    can be sent under a condition as a parameter can."""
    safe: Signs | None = None
    """Signs that the query holds as they are and not percent-encoded, ``"():,"``; with ``%`` the
    values must have been encoded before."""


PLAIN: Final = Encode()
"""Lists repeat, objects are JSON text."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """A template for each name."""

    FORM: ClassVar = Written((Mapping[str, JsonTemplate],))

    fields: Mapping[str, JsonTemplate]

    @classmethod
    def decode_node(cls, node: Node, site: Site) -> Self | Invalid:
        """Read a template for each name."""
        fields = decode(node, Mapping[str, JsonTemplate], site)
        return INVALID if isinstance(fields, Invalid) else cls(fields)

    @property
    def references(self) -> tuple[Reference, ...]:
        """Return the variables that they use."""
        return tuple(ref for template in self.fields.values() for ref in template.references)


def render_pairs(
    parameters: Mapping[str, JsonTemplate], variables: Mapping[str, Json], encode: Encode = PLAIN
) -> Pairs:
    """Fill in values: a null leaves its parameter out, and so does an empty list.

    Raises:
        RefusedError: A number without bounds, or a value that is nested too deep.
    """
    try:
        return tuple(
            pair
            for name, template in parameters.items()
            if not waits(template, variables)
            for pair in _flatten(name, template.render(variables), encode)
        )
    except RecursionError:
        raise RefusedError("a value in the query or form is nested too deep") from None


def waits(template: Template | JsonTemplate, variables: Mapping[str, Json]) -> bool:
    """Tell whether a part of a request needs a cursor that there is not yet."""
    if variables.get("cursor") is not None:
        return False
    return any(reference.path[0] == "cursor" for reference in template.references)


def _flatten(name: str, value: Json, encode: Encode) -> Iterator[tuple[str, Text]]:
    if isinstance(value, dict) and encode.objects is not Objects.JSON:
        for key, item in value.items():
            dotted = encode.objects is Objects.DOTS
            yield from _flatten(f"{name}.{key}" if dotted else f"{name}[{key}]", item, encode)
    elif isinstance(value, list | tuple):
        yield from _flatten_list(name, value, encode)
    else:
        text = texts.to_text(value)
        if text is not None:
            yield name, text


def _flatten_list(
    name: str, items: list[Json] | tuple[Json, ...], encode: Encode
) -> Iterator[tuple[str, Text]]:
    if encode.lists is Lists.COMMAS:
        found = texts.to_texts(items)
        if found:
            line = ",".join(map(reveal, found))
            yield name, Secret(line) if texts.holds_secret(found) else line
        return
    present = [item for item in items if item is not None]
    for index, item in enumerate(present):
        if encode.lists is Lists.INDEXED:
            yield from _flatten(f"{name}[{index}]", item, encode)
        elif encode.lists is Lists.BRACKETS:
            yield from _flatten(f"{name}[]", item, encode)
        elif isinstance(item, list | tuple):
            yield name, texts.to_text(item) or ""
        else:
            yield from _flatten(name, item, encode)
