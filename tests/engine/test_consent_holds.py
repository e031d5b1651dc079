"""For what a consent holds once files change, and what is kept of it."""

import pytest

from integrationd.engine.consents import ConsentState, judge_consent
from integrationd.model.secret import Secret
from integrationd.wire.grants import Kept
from tests.support.consenting import BROWSER, SECRETS, Consenting, Person
from tests.support.granting import account_of, kept_in
from tests.support.worlds import plan_of, stage

pytestmark = pytest.mark.looptime(start=0)

NONE_YET = (
    "integration acme has no consent yet; a person gives it with: integrationd auth login acme"
)


def terms(text=BROWSER):
    """Return for what a file asks consent."""
    _, account = account_of(text)
    return account.auth.terms({"config": {}, "secrets": {"client_secret": Secret("s3cret")}})


async def test_consent_stands_as_the_file_asks():
    """Without, given, given to another client, and with scopes that are new."""
    kept = Kept(
        origin=terms().origin, refresh=Secret("r"), scopes=("read", "offline"), consented_at=86_400
    )
    wider = BROWSER.replace("[read, offline]", "[read, write, admin]")
    other = BROWSER.replace("client_id: cid", "client_id: another")

    assert judge_consent("acme", terms(), Kept(), 0.0) == ConsentState(problem=NONE_YET)
    assert judge_consent("acme", terms(), kept, 0.0).to_json() == {
        "given_at": "1970-01-02T00:00:00.000Z",
        "problem": "",
        "remark": "",
    }
    assert judge_consent("acme", terms(wider), kept, 0.0).to_json() == {
        "given_at": "1970-01-02T00:00:00.000Z",
        "problem": "",
        "remark": (
            "the consent was given without the scopes write, admin; where that is wanted: "
            "integrationd auth login acme"
        ),
    }
    assert judge_consent("acme", terms(other), kept, 0.0).problem == (
        "the consent for integration acme was given to another client_id or token_url than its "
        "file has now; a person gives it anew with: integrationd auth login acme"
    )


async def test_token_of_another_client_is_not_sent():
    """The file was changed: neither its access token nor its refresh token goes anywhere."""
    provider = Consenting()
    async with stage(provider, **SECRETS) as on:
        await Person(on, provider).log_in()
        other = BROWSER.replace("https://login.test/token", "https://api.test/token")

        outcome = await on.sync(plan_of(other, "orders"))

        assert "was given to another client_id or token_url" in outcome.error
        assert (len(provider.forms), provider.shown) == (1, [])


async def test_configured_refresh_token_is_no_consent():
    """What another grant has kept is not taken for it, nor lost."""
    provider = Consenting()
    async with stage(provider, **SECRETS) as on:
        before = Kept(refresh=Secret("r9"), origin="digest of r0")
        await on.world.vault.put("default", "acme", "oauth2.token", before.to_secret())

        assert (await on.sync(plan_of(BROWSER, "orders"))).error == NONE_YET
        await Person(on, provider).log_in()

        assert (await kept_in(on.world)).dead == ("digest of r0",)


def test_kept_consent_is_read_again():
    """As it was written; what an older version wrote has none."""
    kept = Kept(
        refresh=Secret("r"), origin="consent:x", scopes=("a",), granted=("b",), consented_at=1.5
    )

    assert Kept.parse(kept.to_secret()) == kept
    older = '{"access":null,"expires_at":null,"asked_as":"","refresh":"r","origin":"o","dead":[]}'
    assert Kept.parse(Secret(older)) == Kept(refresh=Secret("r"), origin="o")
