"""A real exchange made fit to be shown: nothing in it that gives access, few people, short texts.

The same text becomes the same made-up one wherever it stands, so that what hangs together still
does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias
from urllib.parse import parse_qsl, urlsplit

from integrationd.config.hiding import names_secret
from integrationd.model.json import Json
from integrationd.model.secret import forms_of

KEPT_MAX: Final = 3
"""Items that are left of a list of objects: the first, and the last, as paging may hang on it."""
TEXT_MAX: Final = 200
"""Characters that are left of a text inside such an item."""
_SIGNED: Final = re.compile(
    r"(?i)x-amz-.*|oauth_.*|.*signature|sig|sign|hmac|.*nonce|timestamp|ts|expires|policy|code"
    r"|.*[-_.]?(?:token|secret|password|key)"
)
"""Parameters that sign a URL or give access by it."""
_GRANTED: Final = "made-up-oauth2"
"""Stands for tokens, which a case has others of."""
_MAIL: Final = re.compile(r"[A-Za-z0-9._%+'-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_PARAMETER: Final = re.compile(r"([?&#])([^=&#\s\"'<>]+)=([^&#\s\"'<>]*)")
_LOGIN: Final = re.compile(r"(://[^\s/@:\"'<>]*):[^\s/@\"'<>]+@")
"""Who asks, and the password that an address has for it."""
_HEADERS: Final = re.compile(
    r"content-type|link|retry-after|etag|last-modified|location"
    r"|x-(?:.*-)?(?:total|page|next|count|pagination|ratelimit|rate-limit|limit|remaining).*"
)
"""Headers that paging, limits and conditions hang on."""
_IDLE: Final = frozenset(
    {
        *("date", "server", "content-length", "content-encoding", "connection", "keep-alive"),
        *("transfer-encoding", "vary", "via", "cache-control", "strict-transport-security"),
    }
)
_DIGITS: Final = 16
Cut: TypeAlias = Literal["items", "fields", "nothing"]
_NEVER: Final = re.compile(
    r"set-cookie|cookie|.*auth.*|.*token.*|.*secret.*|.*key.*|.*session.*|.*sig.*|.*csrf.*|.*user.*"
)


@dataclass(slots=True)
class Scrubber:
    """Replaces what must not be shown, the same text by the same each time."""

    secrets: Mapping[str, str] = field(repr=False)
    """Texts that give access, and what stands in their place."""
    origins: Mapping[str, str]
    """Addresses, ``https://host:port``, and what stands in their place."""
    cut: Cut = "nothing"
    """What is done about the other items of a list of objects: they are left out, or only the
    fields that are needed are left of them."""
    needed: frozenset[str] = frozenset()
    """Names of fields that paging, keys and cursors may read."""
    numbers: Mapping[int, int] = field(default_factory=dict)
    """Totals, and what they are once items are left out."""
    people: dict[str, str] = field(default_factory=dict, repr=False)
    """E-mail addresses, and what stands in their place."""
    _forms: list[tuple[str, str]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """List every way in which a secret may be written, the longest first."""
        forms: dict[str, str] = {}
        for secret, instead in self.secrets.items():
            forms.update(dict.fromkeys(forms_of(secret), instead))
            forms[secret] = instead
        self._forms = sorted(forms.items(), key=lambda pair: -len(pair[0]))

    def text(self, text: str) -> str:
        """Scrub a text."""
        for form, instead in self._forms:
            text = text.replace(form, instead)
        for origin, instead in self.origins.items():
            text = text.replace(origin, instead)
        text = _PARAMETER.sub(_hide_parameter, text)
        return _LOGIN.sub(r"\1:made-up@", _MAIL.sub(self._name_person, text))

    def json(self, value: Json, *, inside: bool = False) -> Json:
        """Scrub a value: names that say that a secret stands there hide it, whatever it is."""
        if isinstance(value, str):
            text = self.text(value)
            return text[:TEXT_MAX] if inside and self.cut != "nothing" else text
        if isinstance(value, dict):
            return {
                self.text(name): self._hide(item, f"made-up-{name}")
                if names_secret(name)
                else self.json(item, inside=inside)
                for name, item in value.items()
            }
        if isinstance(value, list):
            return [self.json(item, inside=True) for item in self._cut(value)]
        if type(value) is int and not inside:
            return self.numbers.get(value, value)
        return value

    def _hide(self, value: Json, instead: str) -> Json:
        """Return a value without what it says; whether there is something stays to be seen."""
        if isinstance(value, str):
            return instead if value else value
        if isinstance(value, dict):
            return {self.text(name): self._hide(item, instead) for name, item in value.items()}
        if isinstance(value, list):
            return [self._hide(item, instead) for item in value]
        return value if value is None or isinstance(value, bool) else 0

    def _cut(self, items: list[Json]) -> list[Json]:
        if self.cut == "nothing" or not is_long(items):
            return items
        first, others, last = items[: KEPT_MAX - 1], items[KEPT_MAX - 1 : -1], items[-1]
        if self.cut == "items":
            return [*first, last]
        bare = [
            {name: value for name, value in item.items() if name in self.needed} for item in others
        ]
        return [*first, *bare, last]

    def headers(self, headers: Mapping[str, str], *, few: bool) -> dict[str, str]:
        """Return the headers of an answer that may be shown; ``few`` keeps the usual ones alone."""
        return {
            name: self._number(self.text(value))
            for name, value in headers.items()
            if not _NEVER.fullmatch(name)
            and name not in _IDLE
            and (not few or _HEADERS.fullmatch(name))
        }

    def query(self, query: str) -> dict[str, Json]:
        """Return the parameters of a query that the next one who asks sends as well."""
        found: dict[str, Json] = {}
        for name, value in parse_qsl(query, keep_blank_values=True):
            scrubbed = self.text(value)
            if _GRANTED in scrubbed or (
                _SIGNED.fullmatch(name) and scrubbed not in self.secrets.values()
            ):
                continue
            if name in found:
                before = found[name]
                found[name] = [*(before if isinstance(before, list) else [before]), scrubbed]
            else:
                found[name] = scrubbed
        return found

    def find_leaks(self, text: str) -> Iterator[str]:
        """Yield what stands in place of each secret that is in a text all the same."""
        made_up = set(self.secrets.values())
        for form, instead in self._forms:
            if form in text and not any(form in one for one in made_up):
                yield instead

    def _number(self, text: str) -> str:
        number = int(text) if text.isascii() and text.isdigit() and len(text) < _DIGITS else None
        return text if number is None else str(self.numbers.get(number, number))

    def _name_person(self, found: re.Match[str]) -> str:
        if found[0].endswith(("@example.org", ".test")):
            return found[0]
        return self.people.setdefault(found[0], f"person-{len(self.people) + 1}@example.org")


def is_long(value: Json) -> bool:
    """Tell whether a value is a list of more objects than are left of it."""
    return (
        isinstance(value, list)
        and len(value) > KEPT_MAX
        and all(isinstance(item, dict) for item in value)
    )


def find_numbers(bodies: Sequence[Json]) -> dict[int, int]:
    """Return how many items all answers have together, and how many once they are cut.

    A total that an answer says is the same number, and paging may hang on it.
    """
    lists = [found for body in bodies for found in _lists(body)]
    whole = sum(map(len, lists))
    left = sum(min(len(found), KEPT_MAX) if is_long(found) else len(found) for found in lists)
    return {whole: left} if whole > left else {}


def _lists(value: Json) -> list[list[Json]]:
    """Return the outermost lists of objects inside a value."""
    if isinstance(value, list):
        return [value] if value and all(isinstance(item, dict) for item in value) else []
    if isinstance(value, dict):
        return [found for item in value.values() for found in _lists(item)]
    return []


def _hide_parameter(found: re.Match[str]) -> str:
    """Hide what a URL inside a text holds that signs it or gives access."""
    sign, name, value = found.groups()
    hidden = _SIGNED.fullmatch(name) and value and not value.startswith("made-up")
    return f"{sign}{name}={'made-up' if hidden else value}"


def origin_of(url: str) -> str:
    """Return the beginning of an address, up to its path; empty where it is none."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}" if parts.scheme and parts.netloc else ""


def is_url(value: Json) -> bool:
    """Tell whether a value of the configuration is an address."""
    return isinstance(value, str) and value.startswith(("http://", "https://"))
