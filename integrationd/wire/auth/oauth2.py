"""OAuth2: a token is asked for with credentials, and each call shows that token."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, ClassVar, Final, TypeAlias
from urllib.parse import quote_plus

from integrationd.config.decode import INVALID, Invalid, Site
from integrationd.config.nodes import Fields
from integrationd.config.problems import shorten
from integrationd.errors import ExpressionError, PageShapeError, RefusedError
from integrationd.model.json import Json
from integrationd.model.secret import Secret, reveal
from integrationd.transform.expression import Expression
from integrationd.transform.printing import describe
from integrationd.transform.scopes import Scope
from integrationd.transform.template import Template
from integrationd.wire import grants, places
from integrationd.wire.call import HEADER_NAMES
from integrationd.wire.credentials import CONSTANTS, render_secret
from integrationd.wire.grants import Refusal, Token
from integrationd.wire.messages import FormBody, Request, Text
from integrationd.wire.places import SENT, Place, Root, Roots
from integrationd.wire.tokens import REPLY

_SENT: Final = Roots(SENT)
_USUAL: Final = Place(Root.HEADER, "authorization")
_CONFIG: Final = Scope(("config",))
_SUCCESS: Final = range(200, 300)
_LONGEST: Final = grants.TOKEN_CHARACTERS_MAX
_Fields: TypeAlias = dict[str, Text]


class Grant(StrEnum):
    """What is handed in for a token."""

    CLIENT_CREDENTIALS = "client_credentials"
    """The client's own id and secret. RFC 6749 section 4.4."""
    REFRESH_TOKEN = "refresh_token"  # noqa: S105 - the grant's name
    """A refresh token that a person's consent gave. RFC 6749 section 6."""


class ClientAuth(StrEnum):
    """How the token request says which client asks."""

    BASIC = "basic"
    """In the ``authorization`` header, id and secret form-encoded first."""
    POST = "post"
    """As ``client_id`` and ``client_secret`` in the form."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenReply:
    """Where a token reply has what; expressions over ``{status, headers, body}``."""

    access_token: Annotated[Expression | None, REPLY, _CONFIG] = None
    """The token; ``body.access_token`` by default."""
    expires_in: Annotated[Expression | None, REPLY, _CONFIG] = None
    """The seconds that it lives, a number or text; ``body.expires_in`` by default."""
    refresh_token: Annotated[Expression | None, REPLY, _CONFIG] = None
    """The next refresh token; ``body.refresh_token`` by default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuth2Auth:
    """Ask ``token_url`` for a token and send it with every request.

    A token is renewed a minute before it ends (a tenth of its life where that is less), and when a
    call is answered 401. One that comes without an end is used until then. All runs share it.

    Source:
        RFC 6749 sections 2.3.1, 4.4, 5 and 6; RFC 6750 section 2.1.
    """

    kind: ClassVar[str] = "oauth2"

    grant: Grant
    """``client_credentials`` or ``refresh_token``."""
    token_url: Annotated[Template, CONSTANTS]
    """Where tokens are given; its host may be called."""
    client_id: Annotated[Template, CONSTANTS]
    """Which client asks."""
    client_secret: Annotated[Template | None, CONSTANTS] = None
    """Its secret. A public client has none; its id goes in the form then."""
    client_auth: ClientAuth = ClientAuth.BASIC
    """Where id and secret go: ``basic``, the header, or ``post``, the form."""
    refresh_token: Annotated[Template | None, CONSTANTS] = None
    """With that grant: the one that consent gave. A newer one of the provider's is kept in the
    encrypted store and used from then on, until another one is put here."""
    rotates: bool = True
    """Whether the provider may answer with a new refresh token; then the encrypted store has to
    be open. ``false`` where it never does."""
    scopes: Annotated[tuple[Template, ...], CONSTANTS] = ()
    """What is asked for, joined by blanks; a provider that wants commas gets one text with them."""
    form: Annotated[Mapping[str, Template], CONSTANTS] = field(default_factory=dict)
    """Further fields of the token request; one of the usual names replaces what would be sent."""
    headers: Annotated[Mapping[str, Template], HEADER_NAMES, CONSTANTS] = field(
        default_factory=dict
    )
    """Headers of the token request, besides its own."""
    reply: TokenReply = TokenReply()
    """Where its answer has what, if not at the usual places."""
    into: Annotated[Place, _SENT] = _USUAL
    """Where the token goes in a call."""
    prefix: str | None = None
    """Stands before the token; ``"Bearer "`` by default in the usual place, else nothing."""

    def check(self, node: Fields, site: Site) -> Invalid | None:
        """Refuse a grant without what it hands in, and parts that belong to the other one."""
        refreshes = self.grant is Grant.REFRESH_TOKEN
        told: Invalid | None = None
        needed = "refresh_token" if refreshes else "client_secret"
        if getattr(self, needed) is None:
            message = f"{site.name} has no {needed!r}, which grant {self.grant} needs"
            told = site.refuse(node.position, "E102", message)
        for key in () if refreshes else ("refresh_token", "rotates"):
            if key in node.entries:
                message = f"{site.name} has {key!r}, which goes with 'grant: refresh_token' alone"
                told = site.refuse(node.key_position(key), "E114", message)
        return INVALID if told is INVALID else None

    def apply(self, request: Request, variables: Mapping[str, Json]) -> Request:
        """Return the request with the token that stands as ``token`` in the variables.

        Raises:
            RefusedError: It does not fit there.
        """
        prefix = self.prefix
        if prefix is None:
            prefix = "Bearer " if self.into == _USUAL else ""
        value = Secret(f"{prefix}{variables['token'].reveal()}")
        if self.into.root is Root.HEADER:
            places.check_header(self.into.name, value)
        return self.into.put(request, value)

    @property
    def may_rotate(self) -> bool:
        """Tell whether an answer may hold a new refresh token, which must not be lost."""
        return self.refresh_token is not None and self.rotates

    def given_refresh_token(self, variables: Mapping[str, Json]) -> Secret | None:
        """Return the refresh token as it is configured; None for a grant without one.

        Raises:
            SecretError: It is empty.
        """
        if self.refresh_token is None:
            return None
        return render_secret(self.refresh_token, variables, "auth.refresh_token")

    def token_request(self, variables: Mapping[str, Json], refresh_token: Secret | None) -> Request:
        """Build the request for a token.

        Args:
            variables: ``config`` and ``secrets``.
            refresh_token: The newest one; None leaves it out.

        Raises:
            SecretError: The client's id or secret is empty.
            RefusedError: The URL is, or a header would end its line.
        """
        url = self.token_url.render_text(variables)
        if url is None or not reveal(url):
            raise RefusedError("auth.token_url is empty, expected an absolute URL")
        form: dict[str, Text | None] = {"grant_type": self.grant.value}
        if refresh_token is not None:
            form["refresh_token"] = refresh_token
        if self.scopes:
            form["scope"] = _join(self.scopes, variables)
        headers, client = self._name_client(variables)
        form |= client
        form |= {name: text.render_text(variables) for name, text in self.form.items()}
        for name, template in self.headers.items():
            value = template.render_text(variables)
            if value is not None:
                places.check_header(name, value)
                headers[name.lower()] = value
        pairs = tuple((name, value) for name, value in form.items() if value is not None)
        return Request(method="POST", url=url, headers=headers, body=FormBody(pairs))

    def _name_client(self, variables: Mapping[str, Json]) -> tuple[_Fields, _Fields]:
        """Return the headers and form fields that say which client asks."""
        client = render_secret(self.client_id, variables, "auth.client_id")
        if self.client_secret is None:
            return {}, {"client_id": client}
        secret = render_secret(self.client_secret, variables, "auth.client_secret")
        if self.client_auth is ClientAuth.POST:
            return {}, {"client_id": client, "client_secret": secret}
        pair = f"{quote_plus(client.reveal())}:{quote_plus(secret.reveal())}"
        encoded = base64.b64encode(pair.encode()).decode()
        return {"authorization": Secret(f"Basic {encoded}")}, {}

    def read_token(
        self, reply: Mapping[str, Json], request: Request, variables: Mapping[str, Json]
    ) -> Token | Refusal:
        """Read what the token endpoint answered.

        Args:
            reply: ``{status, headers, body}``, of any status; an error may come with 200.
            request: What was asked.
            variables: ``config`` and ``secrets``; no secret of them is repeated in a refusal.

        Raises:
            PageShapeError: It is a success that holds no token, or none that can be used.
        """
        is_success = reply["status"] in _SUCCESS
        found = self._find(reply, variables) if is_success else {}
        if found.get("access_token") in (None, ""):
            hidden = {**grants.secrets_in(request), **variables["secrets"]}
            refusal = grants.read_refusal(reply["status"], reply["body"], hidden)
            if refusal.error or not is_success:
                return refusal
        return self._build(found, reply["body"])

    def hint(self, error: str, integration: str) -> str:
        """Say what to do about a refusal.

        Args:
            error: The provider's word, ``invalid_grant``.
            integration: Whose, for the command.
        """
        if error == "invalid_grant" and self.refresh_token is not None:
            paths = [reference.path for reference in self.refresh_token.references]
            named = [path[1] for path in paths if path[0] == "secrets" and len(path) > 1]
            name = named[0] if named else "refresh_token"
            return (
                "a person has to give consent again; then store the new refresh token: "
                f"integrationd secret set {integration} {name}"
            )
        return _HINTS.get(error, _HINTS["invalid_client"]).format(grant=self.grant.value)

    def _find(self, reply: Mapping[str, Json], variables: Mapping[str, Json]) -> dict[str, Json]:
        body = reply["body"]
        plain: Mapping[str, Json] = body if isinstance(body, dict) else {}
        found: dict[str, Json] = {}
        for name in ("access_token", "expires_in", "refresh_token"):
            own: Expression | None = getattr(self.reply, name)
            try:
                found[name] = plain.get(name) if own is None else own.search(dict(reply), variables)
            except ExpressionError as wrong:
                raise PageShapeError(f"auth.reply.{name} cannot be read: {wrong}") from None
        return found

    def _build(self, found: Mapping[str, Json], body: Json) -> Token:
        access, refresh = found["access_token"], found["refresh_token"]
        if not isinstance(access, str) or not access:
            own = self.reply.access_token
            place = "body.access_token" if own is None else own.text
            raise PageShapeError(
                f"the token reply has {describe(access)} at {place}, expected a token as text; say "
                "under http.auth.reply where it stands"
            )
        if max(len(access), len(refresh) if isinstance(refresh, str) else 0) > _LONGEST:
            raise PageShapeError(
                f"the token reply has a token of more than {_LONGEST} characters, which is not used"
            )
        kind = body.get("token_type") if isinstance(body, dict) else None
        if self.prefix is None and isinstance(kind, str) and kind.strip().lower() not in _BEARER:
            raise PageShapeError(
                f"the token reply has a token of type {shorten(kind)}, expected Bearer; set "
                "http.auth.prefix where it is to be sent all the same"
            )
        return Token(
            access=Secret(access),
            lifetime_s=grants.read_lifetime(found["expires_in"]),
            refresh=Secret(refresh) if isinstance(refresh, str) and refresh else None,
        )


_BEARER: Final = ("bearer", "")
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


def _join(scopes: tuple[Template, ...], variables: Mapping[str, Json]) -> Text | None:
    rendered = [text for scope in scopes if (text := scope.render_text(variables))]
    line = " ".join(reveal(text) for text in rendered)
    if not line:
        return None
    return Secret(line) if any(isinstance(text, Secret) for text in rendered) else line
