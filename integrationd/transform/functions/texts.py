"""Functions of texts."""

from __future__ import annotations

import re
import unicodedata
from typing import Annotated, Final
from urllib.parse import parse_qsl, quote, urlsplit
from urllib.parse import urlencode as encode_query

from integrationd.config.problems import shorten
from integrationd.model.json import Json
from integrationd.transform.clean.cleaner import UnfitError
from integrationd.transform.clean.html import Html
from integrationd.transform.clean.phone import Phone, Region
from integrationd.transform.clean.regions import plans_by_region
from integrationd.transform.functions.function import Fixed, Function, check_size
from integrationd.transform.printing import print_value
from integrationd.transform.regex import parse_finder
from integrationd.transform.schema.engine import explain_pattern, pattern_matcher

_CHARS_MAX: Final = 100
"""Most characters that are trimmed; each is tried at every end of the text."""
_WIDTH_MAX: Final = 10_000
_PARTS_MAX: Final = 10_000
_NO_SLUG: Final = re.compile(r"[^a-z0-9]+")
_WORD: Final = re.compile(r"[^\s\-(\[{<]+")
_HTML: Final = Html()


def lower(text: str) -> Json:
    """Return a text in small letters.

    lower('Ana ÑANDÚ') -> "ana ñandú"
    """
    return text.lower()


def upper(text: str) -> Json:
    """Return a text in capitals.

    upper('Ana') -> "ANA"
    """
    return text.upper()


def capitalize(text: str) -> Json:
    """Return a text whose first letter is a capital and all others small.

    capitalize('mAIN library') -> "Main library"
    """
    return text.capitalize()


def title(text: str) -> Json:
    """Return a text in which every word begins with a capital.

    title('ana maría PAZ') -> "Ana María Paz"
    """
    return _WORD.sub(lambda found: found[0].capitalize(), text)


def trim(text: str, chars: str | None = None) -> Json:
    """Return a text without white space at its ends, or without the characters that are given.

    trim('  Ana ') -> "Ana"
    trim('/path/', '/') -> "path"
    """
    if chars is not None and len(chars) > _CHARS_MAX:
        raise ValueError(f"takes at most {_CHARS_MAX} characters to trim")
    return text.strip(chars)


def replace(text: str, old: str, new: str) -> Json:
    """Return a text with another in the place of a part, wherever that stands.

    replace('12.345.678-9', '.', '') -> "12345678-9"
    """
    if not old:
        raise ValueError("is to replace an empty text")
    check_size(len(text) + text.count(old) * (len(new) - len(old)))
    return text.replace(old, new)


def split(text: str, separator: str, times: int | None = None) -> Json:
    """Return the parts of a text between separators; with a number, it is cut so often at most.

    split('a, b, c', ', ') -> ["a", "b", "c"]
    split('Ana María Paz', ' ', `1`) -> ["Ana", "María Paz"]
    """
    if not separator:
        raise ValueError("is to split at an empty text")
    if times is not None and times < 0:
        raise ValueError("expected a number from 0")
    if text.count(separator) > _PARTS_MAX:
        raise ValueError(f"makes more than {_PARTS_MAX:,} parts")
    return text.split(separator, -1 if times is None else times)


def substring(text: str, start: int, length: int | None = None) -> Json:
    """Return a part of a text, from a place that is counted from 0, or with a minus from the end.

    substring('2026-01-31', `0`, `4`) -> "2026"
    substring('ACME-0042', `-4`) -> "0042"
    """
    if length is not None and length < 0:
        raise ValueError("expected a length from 0")
    rest = text[start:]
    return rest if length is None else rest[:length]


def pad_left(text: str, width: int, fill: str = " ") -> Json:
    """Return a text made as long as said, with spaces or another character in front.

    pad_left('42', `5`, '0') -> "00042"
    """
    return _pad(text, width, fill) + text


def pad_right(text: str, width: int, fill: str = " ") -> Json:
    """Return a text made as long as said, with spaces or another character behind.

    pad_right('AB', `4`, '.') -> "AB.."
    """
    return text + _pad(text, width, fill)


def slug(text: str) -> Json:
    """Return a text as it may stand in an address: small letters without accents, digits, hyphens.

    slug('Año Nuevo: 50% más') -> "ano-nuevo-50-mas"
    """
    plain = unicodedata.normalize("NFKD", text)
    bare = "".join(sign for sign in plain if not unicodedata.combining(sign))
    return _NO_SLUG.sub("-", bare.lower()).strip("-")


def strip_html(text: str) -> Json:
    """Return what a text in HTML says, without its tags; null where it was escaped too often.

    strip_html('<p>Jos&eacute; <b>Paz</b></p>') -> "José Paz"
    """
    try:
        return _HTML.clean(text).strip()
    except UnfitError:
        return None


def phone(text: str, region: Annotated[str, Fixed(_parse_region)] = "") -> Json:
    """Return a telephone number as E.164 has it; null where it is none.

    A number that does not say its country is of the one that is given, and stays as it is without.

    phone('+593 99 123 4567') -> "+593991234567"
    phone('099 123 4567', 'EC') -> "+593991234567"
    phone('none') -> null
    """
    try:
        return Phone(phone=Region(region) if region else None).clean(text)
    except UnfitError:
        return None


def regex_match(text: str, pattern: Annotated[str, Fixed(_parse_pattern)]) -> Json:
    """Tell whether a regular expression is found in a text; ``^`` and ``$`` tie it to the ends.

    The time that it takes grows with the text alone, so it may not look around or refer back.

    regex_match('AB-1234', '^[A-Z]{2}-[0-9]+$') -> true
    """
    return pattern_matcher(pattern)(text)


def regex_find(text: str, pattern: Annotated[str, Fixed(_parse_finder)]) -> Json:
    """Return what a regular expression finds first; with brackets in it, what stands in those.

    Null where nothing is found. The time that it takes is bounded, so it may not look around or
    refer back; ``(?i)`` at its beginning makes small letters and capitals the same.

    regex_find('Order #1234 of May', '#([0-9]+)') -> "1234"
    regex_find('ISBN 3-16', '[0-9-]+') -> "3-16"
    """
    if not pattern_matcher(pattern)(text):
        return None
    for found in parse_finder(pattern).find_all(text):
        start, end = found[2:4] if len(found) > _WHOLE else found[:2]
        return text[start:end] if start >= 0 else None
    return None


def regex_replace(text: str, pattern: Annotated[str, Fixed(_parse_finder)], new: str) -> Json:
    """Return a text with another in the place of all that a regular expression finds.

    regex_replace('+593 (99) 123', '[^0-9+]+', '') -> "+59399123"
    """
    parts, at, size = [], 0, 0
    for found in parse_finder(pattern).find_all(text):
        parts += [text[at : found[0]], new]
        at = found[1]
        size += len(new)
        check_size(size + len(text))
    return "".join([*parts, text[at:]])


def urlencode(value: str | dict[str, Json]) -> Json:
    """Return a text as it may stand in an address, or an object as a query.

    urlencode('a b/ñ') -> "a%20b%2F%C3%B1"
    urlencode(`{"q": "a b", "page": 2}`) -> "q=a%20b&page=2"
    """
    if isinstance(value, dict):
        fields = {key: print_value(item) for key, item in value.items()}
        return encode_query(fields, quote_via=quote)
    return quote(value, safe="")


def url_parts(text: str) -> Json:
    """Return ``scheme``, ``host``, ``port``, ``path``, ``query`` and ``fragment`` of an address.

    Of query fields that stand twice the last wins.

    url_parts('https://a.test:8080/items?id=7#top').[host, port, query.id, fragment]
    -> ["a.test", 8080, "7", "top"]
    """
    parts = urlsplit(text)
    return {
        "scheme": parts.scheme,
        "host": parts.hostname,
        "port": parts.port,
        "path": parts.path,
        "query": dict(parse_qsl(parts.query, keep_blank_values=True)),
        "fragment": parts.fragment,
    }


def _pad(text: str, width: int, fill: str) -> str:
    if not 0 <= width <= _WIDTH_MAX or len(fill) != 1:
        raise ValueError(f"expected a width from 0 to {_WIDTH_MAX:,} and one character")
    return fill * (width - len(text))


def _parse_region(text: str) -> None:
    if text not in plans_by_region():
        raise ValueError(f"got {shorten(text)}, expected a country's two letters, such as 'DE'")


def _parse_pattern(text: str) -> None:
    fault = explain_pattern(text)
    if fault:
        raise ValueError(f"got {shorten(text)}, {fault}")


def _parse_finder(text: str) -> None:
    _parse_pattern(text)
    parse_finder(text)


_LIGHT: Final = (
    *(lower, upper, capitalize, title, trim, replace, split, substring),
    *(pad_left, pad_right, urlencode, url_parts),
)
_WHOLE: Final = 2
"""Marks of a pattern without brackets."""
FUNCTIONS: Final = (
    *(Function.of(run) for run in _LIGHT),
    *(Function.of(run, weight=16) for run in (slug, strip_html, phone, regex_match)),
    *(Function.of(run, weight=64) for run in (regex_find, regex_replace)),
)
