"""What every call of a provider has in common: ``http:`` in a file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Annotated, Final

from integrationd.config.decode import SECRET, SIZE, Bounds, Invalid, Kinds, Site
from integrationd.config.leaves import decode_text
from integrationd.config.nodes import Fields, Node
from integrationd.config.units import Rate
from integrationd.model.json import Json
from integrationd.spec.names import WORD_NAME
from integrationd.transform.scopes import Scope
from integrationd.transform.template import JsonTemplate, Template
from integrationd.transform.zones import Zone
from integrationd.wire import auth as kinds_of_auth
from integrationd.wire import paginate
from integrationd.wire.auth.authenticator import Auth, TokenAuthenticator
from integrationd.wire.auth.none import NoAuth
from integrationd.wire.call import HEADER_NAMES
from integrationd.wire.choice import AUTH_KINDS
from integrationd.wire.limits import CALL_PATTERN, Learn, PathLimit
from integrationd.wire.paginate.paginator import Paginator
from integrationd.wire.parameters import PLAIN, Encode
from integrationd.wire.rules import ErrorRule

CONSTANTS: Final = Scope(("config", "secrets"))
"""What may stand in a template that is the same for every call."""
BASE: Final = Scope(("config", "secrets", "token"))
"""What ``base_url`` may use besides: a token's reply may name the host of an account."""
TOKEN_STAND_IN: Final[Mapping[str, Json]] = {"base_url": "https://token.base_url"}
"""Stands for what a token's reply says where a request is only shown."""

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

    rate: Rate | tuple[Rate, ...] | None = None
    """Requests in a span of time, ``10/s``, or several that all hold, ``[10/s, 1000/h]``; shared
    by all streams and operations."""
    concurrency: Annotated[int, Bounds(1, 100)] = 4
    """Requests at the same time."""
    paths: Annotated[Mapping[str, PathLimit], CALL_PATTERN] = field(default_factory=dict)
    """Further limits, for each path below ``base_url`` that fits: ``/search``, ``post /orders``;
    ``*`` stands for one part of it, ``**`` at the end for all that
    follow. All that fit hold."""
    learn: Learn | None = None
    """Where answers say how much is left, so that nobody asks more until there is more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """Whom to trust, and by what to be known.

    With ``certificate`` and ``key`` a provider that asks for a client's certificate (mutual TLS) is
    shown one, in every connection, those for tokens included.

    Source:
        RFC 8446 section 4.4.2; RFC 8705 for tokens.
    """

    ca: str | None = None
    """A file of PEM certificates that are trusted for this integration, instead of the system's."""
    certificate: Annotated[Template | None, CONSTANTS] = None
    """The client's certificate as PEM text, ``"{{ secrets.certificate }}"``, with those between it
    and its authority behind it."""
    key: Annotated[Template | None, CONSTANTS, SECRET] = None
    """Its private key as PEM text, without a passphrase. It is never written to a disk."""

    def check(self, node: Fields, site: Site) -> Invalid | None:
        """Refuse a certificate without its key, a key without its certificate, and nothing."""
        for one, other in (("certificate", "key"), ("key", "certificate")):
            if getattr(self, one) is not None and getattr(self, other) is None:
                message = f"{site.name} has no {other!r}, which goes with {one!r}"
                return site.refuse(node.position, "E102", message)
        if self.ca is None and self.key is None:
            message = f"{site.name} is empty, expected 'ca', or 'certificate' and 'key'"
            return site.refuse(node.position, "E102", message)
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpSpec:
    """``http:`` of a provider or an integration."""

    base_url: Annotated[Template, BASE]
    """Where paths are added, ``https://erp.example.org/api/v1``; its host may be called. Where a
    token's reply says it, ``{{ token.base_url }}/services``, its host must be among ``hosts``."""
    headers: Annotated[Mapping[str, Template], HEADER_NAMES, CONSTANTS] = field(
        default_factory=dict
    )
    """Sent with every request."""
    query: Annotated[Mapping[str, JsonTemplate], CONSTANTS] = field(default_factory=dict)
    """Added to the query of every request."""
    encode: Encode = PLAIN
    """How values are written in queries and bodies, unless a call says otherwise."""
    auth: Annotated[Auth, Kinds(AUTH_KINDS), CONSTANTS] = NoAuth()  # noqa: RUF009 - frozen
    """How a request says who asks; ``none`` by default."""
    auths: Annotated[Mapping[str, Auth], WORD_NAME, Kinds(kinds_of_auth.KINDS), CONSTANTS] = field(
        default_factory=dict
    )
    """Other ways, by name, for the streams and operations that say ``auth: NAME``; any kind but
    ``choice``. Each has tokens and limits of its own."""
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
    timezone: Zone | None = None
    """Of the times that name none in its answers, in mappings and cursors, unless a stream, a
    field or ``incremental`` says otherwise: ``Europe/Berlin``."""
    hosts: tuple[HostName, ...] = ()
    """Further hosts that may be called, ``*.example.org`` for all under it."""
    tls: Tls | None = None
    """Trust, and the certificate of a client."""
    proxy: Annotated[Template | None, CONSTANTS] = None
    """An HTTP proxy, ``http://proxy.example.org:3128``."""
    max_response: Annotated[int | None, SIZE] = None
    """The largest answer, decompressed; the settings' ``limits.response``."""

    def check(self, node: Fields, site: Site) -> Invalid | None:
        """Refuse other ways that ask a person for consent: it is given to an integration."""
        told: Invalid | None = None
        named = node.get("auths")
        for name, way in self.auths.items():
            if isinstance(way, TokenAuthenticator) and way.is_by_consent:
                assert isinstance(named, Fields)
                message = (
                    f"{site.path}.auths.{name} asks a person for consent, which is given once for "
                    "an integration, under 'auth'; let a second integration use the provider"
                )
                told = site.refuse(named.key_position(name), "E114", message)
        return told

    def asking_as(self, name: str | None) -> HttpSpec:
        """Return it with one way to say who asks, of ``auths`` where one is named."""
        if not self.auths:
            return self
        way = self.auth if name is None else self.auths[name]
        return replace(self, auth=way, auths={})
