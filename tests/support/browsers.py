"""A browser without a screen: follows redirects, keeps cookies, fills in forms and sends them."""

from __future__ import annotations

import html
import re
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from http.cookiejar import CookieJar
from typing import Any

_FORM = re.compile(r"<form(?P<head>[^>]*)>(?P<body>.*?)</form>", re.DOTALL)
_INPUT = re.compile(r"<input(?P<said>[^>]*)>", re.DOTALL)
_SAID = re.compile(r'([\w-]+)="([^"]*)"')
STEPS_MAX = 20


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        """Follow nothing: what leads elsewhere is to be seen."""


@dataclass
class Seen:
    """What a browser shows."""

    url: str
    status: int
    text: str
    headers: dict[str, str] = field(default_factory=dict)


class Browser:
    """One person's."""

    def __init__(self, *, stops_at: str = "") -> None:
        """Begin without cookies.

        Args:
            stops_at: An address is not followed, as from another machine, that begins so.
        """
        jar = urllib.request.HTTPCookieProcessor(CookieJar())
        self._opener = urllib.request.build_opener(_Stay(), jar)
        self._stops_at = stops_at

    def open(self, url: str, form: dict[str, str] | None = None) -> Seen:
        """Open an address, and all that it leads to."""
        for _ in range(STEPS_MAX):
            if self._stops_at and url.startswith(self._stops_at):
                return Seen(url, 0, "cannot be reached")
            data = None if form is None else urllib.parse.urlencode(form).encode()
            try:
                answer = self._opener.open(url, data, timeout=60)
            except urllib.error.HTTPError as other:
                answer = other
            with answer:
                text, headers = answer.read().decode(), dict(answer.headers)
                location = answer.headers.get("location")
                if answer.status not in (301, 302, 303, 307) or location is None:
                    return Seen(url, answer.status, text, headers)
                url, form = urllib.parse.urljoin(url, location), None
        raise AssertionError(url)

    def send(self, seen: Seen, **filled: str) -> Seen:
        """Send the first form of what is shown."""
        form = _FORM.search(seen.text)
        assert form is not None, seen.text
        fields = {}
        for each in _INPUT.finditer(form["body"]):
            said = dict(_SAID.findall(each["said"]))
            if "name" in said:
                fields[said["name"]] = html.unescape(said.get("value", ""))
        action = dict(_SAID.findall(form["head"])).get("action", seen.url)
        target = urllib.parse.urljoin(seen.url, html.unescape(action))
        return self.open(target, {**fields, **filled})

    def consent(self, url: str, name: str = "ann") -> Seen:
        """Log in at an address and agree to what is asked, until no form is shown any more."""
        seen = self.open(url)
        for _ in range(STEPS_MAX):
            if "<form" not in seen.text:
                return seen
            asks_name = 'name="login"' in seen.text
            seen = self.send(seen, **({"login": name, "password": "pw"} if asks_name else {}))
        raise AssertionError(seen.text)
