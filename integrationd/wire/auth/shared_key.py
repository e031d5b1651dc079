"""Azure Storage's Shared Key."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from typing import Annotated, ClassVar, Final
from urllib.parse import parse_qsl, urlsplit

from integrationd.config.sites import SECRET
from integrationd.model.json import Json
from integrationd.model.secret import Secret, reveal
from integrationd.transform.template import Template
from integrationd.wire import places, signing
from integrationd.wire.attempt import Attempt
from integrationd.wire.credentials import CONSTANTS, render_secret
from integrationd.wire.encoding import EncodedRequest, encode
from integrationd.wire.messages import Request

_HEADERS: Final = (
    "content-encoding",
    "content-language",
    "content-length",
    "content-md5",
    "content-type",
    "date",
    "if-modified-since",
    "if-match",
    "if-none-match",
    "if-unmodified-since",
    "range",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedKeyAuth:
    """Sign every request as Azure's Blob, Queue and File services want.

    ``x-ms-date`` is the time; a header of the request of that name is replaced, and so is one
    named ``x-ms-version``.

    Source:
        Microsoft Learn, "Authorize with Shared Key (REST API in Azure Storage)", for versions of
        2015-02-21 and later.
    """

    kind: ClassVar[str] = "shared_key"

    account: Annotated[Template, CONSTANTS]
    """The storage account."""
    key: Annotated[Template, CONSTANTS, SECRET]
    """One of its two keys, base64 as the portal shows it."""
    version: str = "2021-12-02"
    """``x-ms-version``: which release of the interface answers."""

    def sign(self, request: Request, variables: Mapping[str, Json], attempt: Attempt) -> Request:
        """Return the request with its signature in the ``authorization`` header.

        Raises:
            SecretError: Account or key is empty, or the key is not base64.
            RefusedError: The request cannot be sent.
        """
        account = render_secret(self.account, variables, "auth.account").reveal()
        key = render_secret(self.key, variables, "auth.key")
        places.check_header("x-ms-version", self.version)
        request = _with_single_blanks(request)
        request = request.with_header("x-ms-date", _http_date(attempt.at))
        request = request.with_header("x-ms-version", self.version)
        text = _signable(encode(request), account)
        digest = signing.authenticate(
            "sha256", signing.read_base64_key(key, "auth.key"), text.encode()
        )
        value = Secret(f"SharedKey {account}:{base64.b64encode(digest).decode()}")
        places.check_header("authorization", value)
        return request.with_header("authorization", value)


def _with_single_blanks(request: Request) -> Request:
    """Return the request with one blank for several in the headers that are signed.

    The manual says so of the text, Microsoft's own clients and the emulator do not: they agree
    where there is nothing to replace.
    """
    for name, value in request.headers.items():
        plain = " ".join(reveal(value).split())
        if name.startswith("x-ms-") and plain != reveal(value):
            text = Secret(plain) if isinstance(value, Secret) else plain
            request = request.with_header(name, text)
    return request


def _signable(sent: EncodedRequest, account: str) -> str:
    size = len(sent.body or b"")
    # The date stands in x-ms-date; a length of nothing is written as nothing.
    own = {**sent.headers, "date": "", "content-length": str(size) if size else ""}
    lines = [sent.method, *(own.get(name, "") for name in _HEADERS)]
    named = sorted((name, value) for name, value in own.items() if name.startswith("x-ms-"))
    lines += [f"{name}:{value}" for name, value in named]
    return "\n".join([*lines, *_resource(sent.url, account)])


def _resource(url: str, account: str) -> list[str]:
    """Return the path as it is sent, then each decoded parameter with its sorted values."""
    parts = urlsplit(url)
    values: dict[str, list[str]] = {}
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        values.setdefault(name.lower(), []).append(value)
    lines = [f"{name}:{','.join(sorted(values[name]))}" for name in sorted(values)]
    return [f"/{account}{parts.path or '/'}", *lines]


def _http_date(moment: datetime) -> str:
    """Print a time as RFC 9110 section 5.6.7 wants it."""
    return format_datetime(moment, usegmt=True)
