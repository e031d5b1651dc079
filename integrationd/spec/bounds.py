"""Where a reading begins and ends: its start, its windows, and what a bound lets through."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated, ClassVar, Final

from integrationd.config.decode import Invalid, Site
from integrationd.config.nodes import Fields, Node, Scalar
from integrationd.config.sites import Leaf
from integrationd.config.units import parse_duration
from integrationd.model.json import Json
from integrationd.transform.convert import format_instant
from integrationd.transform.scopes import Scope
from integrationd.transform.template import JsonTemplate
from integrationd.wire.places import Place
from integrationd.wire.tokens import OPTIONAL

BOUNDED: Final = Scope(("config", "now"))
"""What a template that says where reading begins or ends may use."""
_NEVER: Final = timedelta()


class Bound(StrEnum):
    """Whether a provider gives what equals the lower bound."""

    INCLUSIVE = "inclusive"
    EXCLUSIVE = "exclusive"
    """It gives only what lies after it, so that one unit less is sent: another record with the same
    value may have come since."""


class Filter(StrEnum):
    """Who leaves out what lies before the lower bound."""

    PROVIDER = "provider"
    CLIENT = "client"
    """The daemon, as the provider cannot: such records are neither mapped nor stored."""


@dataclass(frozen=True, slots=True)
class Start:
    """Where the first reading begins: a value, or how long ago."""

    FORM: ClassVar[Leaf] = Leaf("a value or a duration, with templates in it", {})

    ago: timedelta | None
    value: JsonTemplate | None

    @classmethod
    def decode_node(cls, node: Node, site: Site) -> Start | Invalid:
        """Read a duration, else a value with templates in it."""
        text = node.value if isinstance(node, Scalar) else None
        ago = parse_duration(text) if isinstance(text, str) else None
        if ago is not None:
            return cls(ago, None)
        value = JsonTemplate.decode_node(node, site)
        return value if isinstance(value, Invalid) else cls(None, value)

    def find(self, config: Mapping[str, Json], now: datetime) -> Json:
        """Return the value; a duration counts back from now.

        Raises:
            ExpressionError: A template has no value.
        """
        if self.value is None:
            assert self.ago is not None
            return (now - self.ago).isoformat(timespec="milliseconds")
        return self.value.render(bounding(config, now))


def bounding(config: Mapping[str, Json], now: datetime) -> Mapping[str, Json]:
    """Return what templates that say where reading begins or ends see; ``now`` in whole seconds."""
    return {"config": config, "now": format_instant(now.astimezone(UTC).replace(microsecond=0))}


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Reading one span of time after the other, where a provider gives no more at once.

    The cursor moves with each window that was read whole.
    """

    step: timedelta
    """How long a window is, ``30d``."""
    into: Annotated[Place | None, OPTIONAL] = None
    """Where the upper bound goes; templates have both as ``window.start`` and ``window.end``."""
    granularity: timedelta = _NEVER
    """How far a window ends before the next one begins, for a provider that includes both."""
    end: Annotated[JsonTemplate | None, BOUNDED] = None
    """Where reading ends, if not now: a time, or how long ago, ``1d``."""

    def check(self, node: Fields, site: Site) -> Invalid | None:
        """Refuse a window that goes nowhere."""
        if self.step > self.granularity:
            return None
        message = f"{site.path}.step is not more than {site.path}.granularity"
        return site.refuse(node.key_position("step"), "E114", message)
