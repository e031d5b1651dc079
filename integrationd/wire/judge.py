"""What an answer means for the run: accepted, worth another try, or refused."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Final
from urllib.parse import urljoin, urlsplit

from integrationd.wire.messages import Answer, Request

WAIT_MAX_S: Final = 86_400.0
"""Longest wait that a provider can ask for: the day that many quotas are counted by."""

_SECONDS = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")
_RATE: Final = frozenset({429})
_PASSING: Final = frozenset({408, 425, 500, 502, 503, 504})
_UNKNOWN_CALLER: Final = 401
_FORBIDDEN: Final = 403
_BUSY: Final = 503
"""With ``Retry-After`` it says: not now, come back. Without, a balancer may say it of a server
that had begun."""
_NOT_MODIFIED: Final = 304
_CONDITIONS: Final = frozenset({"if-modified-since", "if-none-match"})
"""Whoever sends one of these asks whether there is anything new; 304 says that there is not."""
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_HOST = re.compile(r"[A-Za-z0-9._:\[\]-]{1,253}")


class Verdict(StrEnum):
    """What happens next. Whatever is not known is refused, not tried again."""

    ACCEPTED = "accepted"
    RETRY = "retry"
    REFUSED = "refused"
    STOPPED = "stopped"
    """Refused, and so would be whatever else the run asks for."""
    EXPIRED = "expired"
    """Refused, as a cursor or a page token that was kept is too old."""
    SKIPPED = "skipped"
    """Nothing came, and the spec says that this is no failure."""
    REAUTHENTICATE = "reauthenticate"
    """A fresh token may do; refused where there is none to be had."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One answer, judged."""

    verdict: Verdict
    kind: str = ""
    """auth, rate, temporary or permanent; empty where it was accepted."""
    message: str = ""
    """Names the request and the status; what a rule of the spec says of the failure may follow. No
    query and no header value is in it."""
    wait_s: float | None = None
    """What the provider asks to wait, capped; None where it does not say."""
    status: int | None = None
    """None where there was no answer at all."""
    undone: bool = False
    """It is sure that nothing was done: asking again cannot do it twice."""


def judge(answer: Answer, request: Request, now: datetime) -> Outcome:
    """Judge an answer by its status.

    Args:
        answer: What came back.
        request: What was asked; only its method is told.
        now: The current time, aware; a ``Retry-After`` may be a date.

    Source:
        RFC 9110 sections 13 and 15; RFC 6585 section 4 for 429; RFC 8470 section 5.2 for 425.
    """
    status = answer.status
    path = urlsplit(answer.url).path or "/"
    message = f"{request.method} {path} answered {status}"
    if 200 <= status < 300:  # noqa: PLR2004 - the class of success
        return Outcome(verdict=Verdict.ACCEPTED, message=message, status=status)
    if status == _NOT_MODIFIED and _CONDITIONS & request.headers.keys():
        return Outcome(verdict=Verdict.ACCEPTED, message=message, status=status)
    if status in _RATE or status in _PASSING:
        wait_s = parse_retry_after(answer.headers.get("retry-after", ""), now)
        return Outcome(
            verdict=Verdict.RETRY,
            kind="rate" if status in _RATE else "temporary",
            message=message,
            wait_s=wait_s,
            status=status,
            undone=status in _RATE or (status == _BUSY and wait_s is not None),
        )
    if status == _UNKNOWN_CALLER:
        return Outcome(verdict=Verdict.REAUTHENTICATE, kind="auth", message=message, status=status)
    if status in _REDIRECTS:
        message = f"redirects are not followed: {message}{_target(answer)}"
    kind = "auth" if status == _FORBIDDEN else "permanent"
    return Outcome(verdict=Verdict.REFUSED, kind=kind, message=message, status=status)


def parse_retry_after(text: str, now: datetime) -> float | None:
    """Return the seconds that a ``Retry-After`` asks for, from 0 to one day.

    Fractions of a second are not in the standard, but some providers send them. None where it
    cannot be read, so that a broken header means the same as none.

    Source:
        RFC 9110 section 10.2.3.
    """
    text = text.strip()
    if _SECONDS.fullmatch(text):
        return min(float(text), WAIT_MAX_S)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return min(max((moment - now).total_seconds(), 0.0), WAIT_MAX_S)


def _target(answer: Answer) -> str:
    """Name the host that a redirect leads to; the rest of its URL may hold a token."""
    location = answer.headers.get("location", "")
    try:
        host = urlsplit(urljoin(answer.url, location)).hostname or ""
    except ValueError:
        return ""
    return f" to {host}" if location and _HOST.fullmatch(host) else ""
