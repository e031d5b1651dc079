"""``raw:``, a body that is any text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final, Self

from integrationd.config.decode import INVALID, Invalid, Site, decode_fields
from integrationd.config.leaves import decode_text
from integrationd.config.nodes import Fields, Node
from integrationd.config.sites import OWN, Written
from integrationd.model.json import Json
from integrationd.transform.scopes import Reference
from integrationd.transform.template import Template
from integrationd.wire.messages import TextBody
from integrationd.wire.parameters import Encode, waits

_TOKEN: Final = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"  # noqa: S105 - RFC 9110's word for the signs of a name
_TYPE: Final = re.compile(rf"{_TOKEN}/{_TOKEN}(\s*;[\x20-\x7e]+)?")


class ContentType(str):
    """A media type, ``text/csv`` or ``text/plain; charset=utf-8``."""

    __slots__ = ()

    @classmethod
    def decode_node(cls, node: Node, site: Site) -> ContentType | Invalid:
        """Read a type with what may follow it."""
        text = decode_text(node, site)
        if isinstance(text, Invalid):
            return text
        if not _TYPE.fullmatch(text):
            return site.expected(node, "a content type such as text/plain", "E111")
        return cls(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class RawTemplate:
    """A text as it stands: values are filled in without any escaping, which is for its author."""

    FORM: ClassVar = Written((OWN,))

    text: Template
    """The body, sent in UTF-8."""
    content_type: ContentType
    """What it is, ``text/csv``."""

    @classmethod
    def decode_node(cls, node: Node, site: Site) -> Self | Invalid:
        """Read the text, and check the names that it uses."""
        made = decode_fields(node, cls, site)
        if isinstance(made, Invalid) or not isinstance(node, Fields):
            return made
        inside = site.key("text").noted(*site.notes)
        text = Template.decode_node(node.entries["text"], inside)
        return INVALID if isinstance(text, Invalid) else made

    @property
    def references(self) -> tuple[Reference, ...]:
        """Return the variables that it uses."""
        return self.text.references

    def render(self, variables: Mapping[str, Json], encode: Encode) -> TextBody | None:  # noqa: ARG002 - as other bodies
        """Fill in values; one that uses the cursor waits for it."""
        if waits(self.text, variables):
            return None
        text = self.text.render_text(variables)
        return None if text is None else TextBody(text, self.content_type)
