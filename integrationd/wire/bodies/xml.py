"""``xml:``, a body that is one XML document."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final, Self

from integrationd.config.decode import Invalid, Site
from integrationd.config.nodes import Node
from integrationd.config.sites import Leaf
from integrationd.errors import RefusedError
from integrationd.model.json import Json
from integrationd.transform.scopes import Reference
from integrationd.transform.template import Template
from integrationd.wire.messages import TextBody
from integrationd.wire.parameters import Encode, waits

_TYPE: Final = "application/xml; charset=utf-8"
_ESCAPES: Final = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "'": "&apos;",
    # A reader makes a blank of these in an attribute, and one line end of two.
    "\t": "&#9;",
    "\n": "&#10;",
    "\r": "&#13;",
}
_MARKUP: Final = re.compile(f"[{''.join(_ESCAPES)}]")
_NEVER: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class XmlTemplate:
    """A document with templates in it, whose values cannot become markup."""

    FORM: ClassVar[Leaf] = Template.FORM

    document: Template

    @classmethod
    def decode_node(cls, node: Node, site: Site) -> Self | Invalid:
        """Read the document."""
        document = Template.decode_node(node, site)
        return document if isinstance(document, Invalid) else cls(document)

    @property
    def references(self) -> tuple[Reference, ...]:
        """Return the variables that it uses."""
        return self.document.references

    def render(self, variables: Mapping[str, Json], encode: Encode) -> TextBody | None:  # noqa: ARG002 - as other bodies
        """Fill in values, each escaped; one that uses the cursor waits for it.

        Raises:
            RefusedError: A value holds a character that no XML document may hold.
        """
        if waits(self.document, variables):
            return None
        text = self.document.render_text(variables, encode=escape)
        return None if text is None else TextBody(text, _TYPE)


def escape(value: str) -> str:
    """Escape a value for an element or an attribute.

    Raises:
        RefusedError: It holds a control character, for which XML has no escape.

    Source:
        XML 1.0 section 2.2, the characters of a document, and 2.4, its markup.
    """
    if _NEVER.search(value):
        raise RefusedError("a value in the XML body holds a control character, which XML forbids")
    return _MARKUP.sub(lambda found: _ESCAPES[found.group()], value)
