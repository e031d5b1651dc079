"""Signed requests: each try has its own moment and nonce, and a challenge is answered once."""

import re

import pytest

from integrationd.engine.calling import Caller
from integrationd.engine.credentials import Signing
from integrationd.model.secret import Secret
from tests.support.fakes import Provider, answer
from tests.support.signers import GET, signer
from tests.support.worlds import stage

pytestmark = pytest.mark.looptime(start=0)

SIGNED = """
type: signed
with: {header.x-time: "{{ now }}", header.x-nonce: "{{ nonce }}"}
text: "{{ now }} {{ nonce }}"
algorithm: hmac-sha256
key: "{{ secrets.key }}"
prefix: "MAC "
into: header.x-signature
"""


async def ask(auth, *answers, times=1):
    """Ask with some kind of auth; returns what came, the headers sent, and the caller."""
    left, seen = list(answers), []

    def respond(_line, headers):
        seen.append(headers)
        return left.pop(0)

    provider = Provider(respond)
    async with stage(provider) as on:
        world = on.world
        variables = {"config": {}, "secrets": {"key": Secret("k3y"), "password": Secret("pw")}}
        caller = Caller(
            world=world,
            integration="shop",
            http=provider,
            budget=None,
            retries=3,
            credentials=Signing(world.clock, world.randomness, signer(auth), variables),
        )
        try:
            for _ in range(times):
                got = await caller.ask(GET)
        except Exception as failed:  # noqa: BLE001 - looked at by the test
            got = failed
    assert left == []
    return got, seen, caller


async def test_retry_is_signed_anew(looptime):
    """A provider refuses a nonce that it has seen, and a time that is long past."""
    _, seen, _ = await ask(SIGNED, answer({}, status=503, retry_after="60"), answer({}))

    assert [headers["x-time"] for headers in seen] == [
        "2026-01-01T00:00:00Z",
        "2026-01-01T00:01:00Z",
    ]
    assert len({headers["x-nonce"] for headers in seen}) == 2
    assert {len(headers["x-nonce"]) for headers in seen} == {32}
    assert len({headers["x-signature"] for headers in seen}) == 2
    assert looptime == 60.25


async def test_signatures_are_not_repeated_in_messages():
    """A provider that repeats what it was sent does not put it into our log."""
    _, seen, caller = await ask(SIGNED, answer({}))

    whole = seen[0]["x-signature"]
    hidden = set(caller.hidden().values())
    assert hidden == {Secret(whole), Secret(whole.removeprefix("MAC "))}


async def test_refused_signature_is_refused():
    """There is no other one to be had."""
    failed, seen, caller = await ask(SIGNED, answer({}, status=401, www_authenticate="MAC"))

    assert str(failed) == "GET /orders answered 401"
    assert len(seen) == 1
    assert caller.counts.retries == 0


DIGEST = '{type: digest, username: ann, password: "{{ secrets.password }}"}'
CHALLENGE = 'Digest realm="r", qop="auth", nonce="{}"'


def unknown(nonce: str, **more: str):
    """Build a 401 with a challenge."""
    return answer({}, status=401, www_authenticate=CHALLENGE.format(nonce), **more)


def nonces(seen):
    """Return which nonce each request answered, and how often it had been answered then."""
    lines = [headers.get("authorization", "") for headers in seen]
    return [
        None
        if not line
        else (re.search('nonce="([^"]+)"', line)[1], re.search(r"nc=(\w+)", line)[1])
        for line in lines
    ]


async def test_challenge_is_answered_at_once_and_then_in_advance(looptime):
    """One request more for a run, without waiting; its nonce is counted up."""
    _, seen, caller = await ask(DIGEST, unknown("a"), answer({}), answer({}), answer({}), times=3)

    assert nonces(seen) == [None, ("a", "00000001"), ("a", "00000002"), ("a", "00000003")]
    assert (caller.counts.requests, caller.counts.retries) == (4, 1)
    assert looptime == 0


async def test_challenge_that_has_aged_is_replaced():
    """A new nonce is taken up, and counted from one."""
    answers = [unknown("a"), answer({}), unknown("b"), answer({}), answer({})]

    _, seen, _ = await ask(DIGEST, *answers, times=3)

    assert nonces(seen) == [
        None,
        ("a", "00000001"),
        ("a", "00000002"),
        ("b", "00000001"),
        ("b", "00000002"),
    ]


async def test_refused_answer_is_refused():
    """A second 401 means that user or password is wrong; nothing is asked again and again."""
    failed, seen, caller = await ask(DIGEST, unknown("a"), unknown("b"))

    assert str(failed) == "GET /orders answered 401"
    assert nonces(seen) == [None, ("a", "00000001")]
    assert caller.counts.retries == 1


async def test_challenge_of_another_kind_is_refused():
    """Basic would send the password itself."""
    failed, seen, _ = await ask(DIGEST, answer({}, status=401, www_authenticate='Basic realm="r"'))

    assert str(failed) == "GET /orders answered 401"
    assert len(seen) == 1


async def test_retry_answers_the_challenge_again():
    """A passing failure is tried again with the count that follows."""
    _, seen, _ = await ask(DIGEST, unknown("a"), answer({}, status=503), answer({}))

    assert nonces(seen) == [None, ("a", "00000001"), ("a", "00000002")]
