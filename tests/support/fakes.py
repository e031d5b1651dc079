"""The engine's outside, scripted: calls that nobody planned for are assertions."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import msgspec

from integrationd.errors import SecretError
from integrationd.model.json import Json
from integrationd.model.secret import Secret
from integrationd.ports.outside import HttpPolicy
from integrationd.signals import Signal
from integrationd.testing.cases.stand_in import OpenVault as Strongbox  # noqa: F401 - handed on
from integrationd.wire.encoding import encode
from integrationd.wire.messages import Answer, Request

START = datetime(2026, 1, 1, tzinfo=UTC)


class LoopClock:
    """Tells the event loop's own time, which looptime makes virtual."""

    def now(self) -> datetime:
        """Return the start plus what has passed."""
        return START + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        """Return the loop's time."""
        return asyncio.get_running_loop().time()


@dataclass
class Dice:
    """Chance that is the same each time."""

    value: float = 0.5
    generator: random.Random = field(default_factory=lambda: random.Random(1))

    def fraction(self) -> float:
        """Return the same number each time."""
        return self.value

    def token(self, size_bytes: int) -> bytes:
        """Return bytes that are spread as real ones are."""
        return self.generator.randbytes(size_bytes)


@dataclass
class Ear:
    """Keeps every signal."""

    heard: list[Signal] = field(default_factory=list)

    def emit(self, signal: Signal) -> None:
        """Keep it."""
        self.heard.append(signal)

    def of(self, kind: type) -> list:
        """Return the signals of one kind, in order."""
        return [signal for signal in self.heard if isinstance(signal, kind)]


def answer(body: Json, *, status: int = 200, **headers: str) -> Answer:
    """Build an answer; header names are given with underscores."""
    data = body if isinstance(body, bytes) else msgspec.json.encode(body)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(
        status=status,
        headers={"content-type": "application/json", **named},
        body=data,
        url="https://api.test/x",
    )


@dataclass
class Provider:
    """Answers requests by a function; opens as the port does."""

    respond: Callable[[str, Mapping[str, str]], Answer | Exception]
    """Takes ``METHOD URL`` and the headers, gives an answer or the error to raise."""
    asked: list[str] = field(default_factory=list)
    sent: list[Request] = field(default_factory=list)
    """The same requests as they were made."""
    policies: list[HttpPolicy] = field(default_factory=list)

    @asynccontextmanager
    async def open(self, policy: HttpPolicy) -> AsyncIterator[Provider]:
        """Open for one run."""
        self.policies.append(policy)
        yield self

    async def send(self, request: Request) -> Answer:
        """Answer one call."""
        encoded = encode(request)
        line = f"{encoded.method} {encoded.url}"
        self.asked.append(line)
        self.sent.append(request)
        given = self.respond(line, encoded.headers)
        if isinstance(given, Exception):
            raise given
        return replace(given, url=encoded.url.partition("?")[0])


class Surprise(BaseException):
    """A call that nobody planned for; no guard of the program may take it for a failure."""


def script(*steps: tuple[str, Answer | Exception]) -> tuple[Provider, Callable[[], None]]:
    """Build a provider that must be asked exactly these lines, and the check that it was."""
    left = list(steps)

    def respond(line: str, headers: Mapping[str, str]) -> Answer | Exception:
        expected, given = left.pop(0) if left else ("nothing more", None)
        if line != expected:
            message = f"asked {line}, expected {expected}"
            raise Surprise(message)
        return given

    def used_up() -> None:
        assert not left, f"never asked: {[line for line, _ in left]}"

    return Provider(respond), used_up


@dataclass
class Pockets:
    """Secrets at hand."""

    secrets: Mapping[str, str] = field(default_factory=dict)

    async def resolve(
        self, tenant: str, integration: str, references: Mapping[str, Json]
    ) -> Mapping[str, Json]:
        """Return those asked for, or say which are missing."""
        missing = sorted(set(references) - set(self.secrets))
        if missing:
            message = f"integration {integration} needs secret {missing[0]!r}"
            raise SecretError(message)
        return {name: Secret(self.secrets[name]) for name in references}
