"""Any order of expiry, refresh, consent and crash: no used refresh token is sent again."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field, replace

import looptime
from hypothesis import example, given
from hypothesis import strategies as st

from integrationd.engine.desk import TokenDesk
from integrationd.errors import IntegrationError, StoreError, UnavailableError
from integrationd.model.secret import Secret
from integrationd.wire.grants import Kept
from tests.support.fakes import Pockets, Strongbox
from tests.support.granting import REFRESH, SECRETS, Granting, sign
from tests.support.worlds import stage

FAULTS = ["none"] * 4 + [
    "dies before it is stored",
    "dies after it is stored",
    "disk is full",
    "disk fails late",
    "answer is lost",
]
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("ask"), st.sampled_from([0, 1]), st.sampled_from(FAULTS)),
        st.tuples(st.just("both ask"), st.just(0), st.just("none")),
        st.tuples(st.just("time passes"), st.just(0), st.just("")),
        st.tuples(st.just("restart"), st.sampled_from([0, 1]), st.just("")),
        st.tuples(st.just("consent"), st.just(0), st.just("")),
        st.tuples(st.just("go back"), st.integers(0, 3), st.just("")),
    ),
    max_size=14,
)


class Killed(BaseException):
    """The process is gone; nothing of it runs on."""


@dataclass
class Disk(Strongbox):
    """A vault that two processes share, and that remembers every refresh token it ever held."""

    ever: set[str] = field(default_factory=set)
    fault: str = "none"

    async def put(self, tenant, integration, name, value):
        """Store, or not, as the fault has it."""
        if self.fault == "dies before it is stored":
            raise Killed
        if self.fault == "disk is full":
            message = "the disk is full"
            raise StoreError(message)
        await super().put(tenant, integration, name, value)
        refresh = Kept.parse(value).refresh
        if refresh is not None:
            self.ever.add(refresh.reveal())
        if self.fault == "dies after it is stored":
            raise Killed
        if self.fault == "disk fails late":
            message = "the disk failed"
            raise StoreError(message)


@dataclass
class Watched(Granting):
    """A provider that rotates, and sees which of its tokens come back."""

    disk: Disk = field(default_factory=Disk)
    followed_by: dict[str, str] = field(default_factory=dict)
    """The successor of each refresh token that was used."""
    wrong: list[str] = field(default_factory=list)
    """Refresh tokens that came although their successor had been stored before."""

    def _grant(self, form):
        sent = form["refresh_token"]
        if self.followed_by.get(sent) in self.disk.ever:
            self.wrong.append(sent)
        given = super()._grant(form)
        if getattr(given, "status", 0) == 200:
            self.followed_by[sent] = self.refresh
        if self.disk.fault == "answer is lost":
            self.disk.fault = "none"
            return UnavailableError("login.test: the line broke")
        return given


@dataclass
class History:
    """Two processes, their provider, their disk, and a person."""

    provider: Watched
    disk: Disk
    on: object
    worlds: list
    consents: list[str] = field(default_factory=lambda: ["r0"])
    shown: list = field(default_factory=lambda: [None, None])

    async def step(self, what, number, fault):
        """Let one thing happen."""
        match what:
            case "ask":
                self.disk.fault = fault
                await self.ask(number)
                self.disk.fault = "none"
            case "both ask":
                await asyncio.gather(self.ask(0), self.ask(1))
            case "time passes":
                await asyncio.sleep(4000)
            case "restart":
                await self.restart(number)
            case "consent":
                self.consents.append(f"c{len(self.consents)}")
                self.provider.refresh = self.consents[-1]
                self.configure(self.consents[-1])
            case "go back":
                self.configure(self.consents[number % len(self.consents)])

    async def ask(self, number):
        """Ask for a token that is not the one of last time, as after a 401."""
        process = replace(self.on, world=self.worlds[number])
        with suppress(IntegrationError):
            try:
                shown = await sign(process, REFRESH, refused=self.shown[number])
                self.shown[number] = Secret(shown.removeprefix("Bearer "))
            except Killed:
                await self.restart(number)

    async def restart(self, number):
        """Begin anew with what is on the disk."""
        world = self.worlds[number]
        await world.store.release_node(world.holder.partition(":")[0])
        self.worlds[number] = replace(world, tokens=TokenDesk())
        self.shown[number] = None

    def configure(self, refresh):
        """Put a refresh token where the files say."""
        secrets = Pockets({**SECRETS, "refresh_token": refresh})
        self.worlds = [replace(world, secrets=secrets) for world in self.worlds]


async def live(steps):
    """Go through a history; return it."""
    disk = Disk()
    provider = Watched(rotates=True, disk=disk, latency_s=0.01)
    async with stage(provider, **SECRETS) as on:
        worlds = [
            replace(on.world, vault=disk, holder=f"{name}:x", tokens=TokenDesk())
            for name in ("one", "two")
        ]
        history = History(provider, disk, on, worlds)
        for step in steps:
            await history.step(*step)
            assert provider.wrong == []
        # A last consent, and no more faults: both find their way.
        await history.step("consent", 0, "")
        for number in (0, 1):
            await history.restart(number)
            await history.ask(number)
        assert provider.wrong == []
        assert None not in history.shown
        for world in history.worlds:
            assert world.tokens.flights == {}


@given(steps=STEPS)
@example(steps=[("ask", 0, "disk is full"), ("ask", 1, "none"), ("ask", 0, "none")])
@example(steps=[("ask", 1, "disk is full"), ("consent", 0, ""), ("both ask", 0, "none")])
@example(steps=[("ask", 0, "disk fails late"), ("ask", 0, "none"), ("ask", 0, "none")])
@example(
    steps=[
        ("ask", 0, "none"),
        ("consent", 0, ""),
        ("ask", 0, "none"),
        ("go back", 0, ""),
        ("ask", 1, "none"),
    ]
)
def test_used_refresh_token_is_never_sent_once_its_successor_is_stored(steps):
    """Whatever happens in between; and after one more consent everybody has a token again."""
    with asyncio.Runner(loop_factory=lambda: looptime.new_event_loop(start=0)) as runner:
        runner.run(live(steps))
