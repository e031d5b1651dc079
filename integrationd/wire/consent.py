"""A person's consent: where it is asked for, what comes back of it, and for what it holds."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Final
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from integrationd.config.decode import Invalid, Keys, Site
from integrationd.config.leaves import decode_text
from integrationd.config.nodes import Node
from integrationd.errors import PageShapeError, UsageError
from integrationd.model.json import Json
from integrationd.model.secret import Secret
from integrationd.transform.printing import describe
from integrationd.transform.scopes import Scope
from integrationd.transform.template import Template
from integrationd.wire import grants
from integrationd.wire.call import HEADER_NAMES
from integrationd.wire.credentials import CONSTANTS
from integrationd.wire.token_client import Field

_CONFIG: Final = Scope(("config",))
_OWN: Final = ("state", "redirect_uri", "code_challenge", "code_challenge_method")
_QUERY_NAMES: Final = Keys(
    rf"(?!(?:{'|'.join(_OWN)})$).+",
    f"another name; {', '.join(_OWN)} are set by themselves",
)
LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")
"""Hosts on which this machine can be reached by itself."""
ANSWER_CHARACTERS_MAX: Final = 16_384
"""Of an address that a browser comes back to; codes of some hundred characters are usual."""
INTERVAL_S: Final = 5.0
"""Between two questions whether consent was given, where the provider says nothing; also what is
added each time it says ``slow_down``. RFC 8628 sections 3.2 and 3.5."""
INTERVAL_MAX_S: Final = 300.0
LIFETIME_MAX_S: Final = 3600.0
"""For which a person is waited for at most, whatever the provider says."""
_USER_CODE_MAX: Final = 64


class RedirectAddress(str):
    """Where a browser is sent to when consent was given."""

    __slots__ = ()

    @classmethod
    def decode_node(cls, node: Node, site: Site) -> RedirectAddress | Invalid:
        """Read an address; without TLS it must be one of this machine."""
        text = decode_text(node, site)
        if isinstance(text, Invalid):
            return text
        try:
            parts = urlsplit(text)
            is_good = bool(parts.hostname) and parts.port != 0
            is_own = parts.hostname in LOOPBACK
        except ValueError:
            is_good = False
        is_plain = is_good and "#" not in text and "@" not in parts.netloc and not parts.query
        if not is_plain or not (parts.scheme == "https" or (parts.scheme == "http" and is_own)):
            what = (
                "an address on this machine such as http://127.0.0.1/callback (any free port) or "
                "http://localhost:8976/callback, or one with https://, which is pasted"
            )
            return site.expected(node, what, "E111")
        return cls(text)

    def at(self, port: int | None) -> str:
        """Return it with a port, where it has none of its own and one is known."""
        parts = urlsplit(self)
        if port is None or parts.port is not None or not self.is_own:
            return str(self)
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        return urlunsplit((parts.scheme, f"{host}:{port}", parts.path or "/", "", ""))

    @property
    def is_own(self) -> bool:
        """Tell whether it is an address of this machine, at which a command can listen."""
        return self.startswith("http:")


_USUAL_REDIRECT: Final = RedirectAddress("http://127.0.0.1/callback")


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorize:
    """Where a person gives consent in a browser, by ``integrationd auth login NAME``.

    What goes there is ``response_type=code``, ``client_id``, ``scope``, ``redirect_uri``, ``state``
    and, for PKCE, ``code_challenge``; all of it is public.

    Source:
        RFC 6749 section 4.1; RFC 7636; RFC 8252.
    """

    url: Annotated[Template, _CONFIG]
    """The page that a person opens; nothing is sent there by the daemon."""
    query: Annotated[Mapping[str, Template], _QUERY_NAMES, _CONFIG] = field(default_factory=dict)
    """Further parameters, ``{access_type: offline, prompt: consent}``; one of the usual names
    replaces what would be sent, null leaves it out."""
    redirect: RedirectAddress = _USUAL_REDIRECT
    """Where the browser is sent to afterwards, as it is registered at the provider. Without a port
    a free one is taken; one with ``https://`` is never listened at, its address is pasted."""
    pkce: bool = True
    """Whether the code is bound to this login by S256; ``false`` where a provider refuses that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """Where a code is had that a person types in on any other device.

    Source:
        RFC 8628.
    """

    url: Annotated[Template, CONSTANTS]
    """The device authorization endpoint; its host may be called."""
    form: Annotated[Mapping[str, Field], CONSTANTS] = field(default_factory=dict)
    """Further fields of the request for a code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refresh:
    """How a token is renewed, where that differs from the request for the first one."""

    url: Annotated[Template | None, CONSTANTS] = None
    """Where; ``token_url`` by default. Its host may be called."""
    form: Annotated[Mapping[str, Field] | None, CONSTANTS] = None
    """Further fields, instead of those of ``form``; an empty object is none."""
    headers: Annotated[Mapping[str, Template] | None, HEADER_NAMES, CONSTANTS] = None
    """Headers, instead of those of ``headers``."""


@dataclass(frozen=True, slots=True)
class Terms:
    """For what a consent is wanted."""

    origin: str
    """Stands for client and provider: a consent that was given to others does not hold."""
    scopes: tuple[str, ...] = ()
    """What is asked for."""


def origin_of(client: Secret, token_url: str) -> str:
    """Return what a consent is bound to: the client, and the host that gives its tokens."""
    parts = urlsplit(token_url)
    made_of = Secret(f"{client.reveal()}\n{parts.scheme}://{parts.netloc.lower()}")
    return f"{grants.BY_CONSENT}{grants.digest_of(made_of)}"


def challenge_of(verifier: Secret) -> str:
    """Return the challenge that goes with a verifier, RFC 7636 section 4.2."""
    digest = hashlib.sha256(verifier.reveal().encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


@dataclass(frozen=True, slots=True)
class Denied:
    """A provider's no in the browser."""

    error: str
    said: str


@dataclass(frozen=True, slots=True)
class Came:
    """What a browser came back with."""

    state: str
    """Which login it is about."""
    brought: Secret | Denied
    """The code, or why there is none."""


_WANTED: Final = (
    "expected the whole address to which the provider sends the browser in the end, with its "
    "'state' and 'code'"
)


def read_answer(text: Secret) -> Came:
    """Read the address that a browser was sent back to.

    Args:
        text: The whole address, or what stands behind its ``?``.

    Raises:
        UsageError: It is no answer of a provider; nothing of it is shown.
    """
    try:
        pairs = _read_pairs(text.reveal().strip())
    except ValueError:
        pairs = []
    names = [name for name, _ in pairs]
    fields = dict(pairs)
    if len(names) != len(set(names)):
        raise UsageError(f"that address says one thing twice, {_WANTED}")
    if not fields.get("state"):
        raise UsageError(f"that is no answer of a provider, {_WANTED}")
    if fields.get("error"):
        refusal = grants.read_refusal(0, dict(fields), {})
        return Came(fields["state"], Denied(refusal.error, refusal.said))
    if not fields.get("code"):
        raise UsageError(f"that address has neither a code nor an error, {_WANTED}")
    return Came(fields["state"], Secret(fields["code"]))


def _read_pairs(text: str) -> list[tuple[str, str]]:
    if len(text) > ANSWER_CHARACTERS_MAX:
        return []
    # As some have it behind a `#` all the same, or with one at the end.
    query = text.partition("?")[2] or text
    return parse_qsl(query.partition("#")[0], keep_blank_values=True, max_num_fields=100)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceCode:
    """What a person is shown, and what is asked with meanwhile."""

    device_code: Secret
    user_code: str
    """To be typed in by the person."""
    address: str
    """Where."""
    whole_address: str = ""
    """The same with the code in it, where there is one."""
    lifetime_s: float
    interval_s: float


def read_device(body: Json) -> DeviceCode:
    """Read what a device authorization endpoint gave.

    Raises:
        PageShapeError: It lacks a code or an address, or has one that cannot be shown.

    Source:
        RFC 8628 section 3.2; Google has ``verification_url``,
        https://developers.google.com/identity/protocols/oauth2/limited-input-device.
    """
    fields: Mapping[str, Json] = body if isinstance(body, dict) else {}
    code, shown = fields.get("device_code"), fields.get("user_code")
    address = fields.get("verification_uri") or fields.get("verification_url")
    whole = fields.get("verification_uri_complete") or fields.get("verification_url_complete") or ""
    if not isinstance(code, str) or not 0 < len(code) <= grants.TOKEN_CHARACTERS_MAX:
        raise PageShapeError(
            f"the device reply has {describe(code)} at body.device_code, expected a code as text"
        )
    if not _is_plain(shown, _USER_CODE_MAX):
        raise PageShapeError(
            f"the device reply has {describe(shown)} at body.user_code, expected a code that can "
            "be typed"
        )
    for name, value in (("verification_uri", address), ("verification_uri_complete", whole)):
        if not (value == "" and name != "verification_uri") and not _is_address(value):
            raise PageShapeError(
                f"the device reply has {describe(value)} at body.{name}, expected an address that "
                "begins with https:// or http://"
            )
    lifetime_s = grants.read_lifetime(fields.get("expires_in")) or LIFETIME_MAX_S
    interval_s = grants.read_lifetime(fields.get("interval")) or INTERVAL_S
    return DeviceCode(
        device_code=Secret(code),
        user_code=str(shown),
        address=str(address),
        whole_address=str(whole),
        lifetime_s=min(lifetime_s, LIFETIME_MAX_S),
        interval_s=min(interval_s, INTERVAL_MAX_S),
    )


def _is_plain(value: Json, characters_max: int) -> bool:
    """Tell whether a text can be shown on a terminal as it is."""
    return isinstance(value, str) and 0 < len(value) <= characters_max and value.isprintable()


def _is_address(value: Json) -> bool:
    if not _is_plain(value, 2048):
        return False
    try:
        parts = urlsplit(str(value))
        return parts.scheme in ("https", "http") and bool(parts.hostname) and str(value).isascii()
    except ValueError:
        return False
