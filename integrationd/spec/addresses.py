"""The addresses that a system calls: whether they are any, and what they may be made of."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from integrationd.config.decode import Site
from integrationd.config.problems import shorten
from integrationd.errors import ExpressionError
from integrationd.model.json import Json
from integrationd.model.secret import Secret
from integrationd.spec.http import HttpSpec
from integrationd.transform.template import Template
from integrationd.wire.auth.authenticator import Auth, ConsentAuthenticator, TokenAuthenticator
from integrationd.wire.choice import ChoiceAuth

_USER: Final = re.compile(r"[a-z]+://[^/?#@]*:[^/?#]+@", re.IGNORECASE)
"""Of an address with a password in it."""


def check_address(http: HttpSpec, values: Mapping[str, Json] | None, site: Site) -> None:
    """Tell a ``base_url``, ``token_url`` or ``proxy`` that is no web address, where that is known.

    Args:
        http: Whose.
        values: What ``config`` holds; None where no integration supplies it.
        site: Where the document begins.
    """
    _check_token_address(http, values, site)
    addresses = {"base_url": http.base_url, "proxy": http.proxy, **_addresses_of(http.auth)}
    for name, way in http.auths.items():
        own = _addresses_of(way).items()
        addresses |= {f"auths.{name}.{key.removeprefix('auth.')}": url for key, url in own}
    for key, template in addresses.items():
        text = None if template is None else _render_known(template, values)
        if template is None or text is None:
            continue
        if _USER.match(text):
            message = (
                f"http.{key} holds a password as text, expected one such as "
                "http://user:{{ secrets.NAME }}@host; declare its name under secrets"
            )
            site.refuse(template.position, "E401", message)
        elif not _is_web_address(text):
            # What is near a password may be one in the wrong line.
            is_near = "@" in text or key.startswith("auth")
            shown = "not one" if is_near else shorten(text)
            message = (
                f"http.{key} is {shown}, expected an address that begins with https:// or http:// "
                "and has a host"
            )
            site.refuse(template.position, "E111", message)


def _check_token_address(http: HttpSpec, values: Mapping[str, Json] | None, site: Site) -> None:
    """Tell a ``base_url`` that is made of what no token's reply says."""
    named = [each for each in http.base_url.references if each.path[0] == "token"]
    position = http.base_url.position
    others = [each for each in named if each.path[1:2] != ("base_url",)]
    ways = http.auth.of.values() if isinstance(http.auth, ChoiceAuth) else (http.auth,)
    if others:
        message = "http.base_url names something of 'token', expected token.base_url"
        site.refuse(position, "E204", message)
        return
    lacking = [f"http.auths.{name}" for name, way in http.auths.items() if not _gives_base_url(way)]
    if not any(map(_gives_base_url, ways)):
        lacking.insert(0, "http.auth")
    if named and lacking:
        message = (
            f"http.base_url uses 'token.base_url', but {lacking[0]} has no 'reply.base_url' that "
            "says where a token's reply has it"
        )
        site.refuse(position, "E204", message)
    elif named and values is not None and not http.hosts:
        message = (
            "http.base_url is what a token's reply says, but http has no 'hosts' that bound it, "
            "such as ['*.example.org']"
        )
        site.refuse(position, "E102", message)


def _addresses_of(auth: Auth) -> Mapping[str, Template]:
    """Return where tokens are had, and where a person gives consent."""
    called = auth.token_addresses if isinstance(auth, TokenAuthenticator) else {}
    if isinstance(auth, ConsentAuthenticator) and auth.authorize is not None:
        return {**called, "auth.authorize.url": auth.authorize.url}
    return called


def _gives_base_url(auth: Auth) -> bool:
    return isinstance(auth, TokenAuthenticator) and auth.gives_base_url


def _render_known(template: Template, values: Mapping[str, Json] | None) -> str | None:
    """Render a template from configuration alone; None where it needs more than is known."""
    roots = {reference.path[0] for reference in template.references}
    if "secrets" in roots or (values is None and roots):
        return None
    try:
        text = template.render_text({"config": values or {}})
    except ExpressionError:
        return None
    return None if isinstance(text, Secret) else text or ""


def _is_web_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("https", "http") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
