"""A played provider whose calls are signed: it verifies each by the spec's own made-up key."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from integrationd.model.secret import Secret
from integrationd.testing.signatures import unverified
from integrationd.testing.tokens import TokenBooth
from integrationd.wire.attempt import Attempt
from integrationd.wire.auth.authenticator import authorize
from integrationd.wire.messages import Request
from tests.support.players import ORIGIN, player_of, received
from tests.support.signers import ED25519, P256, P384, attempt, pem
from tests.support.written import AUTHS, Kind

SIGNED = (
    *("jwt-hs", "jwt-es", "jwt-ed", "sigv4", "shared_key", "oauth1"),
    *("signed-header", "signed-query"),
)
OTHERS = {"jwt-es": pem(P384), "jwt-ed": pem(ED25519), "shared_key": "b3RoZXIga2V5"}
GET = Request(method="GET", url=f"{ORIGIN}/api/things", query=(("a", "b c"),))


def signing(name):
    """Return a player, its way of signing, and its own and another key."""
    player = player_of(Kind(auth=name).text(ORIGIN))
    own = player.variables
    other = {**own, "secrets": dict.fromkeys(own["secrets"], Secret(OTHERS.get(name, "another")))}
    return player, player.integration.http.auth, own, other


@pytest.mark.parametrize("name", SIGNED)
def test_only_what_the_right_key_signs_is_answered(name):
    """At whatever time; a bare call and one that another key signs are refused."""
    player, auth, own, other = signing(name)
    late = Attempt(at=datetime(2030, 5, 6, 7, 8, 9, 123_000, tzinfo=UTC), nonce="ab" * 16)

    signed = [authorize(auth, GET, own, at) for at in (attempt(), late)]
    forged = authorize(auth, GET, other, attempt())
    statuses = [player.answer(received(call), 0).status for call in (*signed, forged, GET)]

    assert statuses == [200, 200, 401, 401]


@pytest.mark.parametrize("name", [name for name in SIGNED if not name.startswith("jwt-")])
def test_what_was_changed_on_its_way_is_refused(name):
    """A signature is of one request and no other."""
    player, auth, own, _ = signing(name)
    call = received(authorize(auth, GET, own, attempt()))

    changed = replace(
        call,
        url=call.url.replace("a=b", "a=c"),
        query=tuple((key, "c c" if key == "a" else value) for key, value in call.query),
    )

    assert player.answer(call, 0).status == 200
    assert player.answer(changed, 0).status == 401


def test_token_for_another_path_is_refused():
    """A claim about the request is about this one."""
    player, auth, own, _ = signing("jwt-es")
    elsewhere = authorize(auth, replace(GET, url=f"{ORIGIN}/api/groups"), own, attempt())

    taken = replace(GET, headers=elsewhere.headers)

    assert player.answer(received(taken), 0).status == 401


def test_digest_is_challenged_and_each_answer_taken_once():
    """The 401 brings the challenge; the same count does not come again, the next one does."""
    player, auth, own, other = signing("digest")

    first = player.answer(received(GET), 0)
    told = first.headers["www-authenticate"]
    counted = [
        authorize(auth, GET, own, replace(attempt(), challenge=told, count=count))
        for count in (2, 2, 1, 3)
    ]
    forged = authorize(auth, GET, other, replace(attempt(), challenge=told, count=4))
    statuses = [player.answer(received(call), 0).status for call in (*counted, forged)]

    assert first.status == 401
    assert statuses == [200, 401, 200, 200, 401]


@pytest.mark.parametrize("name", ["client-jwt", "jwt-bearer"])
def test_token_is_given_for_what_the_right_key_signs_once(name):
    """Another key, other claims and a token that was handed in before are refused."""
    player, auth, own, _ = signing(name)
    key = pem(ED25519 if name == "jwt-bearer" else P256)
    other = {**own, "secrets": dict.fromkeys(own["secrets"], Secret(key))}

    right = auth.token_request(own, None, attempt())
    forged = auth.token_request(other, None, replace(attempt(), nonce="f" * 32))
    statuses = [player.answer(received(call), 0).status for call in (right, right, forged)]

    assert isinstance(player.guard, TokenBooth)
    assert statuses == [200, 401 if name == "client-jwt" else 400, statuses[1]]


def test_signature_over_what_is_not_sent_is_told():
    """Where a call does not say the time that was signed, nobody can verify it."""
    auth = (
        '{type: signed, text: "{{ now }}{{ url }}", algorithm: hmac-sha1, '
        'key: "{{ secrets.key }}", into: query.sign}'
    )
    player = player_of(Kind().text(ORIGIN).replace("{type: none}", auth))

    assert player.unplayed == {
        "http.auth": (
            "http.auth is not verified: a call does not say the time or nonce that its signature "
            "is made of"
        )
    }
    assert unverified(player.integration.http.auth)
    signed = authorize(player.integration.http.auth, GET, player.variables, attempt())
    assert [player.answer(received(call), 0).status for call in (signed, GET)] == [200, 401]


def test_every_way_of_signing_is_looked_at():
    """The list above has all that the written specs have."""
    plain = {"none", "basic", "bearer", "api_key", "digest", "refresh", "password"}
    logins = {"login", "login-cookie", "client-basic", "client-post", "client-jwt", "jwt-bearer"}

    assert {*SIGNED} == {*AUTHS} - plain - logins
