"""Which runs are under way: how many, which not twice, and how they end."""

import asyncio
from dataclasses import dataclass, field, replace

import pytest

from integrationd.engine.conductor import Conductor
from integrationd.engine.sync import RunWish
from integrationd.errors import IntegrationError, StoreBrokenError, StoreError, UsageError
from integrationd.model.runs import RunStatus, Trigger
from integrationd.signals import BudgetWaited, RunFinished, RunSkipped, RunStarted
from integrationd.spec.settings import Settings, SizeLimits
from tests.support.fakes import Provider, answer
from tests.support.worlds import bundle_of, stage

pytestmark = pytest.mark.looptime(start=0)

MANUAL = RunWish(trigger=Trigger.MANUAL)
SPEC = """\
integration: %s
http: {base_url: "https://api.test", paginate: {type: none}%s}
streams:
%s
"""


def spec_of(name="shop", *, streams=("orders",), http=""):
    """Write an integration; each stream reads the path of its name."""
    lines = "\n".join(
        f"  {stream}: {{get: /{stream}, records: body, key: id}}" for stream in streams
    )
    return SPEC % (name, http, lines)


@dataclass
class Slow(Provider):
    """Answers each call after a while, and knows how many it had at once."""

    respond: object = None
    takes_s: float = 10.0
    at_once: int = 0
    most: int = 0
    times: list = field(default_factory=list)
    given: object = None

    async def send(self, request):
        """Answer with one record, late."""
        loop = asyncio.get_running_loop()
        self.times.append(loop.time())
        self.asked.append(request.url)
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        try:
            await asyncio.sleep(self.takes_s)
        finally:
            self.at_once -= 1
        return self.given(len(self.asked)) if self.given else answer([{"id": 1}])


def conductor_of(on, *texts, runs=50, store=None):
    """Build a conductor over files."""
    bundle = bundle_of(**{f"file{number}": text for number, text in enumerate(texts)})
    world = on.world if store is None else replace(on.world, store=store)
    return Conductor(world=world, settings=Settings(limits=SizeLimits(runs=runs)), bundle=bundle)


async def test_no_more_readings_at_once_than_the_limit(looptime):
    """Of ten streams that are due together, three are read at a time, and all in the end."""
    names = [f"s{number}" for number in range(10)]
    async with stage(slow := Slow()) as on:
        conductor = conductor_of(on, spec_of(streams=names), runs=3)
        for name in names:
            conductor.due("shop", name)
        await asyncio.sleep(1)
        started = len(on.ear.of(RunStarted))
        await conductor.drain(1000)

    assert started == 3
    assert slow.most == 3
    assert len(slow.asked) == 10
    assert looptime == 40
    assert conductor.running == {}


async def test_due_stream_that_is_running_is_skipped_and_told():
    """The second time is dropped, not queued; other streams are not touched by it."""
    async with stage(slow := Slow()) as on:
        conductor = conductor_of(on, spec_of(streams=("orders", "items")))
        conductor.due("shop", "orders")
        conductor.due("shop", "orders")
        await asyncio.sleep(5)
        conductor.due("shop", "orders")
        conductor.due("shop", "items")
        await conductor.drain(1000)

    assert on.ear.of(RunSkipped) == [RunSkipped(integration="shop", stream="orders")] * 2
    assert sorted(slow.asked) == ["https://api.test/items", "https://api.test/orders"]


async def test_run_that_ended_makes_room_for_the_next():
    """A stream whose run is over is read again when it is due."""
    async with stage(slow := Slow(takes_s=1)) as on:
        conductor = conductor_of(on, spec_of())
        for _ in range(3):
            conductor.due("shop", "orders")
            await asyncio.sleep(2)

    assert len(slow.asked) == 3
    assert on.ear.of(RunSkipped) == []
    assert [signal.trigger for signal in on.ear.of(RunStarted)] == ["schedule"] * 3


@pytest.mark.parametrize(
    ("name", "stream"), [("gone", "orders"), ("shop", "gone"), ("shop", "pushed")]
)
async def test_what_is_gone_is_not_due(name, stream):
    """A tick that comes after the file changed is nobody's."""
    async with stage(slow := Slow()) as on:
        conductor = conductor_of(on, f"{spec_of()}  pushed: {{key: id}}\n")
        conductor.due(name, stream)
        await asyncio.sleep(1)

    assert (slow.asked, on.ear.heard, conductor.running) == ([], [], {})


async def test_asked_run_waits_for_the_one_under_way(looptime):
    """Whoever asks gets a run of his own, after the one that is there."""
    async with stage(slow := Slow()) as on:
        conductor = conductor_of(on, spec_of())
        conductor.due("shop", "orders")
        await asyncio.sleep(4)
        outcome = await conductor.sync("shop", "orders", MANUAL)

    assert outcome.status is RunStatus.DONE
    assert looptime == 20
    assert slow.times == [0, 10]
    assert [signal.trigger for signal in on.ear.of(RunStarted)] == ["schedule", "manual"]


async def test_many_who_ask_are_served_one_after_the_other():
    """Three who ask together get three runs, never two at once."""
    async with stage(slow := Slow()) as on:
        conductor = conductor_of(on, spec_of())
        outcomes = await asyncio.gather(
            *(conductor.sync("shop", "orders", MANUAL) for _ in range(3))
        )

    assert [outcome.status for outcome in outcomes] == [RunStatus.DONE] * 3
    assert slow.most == 1
    assert slow.times == [0, 10, 20]


async def test_run_goes_on_when_the_one_who_asked_is_gone():
    """Cancelling the one who waits leaves the run alone."""
    async with stage(Slow()) as on:
        conductor = conductor_of(on, spec_of())
        asked = asyncio.create_task(conductor.sync("shop", "orders", MANUAL))
        await asyncio.sleep(1)
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
        await conductor.drain(1000)

    assert [signal.status for signal in on.ear.of(RunFinished)] == ["done"]


async def test_budget_is_shared_by_the_streams_of_an_integration():
    """Two streams and one rate: together they ask no more often than it allows."""
    spec = spec_of(streams=("orders", "items", "notes"), http=", limits: {rate: 2/min}")
    async with stage(slow := Slow(takes_s=0)) as on:
        conductor = conductor_of(on, spec)
        for name in ("orders", "items", "notes"):
            conductor.due("shop", name)
        await conductor.drain(1000)

    assert slow.times == [0, 0, 60]
    assert on.ear.of(BudgetWaited) == [BudgetWaited(integration="shop", wait_s=60)]


async def test_budget_is_each_integrations_own():
    """Two accounts at one provider have a credential each."""
    specs = [spec_of(name, http=", limits: {rate: 1/min}") for name in ("north", "south")]
    async with stage(slow := Slow(takes_s=0)) as on:
        conductor = conductor_of(on, *specs)
        conductor.due("north", "orders")
        conductor.due("south", "orders")
        await conductor.drain(1000)

    assert slow.times == [0, 0]


@pytest.mark.parametrize(
    ("rate", "second_at_s"),
    [pytest.param("1/min", 60, id="same rate"), pytest.param("2/min", 1, id="another rate")],
)
async def test_budget_is_kept_over_a_reload_while_its_rate_stays(rate, second_at_s):
    """What was used before a reload still counts; a new rate begins anew."""
    async with stage(slow := Slow(takes_s=0)) as on:
        conductor = conductor_of(on, spec_of(http=", limits: {rate: 1/min}"))
        await conductor.sync("shop", "orders", MANUAL)
        await asyncio.sleep(1)
        conductor.swap(bundle_of(shop=spec_of(http=f", limits: {{rate: {rate}}}")))
        await conductor.sync("shop", "orders", MANUAL)

    assert slow.times == [0, second_at_s]


@pytest.mark.parametrize("http", ["", ", limits: {rate: 100/s}"], ids=["no rate", "rate"])
async def test_throttled_stream_pauses_everybody_of_its_credential(http):
    """After a 429 with Retry-After no stream of the integration asks before that time."""
    throttled = answer({}, status=429, retry_after="30")
    spec = spec_of(streams=("orders", "items"), http=http)
    slow = Slow(takes_s=1, given=lambda call: throttled if call == 1 else answer([]))
    async with stage(slow) as on:
        conductor = conductor_of(on, spec, spec_of("other", http=http))
        conductor.due("shop", "orders")
        await asyncio.sleep(5)
        conductor.due("shop", "items")
        conductor.due("other", "orders")
        await conductor.drain(1000)

    first, other, *late = slow.times
    assert (first, other) == (0, 5)
    assert len(late) == 2
    assert min(late) >= 31


async def test_throttling_of_the_last_try_pauses_the_others_too():
    """A run that gives up at a 429 leaves the pause behind for whoever comes next."""
    throttled = answer({}, status=429, retry_after="30")
    spec = spec_of(streams=("orders", "items"), http=", limits: {rate: 100/s}, retries: 0")
    slow = Slow(takes_s=1, given=lambda call: throttled if call == 1 else answer([]))
    async with stage(slow) as on:
        conductor = conductor_of(on, spec)
        failed = await conductor.sync("shop", "orders", MANUAL)
        other = await conductor.sync("shop", "items", MANUAL)

    assert (failed.status, failed.error, failed.kind) == (
        RunStatus.FAILED,
        "GET /x answered 429",
        "rate",
    )
    assert other.status is RunStatus.DONE
    assert slow.times[1] >= 31


async def test_runs_finish_on_their_old_files():
    """A reload changes what begins after it, never what is under way."""
    async with stage(slow := Slow()) as on:
        conductor = conductor_of(on, spec_of(streams=("orders", "items")), runs=1)
        conductor.due("shop", "orders")
        conductor.due("shop", "items")
        await asyncio.sleep(1)
        conductor.swap(bundle_of(shop=spec_of(streams=("orders",)).replace("/orders", "/new")))
        await conductor.drain(1000)

    assert slow.asked == ["https://api.test/orders", "https://api.test/items"]
    assert [signal.status for signal in on.ear.of(RunFinished)] == ["done", "done"]


async def test_next_run_reads_by_the_new_files():
    """After a swap the compiled stream of the old bundle is not used again."""
    async with stage(slow := Slow(takes_s=0)) as on:
        conductor = conductor_of(on, spec_of())
        await conductor.sync("shop", "orders", MANUAL)
        conductor.swap(bundle_of(shop=spec_of().replace("/orders", "/new")))
        await conductor.sync("shop", "orders", MANUAL)

    assert slow.asked == ["https://api.test/orders", "https://api.test/new"]


async def test_drain_waits_and_then_cancels_the_late(looptime):
    """What ends in time is done, what is late is stopped and settled, and nothing more begins."""
    async with stage(Slow()) as on:
        conductor = conductor_of(on, spec_of(streams=("orders", "items")))
        conductor.due("shop", "orders")
        await asyncio.sleep(6)
        conductor.due("shop", "items")
        await asyncio.sleep(0)
        late = await conductor.drain(5)
        conductor.due("shop", "orders")

    assert late == 1
    assert looptime == 11
    ended = [(signal.stream, signal.status) for signal in on.ear.of(RunFinished)]
    assert ended == [("orders", "done"), ("items", "stopped")]
    assert conductor.running == {}
    assert on.ear.of(RunSkipped) == []


async def test_drain_of_nothing_is_over_at_once(looptime):
    """Without a run nobody waits."""
    async with stage(Slow()) as on:
        assert await conductor_of(on, spec_of()).drain(25) == 0

    assert looptime == 0


async def test_nobody_is_served_while_the_daemon_stops():
    """Who asks after the end began is told so."""
    async with stage(Slow()) as on:
        conductor = conductor_of(on, spec_of())
        await conductor.drain(0)
        with pytest.raises(IntegrationError) as caught:
            await conductor.sync("shop", "orders", MANUAL)

    assert str(caught.value) == "the daemon is stopping"


@pytest.mark.parametrize(
    ("name", "wanted", "message"),
    [
        ("shpo", (), "no integration 'shpo'; did you mean 'shop'?"),
        ("zzz", (), "no integration 'zzz'; known here: shop"),
        ("shop", ("order",), "integration 'shop' has no stream 'order'; did you mean 'orders'?"),
        ("shop", ("pushed",), "stream shop/pushed makes no request, only webhooks fill it"),
    ],
)
async def test_unknown_names_are_told_with_the_nearest(name, wanted, message):
    """Who mistypes is told what was meant, or why a stream cannot be read."""
    async with stage(Slow()) as on:
        conductor = conductor_of(on, f"{spec_of()}  pushed: {{key: id}}\n")
        with pytest.raises(UsageError) as caught:
            conductor.streams_of(name, wanted)
        with pytest.raises(UsageError):
            await conductor.sync(name, (wanted or ("orders",))[0], MANUAL)

    assert str(caught.value) == message


async def test_streams_to_read_are_those_enabled_or_those_named():
    """A disabled stream is read where it is named, in the order of the file."""
    text = f"{spec_of(streams=('b', 'a'))}  off: {{get: /off, key: id, enabled: false}}\n"
    async with stage(Slow()) as on:
        conductor = conductor_of(on, f"{text}  pushed: {{key: id}}\n")

        assert conductor.streams_of("shop") == ["b", "a"]
        assert conductor.streams_of("shop", ("off", "a", "b")) == ["b", "a", "off"]


@dataclass
class BrokenStore:
    """A store that fails when a run wants to begin."""

    error: Exception

    async def claim(self, *where, **what):
        """Fail."""
        raise self.error


@pytest.mark.parametrize(
    ("error", "ends_the_daemon"),
    [(StoreBrokenError("the disk is gone"), True), (StoreError("the disk is full"), False)],
)
async def test_only_a_broken_store_ends_the_daemon(error, ends_the_daemon):
    """A full disk may pass; what is on a broken one is not known any more."""
    async with stage(Slow()) as on:
        conductor = conductor_of(on, spec_of(), store=BrokenStore(error))
        with pytest.raises(StoreError) as caught:
            await conductor.sync("shop", "orders", MANUAL)

    assert caught.value is error
    assert conductor.failed.is_set() is ends_the_daemon
    assert conductor.running == {}
