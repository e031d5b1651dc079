"""What goes wrong with a played provider: so often, and the same each time for one seed."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from http import HTTPStatus
from typing import Final, TypeAlias

from integrationd.testing.refusals import refuse
from integrationd.wire.messages import Answer, Call


class Fault(StrEnum):
    """One thing that goes wrong."""

    ERROR = "500"
    BUSY = "503"
    """With ``Retry-After``."""
    RATE = "429"
    """With ``Retry-After``."""
    CUT = "cut"
    """The connection ends in the middle of the answer."""
    HANG = "hang"
    """There is no answer at all."""
    EXPIRY = "401"
    """The token or session has ended; 500 where nothing of that kind was given."""
    HTML = "html"
    """A page for people, with status 200."""
    EMPTY = "empty"
    """An empty body, with status 200."""
    ITEM = "item"
    """One item says that it could not be read, where the spec has ``item_error``."""
    GONE = "410"
    """The cursor is too old, where the provider gave it itself or a feed is asked with it."""


class Broken(StrEnum):
    """What comes in the place of an answer."""

    CUT = "cut"
    HANG = "hang"


Played: TypeAlias = Answer | Broken

USUAL: Final = (Fault.ERROR, Fault.BUSY, Fault.RATE, Fault.CUT, Fault.EXPIRY)
"""What passes by itself: meant where only a share is said."""
_PAGE: Final = b"<!DOCTYPE html><html><head><title>Maintenance</title></head><body></body></html>"
_WAIT: Final = {"retry-after": "1"}
_PERCENT: Final = 100.0


@dataclass(frozen=True, slots=True)
class Faults:
    """How often what goes wrong: shares of all calls."""

    shares: Mapping[Fault, float] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> Faults | None:
        """Read ``5%``, or ``500:5%,cut:1%``; None where it is neither, or more than all."""
        shares: dict[Fault, float] = {}
        for part in text.split(","):
            name, colon, share = part.strip().rpartition(":")
            found = _read_share(share)
            if found is None or (colon and name not in {*Fault}):
                return None
            faults = [Fault(name)] if colon else [*USUAL]
            for fault in faults:
                shares[fault] = shares.get(fault, 0.0) + found / len(faults)
        return cls(shares) if sum(shares.values()) <= 1 else None

    def choose(self, seed: int, number: int) -> Fault | None:
        """Return what goes wrong with a call, by its number; None for most of them."""
        if not self.shares:
            return None
        rest = random.Random(f"{seed} fault {number}").random()  # noqa: S311 - to be repeated
        for fault, share in self.shares.items():
            rest -= share
            if rest < 0:
                return fault
        return None


NO_FAULTS: Final = Faults()


def answer_fault(fault: Fault, call: Call, challenge: Mapping[str, str]) -> Played:
    """Return what comes instead of an answer."""
    if fault in (Fault.CUT, Fault.HANG):
        return Broken(fault.value)
    if fault in _BODIES:
        kind, body = _BODIES[fault]
        return Answer(status=200, headers={"content-type": kind}, body=body, url=call.url)
    if fault is Fault.EXPIRY:
        return refuse(call, HTTPStatus.UNAUTHORIZED, "the token has ended", challenge)
    status, headers = _STATUSES[fault]
    return refuse(call, status, status.phrase.lower(), headers)


_BODIES: Final[Mapping[Fault, tuple[str, bytes]]] = {
    Fault.HTML: ("text/html; charset=utf-8", _PAGE),
    Fault.EMPTY: ("application/json", b""),
}
_STATUSES: Final[Mapping[Fault, tuple[HTTPStatus, Mapping[str, str]]]] = {
    Fault.ERROR: (HTTPStatus.INTERNAL_SERVER_ERROR, {}),
    Fault.BUSY: (HTTPStatus.SERVICE_UNAVAILABLE, _WAIT),
    Fault.RATE: (HTTPStatus.TOO_MANY_REQUESTS, _WAIT),
}


def _read_share(text: str) -> float | None:
    number, percent, rest = text.partition("%")
    try:
        share = float(number) / _PERCENT
    except ValueError:
        return None
    return share if percent and not rest and 0 <= share <= 1 else None
