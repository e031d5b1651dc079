"""How often a provider is asked: several rates, rates of paths, costs, and what answers say."""

import asyncio
from dataclasses import dataclass, field

import pytest

from integrationd.engine.calls import Calls
from integrationd.engine.conductor import Conductor
from integrationd.engine.sync import RunWish
from integrationd.model.runs import RunStatus, Trigger
from integrationd.spec.settings import Settings
from tests.support.fakes import Provider, answer
from tests.support.worlds import bundle_of, stage

pytestmark = pytest.mark.looptime(start=0)

MANUAL = RunWish(trigger=Trigger.MANUAL)
SPEC = """\
integration: shop
http: {base_url: "https://api.test/v1", limits: %s}
streams:
%s
operations:
  search: {input: {q: {type: string}}, get: /search, query: {q: "{{ input.q }}"}}
  order: {input: {id: {type: string}}, get: "/orders/{{ input.id }}"}
  batch: {post: /batch, idempotent: true, cost: 5}
"""


@dataclass
class Watched(Provider):
    """Answers at once, and knows when it was asked what."""

    respond: object = None
    told: object = None
    times: list = field(default_factory=list)

    async def send(self, request):
        """Answer with nothing found."""
        path = str(request.url).removeprefix("https://api.test/v1")
        self.times.append((path, round(asyncio.get_running_loop().time(), 3)))
        return answer([], **(self.told(len(self.times)) if self.told else {}))


def conductor_of(on, limits, streams="  none: {get: /none, key: id, paginate: none}"):
    """Build a conductor over one file."""
    bundle = bundle_of(file=SPEC % (limits, streams))
    return Conductor(world=on.world, settings=Settings(), bundle=bundle)


async def ask(conductor, *calls):
    """Make calls at the same time; returns their outcomes."""
    made = (Calls(conductor=conductor).call("shop", name, given) for name, given in calls)
    return await asyncio.gather(*made)


async def times_of(limits, *calls, told=None):
    """Make calls at the same time; returns when each path was asked for."""
    async with stage(watched := Watched(told=told)) as on:
        outcomes = await ask(conductor_of(on, limits), *calls)
    assert [outcome.error for outcome in outcomes if outcome.error] == []
    return watched.times


async def test_all_of_several_rates_hold():
    """Two a second and three in ten seconds."""
    times = await times_of("{rate: [2/s, 3/10s]}", *[("order", {"id": "a"})] * 5)

    assert [at_s for _, at_s in times] == [0, 0, 1, 10, 10]


async def test_path_with_a_rate_of_its_own_leaves_others_alone():
    """Searches wait for each other, and nobody waits for them."""
    limits = "{rate: 100/s, paths: {/search: {rate: 1/10s}}}"
    calls = [("search", {"q": "a"})] * 3 + [("order", {"id": "a"})] * 2

    times = await times_of(limits, *calls)

    assert sorted(times, key=lambda one: one[1]) == [
        ("/search", 0),
        ("/orders/a", 0),
        ("/orders/a", 0),
        ("/search", 10),
        ("/search", 20),
    ]


@pytest.mark.parametrize(
    ("calls", "times"),
    [
        ([("batch", {}), ("batch", {})], [0, 10]),
        ([("order", {"id": "a"})] * 4, [0, 0, 10, 10]),
    ],
    ids=["by the call", "by its path"],
)
async def test_request_that_costs_more_counts_as_more(calls, times):
    """Six in ten seconds are one batch of five, or two orders of three."""
    limits = '{rate: 6/10s, paths: {"get /orders/*": {cost: 3}}}'

    assert [at_s for _, at_s in await times_of(limits, *calls)] == times


async def test_nobody_asks_what_is_not_left():
    """The third answer says that nothing is left for a while: the fourth waits for it."""
    learn = "{learn: {remaining: headers.left, reset: {value: headers.again}}}"
    async with stage(
        watched := Watched(told=lambda call: {"left": str(3 - call), "again": "28"})
    ) as on:
        conductor = conductor_of(on, learn)
        for _ in range(4):
            await ask(conductor, ("order", {"id": "a"}))

    assert watched.times[-2:] == [("/orders/a", 0), ("/orders/a", 28)]


async def test_what_is_left_is_shared_by_streams_and_operations():
    """A stream reads that nothing is left; a call waits, and one that cannot is told why."""
    learn = "{learn: {remaining: headers.left, reset: 30s}}"
    async with stage(watched := Watched(told=lambda _: {"left": "0"})) as on:
        conductor = conductor_of(on, learn)
        await conductor.sync("shop", "none", MANUAL)
        await ask(conductor, ("order", {"id": "a"}))

    assert watched.times == [("/none", 0), ("/orders/a", 30)]


async def test_call_does_not_wait_for_hours():
    """What is left comes back tomorrow: the call fails with the time, and nothing is asked."""
    learn = "{learn: {remaining: headers.left, reset: 2h}}"
    async with stage(watched := Watched(told=lambda _: {"left": "0"})) as on:
        conductor = conductor_of(on, learn)
        _, (outcome,) = (
            await ask(conductor, ("order", {"id": "a"})),
            await ask(conductor, ("order", {"id": "a"})),
        )

    assert (outcome.status, outcome.kind) == (RunStatus.FAILED, "rate")
    assert outcome.error == "the provider asked for 2h without requests; nothing was asked"
    assert len(watched.times) == 1
