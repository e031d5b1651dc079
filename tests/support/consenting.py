"""A provider that grants by a person's consent, in virtual time: codes, polls, rotation."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

from integrationd.engine.logins import Logins
from integrationd.model.json import Json
from integrationd.model.secret import Secret
from integrationd.ports.consent import LoginWish
from integrationd.wire.consent import challenge_of
from integrationd.wire.messages import Answer
from tests.support.fakes import answer
from tests.support.granting import Granting, account_of
from tests.support.worlds import Stage

BROWSER = """\
integration: acme
secrets: {client_secret: {}}
http:
  base_url: https://api.test
  paginate: {type: next_url, next: body.next}
  auth:
    type: oauth2
    grant: authorization_code
    authorize: {url: https://login.test/authorize}
    token_url: https://login.test/token
    client_id: cid
    client_secret: "{{ secrets.client_secret }}"
    scopes: [read, offline]
streams:
  orders: {get: /orders, records: body.data, key: id}
"""
DEVICE = BROWSER.replace("authorization_code", "device_code").replace(
    "authorize: {url: https://login.test/authorize}", "device: {url: https://login.test/device}"
)
SECRETS = {"client_secret": "s3cret"}
_DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"


@dataclass
class Consenting(Granting):
    """Its codes are good once, and only with the verifier of the challenge that was shown."""

    code: str = "c0de-canary"
    challenge: str | None = None
    """Of the browser's request; None asks for no verifier."""
    gives_refresh: bool = True
    scope: str | None = None
    """What it says that it granted."""
    polls: list[Answer | Exception] = field(default_factory=list)
    """Answers to the questions whether a device was granted, before the grant."""
    device: dict[str, Json] = field(
        default_factory=lambda: {
            "device_code": "dev1ce-canary",
            "user_code": "WDJB-MJHT",
            "verification_uri": "https://login.test/device",
            "expires_in": 600,
        }
    )
    asked_at: list[float] = field(default_factory=list)
    """When each token request came, in seconds."""

    def _grant(self, form: dict[str, str]) -> Answer | Exception:
        kind = form.get("grant_type")
        if kind not in ("authorization_code", _DEVICE_GRANT, None):
            return super()._grant(form)
        self.forms.append(form)
        if self.replies:
            return self.replies.pop(0)
        if kind is None:
            return answer(self.device)
        self.asked_at.append(asyncio.get_running_loop().time())
        if kind == _DEVICE_GRANT and self.polls:
            return self.polls.pop(0)
        if kind == "authorization_code" and not self._takes(form):
            return answer({"error": "invalid_grant"}, status=400)
        return self._first()

    def _takes(self, form: dict[str, str]) -> bool:
        """Tell whether a code is good, which it is once."""
        verifier = Secret(form.get("code_verifier", ""))
        is_good = form.get("code") == self.code
        is_good &= self.challenge is None or challenge_of(verifier) == self.challenge
        self.code = ""
        return is_good

    def _first(self) -> Answer:
        self.granted += 1
        token, self.refresh = f"a{self.granted}", f"r{self.granted}"
        now_s = asyncio.get_running_loop().time()
        self.ends_at[token] = now_s + self.lifetime_s if self.lifetime_s is not None else None
        body: dict[str, Json] = {"access_token": token, "token_type": "bearer"}
        if self.lifetime_s is not None:
            body["expires_in"] = self.lifetime_s
        if self.gives_refresh:
            body["refresh_token"] = self.refresh
        if self.scope is not None:
            body["scope"] = self.scope
        return answer(body)


@dataclass
class Person:
    """Somebody who logs in."""

    on: Stage
    provider: Consenting
    text: str = BROWSER
    logins: Logins | None = None

    def __post_init__(self) -> None:
        """Have one process's logins."""
        self.logins = self.logins or Logins(self.on.world)

    async def lines(self, **wish: object) -> list[Json]:
        """Begin or end a login."""
        _, account = account_of(self.text)
        given = LoginWish(integration="acme", **wish)
        return [line async for line in self.logins.login(account, given)]

    async def open(self, port: int = 4711) -> dict[str, str]:
        """Begin one; returns what the address asks for."""
        (line,) = await self.lines(port=port)
        url = urlsplit(line["address"])
        fields = dict(parse_qsl(url.query))
        self.provider.challenge = fields.get("code_challenge")
        return fields

    async def bring(self, fields: dict[str, str], **brought: str) -> Json:
        """Come back with what the provider gave; returns the last line."""
        query = "&".join(f"{name}={value}" for name, value in brought.items())
        text = f"{fields['redirect_uri']}?{query}&state={fields['state']}"
        (line,) = await self.lines(answer=Secret(text))
        return line

    async def log_in(self) -> Json:
        """Give consent in a browser; returns the last line."""
        return await self.bring(await self.open(), code=self.provider.code or "c0de-canary")
