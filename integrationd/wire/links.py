"""The ``Link`` header, read as its standard says."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from integrationd.errors import PageShapeError

_TARGET: Final = re.compile(r"[\s,]*<([^<>]*)>")
_PARAMETER: Final = re.compile(
    r"\s*;\s*([!#$%&'*+.^_`|~0-9A-Za-z-]*)"  # a name, also none: "; ;" is allowed
    r"(?:\s*=\s*(?:\"((?:[^\"\\]|\\.)*)\"|([^\s\",;]*)))?"  # a value, in quotes or not
)
_END: Final = re.compile(r"\s*(?:,|$)")
_REST: Final = re.compile(r"[\s,]*")


class Link(NamedTuple):
    """One link of a header."""

    target: str
    """As received; may be relative."""
    relations: tuple[str, ...]
    """In lower case; one link may have several."""


def find_link(header: str, relation: str) -> str | None:
    """Return the target of the first link with a relation, None where there is none.

    Raises:
        PageShapeError: There is none, but the header breaks off in the middle: it may have been
            the link that is missing, and a walk must not end there as if it were complete.
    """
    links, whole = parse_links(header)
    for link in links:
        if relation.lower() in link.relations:
            return link.target
    if not whole:
        raise PageShapeError('the Link header cannot be read, expected <URL>; rel="next"')
    return None


def parse_links(header: str) -> tuple[tuple[Link, ...], bool]:
    """Parse a ``Link`` header; of several, joined by commas, all links are found.

    Returns:
        The links up to where the header stops being one, and whether that is its end.

    Source:
        RFC 8288 section 3 and appendix B.2: of several ``rel`` in one link the first counts, and
        commas and semicolons may stand inside quotes and inside ``<>``.
    """
    links: list[Link] = []
    place = 0
    while found := _TARGET.match(header, place):
        relations, place = _parse_relations(header, found.end())
        links.append(Link(found.group(1).strip(), relations))
        if not _END.match(header, place):
            return tuple(links), False
    return tuple(links), _REST.fullmatch(header, place) is not None


def _parse_relations(header: str, place: int) -> tuple[tuple[str, ...], int]:
    relations: str | None = None
    while found := _PARAMETER.match(header, place):
        place = found.end()
        name, quoted, plain = found.groups()
        if name.lower() == "rel" and relations is None:
            relations = plain or re.sub(r"\\(.)", r"\1", quoted or "")
    return tuple((relations or "").lower().split()), place
