"""HTTP message signatures, RFC 9421."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, ClassVar, Final

from typing_extensions import override

from integrationd.config.decode import Invalid, Site
from integrationd.config.nodes import Fields, Items
from integrationd.errors import SecretError, SignatureError
from integrationd.model.json import Json
from integrationd.transform.template import Template
from integrationd.wire import public_keys
from integrationd.wire.credentials import CONSTANTS
from integrationd.wire.encoding import encode
from integrationd.wire.inbound import message, structured
from integrationd.wire.inbound.candidates import SIGNATURES_MAX
from integrationd.wire.inbound.checks import Demands
from integrationd.wire.inbound.fetched import NOTHING, Fetched
from integrationd.wire.inbound.keys import (
    GivenKey,
    KeyEncoding,
    PublicKey,
    given_keys,
    read_shared,
)
from integrationd.wire.inbound.sending import as_call
from integrationd.wire.inbound.structured import Member
from integrationd.wire.inbound.times import check_age
from integrationd.wire.messages import Call, Request
from integrationd.wire.public_keys import Family, PublicEncoding, Way


class Algorithm(StrEnum):
    """How it is signed, RFC 9421 section 3.3."""

    RSA_PSS_SHA512 = "rsa-pss-sha512"
    RSA_V1_5_SHA256 = "rsa-v1_5-sha256"
    HMAC_SHA256 = "hmac-sha256"
    ECDSA_P256_SHA256 = "ecdsa-p256-sha256"
    ECDSA_P384_SHA384 = "ecdsa-p384-sha384"
    ED25519 = "ed25519"


_WAYS: Final = {
    Algorithm.RSA_PSS_SHA512: Way(Family.RSA_PSS, "sha512"),
    Algorithm.RSA_V1_5_SHA256: Way(Family.RSA_PKCS1, "sha256"),
    Algorithm.ECDSA_P256_SHA256: Way(Family.ECDSA_RAW, "sha256"),
    Algorithm.ECDSA_P384_SHA384: Way(Family.ECDSA_RAW, "sha384"),
    Algorithm.ED25519: Way(Family.ED25519),
}
_DIGEST: Final = "content-digest"


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpSignatureVerifier(Demands):
    """Accept what is signed as RFC 9421 says: chosen components of the message.

    The file names the algorithm; what the call says of it has to be the same. The body counts where
    ``content-digest`` is signed, and that one is held against the body.

    Source:
        RFC 9421; RFC 9530 for Content-Digest.
    """

    kind: ClassVar[str] = "http_signature"

    algorithm: Algorithm
    """How it is signed."""
    keys: Annotated[tuple[PublicKey | Template, ...], CONSTANTS]
    """The keys, newest first; of ``hmac-sha256`` shared secrets, else public keys. The ``keyid`` of
    a call picks the one of that ``id``, where one has an ``id``."""
    key_encoding: PublicEncoding | None = None
    """How a public key is written, ``pem`` unless it is said; a shared one is base64."""
    require: tuple[str, ...] = ("@method", "@target-uri", _DIGEST)
    """The components that have to be signed at least."""
    max_age: timedelta = timedelta(minutes=5)
    """How long before the receipt, or behind it, ``created`` may lie; it has to be there."""
    tag: str | None = None
    """The ``tag`` that a signature must have: of several that one is taken."""

    def check(self, node: Fields, site: Site) -> Invalid | None:
        """Refuse an empty list of keys, and a shared secret as text."""
        if not self.keys:
            message = f"{site.path}.keys is empty, expected at least one key"
            return site.refuse(node.entries["keys"].position, "E102", message)
        listed = node.entries["keys"]
        if self.algorithm is Algorithm.HMAC_SHA256 and isinstance(listed, Items):
            for key, item in zip(self.keys, listed.items, strict=True):
                template = key if isinstance(key, Template) else key.key
                if template.is_written_out:
                    return site.key("keys").refuse_text(item)
        if self.algorithm is Algorithm.HMAC_SHA256 and self.key_encoding is not None:
            told = f"{site.path} has 'key_encoding', which goes with public keys"
            return site.refuse(node.key_position("key_encoding"), "E114", told)
        return None

    @property
    @override
    def covers_body(self) -> bool:
        """Tell whether the digest of the body has to be signed."""
        return _DIGEST in self.require

    def verify(
        self,
        call: Call,
        variables: Mapping[str, Json],
        now: datetime,
        fetched: Fetched = NOTHING,
    ) -> None:
        """Return when one of the signatures is right.

        Raises:
            SignatureError: None is.
            SecretError: A key is missing or none: the endpoint stays closed.
        """
        _ = fetched
        given_keys(self.keys, variables, now)
        self.demand(call, variables)
        inputs = message.read(call, "signature-input")
        signatures = message.read(call, "signature")
        labels = [
            label
            for label, member in inputs.items()
            if label in signatures and self.tag in (None, member.parameters.get("tag"))
        ]
        if not labels:
            raise SignatureError("header.signature-input has no signature that is expected")
        if len(labels) > SIGNATURES_MAX:
            raise SignatureError(f"header.signature holds more than {SIGNATURES_MAX} signatures")
        # Once for all of them: callers choose how many there are, and how large the body is.
        fault = _digest_fault(call, [inputs[label] for label in labels])
        reasons = []
        for label in labels:
            try:
                self._verify_one(inputs[label], signatures[label], call, variables, now)
                if fault is not None and _DIGEST in _covered(inputs[label]):
                    raise fault
            except SignatureError as refused:
                reasons.append(str(refused))
            else:
                return
        raise SignatureError("; nor: ".join(dict.fromkeys(reasons)))

    def sign(
        self, request: Request, body: bytes, variables: Mapping[str, Json], now: datetime
    ) -> Request:
        """Return the request as the sender would; raises SecretError without a shared key."""
        if self.algorithm is not Algorithm.HMAC_SHA256:
            raise SecretError(f"{self.algorithm} needs a private key, which only the sender has")
        key = given_keys(self.keys, variables, now)[0]
        carried = body if request.body is None else encode(request).body or b""
        digest = base64.b64encode(hashlib.sha256(carried).digest()).decode()
        request = request.with_header(_DIGEST, f"sha-256=:{digest}:")
        parts = " ".join(f'"{name}"' for name in self.require)
        named = f';keyid="{key.id}"' if key.id else ""
        tagged = f';tag="{self.tag}"' if self.tag else ""
        text = f"sig=({parts});created={int(now.timestamp())}{named}{tagged}"
        member = structured.parse_dictionary(text)["sig"]
        data = message.build_base(member, as_call(request, body))
        made = hmac.digest(read_shared(key, KeyEncoding.BASE64), data, "sha256")
        request = request.with_header("signature-input", text)
        return request.with_header("signature", f"sig=:{base64.b64encode(made).decode()}:")

    def _verify_one(
        self,
        member: Member,
        shown: Member,
        call: Call,
        variables: Mapping[str, Json],
        now: datetime,
    ) -> None:
        said = member.parameters
        if said.get("alg", self.algorithm) != self.algorithm:
            raise SignatureError("the signature names another algorithm than the file")
        created, expires = said.get("created"), said.get("expires")
        if type(created) is not int:
            raise SignatureError("the signature does not say when it was created")
        check_age("created", created, now, self.max_age)
        if expires is not None and (type(expires) is not int or expires < now.timestamp()):
            raise SignatureError("the signature has expired")
        covered = _covered(member)
        lacking = [name for name in self.require if name not in covered]
        if lacking:
            raise SignatureError(f"the signature does not cover {', '.join(lacking)}")
        data = message.build_base(member, call)
        signature = shown.single
        keys = self._pick_keys(said.get("keyid"), variables, now)
        if not isinstance(signature, bytes) or not any(
            self._fits(key, data, signature) for key in keys
        ):
            raise SignatureError("header.signature does not fit what is signed")

    def _pick_keys(
        self, named: object, variables: Mapping[str, Json], now: datetime
    ) -> list[GivenKey]:
        has_ids = any(isinstance(key, PublicKey) and key.id is not None for key in self.keys)
        wanted = (named if isinstance(named, str) else "") if has_ids else None
        return given_keys(self.keys, variables, now, named=wanted)

    def _fits(self, key: GivenKey, data: bytes, signature: bytes) -> bool:
        if self.algorithm is Algorithm.HMAC_SHA256:
            made = hmac.digest(read_shared(key, KeyEncoding.BASE64), data, "sha256")
            return hmac.compare_digest(made, signature)
        loaded = public_keys.load(key.text, self.key_encoding or PublicEncoding.PEM, key.where)
        return public_keys.fits(_WAYS[self.algorithm], loaded, data, signature)


def _covered(member: Member) -> set[structured.Value]:
    return {item.value for item in member.items if not item.parameters}


def _digest_fault(call: Call, members: Iterable[Member]) -> SignatureError | None:
    """Return what is wrong with the digest of the body; None where none of them has it signed."""
    try:
        if any(_DIGEST in _covered(member) for member in members):
            message.check_digest(call)
    except SignatureError as wrong:
        return wrong
    return None
