"""Credentials rendered from templates: never empty, always secret."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from integrationd.errors import ExpressionError, SecretError
from integrationd.model.json import Json
from integrationd.model.secret import Secret, reveal
from integrationd.transform.scopes import Scope
from integrationd.transform.template import Template
from integrationd.wire.messages import Request
from integrationd.wire.places import Place, Root

CONSTANTS: Final = Scope(("config", "secrets"))
"""What the template of a credential may use."""
USUAL_PLACE: Final = Place(Root.HEADER, "authorization")
"""Where a token goes, as a rule. RFC 9110 section 11.6.2."""


def render_secret(template: Template, variables: Mapping[str, Json], where: str) -> Secret:
    """Render a credential.

    Args:
        template: What it is made of.
        variables: ``config`` and ``secrets``.
        where: The field, as its author wrote it.

    Raises:
        SecretError: It is empty or cannot be rendered. An empty key would sign or send something
            that anybody can guess.
    """
    try:
        text = template.render_text(variables)
    except ExpressionError as wrong:
        raise SecretError(f"{where} cannot be made: {wrong}") from None
    if text is None or not reveal(text):
        raise SecretError(f"{where} is empty, expected a secret; is its value set?")
    return Secret(reveal(text))


def put_token(request: Request, into: Place, prefix: str | None, token: Secret) -> Request:
    """Return a request that shows a token.

    Args:
        request: Without it.
        into: Where it goes.
        prefix: Stands before it; None is ``"Bearer "`` in the usual place, else nothing.
        token: The token.

    Raises:
        RefusedError: It does not fit there.
    """
    if prefix is None:
        prefix = "Bearer " if into == USUAL_PLACE else ""
    return into.put(request, Secret(f"{prefix}{token.reveal()}"))
