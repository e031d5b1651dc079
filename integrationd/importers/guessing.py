"""What parameters and members usually mean by their names, where nothing else says it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

PAGES: Final = ("page", "pagenumber", "pageno", "pagenum", "currentpage", "pageindex")
OFFSETS: Final = ("offset", "skip", "startindex", "start", "firstresult", "recordoffset")
SIZES: Final = (
    *("perpage", "pagesize", "limit", "maxresults", "maxpagesize", "itemsperpage", "pagelimit"),
    *("resultsperpage", "rowsperpage", "top", "take", "max", "size", "count", "rows"),
)
CURSORS: Final = (
    *("cursor", "pagetoken", "nextpagetoken", "nexttoken", "continuationtoken", "nextcursor"),
    *("pagecursor", "continuation", "bookmark", "marker", "aftercursor", "startcursor"),
    *("after", "starttoken", "scrollid", "syncpagetoken", "offsettoken"),
)
KEYSETS: Final = ("startingafter",)
TOKENS: Final = (
    *("nextcursor", "cursor", "nextpagetoken", "nexttoken", "continuationtoken", "endcursor"),
    *("nextmarker", "marker", "after", "next", "nextpagecursor", "pagetoken", "continuation"),
    *("scrollid", "bookmark"),
)
"""Members of an answer that hold the token of the next page."""
NEXT_URLS: Final = (
    *("nexturl", "nextpageuri", "nextpageurl", "nextlink", "odatanextlink", "nexthref"),
    *("nextrecordsurl", "nextpagelink", "nexturi"),
)
TOTALS: Final = (
    *("total", "totalcount", "totalresults", "totalitems", "totalrecords", "totalelements"),
    *("totalhits", "totalsize", "totalrows", "recordcount", "totalnumber"),
)
TOTAL_PAGES: Final = ("totalpages", "pagecount", "pagestotal", "lastpage", "numpages", "pages")
MORES: Final = ("hasmore", "hasnext", "hasnextpage", "morepages", "moreitems", "hasmoreitems")
HEADER_TOTALS: Final = (
    *("xtotalcount", "xtotal", "totalcount", "xpaginationtotalcount", "xtotalresults"),
    *("paginationcount", "xtotalitems"),
)
CHANGED_FROM: Final = re.compile(
    r"(?:last)?(?:updated?|modified|changed?|modification)(?:at|on|date|time|dt)?"
    r"(?:since|after|from|min|start|gte|ge|gt|begintime|starttime|begin)"
    r"|(?:since|after|from|min|start)(?:last)?(?:updated?|modified|changed)(?:at|on|date|time)?"
)
CHANGED: Final = (
    *("updatedat", "updated", "modifiedat", "modified", "lastmodified", "lastupdated"),
    *("updatedon", "modifiedon", "changedat", "changedon", "lastmodifieddate", "updatetime"),
    *("lastmodifiedat", "updateddate", "modifieddate", "dateupdated", "datemodified"),
    *("lastupdatedat", "lastupdateddate", "updateddateutc", "timestamp", "lastmodifieddatetime"),
)
WRAPPERS: Final = (
    *("data", "items", "results", "records", "value", "values", "entries", "elements", "content"),
    *("rows", "list", "resources", "objects", "hits", "result", "member", "collection"),
)
IDS: Final = ("id", "uuid", "guid", "sid", "uid")


def squeeze(name: str) -> str:
    """Return ``per_page``, ``perPage`` and ``$perPage`` as ``perpage``."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def find_named(names: Iterable[str], wanted: Iterable[str]) -> str | None:
    """Return the name that comes first among those that are wanted."""
    by_word = {squeeze(name): name for name in names}
    return next((by_word[word] for word in wanted if word in by_word), None)


def to_singular(word: str) -> str:
    """Return ``category`` of ``categories``, ``user`` of ``users``; a guess as any other."""
    for ending, instead in (("ies", "y"), ("sses", "ss"), ("xes", "x"), ("ches", "ch")):
        if word.endswith(ending) and len(word) > len(ending) + 1:
            return word.removesuffix(ending) + instead
    plural = word.endswith("s") and not word.endswith(("ss", "us", "is")) and word[1:] != "s"
    return word.removesuffix("s") if plural else word


def is_alike(one: str, other: str) -> bool:
    """Tell whether two names are the same word, in singular or plural."""
    return to_singular(squeeze(one)) == to_singular(squeeze(other))
