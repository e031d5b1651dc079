"""A way to log in that the configuration picked does all that it would do alone."""

import pytest

from integrationd.model.runs import RunStatus
from tests.support.granting import Granting
from tests.support.worlds import plan_of, stage

pytestmark = pytest.mark.looptime(start=0)

TEXT = """\
integration: acme
config: {login: client}
secrets: {client_secret: {}, password: {}}
http:
  base_url: https://api.test
  paginate: {type: next_url, next: body.next}
  auth:
    type: choice
    by: "{{ config.login }}"
    of:
      password: {type: basic, username: ann, password: "{{ secrets.password }}"}
      client:
        type: oauth2
        grant: client_credentials
        token_url: https://login.test/token
        client_id: cid
        client_secret: "{{ secrets.client_secret }}"
streams:
  orders: {get: /orders, records: body.data, key: id}
"""


async def test_token_is_asked_for_without_the_secrets_of_other_ways():
    """OAuth2 behind a choice: its host may be called, and the password need not be there."""
    provider = Granting()
    async with stage(provider, client_secret="s3cret") as on:
        outcome = await on.sync(plan_of(TEXT, "orders"))

    assert outcome.status is RunStatus.DONE
    assert provider.forms == [{"grant_type": "client_credentials"}]
    assert provider.shown == ["Bearer a1"]
    assert provider.policies[0].hosts == {"api.test", "login.test"}


async def test_secret_of_the_picked_way_is_needed():
    """Without it nothing is asked."""
    provider = Granting()
    async with stage(provider, client_secret="s3cret") as on:
        text = TEXT.replace("login: client", "login: password")
        outcome = await on.sync(plan_of(text, "orders"))

    assert (outcome.status, outcome.error) == (
        RunStatus.FAILED,
        "integration acme needs secret 'password'",
    )
    assert provider.shown == []
