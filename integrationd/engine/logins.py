"""Logging in: a person is sent to the provider, and what comes back is made a token and kept."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from integrationd.engine.desk import Name
from integrationd.engine.renewal import Account, Renewal, find_lack
from integrationd.engine.tokens import claimed
from integrationd.engine.world import World
from integrationd.errors import (
    ExpressionError,
    ProviderError,
    SecretError,
    SettingsError,
    ThrottledError,
    UnavailableError,
    UsageError,
)
from integrationd.model.json import Json
from integrationd.model.secret import Secret
from integrationd.ports.consent import LoginWish
from integrationd.signals import ConsentGiven, ConsentRefused
from integrationd.wire.auth.authenticator import ConsentAuthenticator
from integrationd.wire.consent import INTERVAL_S, Denied, DeviceCode, read_answer
from integrationd.wire.grants import Kept, Refusal
from integrationd.wire.messages import Text

WAITING_MAX: Final = 64
"""Logins that wait for a browser; the oldest is given up for a newer one."""
PATIENCE_S: Final = 900.0
"""How long one waits; providers' own codes live for less."""
RANDOM_BYTES: Final = 32
"""Of a state and of a verifier: 43 characters, the least that RFC 7636 section 4.1 allows."""
_PENDING: Final = "authorization_pending"
_SLOWER: Final = "slow_down"
_RAN_OUT: Final = "the code ran out before anybody gave consent; begin again"
_MEANINGS: Final[Mapping[str, str]] = {
    "access_denied": "nobody has given consent there",
    "expired_token": _RAN_OUT,
    "invalid_request": "see what else it wants, under http.auth.authorize.query",
    "invalid_scope": "check http.auth.scopes",
    "unauthorized_client": "is this client allowed to ask people for consent there?",
    "server_error": "begin again",
    "temporarily_unavailable": "begin again later",
}
"""By the error codes of RFC 6749 section 4.1.2.1 and of RFC 8628 section 3.5."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A login for which a browser is on its way."""

    account: Account
    redirect: str
    verifier: Secret
    until_s: float
    """By the clock that never goes back."""


@dataclass(slots=True)
class Logins:
    """Those of one process, which knows a verifier only as long as it lives."""

    world: World
    waiting: dict[str, _Waiting] = field(default_factory=dict, repr=False)
    """By their state; the newest last."""

    async def login(self, account: Account, wish: LoginWish) -> AsyncIterator[Json]:
        """See :meth:`integrationd.ports.consent.LoginActions.login`."""
        lack = find_lack(account.integration, self.world.vault)
        if lack:
            raise SettingsError(lack)
        if wish.answer is not None:
            yield await self._end(account, wish.answer)
            return
        variables = await self._resolve(account)
        if _auth_of(account).authorize is not None:
            yield self._begin(account, variables, wish.port)
            return
        async for line in self._ask_device(account):
            yield line

    async def _resolve(self, account: Account) -> Mapping[str, Json]:
        integration = account.integration
        references = integration.needed_secrets()
        try:
            found = await self.world.secrets.resolve(*account.name, references)
            variables = {"config": dict(integration.config), "secrets": found}
            account.auth.terms(variables)
        except (SecretError, ProviderError, ExpressionError) as missing:
            raise SettingsError(str(missing)) from None
        return variables

    def _begin(self, account: Account, variables: Mapping[str, Json], port: int | None) -> Json:
        """Make the address that a person opens, and remember what belongs to it."""
        auth, now_s = _auth_of(account), self.world.clock.monotonic()
        assert auth.authorize is not None
        redirect = auth.authorize.redirect.at(port)
        state, verifier = self._random(), Secret(self._random())
        self.world.tokens.learn(f"{'/'.join(account.name)}/oauth2.verifier", verifier)
        try:
            address = auth.authorize_address(variables, redirect, state, verifier)
        except (ProviderError, ExpressionError) as wrong:
            raise SettingsError(f"http.auth.authorize.url: {wrong}") from None
        self._forget(now_s)
        while len(self.waiting) >= WAITING_MAX:
            del self.waiting[next(iter(self.waiting))]
        self.waiting[state] = _Waiting(account, redirect, verifier, now_s + PATIENCE_S)
        return {
            "event": "open",
            "integration": account.integration.name,
            "address": address,
            "redirect": redirect,
            "expires_in_s": round(PATIENCE_S),
        }

    async def _end(self, account: Account, answer: Secret) -> Json:
        """Take what a browser came back with."""
        came = read_answer(answer)
        self._forget(self.world.clock.monotonic())
        waiting = self.waiting.get(came.state)
        if waiting is None or waiting.account.name != account.name:
            raise UsageError(
                "that address answers no login that waits here: one waits for "
                f"{round(PATIENCE_S / 60)} minutes, not beyond the end of the process that began "
                "it, and takes one answer; begin again"
            )
        del self.waiting[came.state]
        if isinstance(came.brought, Denied):
            return self._fail(account.name, _explain(came.brought))
        handed: dict[str, Text] = {"code": came.brought, "redirect_uri": waiting.redirect}
        auth = _auth_of(waiting.account)
        if auth.authorize is not None and auth.authorize.pkce:
            handed["code_verifier"] = waiting.verifier
        try:
            got = await self._redeem(waiting.account, handed)
        except ProviderError as failed:
            return self._fail(account.name, str(failed), failed.kind)
        if isinstance(got, tuple):
            return self._fail(account.name, str(got[1]), got[1].kind)
        return self._tell(waiting.account, got)

    async def _ask_device(self, account: Account) -> AsyncIterator[Json]:
        """Show a person a code, and ask again and again whether consent was given."""
        name = account.integration.name
        try:
            code = await Renewal(self.world, account, None).ask_device()
        except ProviderError as failed:
            yield self._fail(account.name, str(failed), failed.kind)
            return
        yield {
            "event": "code",
            "integration": name,
            "user_code": code.user_code,
            "address": code.address,
            "whole_address": code.whole_address,
            "expires_in_s": round(code.lifetime_s),
        }
        self.world.tokens.learn(f"{'/'.join(account.name)}/oauth2.device", code.device_code)
        async for line in self._poll(account, code):
            yield line

    async def _poll(self, account: Account, code: DeviceCode) -> AsyncIterator[Json]:
        clock, interval_s = self.world.clock, code.interval_s
        until_s = clock.monotonic() + code.lifetime_s
        while True:
            await asyncio.sleep(interval_s)
            ended = await self._ask_once(account, code)
            if not isinstance(ended, str):
                yield ended
                return
            if ended == _SLOWER:
                interval_s += INTERVAL_S
            if clock.monotonic() + interval_s >= until_s:
                yield self._fail(account.name, _RAN_OUT)
                return
            yield {
                "event": "waiting",
                "integration": account.integration.name,
                "interval_s": round(interval_s),
            }

    async def _ask_once(self, account: Account, code: DeviceCode) -> Json:
        """Return the last line of a login, or the provider's word for that it goes on."""
        try:
            got = await self._redeem(account, {"device_code": code.device_code})
        except (UnavailableError, ThrottledError):
            return _SLOWER  # RFC 8628 section 3.5: who gets no answer asks less often
        except ProviderError as failed:
            return self._fail(account.name, str(failed), failed.kind)
        if not isinstance(got, tuple):
            return self._tell(account, got)
        refusal, explained = got
        if refusal.error in (_PENDING, _SLOWER):
            return refusal.error
        is_final = refusal.error in ("access_denied", "expired_token")
        told = _explain(Denied(refusal.error, refusal.said)) if is_final else str(explained)
        return self._fail(account.name, told, explained.kind)

    async def _redeem(
        self, account: Account, handed: Mapping[str, Text]
    ) -> Kept | tuple[Refusal, ProviderError]:
        """Hand in what a person gave, by a task that outlives whoever asked for it."""
        task = asyncio.create_task(self._redeem_alone(account, handed), name="login")
        logins = self.world.tokens.logins
        logins.add(task)
        task.add_done_callback(logins.discard)
        return await asyncio.shield(task)

    async def _redeem_alone(
        self, account: Account, handed: Mapping[str, Text]
    ) -> Kept | tuple[Refusal, ProviderError]:
        try:
            async with claimed(self.world, account):
                return await Renewal(self.world, account, None).redeem(handed)
        except SecretError as missing:
            raise SettingsError(str(missing)) from None

    def _tell(self, account: Account, kept: Kept) -> Json:
        tenant, name = account.name
        refreshable = kept.refresh is not None
        signal = ConsentGiven(tenant=tenant, integration=name, refreshable=refreshable)
        self.world.signals.emit(signal)
        remark = ""
        if not refreshable and kept.expires_at is not None:
            remark = (
                "the provider gave no refresh token, so a person is asked again when the access "
                "token ends; some give one for a scope or a parameter (offline_access, "
                "access_type: offline)"
            )
        missing = [] if kept.granted is None else sorted({*kept.scopes} - {*kept.granted})
        return {
            "event": "finished",
            "integration": name,
            "status": "done",
            "error": "",
            "kind": "",
            "scopes": None if kept.granted is None else list(kept.granted),
            "missing_scopes": missing,
            "remark": remark,
        }

    def _fail(self, name: Name, error: str, kind: str = "auth") -> Json:
        tenant, integration = name
        self.world.signals.emit(
            ConsentRefused(tenant=tenant, integration=integration, reason=error)
        )
        return {
            "event": "finished",
            "integration": integration,
            "status": "failed",
            "error": f"{integration}: {error}",
            "kind": kind,
            "scopes": None,
            "missing_scopes": [],
            "remark": "",
        }

    def _forget(self, now_s: float) -> None:
        """Forget the logins for which no browser came in time."""
        for state in [state for state, each in self.waiting.items() if each.until_s <= now_s]:
            del self.waiting[state]

    def _random(self) -> str:
        """Return 43 characters that nobody can guess and that need no encoding in an address."""
        drawn = self.world.randomness.token(RANDOM_BYTES)
        return base64.urlsafe_b64encode(drawn).decode().rstrip("=")


def _explain(denied: Denied) -> str:
    said = f" ({denied.said})" if denied.said else ""
    meaning = _MEANINGS.get(denied.error)
    hint = f"; {meaning}" if meaning else ""
    return f"the provider says {denied.error or 'an error without a name'}{said}{hint}"


def _auth_of(account: Account) -> ConsentAuthenticator:
    assert isinstance(account.auth, ConsentAuthenticator)
    return account.auth
