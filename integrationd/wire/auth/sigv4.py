"""AWS Signature Version 4."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Annotated, ClassVar, Final
from urllib.parse import quote, unquote_to_bytes, urlsplit

from integrationd.config.decode import SECRET, Invalid, Site
from integrationd.config.nodes import Fields
from integrationd.errors import RefusedError
from integrationd.model.json import Json
from integrationd.model.secret import Secret, reveal
from integrationd.transform.template import Template
from integrationd.wire import places, signing
from integrationd.wire.attempt import Attempt
from integrationd.wire.credentials import CONSTANTS, render_secret
from integrationd.wire.encoding import EncodedRequest, encode, encode_url, host_of
from integrationd.wire.messages import Request, Text

_ALGORITHM: Final = "AWS4-HMAC-SHA256"
_UNSIGNED: Final = "UNSIGNED-PAYLOAD"
_STORES: Final = frozenset({"s3", "s3-outposts", "s3-object-lambda", "s3express"})
"""Services whose paths are signed as they are, and that want the body's hash in a header."""
_NAME: Final = re.compile(r"[A-Za-z0-9-]+")
_BLANKS: Final = re.compile(" +")


class Payload(StrEnum):
    """Whether the signature covers the body."""

    SIGNED = "signed"
    """Its SHA-256 is part of what is signed."""
    UNSIGNED = "unsigned"
    """S3 alone takes that, over TLS."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SigV4Auth:
    """Sign every request as AWS and what speaks like it (MinIO, Ceph) want.

    ``host``, ``content-type`` and all headers that begin with ``x-amz-`` are signed, and so are
    path and query as they are sent; a ``+`` for a blank in a URL becomes ``%20`` before that.

    Source:
        AWS General Reference, "Signature Version 4 signing process"; Amazon S3 API Reference,
        "Authenticating Requests: Using the Authorization Header".
    """

    kind: ClassVar[str] = "sigv4"

    service: str
    """As it stands in the credential scope, ``s3``, ``sns``, ``execute-api``."""
    region: Annotated[Template, CONSTANTS]
    """``eu-central-1``; services that are everywhere have ``us-east-1``."""
    access_key: Annotated[Template, CONSTANTS]
    """The key's id, ``AKIA…``."""
    secret_key: Annotated[Template, CONSTANTS, SECRET]
    """The key itself."""
    session_token: Annotated[Template | None, CONSTANTS, SECRET] = None
    """With keys that end: the token that belongs to them. An empty one is left out."""
    payload: Payload = Payload.SIGNED
    """Whether the body is signed: ``signed`` or, of S3, ``unsigned``."""

    def check(self, node: Fields, site: Site) -> Invalid | None:
        """Refuse a service that is no name, and an unsigned body where none is taken."""
        if not _NAME.fullmatch(self.service):
            return site.key("service").expected(
                node.entries["service"], "a service's name such as s3 or sns", "E111"
            )
        if self.payload is Payload.UNSIGNED and self.service not in _STORES:
            message = f"{site.name} has 'payload: unsigned', which goes with 'service: s3' alone"
            return site.refuse(node.key_position("payload"), "E114", message)
        return None

    def sign(self, request: Request, variables: Mapping[str, Json], attempt: Attempt) -> Request:
        """Return the request with its signature in the ``authorization`` header.

        Raises:
            SecretError: A key is empty.
            RefusedError: The request cannot be sent, or the region is none.
        """
        request = _with_plain_query(request)
        region = reveal(self.region.render_text(variables) or "")
        if not _NAME.fullmatch(region):
            raise RefusedError("auth.region is empty or no region, expected one like eu-central-1")
        who = render_secret(self.access_key, variables, "auth.access_key").reveal()
        secret = render_secret(self.secret_key, variables, "auth.secret_key").reveal()
        sent = encode(request)
        payload = self._payload(sent)
        added = self._added(payload, variables, attempt.at)
        headers = _signed_headers(sent, added)
        scope = f"{attempt.at:%Y%m%d}/{region}/{self.service}/aws4_request"
        canonical = hashlib.sha256(self._canonical(sent, headers, payload).encode()).hexdigest()
        text = "\n".join((_ALGORITHM, _stamp(attempt.at), scope, canonical))
        key = f"AWS4{secret}".encode()
        for part in scope.split("/"):
            key = signing.authenticate("sha256", key, part.encode())
        signature = signing.authenticate("sha256", key, text.encode()).hex()
        added["authorization"] = Secret(
            f"{_ALGORITHM} Credential={who}/{scope}, SignedHeaders={';'.join(headers)}, "
            f"Signature={signature}"
        )
        for name, value in added.items():
            places.check_header(name, value)
            request = request.with_header(name, value)
        return request

    def _payload(self, sent: EncodedRequest) -> str:
        if self.payload is Payload.UNSIGNED:
            return _UNSIGNED
        return hashlib.sha256(sent.body or b"").hexdigest()

    def _added(
        self, payload: str, variables: Mapping[str, Json], moment: datetime
    ) -> dict[str, Text]:
        """Return the headers that are sent besides, and signed."""
        headers: dict[str, Text] = {"x-amz-date": _stamp(moment)}
        if self.service in _STORES:
            headers["x-amz-content-sha256"] = payload
        if self.session_token is not None:
            token = reveal(self.session_token.render_text(variables) or "")
            headers |= {"x-amz-security-token": Secret(token)} if token else {}
        return headers

    def _canonical(self, sent: EncodedRequest, headers: Mapping[str, str], payload: str) -> str:
        """Return the canonical request."""
        parts = urlsplit(sent.url)
        path = parts.path or "/"
        if self.service not in _STORES:
            path = quote(_without_dots(path), safe="/-_.~")
        pairs = sorted(part.partition("=")[::2] for part in parts.query.split("&") if part)
        query = "&".join(f"{name}={value}" for name, value in pairs)
        lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
        return "\n".join((sent.method, path, query, lines, ";".join(headers), payload))


def _stamp(moment: datetime) -> str:
    return f"{moment:%Y%m%dT%H%M%SZ}"


def _signed_headers(sent: EncodedRequest, added: Mapping[str, Text]) -> dict[str, str]:
    """Return the signed headers by name, in their order."""
    plain = {name: reveal(value) for name, value in added.items()}
    headers = {**sent.headers, **plain, "host": host_of(sent.url)}
    return {
        name: _BLANKS.sub(" ", value.strip())
        for name, value in sorted(headers.items())
        if name in ("host", "content-type") or name.startswith("x-amz-")
    }


def _with_plain_query(request: Request) -> Request:
    """Return the request with a query that can be read and written in one way alone.

    Servers decode what they get and encode it anew; a URL that came from elsewhere may hold a
    ``+`` or a sign that needs no escape, and then both sides would sign different texts.
    """
    head, _, query = encode_url(request).partition("?")
    plain = "&".join(_plain(part) for part in query.split("&") if part)
    if plain == query:
        return request
    is_secret = isinstance(request.url, Secret) or any(
        isinstance(value, Secret) for _, value in request.query
    )
    url = f"{head}?{plain}" if plain else head
    return replace(request, url=Secret(url) if is_secret else url, query=())


def _plain(part: str) -> str:
    """Write ``name=value`` with every sign escaped that may be."""
    return "=".join(
        quote(unquote_to_bytes(text.replace("+", " ")), safe="-_.~") for text in part.split("=", 1)
    )


def _without_dots(path: str) -> str:
    """Remove ``.``, ``..`` and empty steps, as all services but S3 do before they verify."""
    kept: list[str] = []
    for step in path.split("/"):
        if step == ".." and kept:
            kept.pop()
        elif step not in ("", ".", ".."):
            kept.append(step)
    end = "/" if kept and path.endswith(("/", "/.", "/..")) else ""
    return f"/{'/'.join(kept)}{end}"
