"""What one integration may call, and how patiently."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlsplit

from integrationd.engine.plans import names_token
from integrationd.errors import RefusedError
from integrationd.model.json import Json
from integrationd.model.secret import reveal
from integrationd.ports.outside import HttpPolicy, Identity
from integrationd.spec.documents import Integration
from integrationd.spec.http import HttpSpec, Tls
from integrationd.spec.settings import Settings
from integrationd.wire.auth.authenticator import TokenAuthenticator
from integrationd.wire.call import BaseCall
from integrationd.wire.credentials import render_secret
from integrationd.wire.grants import REPLY_BYTES_MAX
from integrationd.wire.messages import Text


def http_policy(
    integration: Integration, base: BaseCall, settings: Settings, variables: Mapping[str, Json]
) -> HttpPolicy:
    """Gather what one integration may call, and how patiently.

    Raises:
        RefusedError: ``base_url`` or ``token_url`` names no host.
    """
    http = integration.http
    assert http is not None
    hosts = {host.lower() for host in http.hosts}
    host = _host(base.base_url, "base_url")
    if not names_token(http):
        # What a provider names itself has to be among the declared hosts.
        hosts.add(host)
    hosts |= _token_hosts(http, variables)
    return _policy(http, frozenset(hosts), settings, variables)


def token_policy(
    integration: Integration, base: BaseCall, settings: Settings, variables: Mapping[str, Json]
) -> HttpPolicy:
    """Gather how a token is asked for: as other calls, but where it has addresses, there alone.

    Raises:
        RefusedError: ``base_url`` or ``token_url`` names no host.
    """
    policy = http_policy(integration, base, settings, variables)
    http = integration.http
    assert http is not None
    hosts = frozenset(_token_hosts(http, variables))
    return replace(policy, hosts=hosts, response_max_bytes=REPLY_BYTES_MAX) if hosts else policy


def _token_hosts(http: HttpSpec, variables: Mapping[str, Json]) -> set[str]:
    """Return the hosts that give tokens; none where those are had at the usual addresses."""
    if not isinstance(http.auth, TokenAuthenticator):
        return set()
    return {
        _host(template.render_text(variables) or "", name)
        for name, template in http.auth.token_addresses.items()
    }


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
        identity=None if http.tls is None else _identity(http.tls, variables),
        proxy=None if proxy is None else reveal(proxy),
        concurrency=http.limits.concurrency,
    )


def _identity(tls: Tls, variables: Mapping[str, Json]) -> Identity | None:
    if tls.certificate is None or tls.key is None:
        return None
    return Identity(
        certificate=render_secret(tls.certificate, variables, "http.tls.certificate"),
        key=render_secret(tls.key, variables, "http.tls.key"),
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
