"""How an inbound call proves its sender; one kind, one file."""

from __future__ import annotations

from typing import Final

from integrationd.wire.verify.basic import BasicVerifier
from integrationd.wire.verify.hash import HashVerifier
from integrationd.wire.verify.hmac import HmacVerifier
from integrationd.wire.verify.token import TokenVerifier

KINDS: Final = (HmacVerifier, HashVerifier, TokenVerifier, BasicVerifier)
