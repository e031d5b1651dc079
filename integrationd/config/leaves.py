"""Single values: text, numbers, durations, rates and choices, each with its own message."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Final, TypeVar

from integrationd.config import units
from integrationd.config.nodes import Node, Scalar
from integrationd.config.sites import Bounds, Invalid, Site, SizeNote
from integrationd.config.units import Rate

T = TypeVar("T")
N = TypeVar("N", int, float)


def decode_text(node: Node, site: Site) -> str | Invalid:
    """Read text; a number or true/false is not text until it stands in quotes."""
    if isinstance(node, Scalar) and isinstance(node.value, str):
        return node.value
    return site.expected(node, "text")


def decode_choice(node: Node, choices: tuple[Any, ...], site: Site) -> Any:  # noqa: ANN401
    """Read one of some values; ``true`` is not ``1``."""
    value = node.value if isinstance(node, Scalar) else None
    if isinstance(node, Scalar):
        for choice in choices:
            if type(choice) is type(value) and choice == value:
                return choice
    hint = ""
    if isinstance(node, Scalar) and node.written in choices and not isinstance(value, str):
        hint = "; put it in quotes"
    words = [str(choice) for choice in choices]
    return site.expected(node, f"{name_choices(choices)}{hint}", known=words)


def name_choices(choices: tuple[Any, ...]) -> str:
    """List choices as an author writes them."""
    words = (str(item).lower() if isinstance(item, bool) else str(item) for item in choices)
    return f"one of {', '.join(words)}"


def _decode_bool(node: Node, site: Site) -> bool | Invalid:
    if isinstance(node, Scalar) and isinstance(node.value, bool):
        return node.value
    return site.expected(node, "true or false")


def _decode_int(node: Node, site: Site) -> int | Invalid:
    if site.note(SizeNote) is not None:
        size = _decode_unit(node, site, units.parse_size, "a size such as 10MB")
        return size if isinstance(size, Invalid) else _bounded(size, node, site)
    if isinstance(node, Scalar) and type(node.value) is int:
        return _bounded(node.value, node, site)
    return site.expected(node, "a whole number")


def _decode_float(node: Node, site: Site) -> float | Invalid:
    if not isinstance(node, Scalar) or type(node.value) not in (int, float):
        return site.expected(node, "a number")
    try:
        number = float(node.value or 0)
    except OverflowError:
        return site.expected(node, "a smaller number", "E111")
    return _bounded(number, node, site)


def decode_duration(node: Node, site: Site) -> timedelta | Invalid:
    """Read a span of time, ``1h30m``."""
    return _decode_unit(node, site, units.parse_duration, "a duration such as 30s, 15m or 1h30m")


def _decode_rate(node: Node, site: Site) -> Rate | Invalid:
    return _decode_unit(node, site, units.parse_rate, "a rate such as 10/s or 100/min")


def _decode_unit(
    node: Node, site: Site, parse: Callable[[str], T | None], what: str
) -> T | Invalid:
    if not isinstance(node, Scalar) or not isinstance(node.value, str):
        return site.expected(node, what)
    value = parse(node.value)
    return site.expected(node, what, "E111") if value is None else value


def _bounded(value: N, node: Node, site: Site) -> N | Invalid:
    bounds = site.note(Bounds) or Bounds()
    low, high = bounds.least, bounds.most
    if (low is None or value >= low) and (high is None or value <= high):
        return value
    parts = [
        f"at least {low:g}" if low is not None else "",
        f"at most {high:g}" if high is not None else "",
    ]
    return site.expected(node, " and ".join(part for part in parts if part), "E111")


LEAVES: Final[Mapping[Any, Callable[[Node, Site], Any]]] = {
    str: decode_text,
    bool: _decode_bool,
    int: _decode_int,
    float: _decode_float,
    timedelta: decode_duration,
    Rate: _decode_rate,
}
LEAF_NAMES: Final[Mapping[Any, str]] = {
    str: "text",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    timedelta: "a duration",
    Rate: "a rate",
}


def takes_scalar(hint: Any, node: Scalar) -> bool:  # noqa: ANN401
    """Tell whether a value is of the type that a leaf is written in."""
    if hint is float:
        return type(node.value) in (int, float)
    return type(node.value) is (str if hint in (timedelta, Rate) else hint)
