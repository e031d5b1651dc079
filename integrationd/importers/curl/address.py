"""The address of a command line: host, path with ids in it, and query."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlsplit

from integrationd.config.nodes import Position
from integrationd.importers.curl.asked import Asked
from integrationd.importers.curl.words import CommandError
from integrationd.importers.guessing import to_singular
from integrationd.importers.hidden import Hidden, looks_secret
from integrationd.importers.literals import to_template
from integrationd.importers.naming import distinct, to_word
from integrationd.model.json import Json

_VARIABLE: Final = re.compile(r"\$\{?(\w+)\}?|<([\w. -]+)>|\{(\w[\w-]*)\}|:([a-z]\w+)")
_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_VERSION: Final = re.compile(r"v\d[\w.]*|\d{4}-\d\d(?:-\d\d)?", re.IGNORECASE)
_GLOB: Final = re.compile(r"\[\d+-\d+|\{[^{}]*,[^{}]*\}")
_ROOTS: Final = frozenset({"", "api", "rest", "v"})


@dataclass(slots=True)
class Address:
    """Where a request goes."""

    origin: str
    path: str = ""
    """A template."""
    inputs: dict[str, Json] = field(default_factory=dict)
    """What stands for ids in the path, in their order."""
    ends_with_id: bool = False
    query: list[tuple[str, str]] = field(default_factory=list)
    """Names and values, decoded."""
    literal: str = ""
    """A query that is no list of names and values, as it stands."""
    user: str | None = None
    resource: str = ""
    """What the path is about."""


def read_address(asked: Asked, hidden: Hidden) -> Address:
    """Read the URL.

    Raises:
        CommandError: There is none, or none that can be asked.
    """
    place = asked.url_position or asked.position
    url, parts = _split(asked, place)
    if asked.is_glob and _GLOB.search(url):
        asked.report.lose(place, "several addresses in one; say each as a call of its own")
    host, port = str(parts.hostname), parts.port
    shown = f"[{host}]" if ":" in host else host
    address = Address(f"{parts.scheme.lower()}://{shown}{'' if port is None else f':{port}'}")
    if parts.username is not None:
        address.user = unquote(parts.username)
        if parts.password is not None:
            address.user += f":{unquote(parts.password)}"
    _read_path(address, parts.path, asked, hidden)
    _read_query(address, parts.query, asked)
    return address


def _split(asked: Asked, place: Position) -> tuple[str, SplitResult]:
    url = asked.url
    if not url:
        raise CommandError(f"{asked.position}: no URL in the command")
    if not re.match(r"[a-z][a-z0-9+.-]*://", url, re.IGNORECASE):
        url = f"http://{url}"
    try:
        parts = urlsplit(url.strip())
        host, _port = parts.hostname, parts.port
    except ValueError:
        raise CommandError(f"{place}: the URL cannot be read") from None
    if parts.scheme.lower() not in ("http", "https") or not host:
        raise CommandError(f"{place}: expected a URL that begins with http:// or https://")
    if not re.fullmatch(r"[\w.-]+|[0-9a-f:.]+", host, re.ASCII):
        message = f"{place}: the host is no name; put it in place of what stands for it"
        raise CommandError(message)
    return url, parts


def _read_path(address: Address, path: str, asked: Asked, hidden: Hidden) -> None:
    position = asked.url_position or asked.position
    written: list[str] = []
    before = ""
    for segment in _without_dots(path).split("/")[1:]:
        text = unquote(segment)
        variable = _VARIABLE.fullmatch(text)
        address.ends_with_id = False
        if variable is not None or _is_id(text, before):
            name = next((each for each in variable.groups() if each), "") if variable else ""
            word = to_word(name or f"{to_singular(before.lower())}_id", "value")
            word = distinct(word, address.inputs)
            address.inputs[word] = {"type": "string"}
            address.ends_with_id = True
            written.append(f"{{{{ IDS.{word} }}}}")
            asked.report.note(position, f"part {len(written)} of the path is the value {word!r}")
        elif looks_secret(text):
            secret = hidden.hide(
                "path_token", text, f"part {len(written) + 1} of the path", position
            )
            written.append(secret)
        else:
            written.append(to_template(quote(segment, safe="%!$&'()*+,;=:@~-._{}")))
            if not _VERSION.fullmatch(text) and text.lower() not in _ROOTS:
                before = text.partition(".")[0]
    address.path = "/" + "/".join(written)
    address.resource = before


def _without_dots(path: str) -> str:
    """Return a path as curl asks it, without ``.`` and ``..``; RFC 3986 section 5.2.4."""
    kept: list[str] = []
    segments = (path or "/").split("/")[1:]
    for at, segment in enumerate(segments):
        if segment == "..":
            kept = kept[:-1]
        elif segment != ".":
            kept.append(segment)
        if segment in (".", "..") and at == len(segments) - 1:
            kept.append("")
    return "/" + "/".join(kept)


def _is_id(text: str, before: str) -> bool:
    """Tell whether a part of a path stands for one of what is before it."""
    if _VERSION.fullmatch(text) or before.lower() in _ROOTS:
        return False
    has_both = re.search(r"\d", text) and re.search(r"[A-Za-z]", text)
    is_mixed = bool(has_both) and re.fullmatch(r"[A-Za-z]{1,5}_\w{6,}|[0-9A-HJKMNP-TV-Z]{26}", text)
    return bool(re.fullmatch(r"\d+", text) or _UUID.fullmatch(text) or is_mixed)


def _read_query(address: Address, query: str, asked: Asked) -> None:
    pieces = [each for each in (query, *asked.query) if each]
    if asked.in_query:
        pieces += [each for each in asked.data if each]
    whole = "&".join(pieces)
    if not whole:
        return
    if all("=" in each and not each.startswith("=") for each in whole.split("&")):
        address.query = parse_qsl(whole, keep_blank_values=True)
    else:
        address.literal = whole
