"""Pages for people where data was expected: a login, or words about maintenance."""

from __future__ import annotations

import html
import re
from typing import Final

from integrationd.config.syntax import escape_character

TITLE_CHARS: Final = 80
_LOOKED_AT: Final = 65_536
"""Bytes in which a title is looked for; it stands in the head of a page."""
_START: Final = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]{0,200}>\s*)?(?:<!--.{0,2000}?-->\s*){0,5}"
    rb"<(?:!doctype\s+html|html|head)[\s>]",
    re.IGNORECASE | re.DOTALL,
)
_TITLE: Final = re.compile(rb"<title[^>]{0,200}>([^<]{0,2000})", re.IGNORECASE)


def describe_page(body: bytes) -> str | None:
    """Return ``an HTML page titled '…'`` where a body begins as one; None where it does not."""
    if not _START.match(body[:_LOOKED_AT]):
        return None
    title = find_title(body)
    return f"an HTML page titled '{title}'" if title else "an HTML page"


def find_title(body: bytes) -> str:
    """Return the title of a page on one line, empty where it has none."""
    found = _TITLE.search(body[:_LOOKED_AT])
    if found is None:
        return ""
    title = " ".join(html.unescape(found[1].decode("utf-8", "replace")).split())
    if len(title) > TITLE_CHARS:
        # At a blank: half a secret would not be known for one, and masked.
        title = title[:TITLE_CHARS].rpartition(" ")[0]
    # Python knows more signs that are nobody's letter yet than UNPRINTABLE does.
    return "".join(sign if sign.isprintable() else escape_character(sign) for sign in title)
