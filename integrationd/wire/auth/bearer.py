"""A token in the ``authorization`` header."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

from integrationd.config.sites import SECRET
from integrationd.model.json import Json
from integrationd.model.secret import Secret
from integrationd.transform.template import Template
from integrationd.wire import places
from integrationd.wire.credentials import CONSTANTS, render_secret
from integrationd.wire.messages import Request


@dataclass(frozen=True, slots=True, kw_only=True)
class BearerAuth:
    """Send a token that does not change. For another word than ``Bearer`` see ``api_key``.

    Source:
        RFC 6750 section 2.1.
    """

    kind: ClassVar[str] = "bearer"

    token: Annotated[Template, CONSTANTS, SECRET]
    """The token alone."""

    def apply(self, request: Request, variables: Mapping[str, Json]) -> Request:
        """Return the request with the ``authorization`` header.

        Raises:
            SecretError: The token is empty.
            RefusedError: It holds a line break.
        """
        token = render_secret(self.token, variables, "auth.token")
        value = Secret(f"Bearer {token.reveal()}")
        places.check_header("authorization", value)
        return request.with_header("authorization", value)
