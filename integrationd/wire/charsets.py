"""Bytes of a body to text: by what the spec says, by its first bytes, or by its content type."""

from __future__ import annotations

import codecs
import dataclasses
import re
from typing import Final

from integrationd.config.decode import Invalid, Site
from integrationd.config.leaves import decode_text
from integrationd.config.nodes import Node
from integrationd.errors import PageShapeError
from integrationd.wire import decoding
from integrationd.wire.messages import Answer

KNOWN: Final = frozenset(
    {
        *("ascii", "utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-32"),
        *(f"iso8859-{part}" for part in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 16)),
        *(f"cp{page}" for page in (437, 850, 852, 855, 858, 866, 874, 932, 949, 950)),
        *(f"cp{page}" for page in range(1250, 1259)),
        *("koi8-r", "koi8-u", "mac-roman", "shift_jis", "euc_jp", "iso2022_jp", "euc_kr"),
        *("gb2312", "gbk", "gb18030", "big5"),
    }
)
"""Each is a way to write text; Python knows others that are not."""
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # it begins as that of UTF-16 does, so it is looked for first
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CHARSET: Final = re.compile(r";\s*charset\s*=\s*\"?([A-Za-z0-9._:-]{1,40})", re.IGNORECASE)


class Charset(str):
    """A way to write text as bytes, by its usual name."""

    __slots__ = ()

    @classmethod
    def decode_node(cls, node: Node, site: Site) -> Charset | Invalid:
        """Read a name that is known."""
        text = decode_text(node, site)
        if isinstance(text, Invalid):
            return text
        name = find(text)
        if name is None:
            return site.expected(node, "an encoding such as utf-8 or windows-1252", "E111")
        return cls(name)


def find(label: str) -> str | None:
    """Return the one name of an encoding; None where it is not known."""
    try:
        name = codecs.lookup(label).name
    except (LookupError, ValueError):
        return None
    name = "utf-8" if name == "utf-8-sig" else name
    return name if name in KNOWN else None


def of_content_type(answer: Answer) -> str | None:
    """Return the encoding that the content type names, None where it names none that is known."""
    found = _CHARSET.search(answer.headers.get("content-type", ""))
    return None if found is None else find(found[1])


def of_mark(body: bytes) -> str | None:
    """Return the encoding that a byte order mark tells."""
    return next((name for mark, name in _MARKS if body.startswith(mark)), None)


def to_utf8(answer: Answer, said: str | None) -> Answer:
    """Return the same answer in UTF-8; see :func:`to_text`."""
    return dataclasses.replace(answer, body=to_text(answer, said).encode())


def names_another(answer: Answer) -> bool:
    """Tell whether a byte order mark or the content type names another encoding than UTF-8."""
    return (of_mark(answer.body) or of_content_type(answer) or "utf-8") not in ("utf-8", "ascii")


def to_text(answer: Answer, said: str | None) -> str:
    """Return the body as text, without a byte order mark.

    Args:
        answer: The answer.
        said: What the spec says; where it says nothing the mark decides, then the content type,
            and then it is UTF-8.

    Raises:
        PageShapeError: It is not written so.
    """
    name = said or of_mark(answer.body) or of_content_type(answer) or "utf-8"
    try:
        return answer.body.decode(name).removeprefix("\ufeff")
    except UnicodeDecodeError as wrong:
        hint = "" if said else "; say the right one as 'encoding'"
        message = f"{decoding.name_answer(answer)} is not {name}: {wrong.reason}"
        message = f"{message} (byte {wrong.start}){hint}"
        raise PageShapeError(message, status=answer.status) from None
