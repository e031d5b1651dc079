"""How a request says who asks; one kind, one file."""

from __future__ import annotations

from typing import Final

from integrationd.wire.auth.api_key import ApiKeyAuth
from integrationd.wire.auth.basic import BasicAuth
from integrationd.wire.auth.bearer import BearerAuth
from integrationd.wire.auth.digest import DigestAuth
from integrationd.wire.auth.jwt import JwtAuth
from integrationd.wire.auth.login import LoginAuth
from integrationd.wire.auth.none import NoAuth
from integrationd.wire.auth.oauth1 import OAuth1Auth
from integrationd.wire.auth.oauth2 import OAuth2Auth
from integrationd.wire.auth.shared_key import SharedKeyAuth
from integrationd.wire.auth.signed import SignedAuth
from integrationd.wire.auth.sigv4 import SigV4Auth

KINDS: Final = (
    NoAuth,
    BasicAuth,
    DigestAuth,
    BearerAuth,
    ApiKeyAuth,
    OAuth2Auth,
    LoginAuth,
    OAuth1Auth,
    JwtAuth,
    SignedAuth,
    SigV4Auth,
    SharedKeyAuth,
)
