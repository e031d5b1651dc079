"""The windows of a reading: one span of time after the other, up to now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from integrationd.config.problems import shorten
from integrationd.engine.plans import Bounds, StreamPlan, bounds_of
from integrationd.engine.progress import Reading, Window
from integrationd.errors import PageShapeError
from integrationd.model.json import Json
from integrationd.spec.incremental import Incremental


@dataclass(frozen=True, slots=True)
class Leg:
    """What one walk of a reading covers."""

    bounds: Bounds
    window: Window | None = None
    """None in a reading without windows."""
    following: Window | None = None
    """The next window, None at the end."""


def legs_of(plan: StreamPlan, reading: Reading, now: datetime) -> Iterator[Leg]:
    """Yield what the walks of a reading cover, in order; one at least.

    A resumed reading goes on with the very window that broke off, as its page token belongs to it.

    Args:
        plan: The stream.
        reading: How it reads.
        now: The current time: where the last window ends.

    Raises:
        ExpressionError: The cursor, or a bound that the spec names, is no time.
    """
    rule = plan.stream.incremental
    if rule is None or rule.window is None:
        yield Leg(bounds_of(plan, reading.cursor, now))
        return
    span = rule.span(reading.cursor, plan.integration.config, now)
    begin, end = (moment.astimezone(UTC) for moment in span)
    kept, step = reading.state.window if reading.resumed else None, rule.window.step
    window = Window(begin=begin, end=min(begin + step, end)) if kept is None else Window.read(kept)
    while True:
        after: Window | None = None
        upper = window.end
        if window.end < end:
            after = Window(begin=window.end, end=min(window.end + step, end))
            upper = window.end - rule.window.granularity
        bounds = Bounds(*rule.write(window.begin, upper), least=window.begin)
        yield Leg(bounds, window, after)
        if after is None:
            return
        window = after


def rest_of(leg: Leg, rule: Incremental, reached: Json, *, in_order: bool) -> Leg:
    """Return what is left of a leg that the provider cut: from the greatest value so far.

    Args:
        leg: What its walk was to cover.
        rule: The stream's.
        reached: The greatest value that was read, None where no record had one.
        in_order: Whether no value was smaller than the one before.

    Raises:
        PageShapeError: It cannot be told where the rest begins, or nothing behind it can be asked
            for.
        ExpressionError: The value cannot be written as the spec wants it.
    """
    limit = f"reset_after: {rule.reset_after} records were read and the rest cannot be asked for"
    assert rule.field is not None
    name = repr(rule.field.text)
    if not in_order:
        raise PageShapeError(
            f"{limit}, as they did not come in ascending order of {name}; ask the provider to sort "
            "by it, in the request"
        )
    if reached is None:
        raise PageShapeError(f"{limit}, as none of them has a value of {name}")
    lower = rule.reset_bound(reached)
    if lower == leg.bounds.lower:
        raise PageShapeError(
            f"{limit}, as the next walk would begin at {shorten(lower)} again; ask for less at "
            "once, by 'for_each' or a filter"
        )
    return replace(leg, bounds=replace(leg.bounds, lower=lower))
