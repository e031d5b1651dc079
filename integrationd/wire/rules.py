"""What a spec says of a provider's failures: ``errors``, for what a status alone does not tell."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Annotated, ClassVar, Final, Literal, Self

from integrationd.config.decode import Invalid, Site, decode_fields
from integrationd.config.leaves import decode_duration
from integrationd.config.nodes import Fields, Node
from integrationd.config.sites import Written
from integrationd.config.syntax import UNPRINTABLE, escape_character
from integrationd.errors import ExpressionError
from integrationd.model.json import Json
from integrationd.model.secret import reveal
from integrationd.transform.expression import Expression
from integrationd.transform.scopes import Reference, Scope
from integrationd.transform.template import Template
from integrationd.wire.judge import WAIT_MAX_S, Outcome, Verdict
from integrationd.wire.tokens import REPLY, is_true

MESSAGE_MAX: Final = 500
"""Characters of a provider's own words in a message."""
_SEEN: Final = Scope(("status", "headers", "body"))
_NUMBER: Final = re.compile(r"[0-9]{1,18}(?:\.[0-9]{1,9})?")


class Then(StrEnum):
    """What a failure means."""

    RETRY = "retry"
    """Try again, after longer and longer waits, as often as ``retries`` says."""
    WAIT = "wait"
    """Try again after the time that ``wait`` or ``Retry-After`` names; nobody asks meanwhile."""
    REAUTHENTICATE = "reauthenticate"
    """Get a fresh token and try once more; where there is no token to renew, as ``fail``."""
    SKIP = "skip"
    """This request gives nothing, and that is no failure; a reading with one deletes nothing."""
    ACCEPT = "accept"
    """This is no failure, whatever its status: the records of the answer count."""
    FAIL = "fail"
    """This request, or this part of a reading, fails; others go on."""
    STOP = "stop"
    """The whole run ends, failed."""
    RESTART = "restart"
    """The cursor is too old: this run ends and the stream is read in full at once. Where no cursor
    was sent, as ``fail``."""


Kind = Literal["auth", "rate", "temporary", "permanent"]
_KINDS: Final[Mapping[Then, Kind]] = {
    Then.RETRY: "temporary",
    Then.WAIT: "rate",
    Then.REAUTHENTICATE: "auth",
}
_VERDICTS: Final = {
    Then.RETRY: Verdict.RETRY,
    Then.WAIT: Verdict.RETRY,
    Then.REAUTHENTICATE: Verdict.REAUTHENTICATE,
    Then.ACCEPT: Verdict.ACCEPTED,
    Then.SKIP: Verdict.SKIPPED,
    Then.FAIL: Verdict.REFUSED,
    Then.STOP: Verdict.STOPPED,
    Then.RESTART: Verdict.EXPIRED,
}


class WaitFormat(StrEnum):
    """How a provider says how long to wait, or until when."""

    SECONDS = "seconds"
    MS = "ms"
    UNIX = "unix"
    """A moment, in seconds since 1970."""
    UNIX_MS = "unix_ms"
    """A moment, in milliseconds since 1970."""
    DATE = "date"
    """A moment, as HTTP or ISO 8601 write it; without a zone it is UTC."""


_SCALES: Final = {
    WaitFormat.SECONDS: (1, False),
    WaitFormat.MS: (1000, False),
    WaitFormat.UNIX: (1, True),
    WaitFormat.UNIX_MS: (1000, True),
    WaitFormat.DATE: (1, True),
}
"""How many of it are a second, and whether it is a moment rather than a span."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """Where an answer says how long to wait, or until when."""

    value: Annotated[Expression, REPLY]
    """Finds it, ``headers."x-ratelimit-reset"``."""
    format: WaitFormat = WaitFormat.SECONDS
    """What is found there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """How long to wait: ``30s``, or where the answer says it."""

    FORM: ClassVar[Written] = Written((timedelta, _Found))

    fixed: timedelta | None = None
    """Written as the whole value, ``wait: 30s``."""
    value: Annotated[Expression | None, REPLY] = None
    """Finds it in the answer, ``headers."x-ratelimit-reset"``."""
    format: WaitFormat = WaitFormat.SECONDS
    """What is found there."""

    @classmethod
    def decode_node(cls, node: Node, site: Site) -> Self | Invalid:
        """Read a duration, or an object with ``value``."""
        if isinstance(node, Fields):
            found = decode_fields(node, _Found, site)
            if isinstance(found, Invalid):
                return found
            return cls(value=found.value, format=found.format)
        fixed = decode_duration(node, site)
        return fixed if isinstance(fixed, Invalid) else cls(fixed=fixed)

    def seconds(self, reply: Mapping[str, Json], now: datetime) -> float | None:
        """Return how long, never less than 0; None where the answer does not say it."""
        if self.fixed is not None:
            return self.fixed.total_seconds()
        assert self.value is not None
        try:
            found = self.value.search(dict(reply), {})
        except ExpressionError:
            return None
        number = _read_date(found) if self.format is WaitFormat.DATE else read_number(found)
        if number is None:
            return None
        per_second, is_moment = _SCALES[self.format]
        return max(number / per_second - (now.timestamp() if is_moment else 0.0), 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorRule:
    """One rule; the first whose ``when`` holds decides, before the status does.

    A status that no rule names means what HTTP says: 429, 408, 425, 500 and 502 to 504 are tried
    again, every other one that is no success is refused.

    Source:
        Moodle and Slack report errors with status 200; GitHub has the end of a limit in
        ``x-ratelimit-reset``.
    """

    when: Annotated[Expression, REPLY]
    """Holds over ``{status, headers, body}``; one that cannot be evaluated does not hold."""
    then: Then
    """retry, wait, reauthenticate, skip, fail, stop or restart."""
    kind: Kind | None = None
    """``auth``, ``rate``, ``temporary`` or ``permanent``; what fits ``then`` by default."""
    message: Annotated[Template | None, _SEEN] = None
    """What people are told, ``{{ body.message }}``; the request and the status by default."""
    wait: Wait | None = None
    """With ``wait`` or ``retry``: how long. ``Retry-After`` by default."""

    @property
    def references(self) -> tuple[Reference, ...]:
        """Return none: it names only what the answer has, and was checked for that."""
        return ()

    def check(self, node: Fields, site: Site) -> Invalid | None:
        """Refuse ``wait`` where nothing is waited for."""
        if self.wait is None or self.then in (Then.RETRY, Then.WAIT):
            return None
        message = f"{site.path} has 'wait', which goes with 'then: wait' or 'then: retry' alone"
        return site.refuse(node.key_position("wait"), "E114", message)

    def holds(self, reply: Mapping[str, Json]) -> bool:
        """Tell whether the rule is about this answer."""
        try:
            return is_true(self.when.search(dict(reply), {}))
        except ExpressionError:
            return False

    def judge(self, reply: Mapping[str, Json], plain: Outcome, now: datetime) -> Outcome:
        """Return what the rule makes of an answer.

        Args:
            reply: The answer, decoded.
            plain: What its status alone means: where it was asked, and ``Retry-After``.
            now: For a wait that is given as a moment.
        """
        asked_s = None if self.wait is None else self.wait.seconds(reply, now)
        said = self._say(reply)
        kind: str = self.kind or _KINDS.get(self.then, "permanent")
        if self.then is Then.ACCEPT:
            kind = ""
        return Outcome(
            verdict=_VERDICTS[self.then],
            kind=kind,
            message=f"{plain.message}: {said}" if said else plain.message,
            wait_s=plain.wait_s if asked_s is None else min(asked_s, WAIT_MAX_S),
            status=plain.status,
            undone=plain.undone or kind == "rate",
        )

    def _say(self, reply: Mapping[str, Json]) -> str:
        if self.message is None:
            return ""
        try:
            text = reveal(self.message.render_text(reply) or "")
        except ExpressionError:
            return ""  # a message that cannot be made must not hide the failure itself
        line = " ".join(text.split())[:MESSAGE_MAX]
        return UNPRINTABLE.sub(lambda found: escape_character(found.group()), line)


def find_rule(rules: Iterable[ErrorRule], reply: Mapping[str, Json]) -> ErrorRule | None:
    """Return the first rule that holds."""
    return next((rule for rule in rules if rule.holds(reply)), None)


def read_number(value: Json) -> float | None:
    """Return a number that is not below 0, which a header writes as text; None for others."""
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        return float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value < math.inf else None


def _read_date(value: Json) -> float | None:
    """Return the seconds since 1970 of a moment written as HTTP or ISO 8601 write it."""
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            moment = read(value.strip() if isinstance(value, str) else "")
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    return None
