"""Time zones as files name them."""

from __future__ import annotations

from typing import ClassVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from integrationd.config.decode import Invalid, Site
from integrationd.config.leaves import decode_text
from integrationd.config.nodes import Node
from integrationd.config.problems import nearest, shorten
from integrationd.config.sites import Leaf


class Zone(str):
    """A time zone by its name in the tz database, ``Europe/Berlin``."""

    __slots__ = ()
    FORM: ClassVar[Leaf] = Leaf("a time zone such as Europe/Berlin", {"type": "string"})

    @classmethod
    def decode_node(cls, node: Node, site: Site) -> Zone | Invalid:
        """Read the name of a zone that is known here."""
        text = decode_text(node, site)
        if isinstance(text, Invalid):
            return text
        try:
            ZoneInfo(text)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            known = available_timezones()
            hint = nearest(text, known) or "; expected a name such as Europe/Berlin or UTC"
            message = f"{site.name} is {shorten(text)}, which is no time zone{hint}"
            return site.refuse(node.position, "E111", message)
        return cls(text)

    @property
    def info(self) -> ZoneInfo:
        """Return what its clocks show."""
        return ZoneInfo(self)
