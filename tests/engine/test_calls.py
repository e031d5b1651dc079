"""Calls by name in the bundle that runs: memory, probes, the shared rate, the daemon's end."""

import asyncio
from dataclasses import dataclass, field

import pytest

from integrationd.engine.calls import Calls
from integrationd.engine.conductor import Conductor
from integrationd.engine.memory import Memory, key_of
from integrationd.errors import IntegrationError, UsageError
from integrationd.model.runs import Counts, RunStatus
from integrationd.ports.calls import PROBE
from integrationd.ports.store import StreamKey
from integrationd.signals import IntegrationProbed, OperationCalled
from integrationd.spec.settings import Settings
from tests.support.fakes import Provider, answer
from tests.support.worlds import bundle_of, stage

pytestmark = pytest.mark.looptime(start=0)

SPEC = """\
integration: library
http: {base_url: "https://api.test", limits: {rate: 2/min}, retries: 0}
probe: {get: /me}
operations:
  item: {input: {barcode: {type: string}}, get: "/items/{{ input.barcode }}", cache: 5m}
  hold: {post: /holds}
"""
NO_PROBE = (
    'integration: quiet\nhttp: {base_url: "https://quiet.test"}\noperations: {a: {get: /a}}\n'
)


@dataclass
class Slow(Provider):
    """Answers after a while."""

    respond: object = None
    takes_s: float = 5.0
    ended: list = field(default_factory=list)

    async def send(self, request):
        """Answer late."""
        self.asked.append(request.url)
        await asyncio.sleep(self.takes_s)
        self.ended.append(asyncio.get_running_loop().time())
        return answer({"n": len(self.asked)})


def calls_on(on, *texts):
    """Build what makes calls over files."""
    bundle = bundle_of(**{f"file{number}": text for number, text in enumerate(texts or (SPEC,))})
    return Calls(conductor=Conductor(world=on.world, settings=Settings(), bundle=bundle))


async def test_same_input_is_answered_from_memory_for_a_while(looptime):
    """Nothing is asked, and the signal tells of no request; after the time it is asked anew."""
    async with stage(provider := Slow(takes_s=0)) as on:
        calls = calls_on(on)
        first = await calls.call("library", "item", {"barcode": "1"})
        again = await calls.call("library", "item", {"barcode": "1"})
        other = await calls.call("library", "item", {"barcode": "2"})
        await asyncio.sleep(300)
        later = await calls.call("library", "item", {"barcode": "1"})

    assert [done.output for done in (first, again, other, later)] == [
        {"n": 1},
        {"n": 1},
        {"n": 2},
        {"n": 3},
    ]
    assert [done.cached for done in (first, again, other, later)] == [False, True, False, False]
    assert len(provider.asked) == 3
    assert on.ear.of(OperationCalled)[1] == OperationCalled(
        tenant="default",
        integration="library",
        operation="item",
        run_id="",
        status="done",
        counts=Counts(),
        took_s=0.0,
    )


async def test_changed_file_is_not_answered_from_memory():
    """What another file would have asked is another answer."""
    async with stage(provider := Slow(takes_s=0)) as on:
        calls = calls_on(on)
        await calls.call("library", "item", {"barcode": "1"})
        calls.conductor.swap(bundle_of(a=SPEC.replace("/items", "/things")))
        await calls.call("library", "item", {"barcode": "1"})

    assert provider.asked == ["https://api.test/items/1", "https://api.test/things/1"]


async def test_failure_is_not_remembered():
    """The next one asks again."""
    async with stage(provider := Provider(lambda *_: answer({}, status=404))) as on:
        calls = calls_on(on)
        for _ in range(2):
            outcome = await calls.call("library", "item", {"barcode": "1"})

    assert (outcome.status, len(provider.asked)) == (RunStatus.FAILED, 2)


async def test_third_call_in_a_minute_waits_for_the_rate(looptime):
    """The rate is the integration's, whoever uses it."""
    async with stage(Slow(takes_s=0)) as on:
        calls = calls_on(on)
        for _ in range(3):
            await calls.call("library", "hold", {})

    assert looptime == 60


async def test_done_probe_is_noted_and_told():
    """One request, a line of the history, and what status goes by."""
    async with stage(provider := Slow(takes_s=2)) as on:
        outcome = await calls_on(on).probe("library")
        (row,) = await on.store.streams("default")
        (run,) = [run async for run in on.store.runs(None)]

    assert outcome.status is RunStatus.DONE
    assert provider.asked == ["https://api.test/me"]
    assert (row.key, row.errors) == (StreamKey("library", PROBE), 0)
    assert (run.stream, run.mode, run.status) == (PROBE, "probe", "done")
    assert on.ear.of(IntegrationProbed) == [
        IntegrationProbed(tenant="default", integration="library", status="done", took_s=2.0)
    ]


async def test_refused_probe_is_an_error_with_its_remedy():
    """What to look at is in the message, which status repeats."""
    async with stage(Provider(lambda *_: answer({}, status=401))) as on:
        outcome = await calls_on(on).probe("library")
        (row,) = await on.store.streams("default")

    assert (outcome.status, outcome.kind, row.errors) == (RunStatus.FAILED, "auth", 1)
    assert outcome.error == (
        "GET /me answered 401; no credentials were sent, say under http.auth which ones this "
        "provider wants"
    )


async def test_integration_without_a_probe_says_so():
    """Nothing is asked and nothing noted."""
    async with stage(provider := Slow()) as on:
        assert await calls_on(on, NO_PROBE).probe("quiet") is None
        assert provider.asked == []


@pytest.mark.parametrize(
    ("name", "operation", "message"),
    [
        ("libary", "item", "no integration 'libary'; did you mean 'library'?"),
        (
            "library",
            "items",
            "integration 'library' has no operation 'items'; did you mean 'item'?",
        ),
        ("library", "x", "integration 'library' has no operation 'x'; known here: hold, item"),
    ],
)
async def test_unknown_name_is_told_with_the_nearest(name, operation, message):
    """Of the integration, and of its operations."""
    async with stage(Slow()) as on:
        with pytest.raises(UsageError) as caught:
            await calls_on(on).call(name, operation, {})

    assert str(caught.value) == message


async def test_end_of_the_daemon_waits_for_a_call(looptime):
    """A write that is under way is let finish; new ones are refused."""
    async with stage(provider := Slow(takes_s=5)) as on:
        calls = calls_on(on)
        work = asyncio.create_task(calls.call("library", "hold", {}))
        await asyncio.sleep(1)
        late = await calls.conductor.drain(25)
        with pytest.raises(IntegrationError) as caught:
            await calls.call("library", "hold", {})

    assert (late, (await work).status, provider.ended) == (0, RunStatus.DONE, [5.0])
    assert str(caught.value) == "the daemon is stopping"


async def test_who_asked_may_go_away(looptime):
    """The call itself goes on and is noted."""
    async with stage(provider := Slow(takes_s=5)) as on:
        calls = calls_on(on)
        work = asyncio.create_task(calls.call("library", "hold", {}))
        await asyncio.sleep(1)
        work.cancel()
        await calls.conductor.drain(25)
        history = [run.status async for run in on.store.runs(None)]

    assert (provider.ended, history) == ([5.0], ["done"])


def test_memory_forgets_the_oldest_where_it_grows_too_large():
    """Its size is bounded, whatever is kept."""
    integration = bundle_of(a=SPEC).integrations["library"]
    keys = [key_of(integration, "item", {"n": number}) for number in range(5)]
    memory = Memory(bytes_max=25)
    for number, key in enumerate(keys):
        memory.keep(key, f"{number:08}", 10.0)  # ten bytes as JSON

    found = [memory.find(key, 0.0) for key in keys]
    memory.keep(keys[0], "x" * 100, 10.0)

    assert found == [None, None, None, ("00000003",), ("00000004",)]
    assert memory.find(keys[0], 0.0) is None


def test_memory_keeps_every_digit_and_null():
    """What is given again is what came; null is an answer too."""
    integration = bundle_of(a=SPEC).integrations["library"]
    number, null = (key_of(integration, "item", {"n": n}) for n in range(2))
    memory = Memory()
    memory.keep(number, {"id": 123456789012345678901234}, 10.0)
    memory.keep(null, None, 10.0)

    assert memory.find(number, 9.9) == ({"id": 123456789012345678901234},)
    assert memory.find(null, 9.9) == (None,)
    assert memory.find(null, 10.0) is None


def test_order_of_values_makes_no_other_input():
    """The same values are the same question."""
    integration = bundle_of(a=SPEC).integrations["library"]

    assert key_of(integration, "item", {"a": 1, "b": 2}) == key_of(
        integration, "item", {"b": 2, "a": 1}
    )
