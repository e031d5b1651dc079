"""How a request says who asks; one kind, one file."""

from __future__ import annotations

from typing import Final, TypeAlias

from integrationd.wire.auth.api_key import ApiKeyAuth
from integrationd.wire.auth.basic import BasicAuth
from integrationd.wire.auth.bearer import BearerAuth
from integrationd.wire.auth.none import NoAuth
from integrationd.wire.auth.oauth2 import OAuth2Auth

AnyAuth: TypeAlias = NoAuth | BasicAuth | BearerAuth | ApiKeyAuth | OAuth2Auth
KINDS: Final = (NoAuth, BasicAuth, BearerAuth, ApiKeyAuth, OAuth2Auth)
