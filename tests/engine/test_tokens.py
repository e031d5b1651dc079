"""Access tokens: one request however many ask, renewal in time, and once more after a 401."""

import asyncio

import pytest

from integrationd.model.runs import RunStatus
from integrationd.model.secret import Secret
from integrationd.ports.store import StreamKey
from integrationd.signals import CallAnswered, TokenRenewed
from tests.support.fakes import answer
from tests.support.granting import CLIENT, GET, SECRETS, Granting, credentials, kept_in, sign
from tests.support.worlds import plan_of, stage

pytestmark = pytest.mark.looptime(start=0)


async def test_fifty_runs_ask_once():
    """Whoever comes while a token is asked for waits for that one answer."""
    provider = Granting()
    async with stage(provider, **SECRETS) as on:
        shown = await asyncio.gather(*(sign(on) for _ in range(50)))

    assert set(shown) == {"Bearer a1"}
    assert provider.forms == [{"grant_type": "client_credentials"}]
    assert on.ear.of(TokenRenewed) == [
        TokenRenewed(integration="acme", rotated=False, lifetime_s=3600)
    ]


async def test_fifty_runs_whose_token_was_refused_ask_once():
    """All hold the same token when it is revoked; one new one serves them all."""
    provider = Granting()
    async with stage(provider, **SECRETS) as on:
        await sign(on)
        old = Secret("a1")
        shown = await asyncio.gather(*(sign(on, refused=old) for _ in range(50)))
        late = await sign(on, refused=old)

    assert {*shown, late} == {"Bearer a2"}
    assert len(provider.forms) == 2


async def test_token_is_renewed_before_it_ends():
    """Within the last minute of an hour the next one is asked for."""
    provider = Granting(latency_s=0)
    async with stage(provider, **SECRETS) as on:
        shown = []
        for wait_s in (0, 3539, 2):
            await asyncio.sleep(wait_s)
            shown.append(await sign(on))

    assert shown == ["Bearer a1", "Bearer a1", "Bearer a2"]


@pytest.mark.parametrize("lifetime_s", [None, 0, "never", "3600"])
async def test_lifetime_may_be_missing_or_text(lifetime_s):
    """A token whose end is not known is used for days; a text is a number as well."""
    provider = Granting(lifetime_s=lifetime_s, latency_s=0)
    async with stage(provider, **SECRETS) as on:
        await sign(on)
        await asyncio.sleep(86_400)
        shown = await sign(on)

    assert shown == ("Bearer a2" if lifetime_s == "3600" else "Bearer a1")


async def test_token_request_is_made_of_its_own_host_alone():
    """Nothing else can be called with it, and a reply of megabytes is not read."""
    provider = Granting()
    async with stage(provider, **SECRETS) as on:
        await on.sync(plan_of(CLIENT, "orders"))

    runs, token = provider.policies
    assert runs.hosts == {"api.test", "login.test"}
    assert (token.hosts, token.response_max_bytes) == ({"login.test"}, 65_536)
    assert [signal.host for signal in on.ear.of(CallAnswered)] == ["login.test", "api.test"]


async def test_token_that_ends_within_a_walk_is_renewed():
    """A walk that takes longer goes on with the next token, and no call is refused."""
    provider = Granting(lifetime_s=100, latency_s=30, pages=8)
    async with stage(provider, **SECRETS) as on:
        outcome = await on.sync(plan_of(CLIENT, "orders"))
        rows = await on.rows(plan_of(CLIENT, "orders"))

    assert (outcome.status, len(rows)) == (RunStatus.DONE, 8)
    assert provider.shown == ["Bearer a1"] * 3 + ["Bearer a2"] * 3 + ["Bearer a3"] * 2
    assert outcome.counts.retries == 0


async def test_token_that_is_revoked_within_a_walk_is_replaced():
    """A 401 costs one token request and one call more; the walk goes on where it was."""
    provider = Granting(pages=4)

    async def revoke_at_third(token):
        if len(provider.shown) == 3:
            provider.revoke()

    provider.before_call = revoke_at_third
    async with stage(provider, **SECRETS) as on:
        outcome = await on.sync(plan_of(CLIENT, "orders"))

    assert outcome.status is RunStatus.DONE
    assert provider.shown == ["Bearer a1"] * 3 + ["Bearer a2"] * 2
    assert (outcome.counts.requests, outcome.counts.retries) == (5, 1)


async def test_second_401_is_the_end():
    """A fresh token that is refused as well is no matter of tokens."""
    provider = Granting()

    async def revoke(token):
        provider.revoke()

    provider.before_call = revoke
    async with stage(provider, **SECRETS) as on:
        outcome = await on.sync(plan_of(CLIENT, "orders"))

    assert (outcome.status, outcome.kind) == (RunStatus.FAILED, "auth")
    assert outcome.error == (
        "GET /orders answered 401 also with a fresh token; the credentials are not accepted, look "
        "at secrets.client_secret"
    )
    assert provider.shown == ["Bearer a1", "Bearer a2"]


async def test_token_that_somebody_else_renewed_is_used():
    """Who is refused late finds the token that others have had in the meantime."""
    provider = Granting(pages=3)

    async def revoke_for_this_run_alone(token):
        if len(provider.shown) == 2:
            provider.revoke()
            await sign(on, refused=Secret(token))

    provider.before_call = revoke_for_this_run_alone
    async with stage(provider, **SECRETS) as on:
        outcome = await on.sync(plan_of(CLIENT, "orders"))

    assert outcome.status is RunStatus.DONE
    assert len(provider.forms) == 2


async def test_rule_may_ask_for_a_fresh_token():
    """A provider that says it with status 200 is understood by ``reauthenticate``."""
    rule = "  errors: [{when: body.expired, then: reauthenticate}]\n"
    provider = Granting()

    async with stage(provider, **SECRETS) as on:
        real = provider._list

        async def listed(shown, query):
            if shown == "Bearer a1":
                provider.shown.append(shown)
                return answer({"expired": True})
            return await real(shown, query)

        provider._list = listed
        outcome = await on.sync(plan_of(CLIENT.replace("  auth:", f"{rule}  auth:"), "orders"))

    assert outcome.status is RunStatus.DONE
    assert provider.shown == ["Bearer a1", "Bearer a2"]


async def test_other_kinds_have_nothing_to_renew():
    """A fixed token that is refused is refused."""
    text = (
        CLIENT[: CLIENT.index("  auth:")]
        + '  auth: {type: bearer, token: "{{ secrets.client_secret }}"}\n'
    )
    provider = Granting()
    async with stage(provider, **SECRETS) as on:
        outcome = await on.sync(
            plan_of(
                text + "streams: {orders: {get: /orders, records: body.data, key: id}}", "orders"
            )
        )

    assert outcome.error == (
        "GET /orders answered 401; the credentials are not accepted, look at secrets.client_secret"
    )
    assert provider.shown == [f"Bearer {SECRETS['client_secret']}"]


async def test_stored_page_token_holds_no_access_token():
    """A next-URL that repeats the token is followed, and nothing of it lies in the database."""
    provider = Granting(pages=3, tells_token=True)
    states = []

    async def look(token):
        states.append(await on.store.load_state("default", StreamKey("acme", "orders"), ""))

    provider.before_call = look
    async with stage(provider, **SECRETS) as on:
        outcome = await on.sync(plan_of(CLIENT, "orders"))

    assert outcome.status is RunStatus.DONE
    assert [state.page_token for state in states] == [None] * 3


async def test_new_client_secret_asks_for_a_new_token():
    """A token that was had with other credentials is not used any more."""
    provider = Granting()
    async with stage(provider, **SECRETS) as on:
        await sign(on)
        changed = CLIENT.replace("client_id: cid", "client_id: other")
        shown = await sign(on, changed)
        back = await sign(on)

    assert (shown, back) == ("Bearer a2", "Bearer a1")


async def test_secret_that_changes_within_a_run_is_read_again():
    """The token request has the secret of now; the run goes on with what that gave."""
    provider = Granting(lifetime_s=100, latency_s=0)
    async with stage(provider, **SECRETS) as on:
        mine = credentials(on)
        await mine.sign(GET)
        on.world.secrets.secrets = {**SECRETS, "client_secret": "newer"}
        await asyncio.sleep(95)
        await mine.sign(GET)
        await mine.sign(GET)

    assert len(provider.forms) == 2


async def test_run_that_is_stopped_leaves_the_request_to_the_others():
    """The request for a token belongs to all who wait for it, not to the one that came first."""
    provider = Granting(latency_s=5)
    async with stage(provider, **SECRETS) as on:
        first = asyncio.create_task(sign(on), name="first")
        await asyncio.sleep(1)
        second = asyncio.create_task(sign(on), name="second")
        await asyncio.sleep(1)
        first.cancel()

        assert await second == "Bearer a1"
        assert len(provider.forms) == 1


async def test_answer_is_kept_although_nobody_waits_any_more():
    """All runs were stopped; the request still comes to its end, and its answer in the vault."""
    provider = Granting(latency_s=5)
    async with stage(provider, **SECRETS) as on:
        asking = asyncio.create_task(sign(on), name="asking")
        await asyncio.sleep(1)
        asking.cancel()
        await on.world.tokens.drain(patience_s=10)

        assert (await kept_in(on.world)).access == Secret("a1")
        assert on.world.tokens.flights == {}


async def test_patience_with_a_token_request_ends(looptime):
    """A provider that never answers does not hold the end of the process."""
    provider = Granting(latency_s=500)
    async with stage(provider, **SECRETS) as on:
        asking = asyncio.create_task(sign(on), name="asking")
        await asyncio.sleep(1)
        asking.cancel()
        await on.world.tokens.drain(patience_s=10)

        assert looptime == 11
        assert on.world.tokens.flights == {}
