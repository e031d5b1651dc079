"""OAuth2: a token is asked for with credentials, and each call shows that token."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Annotated, ClassVar, Final

from integrationd.config.decode import INVALID, SECRET, Invalid, Site
from integrationd.config.nodes import Fields
from integrationd.model.json import Json
from integrationd.model.secret import Secret, reveal
from integrationd.transform.template import Template
from integrationd.wire import consent, grants
from integrationd.wire.assertions import Assertion
from integrationd.wire.attempt import Attempt
from integrationd.wire.call import HEADER_NAMES, BaseCall
from integrationd.wire.consent import Authorize, Device, Refresh, Terms
from integrationd.wire.credentials import CONSTANTS, USUAL_PLACE, put_token, render_secret
from integrationd.wire.encoding import encode_url
from integrationd.wire.exchange import DeviceExchange, Exchange, TokenCall
from integrationd.wire.grant_types import (
    GRANTS_OF,
    NEEDED,
    ClientAuth,
    Grant,
    SendAs,
    hint_about,
)
from integrationd.wire.grants import Refusal, Token
from integrationd.wire.messages import Request, Text
from integrationd.wire.places import SENT, Place, Roots
from integrationd.wire.reply import ReplyShape
from integrationd.wire.token_client import Field, TokenClient, filled
from integrationd.wire.token_replies import TokenReply

_SENT: Final = Roots(SENT)
_SHAPE: Final = ReplyShape(reads_failures=True)
_SUCCESS: Final = range(200, 300)


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuth2Auth:
    """Ask ``token_url`` for a token and send it with every request.

    A token is renewed a minute before it ends (a tenth of its life where that is less), and when a
    call is answered 401. One that comes without an end is used until then. All runs share it.
    With ``authorization_code`` and ``device_code`` a person gives consent, once, by
    ``integrationd auth login NAME``; what comes of it is kept in the encrypted store.

    Source:
        RFC 6749 sections 2.3.1, 4.1, 4.3, 4.4, 5 and 6; RFC 6750 section 2.1; RFC 7523; RFC 7636;
        RFC 8252; RFC 8628.
    """

    kind: ClassVar[str] = "oauth2"

    grant: Grant
    """``client_credentials``, ``refresh_token``, ``password``, ``jwt_bearer``,
    ``authorization_code`` or ``device_code``."""
    token_url: Annotated[Template, CONSTANTS]
    """Where tokens are given; its host may be called."""
    client_id: Annotated[Template | None, CONSTANTS] = None
    """Which client asks; ``password`` and ``jwt_bearer`` can do without."""
    client_secret: Annotated[Template | None, CONSTANTS, SECRET] = None
    """Its secret. A public client has none; its id goes in the form then."""
    client_auth: ClientAuth = ClientAuth.BASIC
    """Where id and secret go: ``basic``, the header, or ``post``, the form; ``private_key_jwt``
    has a signed token in the place of the secret."""
    client_assertion: Assertion | None = None
    """With ``private_key_jwt``: how that token is signed."""
    refresh_token: Annotated[Template | None, CONSTANTS, SECRET] = None
    """With that grant: the one that consent gave. A newer one of the provider's is kept in the
    encrypted store and used from then on, until another one is put here."""
    rotates: bool = True
    """Whether the provider may answer with a new refresh token; then the encrypted store has to
    be open. ``false`` where it never does."""
    username: Annotated[Template | None, CONSTANTS] = None
    """With ``password``: whose account."""
    password: Annotated[Template | None, CONSTANTS, SECRET] = None
    """With that grant: the account's password."""
    assertion: Assertion | None = None
    """With ``jwt_bearer``: how the token that is handed in is signed."""
    authorize: Authorize | None = None
    """With ``authorization_code``: where a person gives consent."""
    device: Device | None = None
    """With ``device_code``: where the code is had that a person types in."""
    refresh: Refresh | None = None
    """With those two: how a token is renewed, where that differs from the first request."""
    scopes: Annotated[tuple[Template, ...], CONSTANTS] = ()
    """What is asked for."""
    scope_separator: str = " "
    """What stands between them; some providers want ``","``."""
    form: Annotated[Mapping[str, Field], CONSTANTS] = field(default_factory=dict)
    """Further fields of the token request; one of the usual names replaces what would be sent, and
    null leaves it out. A list sends its field once for each text in it."""
    send_as: SendAs = SendAs.FORM
    """How the fields are sent: ``form``, ``json`` or ``query``."""
    headers: Annotated[Mapping[str, Template], HEADER_NAMES, CONSTANTS] = field(
        default_factory=dict
    )
    """Headers of the token request, besides its own."""
    reply: TokenReply = TokenReply()  # noqa: RUF009 - frozen
    """Where its answer has what, if not at the usual places."""
    into: Annotated[Place, _SENT] = USUAL_PLACE
    """Where the token goes in a call."""
    prefix: str | None = None
    """Stands before the token; ``"Bearer "`` by default in the usual place, else nothing."""

    def check(self, node: Fields, site: Site) -> Invalid | None:
        """Refuse a grant without what it hands in, and parts that belong to another one."""
        told: Invalid | None = None
        signs = self.client_auth is ClientAuth.PRIVATE_KEY_JWT
        for name in NEEDED[self.grant]:
            if getattr(self, name) is None and not (signs and name == "client_secret"):
                message = f"{site.name} has no {name!r}, which grant {self.grant} needs"
                told = site.refuse(node.position, "E102", message)
        for name, having in GRANTS_OF.items():
            if name in node.entries and self.grant not in having:
                goes = " and ".join(f"'grant: {grant}'" for grant in having)
                message = f"{site.name} has {name!r}, which goes with {goes} alone"
                told = site.refuse(node.key_position(name), "E114", message)
        return INVALID if self._sender.tell(node, site) or told is INVALID else None

    def apply(self, request: Request, variables: Mapping[str, Json]) -> Request:
        """Return the request with the token that stands as ``token`` in the variables.

        Raises:
            RefusedError: It does not fit there.
        """
        return put_token(request, self.into, self.prefix, variables["token"])

    @property
    def may_rotate(self) -> bool:
        """Tell whether an answer may hold a new refresh token, which must not be lost."""
        return self.is_by_consent or (self.refresh_token is not None and self.rotates)

    def given_refresh_token(self, variables: Mapping[str, Json]) -> Secret | None:
        """Return the refresh token as it is configured; None for a grant without one.

        Raises:
            SecretError: It is empty.
        """
        if self.refresh_token is None:
            return None
        return render_secret(self.refresh_token, variables, "auth.refresh_token")

    @property
    def gives_base_url(self) -> bool:
        """Tell whether a token reply says where calls go."""
        return self.reply.base_url is not None

    @property
    def token_addresses(self) -> Mapping[str, Template]:
        """Return the addresses that tokens are had from, by their fields."""
        own = {
            "auth.token_url": self.token_url,
            "auth.refresh.url": None if self.refresh is None else self.refresh.url,
            "auth.device.url": None if self.device is None else self.device.url,
        }
        return {name: template for name, template in own.items() if template is not None}

    @property
    def is_by_consent(self) -> bool:
        """Tell whether there is a token only after a person has given consent."""
        return self.grant.is_by_consent

    def terms(self, variables: Mapping[str, Json]) -> Terms | None:
        """Return for what a person's consent is wanted; None for a grant without."""
        client = self._sender.name(variables) if self.is_by_consent else None
        if client is None:
            return None
        rendered = [scope.render_text(variables) for scope in self.scopes]
        scopes = tuple(reveal(text) for text in rendered if text)
        return Terms(consent.origin_of(client, reveal(self._token_url(variables))), scopes)

    def identify(self, variables: Mapping[str, Json], refresh_token: Secret | None) -> str:
        """Return the digest of a token request; of a token by consent, of whom that was given."""
        terms = self.terms(variables) if refresh_token is None else None
        if terms is not None:
            return terms.origin
        return grants.digest_request(self.token_request(variables, refresh_token))

    def exchange(
        self, variables: Mapping[str, Json], refresh_token: Secret | None, base: BaseCall
    ) -> Exchange:
        """Ask for a token, by one call to an address of its own."""
        _ = base
        return self._ask(variables, partial(self.token_request, variables, refresh_token))

    def redeem(self, variables: Mapping[str, Json], handed: Mapping[str, Text]) -> Exchange:
        """Ask for the first token, with what a person's consent gave.

        Args:
            variables: ``config`` and ``secrets``.
            handed: The code, and what proves that it is ours.
        """
        return self._ask(variables, partial(self.first_request, variables, handed))

    def _ask(
        self, variables: Mapping[str, Json], make: Callable[[Attempt | None], Request]
    ) -> Exchange:
        answered = yield TokenCall(make, _SHAPE)
        return self.read_token(answered.judged.reply, answered.request, variables)

    def ask_device(self, variables: Mapping[str, Json]) -> DeviceExchange:
        """Ask for a code that a person types in; raises PageShapeError where none comes."""
        answered = yield TokenCall(partial(self.device_request, variables), _SHAPE)
        reply = answered.judged.reply
        if reply["status"] in _SUCCESS and "device_code" in (reply["body"] or ()):
            return consent.read_device(reply["body"])
        hidden = {**grants.secrets_in(answered.request), **variables["secrets"]}
        return grants.read_refusal(reply["status"], reply["body"], hidden)

    def authorize_address(
        self, variables: Mapping[str, Json], redirect: str, state: str, verifier: Secret
    ) -> str:
        """Return the address at which a person gives consent.

        Raises:
            SecretError: The client's id is empty.
            RefusedError: ``authorize.url`` gives no web address.
        """
        assert self.authorize is not None
        fields: dict[str, Text | None] = {
            "response_type": "code",
            "client_id": self._sender.name(variables),
            "scope": _join(self.scopes, self.scope_separator, variables),
        }
        fields |= {name: text.render_text(variables) for name, text in self.authorize.query.items()}
        fields |= {"redirect_uri": redirect, "state": state}
        if self.authorize.pkce:
            fields["code_challenge"] = consent.challenge_of(verifier)
            fields["code_challenge_method"] = "S256"
        url = self.authorize.url.render_text(variables) or ""
        pairs = tuple((name, reveal(value)) for name, value in fields.items() if value is not None)
        return encode_url(Request(method="GET", url=url, query=pairs))

    def token_request(
        self,
        variables: Mapping[str, Json],
        refresh_token: Secret | None,
        attempt: Attempt | None = None,
    ) -> Request:
        """Build the request for a token; after consent, that for the next one.

        Args:
            variables: ``config`` and ``secrets``.
            refresh_token: The newest one; None leaves it out.
            attempt: Time and nonce of this try. Without one the request is only good to be known
                again: a digest stands for what would be signed.

        Raises:
            SecretError: The client's id, or a secret or key, is empty or cannot be used.
            RefusedError: The URL is empty, or a header would end its line.
        """
        by_consent = self.is_by_consent
        grant = Grant.REFRESH_TOKEN if by_consent else self.grant
        fields: dict[str, Text | None] = {"grant_type": grant.sent}
        if refresh_token is not None:
            fields["refresh_token"] = refresh_token
        if self.username is not None and self.password is not None:
            fields["username"] = self.username.render_text(variables)
            fields["password"] = render_secret(self.password, variables, "auth.password")
        if self.assertion is not None:
            usual = {"iss": self._sender.name(variables), "aud": self._token_url(variables)}
            fields["assertion"] = self.assertion.build(usual, variables, attempt, "auth.assertion")
        if self.scopes and not by_consent:
            fields["scope"] = _join(self.scopes, self.scope_separator, variables)
        how = self.refresh or Refresh()
        url = self._token_url(variables)
        if how.url is not None:
            url = filled(how.url.render_text(variables), "refresh.url")
        form = self.form if how.form is None else how.form
        headers = self.headers if how.headers is None else how.headers
        return self._sender.build(url, fields, (form, headers), variables, attempt)

    def first_request(
        self,
        variables: Mapping[str, Json],
        handed: Mapping[str, Text],
        attempt: Attempt | None = None,
    ) -> Request:
        """Build the request for the first token after consent; as :meth:`token_request`."""
        fields: dict[str, Text | None] = {"grant_type": self.grant.sent, **handed}
        parts = (self.form, self.headers)
        return self._sender.build(self._token_url(variables), fields, parts, variables, attempt)

    def device_request(
        self, variables: Mapping[str, Json], attempt: Attempt | None = None
    ) -> Request:
        """Build the request for a code that a person types in; as :meth:`token_request`.

        Source:
            RFC 8628 section 3.1.
        """
        assert self.device is not None
        url = filled(self.device.url.render_text(variables), "device.url")
        scope = _join(self.scopes, self.scope_separator, variables)
        parts = (self.device.form, self.headers)
        return self._sender.build(url, {"scope": scope}, parts, variables, attempt)

    @property
    def _sender(self) -> TokenClient:
        return TokenClient(
            id=self.client_id,
            secret=self.client_secret,
            auth=self.client_auth,
            assertion=self.client_assertion,
            send_as=self.send_as,
        )

    def _token_url(self, variables: Mapping[str, Json]) -> Text:
        return filled(self.token_url.render_text(variables), "token_url")

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
        found = self.reply.find(reply, variables) if is_success else {}
        if found.get("access_token") in (None, ""):
            hidden = {**grants.secrets_in(request), **variables["secrets"]}
            refusal = grants.read_refusal(reply["status"], reply["body"], hidden)
            if refusal.error or not is_success:
                return refusal
        token = self.reply.build(
            found,
            reply["body"],
            has_prefix=self.prefix is not None,
            is_plain=reveal(request.url).startswith("http:"),
        )
        said = reply["body"].get("scope") if isinstance(reply["body"], dict) else None
        if not isinstance(said, str) or not said:
            return token
        return replace(token, scopes=tuple(said.replace(self.scope_separator, " ").split()))

    def hint(self, error: str, integration: str) -> str:
        """Say what to do about a refusal.

        Args:
            error: The provider's word, ``invalid_grant``.
            integration: Whose, for the command.
        """
        if error == "invalid_grant" and self.is_by_consent:
            return f"a person has to give consent again: integrationd auth login {integration}"
        if error == "invalid_grant" and self.refresh_token is not None:
            paths = [reference.path for reference in self.refresh_token.references]
            named = [path[1] for path in paths if path[0] == "secrets" and len(path) > 1]
            name = named[0] if named else "refresh_token"
            return (
                "a person has to give consent again; then store the new refresh token: "
                f"integrationd secret set {integration} {name}"
            )
        return hint_about(error, self.grant)


def _join(
    scopes: tuple[Template, ...], separator: str, variables: Mapping[str, Json]
) -> Text | None:
    rendered = [text for scope in scopes if (text := scope.render_text(variables))]
    line = separator.join(reveal(text) for text in rendered)
    if not line:
        return None
    return Secret(line) if any(isinstance(text, Secret) for text in rendered) else line
