"""Certificates and key sets of senders: asked once, kept for a while."""

import asyncio

import pytest

from integrationd.engine.fetched_keys import ADDRESSES_MAX, FetchedKeys
from integrationd.errors import SignatureError, UnavailableError
from tests.support.fakes import LoopClock, Provider, answer, script

pytestmark = pytest.mark.looptime(start=0)
URL = "https://keys.a.test/set"
ASKED = f"GET {URL}"


async def test_many_calls_at_once_ask_once():
    """However many calls need the same keys, their sender is asked once in an hour."""
    provider, used_up = script((ASKED, answer(b"one")), (ASKED, answer(b"two")))
    keys, clock = FetchedKeys(), LoopClock()

    found = await asyncio.gather(*(keys.get(URL, provider, clock) for _ in range(20)))
    await asyncio.sleep(3599)
    later = await keys.get(URL, provider, clock)
    await asyncio.sleep(1)
    anew = await keys.get(URL, provider, clock)

    assert (set(found), later, anew) == ({b"one"}, b"one", b"two")
    used_up()


async def test_only_the_host_is_open_and_the_answer_is_bounded():
    """What fetches keys can call no other host, waits for 5 seconds and reads 64 KiB."""
    provider, _ = script((ASKED, answer(b"one")))

    await FetchedKeys().get(URL, provider, LoopClock())

    (policy,) = provider.policies
    assert policy.hosts == {"keys.a.test"}
    assert (policy.total_timeout.total_seconds(), policy.response_max_bytes) == (5, 65_536)


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        (answer(b"", status=404), SignatureError),
        (answer(b"", status=302), SignatureError),
        (answer(b"", status=503), UnavailableError),
        (UnavailableError("gone"), UnavailableError),
    ],
)
async def test_failure_is_kept_for_half_a_minute(given, kind):
    """A sender that does not answer is not asked by every call; a redirect is not followed."""
    provider, used_up = script((ASKED, given), (ASKED, answer(b"one")))
    keys, clock = FetchedKeys(), LoopClock()
    for _ in range(2):
        with pytest.raises(kind):
            await keys.get(URL, provider, clock)

    await asyncio.sleep(30)

    assert await keys.get(URL, provider, clock) == b"one"
    used_up()


async def test_newer_keys_can_be_wanted():
    """A caller may want what is younger than a minute, and gets what is kept where it is."""
    provider, used_up = script((ASKED, answer(b"one")), (ASKED, answer(b"two")))
    keys, clock = FetchedKeys(), LoopClock()
    await keys.get(URL, provider, clock)

    kept = await keys.get(URL, provider, clock, younger_than_s=60)
    await asyncio.sleep(60)
    newer = await keys.get(URL, provider, clock, younger_than_s=60)

    assert (kept, newer) == (b"one", b"two")
    used_up()


async def test_addresses_that_are_kept_are_bounded():
    """Callers who name ever new addresses push out the oldest, and nothing grows."""
    keys, clock = FetchedKeys(), LoopClock()
    provider = Provider(lambda *_: answer(b"one"))

    for number in range(ADDRESSES_MAX + 1):
        await keys.get(f"{URL}{number}", provider, clock)
    await keys.get(f"{URL}{ADDRESSES_MAX}", provider, clock)
    await keys.get(f"{URL}0", provider, clock)

    assert len(provider.asked) == ADDRESSES_MAX + 2


@pytest.mark.parametrize("given", [answer(b"", status=404), UnavailableError("gone")])
async def test_failure_does_not_take_away_what_is_kept(given):
    """Whoever names an unknown key has it asked again; keys that are known serve on meanwhile."""
    steps = [(ASKED, answer(b"one")), (ASKED, given), (ASKED, given), (ASKED, answer(b"two"))]
    provider, used_up = script(*steps)
    keys, clock = FetchedKeys(), LoopClock()
    await keys.get(URL, provider, clock)
    await asyncio.sleep(60)

    for _ in range(2):
        with pytest.raises(type(given) if isinstance(given, Exception) else SignatureError):
            await keys.get(URL, provider, clock, younger_than_s=60)
        assert await keys.get(URL, provider, clock) == b"one"
    await asyncio.sleep(3540)  # an hour after it was found it is believed no more
    with pytest.raises((SignatureError, UnavailableError)):
        await keys.get(URL, provider, clock)
    await asyncio.sleep(30)

    assert await keys.get(URL, provider, clock) == b"two"
    used_up()


async def test_made_up_addresses_push_out_no_keys():
    """Addresses where nothing lies go first, and of keys those that nobody used for longest."""
    keys, clock = FetchedKeys(), LoopClock()
    provider = Provider(
        lambda line, _: answer(b"", status=404) if "none" in line else answer(b"one")
    )
    await keys.get(URL, provider, clock)
    for number in range(2 * ADDRESSES_MAX):
        with pytest.raises(SignatureError):
            await keys.get(f"{URL}/none{number}", provider, clock)
    for number in range(2 * ADDRESSES_MAX):
        await keys.get(f"{URL}{number}", provider, clock)
        await keys.get(URL, provider, clock)

    assert provider.asked.count(ASKED) == 1


async def test_calls_that_are_given_up_leave_nothing_behind():
    """Ever new addresses that never answer do not grow what is remembered."""

    class Never:
        """Opens nothing, ever."""

        def open(self, policy):
            """Wait; the caller gives up before."""
            _ = policy
            return self

        async def __aenter__(self):
            await asyncio.Event().wait()

        async def __aexit__(self, *_):
            return None

    keys, clock = FetchedKeys(), LoopClock()
    for number in range(20):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await keys.get(f"{URL}{number}", Never(), clock)

    assert (len(keys._turns), len(keys._kept)) == (0, 0)
