"""A client's certificate: rendered from secrets, and shown wherever the integration asks."""

import pytest

from integrationd.model.secret import Secret
from integrationd.ports.outside import Identity
from tests.support.granting import CLIENT, SECRETS, Granting
from tests.support.worlds import plan_of, stage

pytestmark = pytest.mark.looptime(start=0)

TLS = '  tls: {certificate: "{{ secrets.certificate }}", key: "{{ secrets.key }}"}\n  auth:'
TEXT = CLIENT.replace("  auth:", TLS).replace("secrets: {", "secrets: {certificate: {}, key: {}, ")


async def test_calls_and_token_requests_show_it():
    """RFC 8705: the token endpoint knows the client by it as well."""
    provider = Granting()
    async with stage(provider, **SECRETS, certificate="cert", key="k3y") as on:
        await on.sync(plan_of(TEXT, "orders"))

    shown = Identity(certificate=Secret("cert"), key=Secret("k3y"))
    assert [policy.identity for policy in provider.policies] == [shown, shown]
    assert "k3y" not in repr(provider.policies)


async def test_integration_without_one_shows_none():
    """Nothing is shown that no file says."""
    provider = Granting()
    async with stage(provider, **SECRETS) as on:
        await on.sync(plan_of(CLIENT, "orders"))

    assert [policy.identity for policy in provider.policies] == [None, None]


async def test_empty_key_is_told():
    """It is a mistake at home; nothing is asked without it."""
    provider = Granting()
    async with stage(provider, **SECRETS, certificate="cert", key="") as on:
        outcome = await on.sync(plan_of(TEXT, "orders"))

    assert outcome.error == "http.tls.key is empty, expected a secret; is its value set?"
    assert provider.policies == []
