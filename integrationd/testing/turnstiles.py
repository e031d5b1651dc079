"""How often a played provider may be asked, and what its answers say of the rest."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Final

from integrationd.config.units import Rate
from integrationd.errors import PageShapeError, UsageError
from integrationd.model.json import Json
from integrationd.spec.http import HttpSpec
from integrationd.testing.options import PlayOptions
from integrationd.testing.replies import ReplyBuilder
from integrationd.testing.shapes import overlay
from integrationd.testing.values import EPOCH
from integrationd.transform.inverse import Tree
from integrationd.wire import decoding, texts
from integrationd.wire.budget import Window
from integrationd.wire.call import BaseCall
from integrationd.wire.limits import Learn, Meter, rates_of
from integrationd.wire.messages import Answer, Call, Request
from integrationd.wire.rules import Wait, WaitFormat

_SLACK_S: Final = 0.05
"""Calls that were apart when they were sent may come so much nearer each other."""
_USUAL: Final = Rate(1000, timedelta(hours=1))
"""What is counted where a spec reads what is left and says no rate."""


@dataclass(slots=True, kw_only=True)
class Turnstile:
    """Counts calls. One that a limit holds back takes nothing."""

    http: HttpSpec
    options: PlayOptions
    base: BaseCall
    _windows: dict[tuple[str, Rate], Window] = field(default_factory=dict)
    _spent: list[float] = field(default_factory=list)
    """When the calls were that are told of as spent."""

    def admit(self, call: Call, now_s: float) -> int:
        """Count a call; return how many seconds it has to wait, 0 where it is let through."""
        cost, lanes = self._lanes(call)
        windows = [self._windows.setdefault(lane, Window(lane[1])) for lane in lanes]
        wait_s = max((one.earliest(now_s, cost) - now_s for one in windows), default=0.0)
        if wait_s > _SLACK_S:
            return max(1, math.ceil(wait_s))
        for window in windows:
            window.take(now_s, cost)
        if self.http.limits.learn is not None:
            self._spent = [one for one in self._spent if one > now_s - self._span_s]
            self._spent += [now_s] * cost
        return 0

    def __post_init__(self) -> None:
        """Tell of what is left once; raises UsageError where that cannot be done."""
        self._told(0.0, EPOCH)

    def mark(self, answer: Answer, now_s: float, at: datetime) -> Answer:
        """Return an answer that also says how much is left, where the spec reads it.

        A body that is no JSON object stays as it is.
        """
        told = self._told(now_s, at)
        headers = {**answer.headers, **(told.get("headers") or {})}
        said = told.get("body")
        body = answer.body
        if isinstance(said, dict):
            with suppress(PageShapeError):
                found = decoding.decode_bytes(answer.body)
                if isinstance(found, dict):
                    body = texts.dump_json(overlay(found, said)).encode()
        return replace(answer, headers=headers, body=body)

    def _told(self, now_s: float, at: datetime) -> Mapping[str, Json]:
        """Return the headers and the body that say how much is left."""
        learn = self.http.limits.learn
        if learn is None:
            return {}
        left = max(0, self._told_rate.count - len(self._spent))
        began_s = min(self._spent, default=now_s)
        reset_s = max(1, math.ceil(began_s + self._span_s - now_s))
        return _say(learn, left, reset_s, at)

    def _lanes(self, call: Call) -> tuple[int, list[tuple[str, Rate]]]:
        limits = self.http.limits
        found = [] if self.options.rate is None else [("", self.options.rate)]
        if not self.options.limits:
            return 1, found
        meter = Meter(self.base.base_url, limits.paths, limits.learn)
        charge = meter.charge(Request(method=call.method, url=call.url))
        own = [("all", rate) for rate in rates_of(limits.rate)]
        return charge.cost, [*found, *own, *charge.lanes]

    @property
    def _told_rate(self) -> Rate:
        return self.options.rate or next(iter(rates_of(self.http.limits.rate)), _USUAL)

    @property
    def _span_s(self) -> float:
        return self._told_rate.per.total_seconds()


def _say(learn: Learn, left: int, reset_s: int, at: datetime) -> Mapping[str, Json]:
    """Return ``headers`` and ``body`` in which the spec finds what is left.

    Raises:
        UsageError: It reads that in a way that cannot be turned round, or elsewhere.
    """
    builder = ReplyBuilder("http.limits.learn")
    builder.wish(learn.remaining, left)
    wait: Wait = learn.reset
    if wait.value is not None:
        builder.wish(wait.value, _write(wait.format, reset_s, at))
    tree: Tree = builder.tree
    if not isinstance(tree, dict) or not set(tree) <= {"headers", "body"}:
        raise UsageError("http.limits.learn reads elsewhere than in headers and the body")
    reply = builder.build()
    return {name: reply[name] for name in tree}


def _write(form: WaitFormat, reset_s: int, at: datetime) -> Json:
    until = at + timedelta(seconds=reset_s)
    match form:
        case WaitFormat.SECONDS:
            return reset_s
        case WaitFormat.MS:
            return reset_s * 1000
        case WaitFormat.UNIX:
            return int(until.timestamp())
        case WaitFormat.UNIX_MS:
            return int(until.timestamp() * 1000)
        case WaitFormat.DATE:
            return format_datetime(until, usegmt=True)
