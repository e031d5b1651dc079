"""Refresh tokens that change with each use: kept before they matter, and never sent again."""

import asyncio
from dataclasses import replace

import pytest

from integrationd.engine.renewal import KEPT_AS
from integrationd.errors import CredentialsError, UnavailableError
from integrationd.model.runs import RunStatus
from integrationd.model.secret import Secret
from integrationd.signals import TokenRenewed
from integrationd.wire.grants import Kept, Token
from tests.support.fakes import Strongbox, answer
from tests.support.granting import REFRESH, SECRETS, Granting, kept_in, sign
from tests.support.worlds import plan_of, stage

pytestmark = pytest.mark.looptime(start=0)

GONE = (
    "POST /token answered 400 invalid_grant (gone); a person has to give consent again; then "
    "store the new refresh token: integrationd secret set acme refresh_token"
)


def with_vault(on, vault):
    """Put another vault into a world."""
    on.world = replace(on.world, vault=vault)
    return on


def sent(provider):
    """Return the refresh tokens that the provider was shown, in order."""
    return [form["refresh_token"] for form in provider.forms]


async def test_new_refresh_token_is_stored_before_the_first_call():
    """When the API is asked with the new access token, the vault has its refresh token."""
    provider = Granting(rotates=True, lifetime_s=100, latency_s=30, pages=8)
    seen = []

    async def look(token):
        kept = await kept_in(on.world)
        seen.append((token, kept.refresh.reveal()))

    provider.before_call = look
    async with stage(provider, **SECRETS) as on:
        outcome = await on.sync(plan_of(REFRESH, "orders"))

    assert outcome.status is RunStatus.DONE
    assert list(dict.fromkeys(seen)) == [("a1", "r1"), ("a2", "r2"), ("a3", "r3")]
    assert sent(provider) == ["r0", "r1", "r2"]
    assert [signal.rotated for signal in on.ear.of(TokenRenewed)] == [True] * 3


async def test_refresh_token_that_stays_is_sent_again():
    """Google and others answer without one: the old one is good for years."""
    provider = Granting()
    async with stage(provider, **SECRETS) as on:
        for number in range(3):
            await sign(on, REFRESH, refused=Secret(f"a{number}"))

    assert sent(provider) == ["r0"] * 3


async def test_next_process_goes_on_with_the_newest():
    """What was rotated away is not sent again after a restart, whatever the files say."""
    provider = Granting(rotates=True)
    vault = Strongbox()
    for _ in range(3):
        async with stage(provider, **SECRETS) as on:
            await sign(with_vault(on, vault), REFRESH, refused=Secret(f"a{provider.granted}"))

    assert sent(provider) == ["r0", "r1", "r2"]


async def test_new_consent_is_taken_up():
    """A person puts a new refresh token in place: from then on its line counts."""
    provider = Granting(rotates=True)
    async with stage(provider, **SECRETS) as on:
        await sign(on, REFRESH)
        provider.refresh = "consented"
        on.world.secrets.secrets = {**SECRETS, "refresh_token": "consented"}
        await sign(on, REFRESH, refused=Secret("a1"))
        await sign(on, REFRESH, refused=Secret("a2"))

    assert sent(provider) == ["r0", "consented", "r2"]


async def test_refresh_token_from_before_a_consent_is_not_sent():
    """Going back to it is told as what it is, without asking: some providers would void all."""
    provider = Granting(rotates=True)
    async with stage(provider, **SECRETS) as on:
        await sign(on, REFRESH)
        provider.refresh = "consented"
        on.world.secrets.secrets = {**SECRETS, "refresh_token": "consented"}
        await sign(on, REFRESH, refused=Secret("a1"))
        on.world.secrets.secrets = SECRETS
        with pytest.raises(CredentialsError) as caught:
            await sign(on, REFRESH, refused=Secret("a1"))

    assert str(caught.value) == (
        "the refresh token that acme is given was replaced by newer ones before; a person has to "
        "give consent again; then store the new refresh token: integrationd secret set acme "
        "refresh_token"
    )
    assert sent(provider) == ["r0", "consented"]


async def test_dead_refresh_token_is_told_with_what_to_do():
    """Nobody has a newer one: consent is needed, and the run says so."""
    provider = Granting(refresh="another")
    async with stage(provider, **SECRETS) as on:
        outcome = await on.sync(plan_of(REFRESH, "orders"))

    assert (outcome.status, outcome.kind, outcome.error) == (RunStatus.FAILED, "auth", GONE)
    assert sent(provider) == ["r0"]


async def test_refresh_token_that_another_process_renewed_meanwhile_is_used():
    """``invalid_grant`` is no reason to give up while the vault has a newer one."""
    provider = Granting(rotates=True, refresh="r9")
    async with stage(provider, **SECRETS) as on:

        async def renew():
            if len(provider.forms) == 1:
                token = Token(access=Secret("other"), lifetime_s=0.0, refresh=Secret("r9"))
                kept = Kept().with_token(token, asked_as="", received_at_s=0, given=Secret("r0"))
                await on.world.vault.put("default", "acme", KEPT_AS, kept.to_secret())

        provider.before_reply = renew
        shown = await sign(on, REFRESH)

    assert shown == "Bearer a1"
    assert sent(provider) == ["r0", "r9"]


async def test_consent_that_was_given_meanwhile_is_used():
    """The secrets are read again as well before it gives up."""
    provider = Granting(refresh="consented")
    async with stage(provider, **SECRETS) as on:

        async def consent():
            on.world.secrets.secrets = {**SECRETS, "refresh_token": "consented"}

        provider.before_reply = consent
        shown = await sign(on, REFRESH)

    assert shown == "Bearer a1"
    assert sent(provider) == ["r0", "consented"]


async def test_refresh_tokens_that_keep_being_replaced_end():
    """Three are tried, so that two processes cannot chase each other for ever."""
    provider = Granting(refresh="never")
    async with stage(provider, **SECRETS) as on:

        async def consent():
            secret = f"consent-{len(provider.forms)}"
            on.world.secrets.secrets = {**SECRETS, "refresh_token": secret}

        provider.before_reply = consent
        with pytest.raises(CredentialsError):
            await sign(on, REFRESH)

    assert sent(provider) == ["r0", "consent-1", "consent-2"]


async def test_access_token_is_not_shared_over_a_newer_refresh_token():
    """A provider that rotates now and then, and a claim that ran out: theirs is not undone."""
    provider = Granting()
    async with stage(provider, **SECRETS) as on:

        async def renew():
            token = Token(access=Secret("theirs"), refresh=Secret("r7"))
            kept = Kept().with_token(token, asked_as="", received_at_s=0, given=Secret("r0"))
            await on.world.vault.put("default", "acme", KEPT_AS, kept.to_secret())

        provider.before_reply = renew
        shown = await sign(on, REFRESH)
        kept = await kept_in(on.world)

    assert (shown, kept.refresh) == ("Bearer a1", Secret("r7"))


async def test_token_of_a_process_that_was_faster_stands():
    """Our claim ran out while the answer was on its way: what another one stored is not undone."""
    provider = Granting(rotates=True)
    async with stage(provider, **SECRETS) as on:

        async def renew():
            token = Token(access=Secret("theirs"), refresh=Secret("r7"))
            kept = Kept().with_token(token, asked_as="", received_at_s=0, given=Secret("r0"))
            await on.world.vault.put("default", "acme", KEPT_AS, kept.to_secret())

        provider.before_reply = renew
        with pytest.raises(UnavailableError) as caught:
            await sign(on, REFRESH)
        kept = await kept_in(on.world)

    assert kept.refresh == Secret("r7")
    assert str(caught.value) == (
        "another process renewed the token of acme at the same time; its token stands"
    )


async def test_answer_that_is_lost_is_asked_for_again():
    """The line broke after the provider had answered: all that can be done is to ask once more."""
    provider = Granting(replies=[UnavailableError("login.test: the line broke")])
    async with stage(provider, **SECRETS) as on:
        await sign(on, REFRESH)

    assert sent(provider) == ["r0", "r0"]


async def test_fifty_runs_rotate_once():
    """One refresh token, fifty that want to use it."""
    provider = Granting(rotates=True)
    async with stage(provider, **SECRETS) as on:
        shown = await asyncio.gather(*(sign(on, REFRESH) for _ in range(50)))

    assert set(shown) == {"Bearer a1"}
    assert sent(provider) == ["r0"]


async def test_refresh_token_for_a_client_is_ignored():
    """RFC 6749 section 4.4.3: there should be none, and some send one."""
    body = {"access_token": "a", "refresh_token": "r"}
    provider = Granting(replies=[answer(body)])
    async with stage(provider, **SECRETS) as on:
        await sign(on)

        assert (await kept_in(on.world)).refresh is None
