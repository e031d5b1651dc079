"""A key in any place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Final

from integrationd.config.sites import SECRET
from integrationd.model.json import Json
from integrationd.model.secret import Secret
from integrationd.transform.template import Template
from integrationd.wire.credentials import CONSTANTS, render_secret
from integrationd.wire.messages import Request
from integrationd.wire.places import SENT, Place, Roots

_SENT: Final = Roots(SENT)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKeyAuth:
    """Send a key that does not change, in a header, in the query or wherever the API reads it."""

    kind: ClassVar[str] = "api_key"

    into: Annotated[Place, _SENT]
    """Where the key goes, ``header.x-api-key`` or ``query.wstoken``."""
    value: Annotated[Template, CONSTANTS, SECRET]
    """The key."""
    prefix: str = ""
    """Stands before the key, ``"SSWS "``; the blank belongs to it."""

    def apply(self, request: Request, variables: Mapping[str, Json]) -> Request:
        """Return the request with the key in its place.

        Raises:
            SecretError: The key is empty.
            RefusedError: It does not fit there.
        """
        key = render_secret(self.value, variables, "auth.value")
        return self.into.put(request, Secret(f"{self.prefix}{key.reveal()}"))
