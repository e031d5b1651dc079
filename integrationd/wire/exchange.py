"""How a token is had: calls one after the other, and what comes of them."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TypeAlias

from integrationd.wire.attempt import Attempt
from integrationd.wire.consent import DeviceCode
from integrationd.wire.grants import Refusal, Token
from integrationd.wire.messages import Request
from integrationd.wire.reply import Judged, ReplyShape


@dataclass(frozen=True, slots=True)
class TokenCall:
    """One call that is to be made."""

    make: Callable[[Attempt], Request]
    """Makes it anew for each try: what is signed in it is taken only once."""
    shape: ReplyShape
    """How its answer is read."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of one."""

    judged: Judged
    request: Request
    """As it was made last."""


Exchange: TypeAlias = Generator[TokenCall, Answered, Token | Refusal]
"""Yields calls and is sent what came of each; returns what was granted."""
DeviceExchange: TypeAlias = Generator[TokenCall, Answered, DeviceCode | Refusal]
"""The same for a code that a person types in on another device."""
