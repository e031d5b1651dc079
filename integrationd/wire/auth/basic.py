"""User name and password."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

from integrationd.config.decode import Invalid, Site
from integrationd.config.nodes import Fields
from integrationd.errors import SecretError
from integrationd.model.json import Json
from integrationd.model.secret import Secret, reveal
from integrationd.transform.template import Template
from integrationd.wire.credentials import CONSTANTS, render_secret
from integrationd.wire.messages import Request


@dataclass(frozen=True, slots=True, kw_only=True)
class BasicAuth:
    """Send a user name and a password with every request.

    Source:
        RFC 7617; both are UTF-8.
    """

    kind: ClassVar[str] = "basic"

    username: Annotated[Template, CONSTANTS]
    """Must not hold a colon. Some APIs take a key here and no password."""
    password: Annotated[Template, CONSTANTS]
    """May be empty; text only where the user name is the secret."""

    def check(self, node: Fields, site: Site) -> Invalid | None:
        """Refuse a password that stands in the file, unless it is what an API wants beside a key.

        Source:
            Freshdesk, BambooHR and Toggl take the key as user name and a fixed word as password.
        """
        if self.username.is_secret or not self.password.is_written_out:
            return None
        return site.key("password").refuse_text(node.entries["password"])

    def apply(self, request: Request, variables: Mapping[str, Json]) -> Request:
        """Return the request with the ``authorization`` header.

        Raises:
            SecretError: The user name is empty or holds a colon.
        """
        username = render_secret(self.username, variables, "auth.username").reveal()
        if ":" in username:
            raise SecretError("auth.username holds a colon, which would end it")
        password = reveal(self.password.render_text(variables) or "")
        token = base64.b64encode(f"{username}:{password}".encode()).decode()
        return request.with_header("authorization", Secret(f"Basic {token}"))
