"""What every call of a provider has in common: ``http:`` in a file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated, Final

from integrationd.config.decode import SIZE, Bounds, Invalid, Kinds, Site
from integrationd.config.leaves import decode_text
from integrationd.config.nodes import Node
from integrationd.config.units import Rate
from integrationd.transform.scopes import Scope
from integrationd.transform.template import JsonTemplate, Template
from integrationd.wire import auth, paginate
from integrationd.wire.auth.authenticator import Authenticator
from integrationd.wire.auth.none import NoAuth
from integrationd.wire.call import HEADER_NAMES
from integrationd.wire.paginate.paginator import Paginator
from integrationd.wire.rules import ErrorRule

CONSTANTS: Final = Scope(("config", "secrets"))
"""What may stand in a template that is the same for every call."""

_HOST: Final = re.compile(
    r"(?:\*\.)?[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*|\[[0-9A-Fa-f:.]+\]"
)


class HostName(str):
    """A host that may be called, in lower case; ``*.example.org`` stands for all under it."""

    __slots__ = ()

    @classmethod
    def decode_node(cls, node: Node, site: Site) -> HostName | Invalid:
        """Read a name; an address with a scheme, a port or a path is refused."""
        text = decode_text(node, site)
        if isinstance(text, Invalid):
            return text
        if not _HOST.fullmatch(text):
            what = "a host name alone, such as cdn.example.org or *.example.org"
            return site.expected(node, what, "E111")
        return cls(text.lower())


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much a provider may be asked."""

    rate: Rate | None = None
    """Requests in a span of time, ``10/s`` or ``100/min``, shared by all streams."""
    concurrency: Annotated[int, Bounds(1, 100)] = 4
    """Requests at the same time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """Whom to trust."""

    ca: str
    """A file of PEM certificates that are trusted for this integration, instead of the system's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpSpec:
    """``http:`` of a provider or an integration."""

    base_url: Annotated[Template, CONSTANTS]
    """Where paths are added, ``https://erp.example.org/api/v1``; its host may be called."""
    headers: Annotated[Mapping[str, Template], HEADER_NAMES, CONSTANTS] = field(
        default_factory=dict
    )
    """Sent with every request."""
    query: Annotated[Mapping[str, JsonTemplate], CONSTANTS] = field(default_factory=dict)
    """Added to the query of every request."""
    auth: Annotated[Authenticator, Kinds(auth.KINDS), CONSTANTS] = NoAuth()  # noqa: RUF009 - frozen
    """How a request says who asks; ``none`` by default."""
    paginate: Annotated[Paginator | None, Kinds(paginate.KINDS)] = None
    """How lists are walked, unless a stream says otherwise."""
    errors: tuple[ErrorRule, ...] = ()
    """What failures mean beyond their status; a stream's own rules come first."""
    limits: Limits = Limits()
    """Rates and concurrency."""
    timeout: timedelta | None = None
    """For a whole call, connecting and reading included; the settings' ``defaults.timeout``."""
    connect_timeout: timedelta = timedelta(seconds=10)
    """For name look-up, TCP and TLS."""
    retries: Annotated[int | None, Bounds(0, 20)] = None
    """How often a call that may succeed later is tried again; the settings' by default."""
    hosts: tuple[HostName, ...] = ()
    """Further hosts that may be called, ``*.example.org`` for all under it."""
    tls: Tls | None = None
    """Trust."""
    proxy: Annotated[Template | None, CONSTANTS] = None
    """An HTTP proxy, ``http://proxy.example.org:3128``."""
    max_response: Annotated[int | None, SIZE] = None
    """The largest answer, decompressed; the settings' ``limits.response``."""
