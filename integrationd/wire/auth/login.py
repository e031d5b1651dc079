"""A session: calls that log in, and each call shows what they gave."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Annotated, Any, ClassVar, Final

from integrationd.config.decode import INVALID, Invalid, Keys, Site
from integrationd.config.nodes import Fields
from integrationd.config.problems import nearest
from integrationd.errors import ExpressionError, PageShapeError, SecretError
from integrationd.model.json import Json
from integrationd.model.secret import Secret
from integrationd.transform.expression import Expression
from integrationd.transform.finding import references_in
from integrationd.transform.printing import describe
from integrationd.transform.scopes import Roots as Readable
from integrationd.transform.scopes import Scope
from integrationd.transform.template import Template
from integrationd.wire import grants, texts
from integrationd.wire.attempt import Attempt
from integrationd.wire.call import METHODS, BaseCall, CallShape, build_request
from integrationd.wire.consent import Terms
from integrationd.wire.credentials import USUAL_PLACE, put_token, render_secret
from integrationd.wire.exchange import Exchange, TokenCall
from integrationd.wire.grants import Refusal, Token
from integrationd.wire.judge import Verdict
from integrationd.wire.messages import Request
from integrationd.wire.places import SENT, Place, Roots
from integrationd.wire.reply import Judged, ReplyShape
from integrationd.wire.tokens import is_true

_SENT: Final = Roots(SENT)
_MADE_OF: Final = Scope(("config", "secrets", "read"))
_REPLY: Final = Readable(("status", "headers", "body", "cookies"))
_CONFIG: Final = Scope(("config",))
_NAMES: Final = Keys(r"[a-z][a-z0-9_]*", "a word of small letters, digits and '_'")
_REDIRECTS: Final = range(300, 400)
_COOKIE: Final = re.compile(r"(?:^|,)\s*([^=;,\s]+)=([^;,\s]*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginStep(CallShape):
    """One call of a login, as those of an operation; a redirect is an answer like any other."""

    variables: ClassVar[Scope] = _MADE_OF

    read: Annotated[Mapping[str, Expression], _NAMES, _REPLY, _CONFIG] = field(default_factory=dict)
    """What its answer gives, by a name of your own: expressions over ``{status, headers, body,
    cookies}``, ``{session: body.token}`` or ``{session: cookies.JSESSIONID}``. Later calls and
    ``token`` have it as ``{{ read.session }}``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginAuth:
    """Log in by one or more calls and send what they give with every request.

    It is done when a token is first needed, and again when ``lifetime`` is over or a call is
    answered 401 (or a rule of ``errors`` says ``reauthenticate``). All runs share one session.
    """

    kind: ClassVar[str] = "login"
    may_rotate: ClassVar[bool] = False
    gives_base_url: ClassVar[bool] = False
    is_by_consent: ClassVar[bool] = False
    token_addresses: ClassVar[Mapping[str, Template]] = {}

    steps: tuple[LoginStep, ...]
    """The calls, in order; their paths are added to ``base_url``."""
    token: Annotated[Template | None, _MADE_OF] = None
    """What is sent, ``"{{ read.session }}"``; the only value that is read by default."""
    into: Annotated[Place, _SENT] = USUAL_PLACE
    """Where it goes in a call, ``header.x-session`` or ``cookie.JSESSIONID``."""
    prefix: str | None = None
    """Stands before it; ``"Bearer "`` by default in the usual place, else nothing."""
    lifetime: timedelta | None = None
    """How long a session lives; it is used until it is refused by default."""
    refused_when: Annotated[Expression | None, _REPLY, _CONFIG] = None
    """Holds for an answer that refuses the login though its status is no failure,
    ``body.ok == `false```."""

    def check(self, node: Fields, site: Site) -> Invalid | None:
        """Refuse a login that gives nothing, and names that no call before has read."""
        told: list[Invalid] = []
        names: list[str] = []
        for index, step in enumerate(self.steps):
            told += _tell_step(step, node, site.key("steps").item(index))
            told += _tell_unread(step, names, site)
            names += step.read
        if self.token is not None:
            told += _tell_unread(self.token, names, site)
        elif len(names) != 1:
            message = f"{site.name} reads {len(names) or 'no'} values and has no 'token' of them"
            told.append(site.refuse(node.position, "E102", message))
        return INVALID if told else None

    def apply(self, request: Request, variables: Mapping[str, Json]) -> Request:
        """Return the request with what the login gave, ``token`` in the variables.

        Raises:
            RefusedError: It does not fit there.
        """
        return put_token(request, self.into, self.prefix, variables["token"])

    def given_refresh_token(self, variables: Mapping[str, Json]) -> Secret | None:
        """Return None: a login is done with what is configured."""
        _ = variables
        return None

    def terms(self, variables: Mapping[str, Json]) -> Terms | None:
        """Return None: no person is asked."""
        _ = variables
        return None

    def identify(self, variables: Mapping[str, Json], refresh_token: Secret | None) -> str:
        """Return the digest of all that a login may be made of."""
        _ = refresh_token
        templates = [step.path.text for step in self.steps if step.path is not None]
        made_of = [variables["config"], variables["secrets"], templates]
        return hashlib.blake2b(texts.dump_json(made_of).encode(), digest_size=16).hexdigest()

    def exchange(
        self, variables: Mapping[str, Json], refresh_token: Secret | None, base: BaseCall
    ) -> Exchange:
        """Log in.

        Raises:
            PageShapeError: An answer does not hold what is read from it.
            SecretError: What is sent with a call cannot be made.
        """
        _ = refresh_token
        read: dict[str, Json] = {}
        for number, step in enumerate(self.steps, 1):
            request = _build(step, base, {**variables, "read": read})
            shape = ReplyShape(decoder=step.decode, errors=step.errors, reads_failures=True)
            answered = yield TokenCall(partial(_again, request), shape)
            reply = _with_cookies(answered.judged)
            hidden = {**variables["secrets"], **grants.secrets_in(request), **read}
            if self._is_refused(answered.judged, reply, variables):
                refusal = grants.read_refusal(reply["status"], reply["body"], hidden)
                return Refusal(
                    status=refusal.status, error=refusal.error or "refused", said=refusal.said
                )
            if not _is_done(answered.judged):
                return grants.read_refusal(reply["status"], reply["body"], hidden)
            read |= _read(step, number, reply, variables)
        return Token(
            access=self._build_token({**variables, "read": read}),
            lifetime_s=None if self.lifetime is None else self.lifetime.total_seconds(),
        )

    def hint(self, error: str, integration: str) -> str:
        """Say what to do about a refusal."""
        _ = error, integration
        paths = [reference.path for reference in references_in(self.steps)]
        names = dict.fromkeys(path[1] for path in paths if path[0] == "secrets" and len(path) > 1)
        listed = ", ".join(f"secrets.{name}" for name in names)
        return f"look at {listed}" if listed else "look at http.auth.steps"

    def _is_refused(
        self, judged: Judged, reply: Mapping[str, Json], variables: Mapping[str, Json]
    ) -> bool:
        if self.refused_when is None or not _is_done(judged):
            return False
        try:
            return is_true(self.refused_when.search(dict(reply), variables))
        except ExpressionError as wrong:
            raise PageShapeError(f"auth.refused_when cannot be read: {wrong}") from None

    def _build_token(self, variables: Mapping[str, Json]) -> Secret:
        if self.token is not None:
            token = render_secret(self.token, variables, "auth.token")
        else:
            (token,) = variables["read"].values()
        if len(token.reveal()) > grants.TOKEN_CHARACTERS_MAX:
            longest = grants.TOKEN_CHARACTERS_MAX
            raise PageShapeError(
                f"the login gave a token of more than {longest} characters, which is not used"
            )
        return token


def _again(request: Request, attempt: Attempt) -> Request:
    """Return the same request for every try."""
    _ = attempt
    return request


def _tell_step(step: LoginStep, node: Fields, site: Site) -> list[Invalid]:
    if step.method is not None:
        return []
    message = f"{site.path} makes no request, expected one of {', '.join(METHODS)}"
    return [site.refuse(node.position, "E102", message)]


def _tell_unread(value: Any, names: Collection[str], site: Site) -> list[Invalid]:  # noqa: ANN401
    """Tell the values that a template names and that no call before it reads."""
    told = []
    for reference in references_in(value):
        root, *rest = reference.path
        if root == "read" and (not rest or rest[0] not in names):
            hint = nearest(rest[0], names) if rest else ""
            message = (
                f"{'.'.join(reference.path)!r} is used here, but no call before reads it{hint}"
            )
            told.append(site.refuse(reference.position, "E204", message))
    return told


def _build(step: LoginStep, base: BaseCall, variables: Mapping[str, Json]) -> Request:
    try:
        return build_request(step, base=base, variables=variables)
    except ExpressionError as wrong:
        raise SecretError(f"a call of auth.steps cannot be made: {wrong}") from None


def _is_done(judged: Judged) -> bool:
    """Tell whether a call went well; where a form leads to is not followed."""
    is_led_on = judged.outcome.status in _REDIRECTS
    return judged.outcome.verdict is Verdict.ACCEPTED or is_led_on


def _with_cookies(judged: Judged) -> Mapping[str, Json]:
    """Add the cookies that an answer sets; of several headers there is one, joined by commas.

    Source:
        RFC 6265 section 4.1.1. The comma in a date of ``Expires`` is followed by no name.
    """
    line = judged.reply["headers"].get("set-cookie", "")
    return {**judged.reply, "cookies": dict(_cookies_in(line))}


def _cookies_in(line: str) -> Iterator[tuple[str, str]]:
    for found in _COOKIE.finditer(line):
        yield found.group(1), found.group(2).strip('"')


def _read(
    step: LoginStep, number: int, reply: Mapping[str, Json], variables: Mapping[str, Json]
) -> dict[str, Json]:
    found: dict[str, Json] = {}
    for name, expression in step.read.items():
        try:
            value = expression.search(dict(reply), variables)
        except ExpressionError as wrong:
            where = f"auth.steps[{number - 1}].read.{name}"
            raise PageShapeError(f"{where} cannot be read: {wrong}") from None
        if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
            shown = "nothing" if value in (None, "") else describe(value)
            raise PageShapeError(
                f"call {number} of the login gave {shown} at {expression.text}, expected text; say "
                f"under http.auth.steps[{number - 1}].read.{name} where it stands"
            )
        found[name] = Secret(str(value))
    return found
