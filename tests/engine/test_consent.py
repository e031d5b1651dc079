"""Logging in through a browser: what is kept of it, what is refused, and what goes on with it."""

import asyncio
from dataclasses import replace

import pytest

from integrationd.engine.logins import WAITING_MAX
from integrationd.errors import SettingsError, StoreError, UsageError
from integrationd.model.runs import RunStatus
from integrationd.model.secret import Secret
from integrationd.signals import ConsentGiven, ConsentRefused, TokenRenewed
from tests.support.consenting import BROWSER, SECRETS, Consenting, Person
from tests.support.granting import Full, Shut, kept_in, sign
from tests.support.worlds import plan_of, stage

pytestmark = pytest.mark.looptime(start=0)

NONE_YET = (
    "integration acme has no consent yet; a person gives it with: integrationd auth login acme"
)
NOBODY_WAITS = (
    "that address answers no login that waits here: one waits for 15 minutes, not beyond the end "
    "of the process that began it, and takes one answer; begin again"
)
DONE = {
    "event": "finished",
    "integration": "acme",
    "status": "done",
    "error": "",
    "kind": "",
    "scopes": None,
    "missing_scopes": [],
    "remark": "",
}


async def test_run_without_consent_fails_at_once_and_says_what_to_do():
    """Nobody is asked anything, however often it is tried."""
    provider = Consenting()
    async with stage(provider, **SECRETS) as on:
        plan = plan_of(BROWSER, "orders")

        outcomes = [await on.sync(plan) for _ in range(3)]

        assert [(each.status, each.kind) for each in outcomes] == [(RunStatus.FAILED, "auth")] * 3
        assert outcomes[-1].error == NONE_YET
        assert (provider.forms, provider.shown) == ([], [])


async def test_login_gives_an_address_and_keeps_what_comes_of_it():
    """The token is used from then on; the refresh token is in the vault before that."""
    provider = Consenting(scope="read offline")
    async with stage(provider, **SECRETS) as on:
        person = Person(on, provider)

        fields = await person.open()
        line = await person.bring(fields, code=provider.code)

        assert line == {**DONE, "scopes": ["read", "offline"]}
        assert fields["redirect_uri"] == "http://127.0.0.1:4711/callback"
        assert fields["scope"] == "read offline"
        assert provider.forms[0]["redirect_uri"] == fields["redirect_uri"]
        kept = await kept_in(on.world)
        assert (kept.access, kept.refresh) == (Secret("a1"), Secret("r1"))
        assert kept.origin.startswith("consent:")
        assert await sign(on, BROWSER) == "Bearer a1"
        assert on.ear.of(ConsentGiven) == [
            ConsentGiven(tenant="default", integration="acme", refreshable=True)
        ]


async def test_token_is_kept_before_anybody_uses_it():
    """A full disk: the login fails, and what came is stored before anything else is asked."""
    provider = Consenting()
    async with stage(provider, **SECRETS) as on:
        vault = Full()
        on.world = replace(on.world, vault=vault)
        person = Person(on, provider)
        with pytest.raises(StoreError):
            await person.log_in()
        with pytest.raises(StoreError):
            await sign(on, BROWSER)
        vault.is_full = False

        assert await sign(on, BROWSER) == "Bearer a1"
        assert (await kept_in(on.world)).refresh == Secret("r1")
        assert len(provider.forms) == 1


async def test_renewal_goes_on_with_the_newest_refresh_token():
    """Each answer's token is kept and sent next, from one process to the other."""
    provider = Consenting(rotates=True)
    async with stage(provider, **SECRETS) as on:
        await Person(on, provider).log_in()

        shown = []
        for _ in range(3):
            await asyncio.sleep(4000)
            on.world.tokens.held.clear()  # as another process
            shown.append(await sign(on, BROWSER))

        assert shown == ["Bearer a2", "Bearer a3", "Bearer a4"]
        assert [form["refresh_token"] for form in provider.forms[1:]] == ["r1", "r2", "r3"]
        assert all("scope" not in form for form in provider.forms)
        assert [signal.rotated for signal in on.ear.of(TokenRenewed)] == [True] * 3


async def test_dead_consent_says_to_log_in_again_and_a_new_one_is_taken_up():
    """`invalid_grant` is told with the command; after it the same run works."""
    provider = Consenting()
    async with stage(provider, **SECRETS) as on:
        person, plan = Person(on, provider), plan_of(BROWSER, "orders")
        await person.log_in()
        provider.refresh = "another"
        provider.revoke()

        failed = await on.sync(plan)

        assert failed.kind == "auth"
        assert failed.error == (
            "POST /token answered 400 invalid_grant (gone); a person has to give consent again: "
            "integrationd auth login acme"
        )
        provider.code = "c1"
        assert await person.log_in() == DONE
        assert (await on.sync(plan)).status is RunStatus.DONE


async def test_consent_that_does_not_reach_far_enough_is_told():
    """A fresh token is refused as well: it is about the person and the scopes, not our secret."""
    provider = Consenting()

    async def revoke(_token):
        provider.revoke()

    provider.before_call = revoke
    async with stage(provider, **SECRETS) as on:
        await Person(on, provider).log_in()

        outcome = await on.sync(plan_of(BROWSER, "orders"))

        assert outcome.error == (
            "GET /orders answered 401 also with a fresh token; look at the rights of the person "
            "who gave consent and at http.auth.scopes; log in again for what changed there"
        )


async def test_consent_that_was_taken_back_is_not_used_any_more():
    """Neither the access token that is at hand nor the refresh token."""
    provider = Consenting()
    async with stage(provider, **SECRETS) as on:
        await Person(on, provider).log_in()
        await on.world.vault.remove("default", "acme", "oauth2.token")

        on.world.tokens.forget(("default", "acme"))

        assert (await on.sync(plan_of(BROWSER, "orders"))).error == NONE_YET
        assert provider.shown == []


async def test_new_consent_takes_the_place_of_the_old_one():
    """Also where the new one gives no refresh token: the old one is of another consent."""
    provider = Consenting()
    async with stage(provider, **SECRETS) as on:
        person = Person(on, provider)
        await person.log_in()
        provider.code, provider.gives_refresh = "c1", False

        line = await person.log_in()

        assert line["remark"] == (
            "the provider gave no refresh token, so a person is asked again when the access token "
            "ends; some give one for a scope or a parameter (offline_access, access_type: offline)"
        )
        assert (await kept_in(on.world)).refresh is None
        await asyncio.sleep(4000)
        outcome = await on.sync(plan_of(BROWSER, "orders"))
        assert outcome.error == (
            "the access token of integration acme is not good any more, and its provider gave no "
            "refresh token with the consent, which some do only for a scope or a parameter "
            "(offline_access, access_type: offline); a person gives consent anew with: "
            "integrationd auth login acme"
        )


async def test_token_without_an_end_needs_no_refresh_token():
    """It is used until it is refused, and nothing is remarked."""
    provider = Consenting(lifetime_s=None, gives_refresh=False)
    async with stage(provider, **SECRETS) as on:
        assert await Person(on, provider).log_in() == DONE
        await asyncio.sleep(10**7)

        assert await sign(on, BROWSER) == "Bearer a1"


async def test_scopes_that_were_not_granted_are_told():
    """A person may have taken one away."""
    provider = Consenting(scope="read,other")
    async with stage(provider, **SECRETS) as on:
        person = Person(
            on, provider, BROWSER.replace("scopes:", 'scope_separator: ","\n    scopes:')
        )

        line = await person.log_in()

        assert (line["scopes"], line["missing_scopes"]) == (["read", "other"], ["offline"])


@pytest.mark.parametrize(
    ("brought", "message"),
    [
        (
            {"error": "access_denied", "error_description": "no"},
            "the provider says access_denied (no); nobody has given consent there",
        ),
        ({"error": "invalid_scope"}, "the provider says invalid_scope; check http.auth.scopes"),
        ({"error": "odd"}, "the provider says odd"),
    ],
    ids=["denied", "scope", "odd"],
)
async def test_refusal_in_the_browser_ends_the_login(brought, message):
    """Nothing is asked with it, and what was there stays."""
    provider = Consenting()
    async with stage(provider, **SECRETS) as on:
        person = Person(on, provider)
        fields = await person.open()

        line = await person.bring(fields, **brought)

        assert (line["status"], line["error"]) == ("failed", f"acme: {message}")
        assert provider.forms == []
        assert [signal.reason for signal in on.ear.of(ConsentRefused)] == [message]


async def test_code_is_bound_to_the_login_that_began():
    """A verifier of another login is none; the server's refusal is told without any of it."""
    provider = Consenting()
    async with stage(provider, **SECRETS) as on:
        person = Person(on, provider)
        first = await person.open()
        await person.open()  # the provider has the challenge of this one now

        line = await person.bring(first, code="c0de-canary")

        assert line["error"] == (
            "acme: POST /token answered 400 invalid_grant; a person has to give consent again: "
            "integrationd auth login acme"
        )
        assert provider.forms[0]["code_verifier"] not in repr((line, on.ear.heard))
        assert "c0de-canary" not in repr((line, on.ear.heard))


async def test_without_pkce_no_verifier_is_sent():
    """Where the file says so."""
    provider = Consenting()
    text = BROWSER.replace("/authorize}", "/authorize, pkce: false}")
    async with stage(provider, **SECRETS) as on:
        assert await Person(on, provider, text).log_in() == DONE

    assert "code_verifier" not in provider.forms[0]


async def test_other_states_answer_nothing():
    """One that is made up, that was used, that is too old, or that another process knows."""
    provider = Consenting()
    async with stage(provider, **SECRETS) as on:
        person = Person(on, provider)
        used = await person.open()
        await person.bring(used, code="c0de-canary")
        with pytest.raises(UsageError) as caught:
            await person.bring(used, code="c0de-canary")
        assert str(caught.value) == NOBODY_WAITS
        old = await person.open()
        await asyncio.sleep(901)
        elsewhere = await Person(on, provider).open()

        for fields in ({**used, "state": "made-up"}, old, elsewhere):
            with pytest.raises(UsageError) as caught:
                await person.bring(fields, code="c1")
            assert str(caught.value) == NOBODY_WAITS
        assert len(provider.forms) == 1


async def test_answer_of_another_integration_answers_nothing():
    """A state belongs to one account."""
    provider = Consenting()
    async with stage(provider, **SECRETS) as on:
        person = Person(on, provider)
        fields = await person.open()
        person.text = BROWSER.replace("integration: acme", "integration: other")

        with pytest.raises(UsageError, match="answers no login that waits here"):
            await person.bring(fields, code="c0de-canary")


async def test_logins_that_wait_are_bounded():
    """The oldest is given up."""
    provider = Consenting()
    async with stage(provider, **SECRETS) as on:
        person = Person(on, provider)
        first = await person.open()
        for _ in range(WAITING_MAX):
            await person.open()

        assert len(person.logins.waiting) == WAITING_MAX
        with pytest.raises(UsageError):
            await person.bring(first, code="c0de-canary")


async def test_without_a_master_key_no_login_begins():
    """There would be no place for what comes of it."""
    provider = Consenting()
    async with stage(provider, **SECRETS) as on:
        on.world = replace(on.world, vault=Shut())

        with pytest.raises(SettingsError) as caught:
            await Person(on, provider).open()

    assert str(caught.value) == (
        "integration acme needs the consent of a person, and what comes of that could not be kept: "
        "the encrypted store has no master key; give it one, as 'integrationd secret set' tells"
    )


async def test_missing_client_secret_is_told_before_anybody_is_asked():
    """A person who gave consent would have done so for nothing."""
    async with stage(Consenting()) as on:
        with pytest.raises(SettingsError) as caught:
            await Person(on, Consenting()).open()

    assert str(caught.value) == "integration acme needs secret 'client_secret'"


async def test_login_outlives_whoever_asked_for_it():
    """A command that is interrupted while the code is handed in: the answer is kept."""
    provider = Consenting(latency_s=5)
    async with stage(provider, **SECRETS) as on:
        person = Person(on, provider)
        fields = await person.open()
        asked = asyncio.create_task(person.bring(fields, code=provider.code))
        await asyncio.sleep(1)
        asked.cancel()

        await on.world.tokens.drain(10)

        assert (await kept_in(on.world)).refresh == Secret("r1")
