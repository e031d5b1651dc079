"""A person's consent at a played provider: nobody is asked, the answer is what the options say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from typing_extensions import override

from integrationd.model.json import Json
from integrationd.model.secret import Secret, reveal
from integrationd.testing.inspecting import (
    USED_UP,
    Wrong,
    answer_json,
    refuse_token,
)
from integrationd.testing.tokens import TokenBooth
from integrationd.transform.template import Template
from integrationd.wire.attempt import Attempt
from integrationd.wire.consent import challenge_of
from integrationd.wire.grant_types import Grant
from integrationd.wire.messages import Answer, Call, Request

DEVICE_PAGE: Final = "/played-device"
"""Where a person would type in a code."""
POLLS: Final = 2
"""How often one has to ask until consent on another device is given."""
_INTERVAL_S: Final = 1
_LIFETIME_S: Final = 600
_CHALLENGE_SIGNS: Final = 43
"""Of a digest by SHA-256 in base64, RFC 7636 section 4.2."""
_LINE: Final = "play-refresh-"
"""Begins each refresh token; behind it the number of the consent and how often it was rotated."""
_PAGE: Final = "<!DOCTYPE html><html><head><title>{0}</title></head><body>{0}</body></html>"


@dataclass(frozen=True, slots=True)
class Ticket:
    """A code that a browser was sent back with, good for one token."""

    redirect: str
    challenge: str
    """Of PKCE; empty without."""


@dataclass(slots=True, kw_only=True)
class ConsentBooth(TokenBooth):
    """Sends browsers back, gives codes to devices, and grants tokens for both.

    Source:
        RFC 6749 sections 4.1, 5.2 and 6; RFC 7636 section 4; RFC 8628 section 3.
    """

    consents: int = 0
    """How many were given."""
    tickets: dict[str, Ticket] = field(default_factory=dict)
    """By their codes."""
    devices: dict[str, int] = field(default_factory=dict)
    """How often each device has asked, by its code; one that has its token is gone."""
    codes: int = 0
    """How many devices have come."""
    lines: dict[int, int] = field(default_factory=dict)
    """How often the refresh token of a consent was rotated; one that is not in here was given
    before the player began, and whichever of its tokens comes first is taken."""

    @override
    def answer(self, call: Call, now_s: float) -> Answer | None:
        """Answer a browser, a device, or a request for a token; None for all others."""
        place = self._place_of(call)
        if place == "authorize":
            return self._send_back(call)
        if place == "device":
            return self._give_code(call)
        if place == "page":
            return _show(call, "The code is known. The player gives consent by itself.")
        if not place:
            return None
        granted = self._find_refresh(call, place)
        if isinstance(granted, Wrong):
            return refuse_token(call, granted)
        return self.grant(call, granted or None, now_s)

    @override
    def is_own(self, call: Call) -> bool:
        """Tell whether a call is about consent or tokens."""
        return bool(self._place_of(call))

    def _place_of(self, call: Call) -> str:
        """Return what a call is to: ``authorize``, ``device``, ``page``, ``token``, ``refresh``."""
        auth = self.auth
        templates: dict[str, tuple[str, Template | None]] = {
            "authorize": ("GET", None if auth.authorize is None else auth.authorize.url),
            "device": ("POST", None if auth.device is None else auth.device.url),
            "token": ("POST", auth.token_url),
            "refresh": ("POST", None if auth.refresh is None else auth.refresh.url),
        }
        for place, (method, template) in templates.items():
            if template is not None and (method, self._path_of(template)) == (
                call.method,
                call.path,
            ):
                return place
        is_page = call.path == DEVICE_PAGE and auth.device is not None
        return "page" if is_page and call.method == "GET" else ""

    def _path_of(self, template: Template) -> str:
        return unquote(urlsplit(reveal(template.render_text(self.variables) or "")).path or "/")

    def _send_back(self, call: Call) -> Answer:
        """Send a browser back with a code, or say on a page why it cannot be sent anywhere."""
        assert self.auth.authorize is not None
        query = {name: reveal(value) for name, value in call.query}
        redirect, state = query.get("redirect_uri", ""), query.get("state", "")
        own = self.auth.authorize.redirect
        if redirect != own.at(_port_of(redirect)):
            return _show(call, f"redirect_uri is {redirect!r}, expected {own}", is_good=False)
        if not state:
            return _show(call, "state is missing", is_good=False)
        wrong = self._find_wrong_query(query, redirect, state)
        brought = {"error": wrong.error, "error_description": wrong.said} if wrong else None
        if brought is None and self.options.refuse_consent:
            brought = {"error": "access_denied", "error_description": "the player says no"}
        if brought is None:
            self.consents += 1
            code = f"play-code-{self.consents}"
            self.tickets[code] = Ticket(redirect, query.get("code_challenge", ""))
            brought = {"code": code}
        sign = "&" if "?" in redirect else "?"
        location = f"{redirect}{sign}{urlencode({**brought, 'state': state})}"
        headers = {"location": location, "cache-control": "no-store"}
        return Answer(status=HTTPStatus.FOUND, headers=headers, body=b"", url=call.url)

    def _find_wrong_query(
        self, query: Mapping[str, str], redirect: str, state: str
    ) -> Wrong | None:
        assert self.auth.authorize is not None
        address = self.auth.authorize_address(self.variables, redirect, state, Secret("x"))
        expected = dict(parse_qsl(urlsplit(address).query, keep_blank_values=True))
        for name, value in expected.items():
            sent = query.get(name, "")
            is_there = len(sent) == _CHALLENGE_SIGNS if name == "code_challenge" else sent == value
            if not is_there:
                return Wrong("invalid_request", f"{name} is missing or another one")
        return None

    def _give_code(self, call: Call) -> Answer:
        """Give a device its code, and what a person would type in."""
        wrong = self.inspector.find_wrong(call, partial(self.auth.device_request, self.variables))
        if wrong is not None:
            return refuse_token(call, wrong)
        number = self.codes = self.codes + 1
        self.devices[f"play-device-{number}"] = 0
        body: dict[str, Json] = {
            "device_code": f"play-device-{number}",
            "user_code": f"PLAY-{number:04d}",
            "verification_uri": f"{self.origin}{DEVICE_PAGE}",
            "expires_in": _LIFETIME_S,
            "interval": _INTERVAL_S,
        }
        return answer_json(call, body)

    def _find_refresh(self, call: Call, place: str) -> str | Wrong:
        """Return the refresh token that goes with a token, empty for none, or what is wrong."""
        sent = self.inspector.fields(call.url, call.body)
        own = self.auth.grant.sent
        is_first = place == "token" and sent.get("grant_type") == own
        if not is_first:
            return self._renew(call, place, str(sent.get("refresh_token", "")))
        if self.auth.grant is Grant.DEVICE_CODE:
            return self._poll(call, str(sent.get("device_code", "")))
        return self._redeem(call, sent)

    def _redeem(self, call: Call, sent: Mapping[str, Json]) -> str | Wrong:
        code = str(sent.get("code", ""))
        ticket = self.tickets.get(code)
        if ticket is None:
            return Wrong("invalid_grant", "the code was not given, or was used already")
        handed = {"code": code, "redirect_uri": ticket.redirect}
        verifier = str(sent.get("code_verifier", ""))
        if ticket.challenge:
            handed["code_verifier"] = verifier
        wrong = self._find_wrong_first(call, handed)
        if wrong is not None:
            return wrong
        del self.tickets[code]
        if ticket.challenge and challenge_of(Secret(verifier)) != ticket.challenge:
            return Wrong("invalid_grant", "code_verifier is not the one of this login")
        return self._begin_line()

    def _poll(self, call: Call, code: str) -> str | Wrong:
        if code not in self.devices:
            return Wrong("expired_token", "the device code was not given, or was used already")
        wrong = self._find_wrong_first(call, {"device_code": code})
        if wrong is not None:
            return wrong
        self.devices[code] += 1
        if self.devices[code] < POLLS:
            return Wrong("authorization_pending", "nobody has typed in the code yet")
        if self.options.refuse_consent:
            return Wrong("access_denied", "the player says no")
        del self.devices[code]
        self.consents += 1
        return self._begin_line()

    def _find_wrong_first(self, call: Call, handed: Mapping[str, str]) -> Wrong | None:
        return self.inspector.find_wrong(
            call, partial(self.auth.first_request, self.variables, handed)
        )

    def _begin_line(self) -> str:
        self.lines[self.consents] = 0
        return _token(self.consents, 0)

    def _renew(self, call: Call, place: str, sent: str) -> str | Wrong:
        """Check a refresh token; returns the next one where they are rotated."""
        if place != self._renewal_place:
            return Wrong("unsupported_grant_type", "tokens are renewed elsewhere")

        def make(attempt: Attempt | None) -> Request:
            return self.auth.token_request(self.variables, Secret(sent), attempt)

        wrong = self.inspector.find_wrong(call, make)
        if wrong is not None:
            return wrong
        read = _read_token(sent)
        if read is None or self.lines.get(read[0], read[1]) != read[1]:
            return USED_UP
        number, turn = read
        self.consents = max(self.consents, number)
        self.lines[number] = turn + 1 if self.options.rotate_tokens else turn
        return _token(number, turn + 1) if self.options.rotate_tokens else ""

    @property
    def _renewal_place(self) -> str:
        has_own = self.auth.refresh is not None and self.auth.refresh.url is not None
        if not has_own:
            return "token"
        assert self.auth.refresh is not None
        assert self.auth.refresh.url is not None
        return "token" if self._path_of(self.auth.refresh.url) == self.path else "refresh"


def _token(number: int, turn: int) -> str:
    return f"{_LINE}{number}" + (f".{turn}" if turn else "")


def _read_token(text: str) -> tuple[int, int] | None:
    """Return the consent and the turn of a refresh token; None where it is none of ours."""
    number, _, turn = text.removeprefix(_LINE).partition(".")
    parts = (number, turn or "0")
    if not text.startswith(_LINE) or not all(one.isascii() and one.isdigit() for one in parts):
        return None
    return int(parts[0]), int(parts[1])


def _port_of(address: str) -> int | None:
    try:
        return urlsplit(address).port
    except ValueError:
        return None


def _show(call: Call, text: str, *, is_good: bool = True) -> Answer:
    status = HTTPStatus.OK if is_good else HTTPStatus.BAD_REQUEST
    plain = text.replace("&", "&amp;").replace("<", "&lt;")
    body = _PAGE.format(plain).encode()
    headers = {"content-type": "text/html; charset=utf-8"}
    return Answer(status=status, headers=headers, body=body, url=call.url)
