"""Requests as they came in, and how two readings of one stream differ."""

from __future__ import annotations

import base64
import collections
import difflib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

_OWN = frozenset(
    (
        *("user-agent", "accept-encoding", "connection", "host", "content-length", "accept"),
        *("proxy-connection", "proxy-authorization", "transfer-encoding", "keep-alive", "cookie"),
        "x-compare-stream",
    )
)
"""Headers that say nothing about what is asked for."""
_SLACK = timedelta(seconds=90)


@dataclass(frozen=True)
class Asked:
    """One request."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    tag: str = ""
    """The stream that asks, where the program says it."""

    def header(self, name: str) -> str:
        """Return a header's value, empty where there is none."""
        return next((value for key, value in self.headers if key.lower() == name), "")

    @property
    def path(self) -> str:
        """Return the path, unquoted but for slashes, which are no ends of parts there."""
        return _unquote(urlsplit(self.url).path)

    @property
    def query(self) -> list[tuple[str, str]]:
        """Return the query's pairs."""
        return parse_qsl(urlsplit(self.url).query, keep_blank_values=True)

    @property
    def form(self) -> list[tuple[str, str]]:
        """Return the pairs of a form."""
        is_form = "form-urlencoded" in self.header("content-type")
        return parse_qsl(self.body.decode(), keep_blank_values=True) if is_form else []

    @property
    def json(self) -> Any:
        """Return the body as JSON, None where it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


@dataclass(frozen=True)
class Epoch:
    """When both sides ran; times of that time of day are the present time."""

    began: datetime
    ended: datetime

    def mask(self, text: str) -> str:
        """Replace the time of day of the present time, and of whole days before and behind it."""
        return _TIME.sub(self._mask_one, _NUMBER.sub(self._mask_number, text))

    def _mask_one(self, found: re.Match[str]) -> str:
        day, clock, rest = found.group(1), found.group(2).replace("%3A", ":"), found.group(3)
        hours = datetime.strptime(f"{day} {clock}", "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
        tail = re.sub(r"[0-9]", "0", rest)
        return f"{day}T(now){tail}" if self._is_now(hours) else found.group()

    def _mask_number(self, found: re.Match[str]) -> str:
        digits = found.group()
        seconds = int(digits) / 1000 if len(digits) == 13 else int(digits)
        at = datetime.fromtimestamp(seconds, UTC)
        return f"{at:%Y-%m-%d}({len(digits)} now)" if self._is_now(at) else digits

    def _is_now(self, at: datetime) -> bool:
        day = timedelta(days=1)
        span = (self.ended - self.began) + 2 * _SLACK
        return (at - (self.began - _SLACK)) % day <= span


_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d(?::|%3A)\d\d(?::|%3A)\d\d)((?:\.\d+)?)")
_NUMBER = re.compile(r"(?<![\d.])1[5-9]\d{8}(?:\d{3})?(?![\d])")


def _unquote(path: str) -> str:
    return unquote(re.sub("%2f", "%252F", path, flags=re.IGNORECASE))


def show(asked: Asked, epoch: Epoch) -> str:
    """Write a request as one text, the same for all that ask for the same."""
    parts = urlsplit(asked.url)
    lines = [f"{asked.method} {parts.scheme}://{parts.netloc.lower()}{_unquote(parts.path)}"]
    lines += sorted(f"? {name} = {value}" for name, value in asked.query)
    lines += sorted(
        f"{name.lower()}: {_show_header(name.lower(), value)}"
        for name, value in asked.headers
        if name.lower() not in _OWN and (asked.body or name.lower() != "content-type")
    )
    lines += _show_body(asked)
    return epoch.mask("\n".join(lines))


def _show_header(name: str, value: str) -> str:
    if name == "content-type":
        return value.partition(";")[0].strip().lower()
    token = re.fullmatch(r"(.*?)([\w-]+\.[\w-]+)\.[\w-]+", value)
    if token and token.group(2).startswith("eyJ"):
        return f"{token.group(1)}{_show_jwt(token.group(2))}"
    return value


def _show_jwt(text: str) -> str:
    parts = [json.loads(base64.urlsafe_b64decode(part + "==")) for part in text.split(".")]
    return json.dumps(parts, sort_keys=True)


def _show_body(asked: Asked) -> list[str]:
    if not asked.body:
        return []
    if asked.form:
        return sorted(f"> {name} = {_show_field(value)}" for name, value in asked.form)
    if asked.json is not None:
        return [
            "> " + line for line in json.dumps(asked.json, indent=1, sort_keys=True).split("\n")
        ]
    return [f"> {asked.body.decode(errors='replace')}"]


def _show_field(value: str) -> str:
    return _show_header("", value)


@dataclass(frozen=True)
class Difference:
    """What two readings of one stream do not have in common."""

    theirs: tuple[str, ...]
    """Requests that only they make."""
    ours: tuple[str, ...]
    same: int
    again: int = 0
    """How many requests airbyte-cdk makes that it has made already, word for word: so it does where
    a parent gives a record twice."""

    @property
    def is_none(self) -> bool:
        """Tell whether there is none."""
        return not self.theirs and not self.ours

    def __str__(self) -> str:
        """Print each request of theirs beside the nearest of ours."""
        ours, told = list(self.ours), []
        for text in self.theirs[:_SHOWN]:
            near = max(ours, key=lambda each: _nearness(each, text), default=None)
            if near is None:
                told.append(f"only theirs:\n{text}")
                continue
            ours.remove(near)
            lines = difflib.ndiff(text.split("\n"), near.split("\n"))
            told.append("\n".join(line for line in lines if not line.startswith("?")))
        told += [f"only ours:\n{text}" for text in ours[:_SHOWN]]
        more = len(self.theirs) + len(self.ours)
        return "\n".join(
            [*told, f"({len(self.theirs)} of theirs, {more - len(self.theirs)} of ours)"]
        )


_SHOWN = 2


def _nearness(one: str, other: str) -> int:
    return len(set(one.split("\n")) & set(other.split("\n")))


def compare(theirs: Iterable[Asked], ours: Iterable[Asked], epoch: Epoch) -> Difference:
    """Compare two readings; the order in which partitions are read is nobody's business."""
    left = collections.Counter(show(asked, epoch) for asked in theirs)
    right = collections.Counter(show(asked, epoch) for asked in ours)
    both = left & right
    more = left - right
    again = {text: count for text, count in more.items() if text in both}
    return Difference(
        tuple(sorted((more - collections.Counter(again)).elements())),
        tuple(sorted((right - left).elements())),
        sum(both.values()),
        sum(again.values()),
    )
