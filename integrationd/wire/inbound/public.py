"""What all verification by public keys shares."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from typing_extensions import override

from integrationd.config.decode import INVALID, Invalid, Site
from integrationd.config.nodes import Fields
from integrationd.errors import SecretError, SignatureError
from integrationd.model.json import Json
from integrationd.transform.template import Template
from integrationd.wire import public_keys
from integrationd.wire.credentials import CONSTANTS
from integrationd.wire.inbound import signed
from integrationd.wire.inbound.candidates import INBOUND_PLACES, Signature
from integrationd.wire.inbound.certificates import Certificate
from integrationd.wire.inbound.checks import Demands
from integrationd.wire.inbound.fetched import NOTHING, Fetched
from integrationd.wire.inbound.keys import PublicKey, given_keys
from integrationd.wire.inbound.signed import Signed, check_time, covers_body
from integrationd.wire.inbound.times import Timestamp
from integrationd.wire.inbound.values import OVER_A_CALL
from integrationd.wire.messages import Call, Request
from integrationd.wire.places import Place
from integrationd.wire.public_keys import LoadedKey, PublicEncoding, Way


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicVerifier(Demands):
    """A signature that anybody can verify and only the sender can make."""

    keys: Annotated[tuple[PublicKey | Template, ...], CONSTANTS] = ()
    """The public keys, newest first, each a template or an object with ``key``, ``id`` and
    ``not_after``. They are no secrets and may stand in the file."""
    key_encoding: PublicEncoding = PublicEncoding.PEM
    """How a key is written: ``pem``, ``spki`` (base64 of the same), or for Ed25519 ``hex`` or
    ``base64`` of its bytes."""
    strip_prefix: str = ""
    """Taken away before a key is read: ``whpk_``, of Standard Webhooks."""
    select: Annotated[Place | None, INBOUND_PLACES] = None
    """Where a call names its key by its ``id``; without it any key may fit."""
    certificate: Certificate | None = None
    """In the place of ``keys``: where the call says that its certificate lies."""
    signature: Signature
    """Where the signature stands."""
    timestamp: Timestamp | None = None
    """Where the time stands at which it was signed, and how old it may be."""
    signed: Annotated[Signed | None, OVER_A_CALL] = None
    """What is signed, byte for byte, as in ``hmac``; the body, unless it is said."""

    def check(self, node: Fields, site: Site) -> Invalid | None:
        """Refuse what could never verify."""
        valid = True
        if bool(self.keys) == (self.certificate is not None):
            message = f"{site.path} needs 'keys' or 'certificate', and just one of them"
            valid = site.refuse(node.position, "E102", message) is None
        places = () if self.timestamp is None else self.timestamp.places
        valid = check_time(self.signed, places, node, site) and valid
        return None if valid else INVALID

    @property
    @override
    def covers_body(self) -> bool:
        """Tell whether the body as a whole is among what is signed."""
        return covers_body(self.signed)

    @override
    def addresses(self, call: Call, variables: Mapping[str, Json]) -> tuple[str, ...]:
        """Return what has to be fetched first; raises SignatureError where it is not allowed."""
        _ = variables
        if self.certificate is None or not self.may_hold(call):
            return ()
        return (self.certificate.address(call),)

    def verify(
        self,
        call: Call,
        variables: Mapping[str, Json],
        now: datetime,
        fetched: Fetched = NOTHING,
    ) -> None:
        """Return when a signature of the call fits what is signed.

        Raises:
            SignatureError: There is no usable signature, none fits, the time is too far off, or
                something else is not as it has to be.
            SecretError: A key is missing or none: the endpoint stays closed.
        """
        if self.certificate is not None:
            self.hold_when(call)
        keys = self._load(call, variables, now, fetched)
        timestamp = None if self.timestamp is None else self.timestamp.read(call, now)
        self.demand(call, variables, timestamp)
        way = self.way(call)
        known = {"config": variables.get("config", {})}
        data = signed.build(self.signed, call, known, timestamp)
        candidates = self.signature.read_candidates(call, way.family)
        if not any(public_keys.fits(way, key, data, one) for one in candidates for key in keys):
            what = "the body" if self.signed is None else "what is signed"
            message = f"no signature in {self.signature.shown} fits {what}"
            raise SignatureError(f"{message}; another key, or {what} was changed on its way")

    def sign(
        self, request: Request, body: bytes, variables: Mapping[str, Json], now: datetime
    ) -> Request:
        """Raise SecretError: only the sender has the private key."""
        _ = request, body, variables, now
        raise SecretError(f"{self.way_name} is signed by a private key, which only the sender has")

    @property
    @abstractmethod
    def way_name(self) -> str:
        """Return the kind, for messages."""

    @abstractmethod
    def way(self, call: Call) -> Way:
        """Return how signatures are verified; raises SignatureError where the call names none."""

    def _load(
        self, call: Call, variables: Mapping[str, Json], now: datetime, fetched: Fetched
    ) -> list[LoadedKey]:
        if self.certificate is not None:
            address, name = self.certificate.address(call), self.certificate.allow_name
            data = fetched.get(address)
            if data is None:
                raise SignatureError(f"{self.certificate.from_} was not fetched")
            where = str(self.certificate.from_)
            return [public_keys.load_certificate(data, now, name.fits, where)]
        named = None if self.select is None else self.select.take(call) or ""
        given = given_keys(self.keys, variables, now, self.strip_prefix, named)
        return [public_keys.load(key.text, self.key_encoding, key.where) for key in given]
