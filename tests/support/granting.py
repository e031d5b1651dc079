"""A provider with a token endpoint, in virtual time: it rotates, expires and refuses."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qsl, urlsplit

from integrationd.engine.renewal import KEPT_AS, Account
from integrationd.engine.tokens import credentials_of
from integrationd.engine.world import World
from integrationd.errors import SecretError, StoreError
from integrationd.model.json import Json
from integrationd.model.secret import Secret
from integrationd.ports.outside import HttpPolicy
from integrationd.spec.documents import Integration
from integrationd.spec.settings import Settings
from integrationd.wire.encoding import encode
from integrationd.wire.grants import Kept
from integrationd.wire.messages import Answer, Request
from tests.support.fakes import Strongbox, answer
from tests.support.worlds import bundle_of

SECRETS = {"client_secret": "s3cret", "refresh_token": "r0"}
CLIENT = """\
integration: acme
secrets: {client_secret: {}}
http:
  base_url: https://api.test
  paginate: {type: next_url, next: body.next}
  auth:
    type: oauth2
    grant: client_credentials
    token_url: https://login.test/token
    client_id: cid
    client_secret: "{{ secrets.client_secret }}"
streams:
  orders: {get: /orders, records: body.data, key: id}
"""
REFRESH = CLIENT.replace("secrets: {", "secrets: {refresh_token: {}, ").replace(
    "    grant: client_credentials\n",
    '    grant: refresh_token\n    refresh_token: "{{ secrets.refresh_token }}"\n',
)


@dataclass
class Granting:
    """Opens as the port does; ``login.test`` grants tokens, ``api.test`` wants them."""

    lifetime_s: Json = 3600
    rotates: bool = False
    latency_s: float = 0.1
    pages: int = 1
    tells_token: bool = False
    """Whether a next-URL repeats the token that it was asked with."""
    refresh: str = "r0"
    """The refresh token that is good now."""
    forms: list[dict[str, str]] = field(default_factory=list)
    """Token requests, as they came."""
    granted: int = 0
    ends_at: dict[str, float | None] = field(default_factory=dict)
    """Access tokens that were given and not revoked, and when each ends."""
    shown: list[str] = field(default_factory=list)
    """What each call to the API said of who asks."""
    replies: list[Answer | Exception] = field(default_factory=list)
    """Given by the token endpoint instead of its own, in order."""
    before_call: Callable[[str], Awaitable[None]] | None = None
    """Told the token of each call before it is answered."""
    before_reply: Callable[[], Awaitable[None]] | None = None
    """Called when a token was granted, before the answer is on its way."""
    policies: list[HttpPolicy] = field(default_factory=list)

    @asynccontextmanager
    async def open(self, policy: HttpPolicy) -> AsyncIterator[_Line]:
        """Open for one run, or one token request."""
        self.policies.append(policy)
        yield _Line(self, policy)

    async def send(self, request: Request) -> Answer:
        """Answer one call."""
        sent = encode(request)
        await asyncio.sleep(self.latency_s)
        url = urlsplit(sent.url)
        if url.hostname == "login.test":
            given = self._grant(dict(parse_qsl((sent.body or b"").decode())))
            if self.before_reply is not None:
                await self.before_reply()
        else:
            given = await self._list(sent.headers.get("authorization", ""), url.query)
        if isinstance(given, Exception):
            raise given
        return replace(given, url=sent.url.partition("?")[0])

    def revoke(self) -> None:
        """Make every access token worthless before its end."""
        self.ends_at.clear()

    def _grant(self, form: dict[str, str]) -> Answer | Exception:
        self.forms.append(form)
        if self.replies:
            return self.replies.pop(0)
        if form["grant_type"] == "refresh_token" and form["refresh_token"] != self.refresh:
            return answer({"error": "invalid_grant", "error_description": "gone"}, status=400)
        self.granted += 1
        token = f"a{self.granted}"
        now_s = asyncio.get_running_loop().time()
        ends = isinstance(self.lifetime_s, int | float)
        self.ends_at[token] = now_s + self.lifetime_s if ends else None
        body: dict[str, Json] = {"access_token": token, "token_type": "bearer"}
        if self.lifetime_s is not None:
            body["expires_in"] = self.lifetime_s
        if self.rotates and form["grant_type"] == "refresh_token":
            self.refresh = f"r{self.granted}"
            body["refresh_token"] = self.refresh
        return answer(body)

    async def _list(self, shown: str, query: str) -> Answer:
        self.shown.append(shown)
        token = shown.removeprefix("Bearer ")
        if self.before_call is not None:
            await self.before_call(token)
        now_s = asyncio.get_running_loop().time()
        end_s = self.ends_at.get(token, 0.0)
        if end_s is not None and end_s <= now_s:
            return answer({"message": "who are you?"}, status=401)
        page = int(dict(parse_qsl(query)).get("page", "1"))
        following = f"https://api.test/orders?page={page + 1}"
        if self.tells_token:
            following += f"&access_token={token}"
        last = page >= self.pages
        return answer({"data": [{"id": page}], "next": None if last else following})


@dataclass
class _Line:
    """One opened client; it refuses what its policy does not name."""

    provider: Granting
    policy: HttpPolicy

    async def send(self, request: Request) -> Answer:
        """Answer one call to a host that may be called."""
        assert urlsplit(encode(request).url).hostname in self.policy.hosts
        return await self.provider.send(request)


class Full(Strongbox):
    """A vault that cannot write while ``is_full``."""

    is_full = True

    async def put(self, tenant: str, integration: str, name: str, value: Secret) -> None:
        """Refuse as a full disk does."""
        if self.is_full:
            message = "the disk is full"
            raise StoreError(message)
        await super().put(tenant, integration, name, value)


class Shut(Strongbox):
    """A vault without its master key."""

    def is_open(self) -> bool:
        """Say no."""
        return False

    async def get(self, tenant: str, integration: str, name: str) -> Secret | None:
        """Find nothing, or something that cannot be opened."""
        if (tenant, integration, name) in self.kept:
            message = "there is no master key to open it"
            raise SecretError(message)
        return None

    async def put(self, tenant: str, integration: str, name: str, value: Secret) -> None:
        """Be no place for anything."""
        raise AssertionError(name)


def account_of(text: str = CLIENT) -> tuple[Integration, Account]:
    """Return an integration of a file, and its account."""
    (integration,) = bundle_of(integration=text).integrations.values()
    assert integration.http is not None
    return integration, Account(integration, integration.http.auth, Settings())


async def kept_in(world: World) -> Kept:
    """Return what lies in the vault of the one integration."""
    text = await world.vault.get("default", "acme", KEPT_AS)
    return Kept() if text is None else Kept.parse(text)


GET = Request(method="GET", url="https://api.test/orders")


def credentials(on, text=CLIENT):
    """Make the credentials of one run."""
    integration, _ = account_of(text)
    named = {name: Secret(value) for name, value in on.world.secrets.secrets.items()}
    return credentials_of(on.world, integration, Settings(), {"config": {}, "secrets": named})


async def sign(on, text=CLIENT, refused=None):
    """Sign one request; returns what it says of who asks."""
    signed = await credentials(on, text).sign(GET, refused)
    return signed.request.headers["authorization"].reveal()
