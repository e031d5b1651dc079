"""How a request says who asks; one kind, one file."""

from __future__ import annotations

from typing import Final, TypeAlias

from integrationd.wire.auth.api_key import ApiKeyAuth
from integrationd.wire.auth.basic import BasicAuth
from integrationd.wire.auth.bearer import BearerAuth
from integrationd.wire.auth.none import NoAuth

AnyAuth: TypeAlias = NoAuth | BasicAuth | BearerAuth | ApiKeyAuth
KINDS: Final = (NoAuth, BasicAuth, BearerAuth, ApiKeyAuth)
