"""An XML document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from typing_extensions import override

from integrationd.errors import PageShapeError
from integrationd.model.json import Json
from integrationd.wire import charsets, decoding, sax
from integrationd.wire.decode.unpacking import TextualDecoder
from integrationd.wire.messages import Answer
from integrationd.wire.pieces import Steps


@dataclass(frozen=True, slots=True, kw_only=True)
class XmlDecoder(TextualDecoder):
    """Read a document as objects; ``body`` has the root element as its one member.

    An element is an object: ``@name`` for each attribute, a member for each child, ``#text`` for
    its text. One that has text alone is that text, an empty one is null, and one that stands more
    than once is a list. White space around texts is dropped. Names are without the prefix of their
    namespace. Document types (DTD) are refused, and with them entities of one's own.

    Source:
        XML 1.0. In ``<orders><order id="1">a</order></orders>`` the text is at
        ``body.orders.order."#text"``.
    """

    kind: ClassVar[str] = "xml"
    reads_failures: ClassVar[bool] = True

    lists: tuple[str, ...] = ()
    """Elements that are a list also where only one of them stands, ``[order]``."""
    prefixes: bool = False
    """Keep the prefixes of names, ``dc:creator``, where two would be the same without."""

    @override
    def read(self, answer: Answer) -> Steps:
        """Return ``{root: …}``."""
        if not answer.body.strip():
            return None
        decoding.refuse_page(answer, "XML")
        if self.encoding is not None or charsets.of_content_type(answer) is not None:
            return (yield from self._parse(charsets.to_utf8(answer, self.encoding), "utf-8"))
        return (yield from self._parse(answer, None))

    def _parse(self, answer: Answer, encoding: str | None) -> Steps:
        tree = _Tree(lists=frozenset(self.lists), prefixes=self.prefixes)
        try:
            yield from sax.read_in_steps(answer.body, tree, encoding)
        except PageShapeError as wrong:
            message = f"{decoding.name_answer(answer)} is not XML: {wrong}"
            raise PageShapeError(message, status=answer.status) from None
        return tree.root


@dataclass(slots=True)
class _Element:
    """One that is not closed yet."""

    name: str
    members: dict[str, Json]
    texts: list[str]

    def value(self) -> Json:
        text = "".join(self.texts).strip()
        if not self.members:
            return text or None
        return {**self.members, "#text": text} if text else self.members


@dataclass(slots=True)
class _Tree:
    """A document as it grows."""

    lists: frozenset[str]
    prefixes: bool
    path: list[_Element] = field(default_factory=lambda: [_Element("", {}, [])])
    """The elements that are not closed yet, behind what holds the root."""

    @property
    def root(self) -> dict[str, Json]:
        return self.path[0].members

    def begin(self, name: str, attributes: Mapping[str, str]) -> None:
        element = _Element(self._name(name), {}, [])
        for key in sorted(attributes, key=_unprefixed_last):
            if key != "xmlns" and not key.startswith("xmlns:"):
                element.members[f"@{self._name(key)}"] = attributes[key]
        self.path.append(element)

    def end(self, name: str) -> None:  # noqa: ARG002 - as sax.Reader has it
        element = self.path.pop()
        known, value = element.name, element.value()
        siblings = self.path[-1].members
        if known not in siblings:
            siblings[known] = [value] if known in self.lists else value
        elif isinstance(siblings[known], list):  # no single element is one
            siblings[known].append(value)
        else:
            siblings[known] = [siblings[known], value]

    def add_text(self, text: str) -> None:
        self.path[-1].texts.append(text)

    def _name(self, name: str) -> str:
        return name if self.prefixes else sax.local(name)


def _unprefixed_last(name: str) -> bool:
    """Order attributes so that ``id`` wins over ``x:id``."""
    return ":" not in name
