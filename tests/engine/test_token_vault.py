"""Tokens and the encrypted store: where it is closed, full, spoiled or emptied."""

from dataclasses import replace

import pytest

from integrationd.engine.renewal import KEPT_AS
from integrationd.errors import SecretError, StoreError
from integrationd.model.runs import RunStatus
from integrationd.model.secret import Secret
from integrationd.signals import TokenUnkept
from tests.support.fakes import Strongbox
from tests.support.granting import REFRESH, SECRETS, Full, Granting, Shut, kept_in, sign
from tests.support.worlds import plan_of, stage

pytestmark = pytest.mark.looptime(start=0)

NO_ROOM = (
    "integration acme uses a refresh token, and a newer one that the provider may answer with "
    "could not be kept: the encrypted store has no master key; give it one, as 'integrationd "
    "secret set' tells, or write 'rotates: false' under http.auth where this provider never gives "
    "a new one"
)


class FailsLate(Full):
    """A vault that stores and then says that it did not."""

    async def put(self, tenant, integration, name, value):
        """Store, and fail."""
        await Strongbox.put(self, tenant, integration, name, value)
        await super().put(tenant, integration, name, value)


def with_vault(on, vault):
    """Put another vault into a world."""
    on.world = replace(on.world, vault=vault)
    return on


def sent(provider):
    """Return the refresh tokens that the provider was shown, in order."""
    return [form["refresh_token"] for form in provider.forms]


async def test_nothing_is_asked_while_there_is_no_room_for_the_answer():
    """Without a master key a new refresh token would be lost; so none is asked for."""
    provider = Granting(rotates=True)
    async with stage(provider, **SECRETS) as on:
        outcome = await with_vault(on, Shut()).sync(plan_of(REFRESH, "orders"))

    assert (outcome.status, outcome.kind, outcome.error) == (RunStatus.FAILED, "auth", NO_ROOM)
    assert provider.forms == []


async def test_provider_that_never_rotates_needs_no_vault():
    """``rotates: false`` says that nothing can be lost."""
    text = REFRESH.replace("    client_id", "    rotates: false\n    client_id")
    provider = Granting()
    async with stage(provider, **SECRETS) as on:
        outcome = await with_vault(on, Shut()).sync(plan_of(text, "orders"))

    assert outcome.status is RunStatus.DONE
    assert on.ear.of(TokenUnkept) == []


async def test_configured_refresh_token_is_not_sent_while_its_successor_is_locked_away():
    """The master key is gone: the vault has a newer one, and the configured one is used up."""
    text = REFRESH.replace("    client_id", "    rotates: false\n    client_id")
    provider = Granting(rotates=True)
    async with stage(provider, **SECRETS) as on:
        await sign(on, text)
        locked = with_vault(on, Shut(on.world.vault.kept))
        with pytest.raises(SecretError) as caught:
            await sign(locked, text, refused=Secret("a1"))

    assert str(caught.value) == "there is no master key to open it"
    assert sent(provider) == ["r0"]


async def test_rotation_that_was_not_expected_is_loud():
    """The new refresh token is used while the process lives, and an error says what is at stake."""
    text = REFRESH.replace("    client_id", "    rotates: false\n    client_id")
    provider = Granting(rotates=True)
    async with stage(provider, **SECRETS) as on:
        closed = with_vault(on, Shut())
        await sign(closed, text)
        await sign(closed, text, refused=Secret("a1"))

    assert sent(provider) == ["r0", "r1"]
    assert (
        on.ear.of(TokenUnkept)
        == [
            TokenUnkept(
                integration="acme",
                reason="there is no master key, so it is lost when this process ends",
            )
        ]
        * 2
    )


async def test_client_credentials_need_no_vault():
    """Their token costs one request more, so it is kept in memory alone."""
    provider = Granting()
    async with stage(provider, **SECRETS) as on:
        closed = with_vault(on, Shut())
        shown = [await sign(closed) for _ in range(3)]

    assert shown == ["Bearer a1"] * 3
    assert len(provider.forms) == 1


async def test_access_token_is_not_used_before_its_refresh_token_is_stored():
    """A full disk fails the run; the answer waits in memory and is stored before anything else."""
    provider = Granting(rotates=True)
    vault = Full()
    async with stage(provider, **SECRETS) as on:
        full = with_vault(on, vault)
        for _ in range(2):
            with pytest.raises(StoreError):
                await sign(full, REFRESH)
        assert (sent(provider), provider.shown) == (["r0"], [])

        vault.is_full = False
        shown = await sign(full, REFRESH)
        kept = await kept_in(full.world)

    assert (shown, kept.refresh) == ("Bearer a1", Secret("r1"))
    assert sent(provider) == ["r0"]
    assert (
        on.ear.of(TokenUnkept)
        == [
            TokenUnkept(
                integration="acme",
                reason="the disk is full; it is tried again before anything else is asked",
            )
        ]
        * 2
    )


async def test_refresh_token_that_was_stored_after_all_is_ours():
    """The vault failed once it had stored it: that is nobody else's, and the run goes on."""
    provider = Granting(rotates=True)
    vault = FailsLate()
    async with stage(provider, **SECRETS) as on:
        late = with_vault(on, vault)
        with pytest.raises(StoreError):
            await sign(late, REFRESH)
        vault.is_full = False

        assert await sign(late, REFRESH) == "Bearer a1"

    assert sent(provider) == ["r0"]


async def test_what_is_kept_can_be_forgotten():
    """A person removes it from the store: from then on the configured one counts again."""
    provider = Granting(rotates=True)
    async with stage(provider, **SECRETS) as on:
        await sign(on, REFRESH)
        await on.world.vault.remove("default", "acme", KEPT_AS)
        provider.refresh = "r0"
        await sign(on, REFRESH, refused=Secret("a1"))

    assert sent(provider) == ["r0", "r0"]


async def test_access_token_that_cannot_be_shared_is_used_all_the_same():
    """It can be had again; only a refresh token cannot."""
    provider = Granting()
    async with stage(provider, **SECRETS) as on:
        full = with_vault(on, Full())

        assert await sign(full, REFRESH) == "Bearer a1"


async def test_spoiled_vault_stops_a_refresh_token_alone():
    """Sending the configured one might be sending a used one; a client's token is had anew."""
    provider = Granting()
    async with stage(provider, **SECRETS) as on:
        await on.world.vault.put("default", "acme", KEPT_AS, Secret("spoiled"))
        with pytest.raises(SecretError) as caught:
            await sign(on, REFRESH)
        shown = await sign(on)

    assert str(caught.value) == (
        "what the encrypted store has as oauth2.token is something else; forget it with: "
        "integrationd secret remove INTEGRATION oauth2.token"
    )
    assert (shown, len(provider.forms)) == ("Bearer a1", 1)
