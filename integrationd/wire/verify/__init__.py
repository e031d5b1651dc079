"""How an inbound call proves its sender; one kind, one file."""

from __future__ import annotations

from typing import Final, TypeAlias

from integrationd.wire.verify.hmac import HmacVerifier

AnyVerifier: TypeAlias = HmacVerifier
KINDS: Final = (HmacVerifier,)
