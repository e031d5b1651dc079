"""Budgets of calls to ``limits``.

Of the source's policies one holds for a call, the first of which a matcher fits; all calls of a
policy share its rates.

Source:
    ``call_rate.py`` of airbytehq/airbyte-python-cdk.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, Final

from integrationd.importers.airbyte import times, unsaid
from integrationd.importers.airbyte.parts import Part
from integrationd.importers.airbyte.writing import path_of

_ALL_PATHS: Final = frozenset({"", ".*", "^.*$", ".+", "/.*", "^/.*", "^/.*$"})
_PART: Final = re.compile(r"\[\^/\]\+|\\d\+|\[0-9\]\+|\\w\+|\[\\w-\]\+")
"""What stands for one part of a path."""
_LITERAL: Final = re.compile(r"(?:/(?:\*|(?:[\w.~%-]|\\[.\-_~/])*))+")
_AUTHORITY: Final = re.compile(r"(?:https?://)?(?:\{\{.*?\}\}|[^/{])*")


def read_limits(part: Part | None, base: str, asked: Collection[str]) -> dict[str, Any]:
    """Return what ``limits`` says of how often; what it cannot say is told.

    Args:
        part: The budget.
        base: Where most requests begin.
        asked: The paths behind it.
    """
    if part is None:
        return {}
    reader = _Reader(_AUTHORITY.sub("", base, count=1), asked)
    for policy in part.children("policies"):
        if reader.read(policy):
            break
    if reader.is_exempt and "rate" in reader.made:
        unsaid.lose(part, "exempt")
    if "rate" in reader.made and any("rate" in each for each in reader.paths.values()):
        message = f"{part.path}: what limits.paths names counts for limits.rate as well"
        part.report.note(part.position, message)
    if reader.paths:
        reader.made["paths"] = reader.paths
    if reader.made:
        reader.made.update(_read_learn(part))
    return reader.made


@dataclass(slots=True)
class _Reader:
    """Reads the policies, one after the other."""

    base: str
    """The path of all requests."""
    asked: Collection[str]
    made: dict[str, Any] = field(default_factory=dict)
    paths: dict[str, dict[str, Any]] = field(default_factory=dict)
    is_exempt: bool = False
    """Whether there are calls that no rate is for."""

    def read(self, policy: Part) -> bool:
        """Read one; tells whether it holds for all calls that are left."""
        matchers = policy.children("matchers")
        narrow = [each for each in matchers if not _matches_all(each)]
        is_for_all = len(narrow) < len(matchers) or not matchers
        rates = _read_rates(policy)
        if not rates:
            self.is_exempt |= policy.kind == "UnlimitedCallRatePolicy"
            return is_for_all
        if is_for_all:
            self.made["rate"] = _one_or_all(rates)
            for matcher in narrow:
                self._add(matcher, {})
        elif len(narrow) == 1:
            self._add(narrow[0], {"rate": _one_or_all(rates)})
        else:
            unsaid.lose(policy, "shared_limit")
        return is_for_all

    def _add(self, matcher: Part, said: dict[str, Any]) -> None:
        """Say something of the paths that a matcher fits."""
        cost = matcher.value("weight")
        if isinstance(cost, int) and cost > 1:
            said = {**said, "cost": cost}
        if not said:
            return
        shape = None
        if not any(matcher.has(key) for key in ("params", "headers", "url_base")):
            shape = self._read_shape(matcher.text("url_path_pattern"))
        if shape is None:
            unsaid.lose(matcher, "matcher")
            return
        method = matcher.text("method").lower()
        self.paths.setdefault(f"{method} {shape}".lstrip(), said)

    def _read_shape(self, pattern: str) -> str | None:
        """Return a pattern of ours that fits the same of what is asked here."""
        begins, ends = pattern.startswith("^"), pattern.endswith("$")
        text = pattern.removeprefix("^").removesuffix("$")
        inner = re.sub(r"/\.[*+]$", "", text)
        is_below = inner != text
        text = _PART.sub("*", inner)
        if _LITERAL.fullmatch(text) is None:
            return None
        text = text.replace("\\", "")
        whole = begins and (ends or is_below)
        if not whole and ("*" in text or not self._fits_alone(text, is_below=is_below)):
            return None
        if not text.startswith(f"{self.base}/") and (begins or text.startswith(self.base)):
            return None
        own = text.removeprefix(self.base)
        return f"{own}/**" if is_below else own

    def _fits_alone(self, text: str, *, is_below: bool) -> bool:
        """Tell whether it fits nothing that is asked but what begins with it, or is it."""
        own = text.removeprefix(self.base)
        near = [path for path in self.asked if text in f"{self.base}{path}"]
        return all(path.startswith(f"{own}/") if is_below else path == own for path in near)


def _one_or_all(rates: list[str]) -> str | list[str]:
    return rates[0] if len(rates) == 1 else rates


def _read_rates(part: Part) -> list[str]:
    if part.kind == "FixedWindowCallRatePolicy":
        found = [(part.value("call_limit"), part.text("period"))]
    else:
        found = [(rate.value("limit"), rate.text("interval")) for rate in part.children("rates")]
    made = [_write(limit, span) for limit, span in found]
    if None in made:
        unsaid.lose(part, "rate_template")
    return [rate for rate in made if rate is not None]


def _matches_all(part: Part) -> bool:
    narrows = any(part.has(key) for key in ("params", "headers", "url_base"))
    return not narrows and part.text("url_path_pattern") in _ALL_PATHS


def _write(limit: object, text: str) -> str | None:
    span = times.read_span(text)
    if not isinstance(limit, int) or not span:
        return None
    seconds = int(span.total_seconds())
    return f"{limit}/{_UNITS.get(seconds, f'{seconds}s')}"


def _read_learn(part: Part) -> dict[str, Any]:
    """Return where answers say what is left, if the source says it."""
    remaining, reset = (part.text(f"ratelimit_{name}_header") for name in ("remaining", "reset"))
    if not remaining or not reset:
        return {}
    left, end = (path_of([name.lower()], after="headers") for name in (remaining, reset))
    return {"learn": {"remaining": left, "reset": {"value": end, "format": "unix"}}}


_UNITS: Final = {1: "s", 60: "min", 3600: "h", 86400: "d"}
