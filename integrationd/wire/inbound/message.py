"""The components of a message that are signed, RFC 9421 section 2."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import SplitResult, urlsplit

from integrationd.errors import SignatureError
from integrationd.wire import signable
from integrationd.wire.inbound import structured
from integrationd.wire.inbound.structured import Item, Member, WrittenWrongError
from integrationd.wire.messages import Call

_PORTS: Final = {"http": 80, "https": 443}
_DIGESTS: Final = {"sha-256": "sha256", "sha-512": "sha512"}
"""RFC 9530; older ones are not taken."""


def read(call: Call, name: str) -> dict[str, Member]:
    """Read a header that is a dictionary.

    Raises:
        SignatureError: It is missing, or none.
    """
    text = call.headers.get(name)
    if not text:
        raise SignatureError(f"header.{name} is missing, expected a signature")
    try:
        return structured.parse_dictionary(text)
    except WrittenWrongError:
        raise SignatureError(f"header.{name} cannot be read") from None


def build_base(member: Member, call: Call) -> bytes:
    """Return the signature base, RFC 9421 section 2.5.

    Raises:
        SignatureError: A component is missing, stands there twice, or is of a kind that is not
            taken.
    """
    lines, seen = [], set()
    for item in member.items:
        name = item.value
        if not isinstance(name, str) or item.parameters or name in seen:
            raise SignatureError("the signature covers a component that is not taken")
        seen.add(name)
        lines.append(f'"{name}": {_value_of(item, call)}')
    lines.append(f'"@signature-params": {member.text}')
    return signable.as_bytes("\n".join(lines))


def check_digest(call: Call) -> None:
    """Hold ``content-digest`` against the body; every digest that is known has to fit.

    Raises:
        SignatureError: One does not, or none is known.
    """
    known = False
    for name, member in read(call, "content-digest").items():
        digest = _DIGESTS.get(name)
        if digest is None:
            continue
        known, shown = True, member.single
        made = hashlib.new(digest, call.body).digest()
        if not isinstance(shown, bytes) or not hmac.compare_digest(shown, made):
            raise SignatureError("header.content-digest does not fit the body")
    if not known:
        raise SignatureError("header.content-digest has no sha-256 or sha-512")


def _value_of(item: Item, call: Call) -> str:
    name = str(item.value)
    if name.startswith("@"):
        derive = _DERIVED.get(name)
        if derive is None:
            raise SignatureError("the signature covers a component that is not taken")
        return derive(call, urlsplit(call.url))
    value = call.headers.get(name)
    if value is None or name != name.lower():
        raise SignatureError(f"header.{name[:100]!r} is missing, which is signed")
    return value.strip()


def _authority(_call: Call, parts: SplitResult) -> str:
    host = (parts.hostname or "").lower()
    host = f"[{host}]" if ":" in host else host
    port = parts.port
    return host if port in (None, _PORTS.get(parts.scheme)) else f"{host}:{port}"


def _target(_call: Call, parts: SplitResult) -> str:
    return f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"


_DERIVED: Final[Mapping[str, Callable[[Call, SplitResult], str]]] = {
    "@method": lambda call, _: call.method,
    "@target-uri": lambda call, _: call.url,
    "@authority": _authority,
    "@scheme": lambda _, parts: parts.scheme,
    "@request-target": _target,
    "@path": lambda _, parts: parts.path or "/",
    "@query": lambda _, parts: f"?{parts.query}",
}
