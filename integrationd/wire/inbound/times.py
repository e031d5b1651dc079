"""The time at which a sender says that it signed, held against the time of receipt."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from enum import StrEnum
from typing import ClassVar, Final

from integrationd.errors import SignatureError
from integrationd.wire import signable
from integrationd.wire.inbound.candidates import Source
from integrationd.wire.messages import Call

_SECONDS: Final = re.compile(r"[0-9]{1,11}")
_MILLISECONDS: Final = re.compile(r"[0-9]{1,14}")
_RFC3339: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})"
)
_HTTP_DATE: Final = re.compile(
    r"[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT"
)


class TimeFormat(StrEnum):
    """How a time is written."""

    UNIX = "unix"
    """Whole seconds since 1970, digits alone."""
    UNIX_MS = "unix_ms"
    RFC3339 = "rfc3339"
    HTTP_DATE = "http_date"
    """RFC 9110 section 5.6.7, as in the ``Date`` header."""

    def read(self, text: str) -> float | None:
        """Return seconds since 1970; None where it is written in any other way."""
        if self is TimeFormat.UNIX:
            return float(text) if _SECONDS.fullmatch(text) else None
        if self is TimeFormat.UNIX_MS:
            return int(text) / 1000 if _MILLISECONDS.fullmatch(text) else None
        try:
            if self is TimeFormat.RFC3339:
                read = datetime.fromisoformat if _RFC3339.fullmatch(text) else None
            else:
                read = parsedate_to_datetime if _HTTP_DATE.fullmatch(text) else None
            return None if read is None else read(text).timestamp()
        except (ValueError, OverflowError):
            return None

    def write(self, moment: datetime) -> str:
        """Write a time."""
        if self is TimeFormat.UNIX:
            return str(int(moment.timestamp()))
        if self is TimeFormat.UNIX_MS:
            return str(int(moment.timestamp() * 1000))
        in_utc = moment.astimezone(UTC)
        if self is TimeFormat.RFC3339:
            return signable.rfc3339(in_utc)
        return format_datetime(in_utc, usegmt=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timestamp(Source):
    """Where the time stands, how it is written and how old it may be.

    In ``signed`` it is ``{{ timestamp }}``, as it was written: a time that is not signed proves
    nothing.
    """

    what: ClassVar[str] = "a time"

    format: TimeFormat = TimeFormat.UNIX
    """``unix`` (whole seconds), ``unix_ms``, ``rfc3339`` or ``http_date``."""
    tolerance: timedelta = timedelta(minutes=5)
    """How long before the receipt it may lie."""
    future: timedelta | None = None
    """How long after the receipt it may lie; as ``tolerance`` by default."""

    def read(self, call: Call, now: datetime) -> str:
        """Return the time as it was written.

        Raises:
            SignatureError: It is missing, cannot be read, or lies outside of what is allowed.
        """
        text = self.read_texts(call)[0]
        seconds = self.format.read(text)
        shown = " or ".join(map(str, self.places))
        if seconds is None:
            raise SignatureError(f"{shown} is no time, expected {_LOOKS[self.format]}")
        check_age(shown, seconds, now, self.tolerance, self.future)
        return text


def check_age(
    where: str,
    seconds: float,
    now: datetime,
    tolerance: timedelta,
    future: timedelta | None = None,
) -> None:
    """Hold a time, in seconds since 1970, against the time of receipt.

    Raises:
        SignatureError: It lies too far before or behind it.
    """
    age = now.timestamp() - seconds
    ahead = tolerance if future is None else future
    if age > tolerance.total_seconds():
        told = f"{where} is {age:,.0f} s old, expected at most {tolerance.total_seconds():,.0f}"
        raise SignatureError(f"{told}; an old call that came again, or a clock that is wrong")
    if -age > ahead.total_seconds():
        told = f"{where} is {-age:,.0f} s ahead, expected at most {ahead.total_seconds():,.0f}"
        raise SignatureError(f"{told}; is one of the clocks wrong?")


_LOOKS: Final = {
    TimeFormat.UNIX: "whole seconds since 1970 in digits",
    TimeFormat.UNIX_MS: "milliseconds since 1970 in digits",
    TimeFormat.RFC3339: "one such as 2026-11-21T08:00:00Z",
    TimeFormat.HTTP_DATE: "one such as Sat, 21 Nov 2026 08:00:00 GMT",
}
