"""A token's reply that says where the account's calls go, bounded by the declared hosts."""

import pytest

from integrationd.engine.asking import Manner, asking
from integrationd.model.runs import RunStatus
from integrationd.model.secret import Secret
from integrationd.signals import CallAnswered
from integrationd.spec.settings import Settings
from integrationd.wire.grants import Kept
from tests.support.fakes import answer
from tests.support.granting import CLIENT, SECRETS, Granting, account_of, kept_in
from tests.support.worlds import plan_of, stage

pytestmark = pytest.mark.looptime(start=0)
MOVED = CLIENT.replace(
    "base_url: https://api.test", 'base_url: "{{ token.base_url }}"\n  hosts: [api.test]'
).replace("client_id: cid", "client_id: cid\n    reply: {base_url: body.instance_url}")


def granting(*addresses):
    """Make a provider whose token replies name these addresses, one after the other."""
    provider = Granting(lifetime_s=None)
    for number, address in enumerate(addresses, 1):
        provider.ends_at[f"a{number}"] = None
        provider.replies.append(answer({"access_token": f"a{number}", "instance_url": address}))
    return provider


async def test_calls_go_where_the_reply_says():
    """The token is had first; its own host is no host of calls unless it is declared."""
    provider = granting("https://api.test")
    async with stage(provider, **SECRETS) as on:
        outcome = await on.sync(plan_of(MOVED, "orders"))
        kept = await kept_in(on.world)

    assert outcome.status is RunStatus.DONE
    assert [signal.host for signal in on.ear.of(CallAnswered)] == ["login.test", "api.test"]
    assert kept.base_url == "https://api.test"


async def test_host_that_is_not_declared_may_not_be_called():
    """The policy of the run has the declared hosts, whatever the reply names."""
    provider = granting("https://evil.test")
    integration, _ = account_of(MOVED)
    manner = Manner(settings=Settings(), budget=None)
    async with stage(provider, **SECRETS) as on, asking(on.world, integration, manner) as asked:
        assert asked.base.base_url == "https://evil.test"

    assert provider.policies[-1].hosts == {"api.test", "login.test"}


async def test_token_that_was_kept_without_an_address_is_replaced():
    """A file that begins to ask for it does not go on with what was kept before."""
    provider = granting("https://api.test", "https://api.test")
    _, account = account_of(MOVED)
    secrets = {name: Secret(value) for name, value in SECRETS.items()}
    old = Kept(access=Secret("a1"), asked_as=account.asked_as({"config": {}, "secrets": secrets}))
    async with stage(provider, **SECRETS) as on:
        await on.world.vault.put("default", "acme", "oauth2.token", old.to_secret())
        outcome = await on.sync(plan_of(MOVED, "orders"))

    assert outcome.status is RunStatus.DONE
    assert len(provider.forms) == 1
