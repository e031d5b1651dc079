"""Who asks for a token, and the request that says it."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias
from urllib.parse import quote_plus

from integrationd.config.decode import Site
from integrationd.config.nodes import Fields
from integrationd.errors import RefusedError
from integrationd.model.json import Json
from integrationd.model.secret import Secret, reveal
from integrationd.transform.template import Template
from integrationd.wire import places
from integrationd.wire.assertions import Assertion
from integrationd.wire.attempt import Attempt
from integrationd.wire.credentials import render_secret
from integrationd.wire.grant_types import ASSERTION_TYPE, ClientAuth, SendAs
from integrationd.wire.messages import FormBody, JsonBody, Request, Text

_Texts: TypeAlias = dict[str, Text]
Field: TypeAlias = tuple[Template, ...] | Template
"""A field of a token request; a list sends it once for each of its texts."""
_Value: TypeAlias = Text | tuple[Text, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenClient:
    """A client as its file describes it."""

    id: Template | None
    secret: Template | None
    auth: ClientAuth
    assertion: Assertion | None
    send_as: SendAs

    def tell(self, node: Fields, site: Site) -> bool:
        """Tell a client that says who it is in two ways, or in none."""
        signs = self.auth is ClientAuth.PRIVATE_KEY_JWT
        if signs and self.assertion is None:
            message = f"{site.name} has no 'client_assertion', which client_auth {self.auth} needs"
            site.refuse(node.position, "E102", message)
            return True
        alone = "'client_auth: private_key_jwt' alone"
        if not signs and self.assertion is not None:
            message = f"{site.name} has 'client_assertion', which goes with {alone}"
            site.refuse(node.key_position("client_assertion"), "E114", message)
            return True
        if signs and self.secret is not None:
            message = f"{site.name} has 'client_secret', which does not go with {alone[:-6]}"
            site.refuse(node.key_position("client_secret"), "E114", message)
            return True
        return False

    def build(
        self,
        url: Text,
        fields: dict[str, Text | None],
        parts: tuple[Mapping[str, Field], Mapping[str, Template]],
        variables: Mapping[str, Json],
        attempt: Attempt | None,
    ) -> Request:
        """Add to a request who asks, and what the file has besides: fields and headers."""
        form, more = parts
        headers, client = self._name_client(variables, url, attempt)
        said: dict[str, _Value] = {**fields, **client}
        said |= {name: _render(field, variables) for name, field in form.items()}
        for name, template in more.items():
            value = template.render_text(variables)
            if value is not None:
                places.check_header(name, value)
                headers[name.lower()] = value
        return self._carry(url, headers, said)

    def _carry(self, url: Text, headers: _Texts, fields: Mapping[str, _Value]) -> Request:
        pairs = tuple(
            (name, text)
            for name, value in fields.items()
            for text in (value if isinstance(value, tuple) else (value,))
            if text is not None
        )
        request = Request(method="POST", url=url, headers=headers)
        match self.send_as:
            case SendAs.FORM:
                return replace(request, body=FormBody(pairs))
            case SendAs.JSON:
                return replace(request, body=JsonBody(_to_members(fields)))
            case SendAs.QUERY:
                return replace(request, query=pairs)

    def name(self, variables: Mapping[str, Json]) -> Secret | None:
        """Return the client's id; None where it has none."""
        if self.id is None:
            return None
        return render_secret(self.id, variables, "auth.client_id")

    def _name_client(
        self, variables: Mapping[str, Json], url: Text, attempt: Attempt | None
    ) -> tuple[_Texts, _Texts]:
        """Return the headers and fields that say which client asks."""
        client = self.name(variables)
        if client is None:
            return {}, {}
        if self.assertion is not None:
            usual = {"iss": client, "sub": client, "aud": url}
            signed = self.assertion.build(usual, variables, attempt, "auth.client_assertion")
            return {}, {
                "client_id": client,
                "client_assertion_type": ASSERTION_TYPE,
                "client_assertion": signed,
            }
        if self.secret is None:
            return {}, {"client_id": client}
        secret = render_secret(self.secret, variables, "auth.client_secret")
        if self.auth is ClientAuth.POST:
            return {}, {"client_id": client, "client_secret": secret}
        pair = f"{quote_plus(client.reveal())}:{quote_plus(secret.reveal())}"
        encoded = base64.b64encode(pair.encode()).decode()
        return {"authorization": Secret(f"Basic {encoded}")}, {}


def _render(field: Field, variables: Mapping[str, Json]) -> _Value:
    """Fill in a field; a text of a list that is null is left out."""
    if not isinstance(field, tuple):
        return field.render_text(variables)
    texts = [template.render_text(variables) for template in field]
    return tuple(text for text in texts if text is not None)


def _to_members(fields: Mapping[str, _Value]) -> dict[str, Json]:
    """Return the fields as members of an object; what is null, or a list of nothing, is none."""
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in fields.items()
        if value is not None and value != ()
    }


def filled(url: Text | None, name: str) -> Text:
    """Return an address; raises RefusedError where a template has given nothing."""
    if url is None or not reveal(url):
        raise RefusedError(f"auth.{name} is empty, expected an absolute URL")
    return url
