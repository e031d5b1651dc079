"""What a client hands in for a token, how it says who it is, and what can be done about a no."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Grant(StrEnum):
    """What is handed in for a token."""

    CLIENT_CREDENTIALS = "client_credentials"
    """The client's own id and secret. RFC 6749 section 4.4."""
    REFRESH_TOKEN = "refresh_token"  # noqa: S105 - the grant's name
    """A refresh token that a person's consent gave elsewhere. RFC 6749 section 6."""
    PASSWORD = "password"  # noqa: S105 - the grant's name
    """A user name and a password. RFC 6749 section 4.3."""
    JWT_BEARER = "jwt_bearer"
    """A token that is signed with a private key, for a service account. RFC 7523 section 2.1."""
    AUTHORIZATION_CODE = "authorization_code"
    """What a person's consent in a browser gives. RFC 6749 section 4.1."""
    DEVICE_CODE = "device_code"
    """What a person's consent on another device gives. RFC 8628."""

    @property
    def sent(self) -> str:
        """Return its name in a token request."""
        return _URNS.get(self, self.value)

    @property
    def is_by_consent(self) -> bool:
        """Tell whether a person gives consent to us, by ``auth login``."""
        return self in (Grant.AUTHORIZATION_CODE, Grant.DEVICE_CODE)


_URNS: Final[Mapping[Grant, str]] = {
    Grant.JWT_BEARER: "urn:ietf:params:oauth:grant-type:jwt-bearer",
    Grant.DEVICE_CODE: "urn:ietf:params:oauth:grant-type:device_code",
}


class ClientAuth(StrEnum):
    """How the token request says which client asks."""

    BASIC = "basic"
    """In the ``authorization`` header, id and secret form-encoded first."""
    POST = "post"
    """As ``client_id`` and ``client_secret`` in the form."""
    PRIVATE_KEY_JWT = "private_key_jwt"
    """By a token that ``client_assertion`` signs. RFC 7523 section 2.2."""


class SendAs(StrEnum):
    """How the fields of a token request are sent."""

    FORM = "form"
    """As a form, which the RFC wants."""
    JSON = "json"
    """As a JSON object of texts."""
    QUERY = "query"
    """In the query; what is in a URL may be written down by servers on its way."""


NEEDED: Final[Mapping[Grant, tuple[str, ...]]] = {
    Grant.CLIENT_CREDENTIALS: ("client_id", "client_secret"),
    Grant.REFRESH_TOKEN: ("client_id", "refresh_token"),
    Grant.PASSWORD: ("username", "password"),
    Grant.JWT_BEARER: ("assertion",),
    Grant.AUTHORIZATION_CODE: ("client_id", "authorize"),
    Grant.DEVICE_CODE: ("client_id", "device"),
}
"""Fields that a grant cannot do without."""
GRANTS_OF: Final[Mapping[str, tuple[Grant, ...]]] = {
    "refresh_token": (Grant.REFRESH_TOKEN,),
    "rotates": (Grant.REFRESH_TOKEN,),
    "username": (Grant.PASSWORD,),
    "password": (Grant.PASSWORD,),
    "assertion": (Grant.JWT_BEARER,),
    "authorize": (Grant.AUTHORIZATION_CODE,),
    "device": (Grant.DEVICE_CODE,),
    "refresh": (Grant.AUTHORIZATION_CODE, Grant.DEVICE_CODE),
}
"""Fields that some grants alone have."""
ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_HINTS: Final[Mapping[str, str]] = {
    "invalid_client": (
        "check client_id and client_secret, and whether they go into the header or, with "
        "'client_auth: post', into the form"
    ),
    "invalid_request": "see what else it wants, under http.auth.form and http.auth.headers",
    "invalid_scope": "check http.auth.scopes",
    "unauthorized_client": "is this client allowed the grant {grant} there?",
    "unsupported_grant_type": "is the grant {grant} switched on there?",
}
"""By the error codes of RFC 6749 section 5.2; any other is taken for a wrong client."""


def hint_about(error: str, grant: Grant) -> str:
    """Return what a person can do about the refusal of a token request."""
    return _HINTS.get(error, _HINTS["invalid_client"]).format(grant=grant.value)
