"""User name and password, of which only a digest is sent."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Final, TypeAlias
from urllib.parse import quote, urlsplit

from integrationd.config.sites import SECRET
from integrationd.model.json import Json
from integrationd.model.secret import Secret
from integrationd.transform.template import Template
from integrationd.wire import places
from integrationd.wire.attempt import Attempt
from integrationd.wire.challenges import Challenge, parse_challenges, quote_text
from integrationd.wire.credentials import CONSTANTS, render_secret
from integrationd.wire.encoding import encode_url
from integrationd.wire.messages import Request

_Hash: TypeAlias = Callable[[str], str]
_DIGESTS: Final = {"sha-256": "sha256", "md5": "md5"}
"""The stronger one first; a server that knows both offers both."""
_QOP: Final = "auth"


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestAuth:
    """Answer the provider's challenge with a digest of user name, password and request.

    The first request of a run has no credentials; its 401 brings the challenge, which all further
    ones answer, counted, until the provider sends another one. SHA-256 and MD5 are known, with
    ``qop=auth`` and, as of old devices, without; bodies are not covered.

    Source:
        RFC 7616.
    """

    kind: ClassVar[str] = "digest"

    username: Annotated[Template, CONSTANTS]
    """Who asks."""
    password: Annotated[Template, CONSTANTS, SECRET]
    """It is never sent."""

    def can_answer(self, challenge: str) -> bool:
        """Tell whether a digest of a known kind is asked for."""
        return _choose(challenge) is not None

    def sign(self, request: Request, variables: Mapping[str, Json], attempt: Attempt) -> Request:
        """Return the request with the answer to the challenge, or as it is where there is none.

        Raises:
            SecretError: User name or password is empty.
            RefusedError: The request cannot be sent.
        """
        asked = _choose(attempt.challenge)
        if asked is None:
            return request
        username = render_secret(self.username, variables, "auth.username").reveal()
        password = render_secret(self.password, variables, "auth.password").reveal()
        answer = _answer(asked, (username, password), request, attempt)
        value = Secret(f"Digest {', '.join(answer)}")
        places.check_header("authorization", value)
        return request.with_header("authorization", value)


def _choose(header: str) -> Challenge | None:
    """Return the challenge that is answered: the first with the strongest digest."""
    offered = [each for each in parse_challenges(header) if each.scheme == "digest"]
    usable = [
        each
        for each in offered
        if _algorithm(each) in _DIGESTS
        and {"realm", "nonce"} <= each.parameters.keys()
        and _QOP in _qops(each)
    ]
    return min(usable, key=lambda each: [*_DIGESTS].index(_algorithm(each)), default=None)


def _algorithm(asked: Challenge) -> str:
    return asked.parameters.get("algorithm", "MD5").lower()


def _qops(asked: Challenge) -> list[str]:
    """Return the offered protections; before RFC 2617 there was none to name."""
    return [word.strip().lower() for word in asked.parameters.get("qop", _QOP).split(",")]


def _answer(
    asked: Challenge, who: tuple[str, str], request: Request, attempt: Attempt
) -> list[str]:
    """Return the parts of the header, RFC 7616 section 3.4."""
    given, hashed = asked.parameters, _hasher(asked)
    username, password = who
    realm, nonce = given["realm"], given["nonce"]
    parts = urlsplit(encode_url(request))
    uri = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
    secret = hashed(f"{username}:{realm}:{password}")
    covered = hashed(f"{request.method}:{uri}")
    count = f"{attempt.count:08x}"
    if "qop" in given:
        response = hashed(f"{secret}:{nonce}:{count}:{attempt.nonce}:{_QOP}:{covered}")
        counted = [f"qop={_QOP}", f"nc={count}", f"cnonce={quote_text(attempt.nonce)}"]
    else:
        response, counted = hashed(f"{secret}:{nonce}:{covered}"), []
    shown = _name(username, hashed(f"{username}:{realm}") if _hides_name(asked) else None)
    answer = [shown, f"realm={quote_text(realm)}", f"uri={quote_text(uri)}"]
    if "algorithm" in given:
        answer.append(f"algorithm={given['algorithm']}")
    answer += [f"nonce={quote_text(nonce)}", *counted, f"response={quote_text(response)}"]
    if "opaque" in given:
        answer.append(f"opaque={quote_text(given['opaque'])}")
    return [*answer, "userhash=true"] if _hides_name(asked) else answer


def _hasher(asked: Challenge) -> _Hash:
    name = _DIGESTS[_algorithm(asked)]
    return lambda text: hashlib.new(name, text.encode(), usedforsecurity=False).hexdigest()


def _hides_name(asked: Challenge) -> bool:
    return asked.parameters.get("userhash", "").lower() == "true"


def _name(username: str, hashed: str | None) -> str:
    """Write who asks; RFC 7616 section 3.4.4 for names that are not ASCII."""
    if hashed is not None or username.isascii():
        return f"username={quote_text(hashed or username)}"
    return f"username*=UTF-8''{quote(username, safe='')}"
