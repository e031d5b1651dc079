"""The formats of JSON Schema that are checked, without the libraries that jsonschema wants."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Final
from urllib.parse import urlsplit

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME = re.compile(
    r"[Tt]([0-9]{2}:[0-9]{2}):([0-9]{2})(?:\.[0-9]+)?([Zz]|[-+](?:[01][0-9]|2[0-3]):[0-5][0-9])"
)
_URI = re.compile(
    r"[A-Za-z][A-Za-z0-9+.-]*:(?:[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+"
)
_HTTP = re.compile(r"https?:", re.IGNORECASE)
_HTTP_HOST = re.compile(r"https?://[^/?#]", re.IGNORECASE)
_EMAIL = re.compile(r"[^@\s\x00-\x1f]{1,64}@[^@\s\x00-\x1f.]+(?:\.[^@\s\x00-\x1f.]+)*")


def _is_date(text: str) -> bool:
    if not _DATE.fullmatch(text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _is_date_time(text: str) -> bool:
    time = _TIME.fullmatch(text[10:])
    if time is None or not _is_date(text[:10]):
        return False
    minute, second, _ = time.groups()
    try:
        # A leap second is allowed and Python has none.
        datetime.fromisoformat(f"2000-01-01T{minute}:{'59' if second == '60' else second}")
    except ValueError:
        return False
    return True


def _is_uri(text: str) -> bool:
    if _HTTP.match(text) and not _HTTP_HOST.match(text):
        return False
    return _URI.fullmatch(text) is not None


def _is_uri_reference(text: str) -> bool:
    try:
        urlsplit(text)
    except ValueError:
        return False
    return True


def _is_email(text: str) -> bool:
    return _EMAIL.fullmatch(text) is not None


def _is_regex(text: str) -> bool:
    try:
        re.compile(text)
    except (re.error, RecursionError, OverflowError):
        return False
    return True


CHECKS: Final[Mapping[str, Callable[[str], bool]]] = {
    "uri": _is_uri,
    "uri-reference": _is_uri_reference,
    "date": _is_date,
    "date-time": _is_date_time,
    "email": _is_email,
    "regex": _is_regex,
}
"""By name. Source: RFC 3986 appendix A, RFC 3339 section 5.6, RFC 5321 section 4.1.2."""

NAMES: Final[Mapping[str, str]] = {
    "uri": "a URI such as https://example.org/path",
    "uri-reference": "a URI or a path",
    "date": "a date such as 2026-12-31",
    "date-time": "a date and time such as 2026-12-31T23:59:00Z",
    "email": "an e-mail address",
    "regex": "a regular expression",
}
