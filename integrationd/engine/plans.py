"""A stream made ready to be read: everything compiled, once for each bundle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from integrationd.errors import PageShapeError, RefusedError
from integrationd.model.fingerprints import Fingerprints
from integrationd.model.json import Json
from integrationd.model.secret import reveal
from integrationd.ports.outside import HttpPolicy
from integrationd.ports.store import StreamKey
from integrationd.spec.checks import references_in
from integrationd.spec.documents import Integration
from integrationd.spec.http import HttpSpec
from integrationd.spec.settings import Settings
from integrationd.spec.stream import Stream
from integrationd.transform.shape import CursorRule, Shaper
from integrationd.wire.auth.authenticator import TokenAuthenticator
from integrationd.wire.auth.none import NoAuth
from integrationd.wire.call import BaseCall, build_request
from integrationd.wire.grants import REPLY_BYTES_MAX
from integrationd.wire.messages import Request, Text
from integrationd.wire.paginate.none import NoPaging
from integrationd.wire.paginate.paginator import Paginator
from integrationd.wire.remedies import Remedies
from integrationd.wire.reply import ReplyShape


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamPlan:
    """What a reading needs to know of its stream."""

    integration: Integration
    name: str
    stream: Stream
    http: HttpSpec
    paginator: Paginator
    reply: ReplyShape
    shaper: Shaper
    entity: str
    shares: bool
    """Whether another stream of the integration has the same entity."""

    @property
    def sweeps(self) -> bool:
        """Tell whether a complete reading deletes what it did not see.

        Not where the entity is shared: what this stream misses the other may still have.
        """
        return self.stream.sweep and not self.shares

    @property
    def tenant(self) -> str:
        """Return whose data it is."""
        return self.integration.tenant

    @property
    def key(self) -> StreamKey:
        """Return the stream's name in the store."""
        return StreamKey(self.integration.name, self.name)

    @property
    def prints(self) -> Fingerprints:
        """Return what stored state must match."""
        return self.integration.fingerprints[self.name]

    def records_of(self, reply: Mapping[str, Json]) -> list[Json]:
        """Find the records of a page.

        Raises:
            PageShapeError: There is no list there.
        """
        expression = self.stream.records
        if expression is None:
            found, where = reply["body"], "body"
        else:
            found, where = expression.search(dict(reply)), expression.text
        if isinstance(found, list):
            return found
        if isinstance(found, dict) and expression is not None:
            return [found]
        hint = "" if found is not None else f"; write '{where} || `[]`' where that is normal"
        raise PageShapeError(
            f"records: {where} found {_NAMES.get(type(found), 'no list')}, expected a list{hint}"
        )


_NAMES = {
    type(None): "nothing",
    dict: "an object",
    str: "text",
    int: "a number",
    float: "a number",
    bool: "true or false",
}


def build_plan(integration: Integration, name: str) -> StreamPlan:
    """Compile one stream that makes requests."""
    stream, http = integration.streams[name], integration.http
    assert http is not None
    cursor = stream.incremental
    shape = integration.shapes[name]
    return StreamPlan(
        integration=integration,
        name=name,
        stream=stream,
        http=http,
        paginator=stream.paginate or http.paginate or NoPaging(),
        reply=ReplyShape(decoder=stream.decode, errors=(*stream.errors, *http.errors)),
        shaper=Shaper(
            key=stream.key.parts,
            cursor=None if cursor is None else CursorRule(field=cursor.field, type=cursor.type),
            deleted=stream.deleted,
            where=stream.where,
            mapping=shape.mapping,
            schema=shape.schema,
        ),
        entity=integration.entity_of(name),
        shares=_shares_entity(integration, name),
    )


def _shares_entity(integration: Integration, name: str) -> bool:
    entity = integration.entity_of(name)
    return any(
        integration.entity_of(other) == entity for other in integration.streams if other != name
    )


def remedies_of(http: HttpSpec) -> Remedies:
    """Gather what may be wrong where a provider refuses."""
    used = (reference.path for reference in references_in(http.auth))
    names = dict.fromkeys(path[1] for path in used if path[0] == "secrets" and len(path) > 1)
    return Remedies(
        asks_as_nobody=isinstance(http.auth, NoAuth),
        secrets=tuple(names),
    )


def base_call(http: HttpSpec, variables: Mapping[str, Json]) -> BaseCall:
    """Render what every call of an integration has in common."""
    return BaseCall.render(
        base_url=http.base_url, headers=http.headers, query=http.query, variables=variables
    )


def first_request(
    plan: StreamPlan, base: BaseCall, variables: Mapping[str, Json], cursor: Json
) -> Request:
    """Build the request of a reading, before paging and credentials are added.

    Args:
        plan: The stream.
        base: What its integration's calls have in common.
        variables: ``config`` and ``secrets``.
        cursor: As it is kept, or None for a full reading; what is sent is made of it.

    Raises:
        ExpressionError: A template has no value, or the cursor cannot be written as said.
    """
    rule = plan.stream.incremental
    if rule is None or cursor is None:
        return build_request(plan.stream, base=base, variables=variables)
    bound = rule.bound(cursor)
    scope = {**variables, "cursor": bound}
    request = build_request(plan.stream, base=base, variables=scope)
    return rule.into.put(request, bound if rule.json is None else rule.json.render(scope))


def http_policy(
    integration: Integration, base: BaseCall, settings: Settings, variables: Mapping[str, Json]
) -> HttpPolicy:
    """Gather what one integration may call, and how patiently.

    Raises:
        RefusedError: ``base_url`` or ``token_url`` names no host.
    """
    http = integration.http
    assert http is not None
    hosts = {_host(base.base_url, "base_url"), *(host.lower() for host in http.hosts)}
    if isinstance(http.auth, TokenAuthenticator):
        url = http.auth.token_url.render_text(variables)
        hosts.add(_host(url or "", "auth.token_url"))
    return _policy(http, frozenset(hosts), settings, variables)


def token_policy(
    integration: Integration, url: Text, settings: Settings, variables: Mapping[str, Json]
) -> HttpPolicy:
    """Gather how a token is asked for: as other calls, but of its own host alone.

    Raises:
        RefusedError: ``token_url`` names no host.
    """
    assert integration.http is not None
    hosts = frozenset({_host(url, "auth.token_url")})
    policy = _policy(integration.http, hosts, settings, variables)
    return replace(policy, response_max_bytes=REPLY_BYTES_MAX)


def _policy(
    http: HttpSpec, hosts: frozenset[str], settings: Settings, variables: Mapping[str, Json]
) -> HttpPolicy:
    timeout = http.timeout or settings.defaults.timeout
    proxy = None if http.proxy is None else http.proxy.render_text(variables)
    return HttpPolicy(
        hosts=hosts,
        connect_timeout=min(http.connect_timeout, timeout),
        read_timeout=timeout,
        total_timeout=timeout,
        response_max_bytes=http.max_response or settings.limits.response,
        ca_file=None if http.tls is None else http.tls.ca,
        proxy=None if proxy is None else reveal(proxy),
        concurrency=http.limits.concurrency,
    )


def _host(url: Text, key: str) -> str:
    try:
        host = urlsplit(reveal(url)).hostname
    except ValueError:
        host = None
    if not host:
        raise RefusedError(
            f"http.{key} has no host, expected an address such as https://example.org"
        )
    return host.lower()
