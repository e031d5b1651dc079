"""Keys that calls are verified by: how they are written, until when they count, whose they are."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from enum import StrEnum
from typing import Annotated, ClassVar

from integrationd.config.decode import SECRET, Invalid, Site
from integrationd.config.nodes import Fields, Node, Scalar
from integrationd.config.sites import Leaf
from integrationd.errors import ExpressionError, SecretError, SignatureError
from integrationd.model.json import Json
from integrationd.model.secret import Secret, reveal
from integrationd.transform.template import Template
from integrationd.wire import signing
from integrationd.wire.credentials import CONSTANTS, render_secret
from integrationd.wire.inbound.candidates import INBOUND_PLACES
from integrationd.wire.inbound.checks import Demands
from integrationd.wire.messages import Call
from integrationd.wire.places import Place


@dataclass(frozen=True, slots=True)
class LastDay:
    """A day, the last one on which something counts; it ends in UTC."""

    FORM: ClassVar[Leaf] = Leaf("a day such as 2026-12-31, in quotes", {"type": "string"})

    day: date

    @classmethod
    def decode_node(cls, node: Node, site: Site) -> LastDay | Invalid:
        """Read a day."""
        what = 'a day such as "2026-12-31"'
        if not isinstance(node, Scalar) or not isinstance(node.value, str):
            return site.expected(node, what)
        try:
            return cls(datetime.strptime(node.value, "%Y-%m-%d").replace(tzinfo=UTC).date())
        except ValueError:
            return site.expected(node, what, "E111")

    def is_over(self, now: datetime) -> bool:
        """Tell whether the day has passed."""
        return now > datetime.combine(self.day, time.max, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedKey:
    """One of several keys, with what is known of it."""

    key: Annotated[Template, CONSTANTS, SECRET]
    """The secret."""
    id: Annotated[Template | None, CONSTANTS] = None
    """What a call names it by, see ``select``."""
    not_after: LastDay | None = None
    """The last day, in UTC, on which it counts: what retries of old events are still signed by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicKey:
    """One of several public keys, with what is known of it."""

    key: Annotated[Template, CONSTANTS]
    """The key."""
    id: Annotated[Template | None, CONSTANTS] = None
    """What a call names it by."""
    not_after: LastDay | None = None
    """The last day, in UTC, on which it counts."""


AnyKey = SharedKey | PublicKey | Template


class KeyEncoding(StrEnum):
    """How a shared key is written."""

    UTF8 = "utf8"
    """Its characters are its bytes, however it looks."""
    HEX = "hex"
    BASE64 = "base64"


@dataclass(frozen=True, slots=True)
class GivenKey:
    """A key as it was given, ready to be read."""

    text: Secret
    where: str
    """The field, as its author wrote it."""
    id: str = ""


def given_keys(
    keys: Sequence[AnyKey],
    variables: Mapping[str, Json],
    now: datetime,
    strip_prefix: str = "",
    named: str | None = None,
) -> list[GivenKey]:
    """Return the keys that count now.

    Args:
        keys: As they stand in the file.
        variables: ``config`` and ``secrets``.
        now: The time of receipt.
        strip_prefix: Taken away where a key begins with it.
        named: By which a call chooses among them; None where it does not.

    Raises:
        SecretError: One of them is empty, though it may not be the one that is meant: the endpoint
            stays closed. Or none counts any more.
        SignatureError: None is the one that the call names.
    """
    found = []
    for index, entry in enumerate(keys):
        where = f"verify.keys[{index}]"
        template = entry if isinstance(entry, Template) else entry.key
        text = render_secret(template, variables, where).reveal().removeprefix(strip_prefix)
        if not text:
            raise SecretError(f"{where} is empty behind its prefix {strip_prefix!r}")
        if isinstance(entry, Template):
            found.append(GivenKey(Secret(text), where))
        elif entry.not_after is None or not entry.not_after.is_over(now):
            found.append(GivenKey(Secret(text), where, _name(entry, variables, where)))
    if not found:
        raise SecretError("no key of verify.keys counts any more, each is past its 'not_after'")
    if named is None:
        return found
    meant = [key for key in found if key.id == named]
    if not meant:
        raise SignatureError("the call names a key that is none of verify.keys by its 'id'")
    return meant


def _name(entry: SharedKey | PublicKey, variables: Mapping[str, Json], where: str) -> str:
    if entry.id is None:
        return ""
    try:
        return reveal(entry.id.render_text(variables) or "")
    except ExpressionError as wrong:
        raise SecretError(f"{where}.id cannot be made: {wrong}") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedKeys(Demands):
    """The fields of whatever verifies by secrets that both sides have."""

    keys: Annotated[tuple[SharedKey | Template, ...], CONSTANTS, SECRET]
    """The shared secrets, newest first; several while a secret is being rotated, each a template,
    or an object with ``key``, ``id`` and ``not_after``."""
    key_encoding: KeyEncoding = KeyEncoding.UTF8
    """How a key is written: ``utf8`` takes its characters as they are (Stripe's ``whsec_…``, Xero's
    that looks like base64), ``hex`` and ``base64`` what they stand for."""
    strip_prefix: str = ""
    """Taken away before a key is read: ``whsec_``, of Standard Webhooks."""
    select: Annotated[Place | None, INBOUND_PLACES] = None
    """Where a call names its key by its ``id``; without it any key may fit."""

    def tell_empty(self, node: Fields, site: Site) -> bool:
        """Tell an empty list of keys: nothing could ever be verified."""
        if self.keys:
            return False
        message = f"{site.path}.keys is empty, expected at least one template such as"
        place = node.entries["keys"].position
        site.refuse(place, "E102", f'{message} "{{{{ secrets.NAME }}}}"')
        return True

    def read_keys(
        self, call: Call | None, variables: Mapping[str, Json], now: datetime
    ) -> list[bytes]:
        """Return the bytes of the keys that may fit a call, or of all that count now.

        Raises:
            SecretError: One is empty or cannot be read: the endpoint stays closed.
            SignatureError: The call names none of them.
        """
        named = None
        if self.select is not None and call is not None:
            named = self.select.take(call) or ""
        given = given_keys(self.keys, variables, now, self.strip_prefix, named)
        return [read_shared(key, self.key_encoding) for key in given]


def read_shared(key: GivenKey, encoding: KeyEncoding) -> bytes:
    """Return the bytes of a shared key; raises SecretError where it is not written so."""
    if encoding is KeyEncoding.UTF8:
        return key.text.reveal().encode()
    if encoding is KeyEncoding.BASE64:
        made = signing.read_base64_key(key.text, key.where)
    else:
        try:
            made = base64.b16decode(key.text.reveal().strip(), casefold=True)
        except ValueError:
            raise SecretError(f"{key.where} is not hex; was it copied as a whole?") from None
    if not made:
        raise SecretError(f"{key.where} is empty once it is read, expected a secret")
    return made
