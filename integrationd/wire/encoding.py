"""Requests to what goes on the wire, so that the transport only moves bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, unquote_plus, urlencode, urlsplit, urlunsplit

from typing_extensions import override

from integrationd.errors import RefusedError
from integrationd.model.secret import PLACEHOLDER, Secret, reveal
from integrationd.wire import multipart, texts
from integrationd.wire.messages import FormBody, JsonBody, MultipartBody, Request, TextBody
from integrationd.wire.places import check_header

_URL_SAFE: Final = "%/:?[]@!$&'()*+,;=~-._"
"""What a received URL keeps as it is, RFC 3986 section 2.2, and escapes that are there already."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class EncodedRequest:
    """One request with its secrets revealed: it is sent and dropped, and never shown."""

    method: str
    url: str
    """Absolute and ASCII, percent-encoded throughout; no fragment."""
    headers: Mapping[str, str]
    """Names in lower case; ``content-type`` and ``accept`` are filled in where nobody set them."""
    body: bytes | None
    shown: str
    """How it may be printed."""

    @override
    def __repr__(self) -> str:
        """Show what may be shown."""
        return f"EncodedRequest({self.shown!r})"


def encode(request: Request) -> EncodedRequest:
    """Encode a request.

    A name in ``request.query`` replaces the same name in the URL's own query; the rest of the URL
    stays as it was received, but for characters that no URL may hold.

    Raises:
        RefusedError: The URL is not an absolute http or https URL without a user name, a header
            would break out of its line, or a text or number cannot be sent at all.
    """
    headers = {}
    for name, value in request.headers.items():
        check_header(name, value)
        headers[name] = reveal(value)
    try:
        body, kind = _encode_body(request)
    except UnicodeEncodeError:
        raise RefusedError(f"{describe(request)}: a text is not valid Unicode") from None
    if isinstance(request.body, MultipartBody):
        headers.pop("content-type", None)  # no other one can name the boundary
    if kind is not None:
        headers.setdefault("content-type", kind)
    headers.setdefault("accept", "application/json")
    return EncodedRequest(
        method=request.method,
        url=encode_url(request),
        headers=headers,
        body=body,
        shown=describe(request),
    )


def encode_url(request: Request) -> str:
    """Return the URL with its query; see :func:`encode`."""
    try:
        parts = urlsplit(reveal(request.url).strip())
        host = parts.hostname or ""
        port = "" if parts.port is None else f":{parts.port}"
        host = host if host.isascii() else host.encode("idna").decode()
        own = {name for name, _ in request.query}
        pairs = [(name, reveal(value)) for name, value in request.query]
        added = urlencode(pairs, quote_via=quote, safe=request.safe)
    except UnicodeError:
        raise RefusedError(f"{describe(request)}: a text is not valid Unicode") from None
    except ValueError:
        host = ""
    if not host or parts.scheme not in ("http", "https"):
        raise RefusedError(f"{describe(request)}: expected an absolute http or https URL")
    if parts.username is not None or parts.password is not None:
        raise RefusedError(f"{describe(request)}: a URL must not hold a user name; use 'auth'")
    kept = [part for part in parts.query.split("&") if part and _name_of(part) not in own]
    query = "&".join([*(_escape(part) for part in kept), *([added] if added else [])])
    netloc = f"[{host}]{port}" if ":" in host else f"{host}{port}"
    return urlunsplit((parts.scheme, netloc, _escape(parts.path), query, ""))


def host_of(url: str) -> str:
    """Return the ``host`` header that goes with an encoded URL: its usual port is left out.

    Source:
        RFC 9110 section 7.2 with RFC 3986 section 6.2.3.
    """
    parts = urlsplit(url)
    return parts.netloc.removesuffix(":443" if parts.scheme == "https" else ":80")


def describe(request: Request) -> str:
    """Return how a request may be printed: its method and URL, without query or secrets."""
    return f"{request.method} {printable_url(request)}"


def printable_url(request: Request) -> str:
    """Return a request's URL without query and user name; a secret one is a placeholder."""
    if isinstance(request.url, Secret):
        return PLACEHOLDER
    try:
        parts = urlsplit(request.url)
        netloc = parts.netloc.rpartition("@")[2]
        return urlunsplit((parts.scheme, netloc, parts.path, "", ""))
    except ValueError:
        return PLACEHOLDER


def _encode_body(request: Request) -> tuple[bytes | None, str | None]:
    match request.body:
        case JsonBody(value):
            return texts.dump_json(value).encode(), "application/json"
        case FormBody(pairs):
            plain = [(name, reveal(value)) for name, value in pairs]
            return urlencode(plain).encode(), "application/x-www-form-urlencoded"
        case MultipartBody(pairs):
            return multipart.encode_parts(pairs)
        case TextBody(text, kind):
            return reveal(text).encode(), kind
        case None:
            return None, None


def _name_of(part: str) -> str:
    return unquote_plus(part.partition("=")[0])


def _escape(text: str) -> str:
    return quote(text, safe=_URL_SAFE)
