"""What stands in for the outside: a provider by script, secrets that are made up, a store watched.

No socket is opened: a request ends here, after everything that the engine does to it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from integrationd.errors import EgressError, RefusedError, UnavailableError, UnreachedError
from integrationd.model.json import Json
from integrationd.model.runs import Counts
from integrationd.model.secret import Secret, reveal
from integrationd.ports.outside import HttpPolicy
from integrationd.ports.store import PageCommit, Store
from integrationd.signals import Signal
from integrationd.spec.exchanges import Fault, GivenAnswer
from integrationd.testing.cases.script import Script
from integrationd.testing.cases.tokens import TokenGiver
from integrationd.testing.gates import first_granted
from integrationd.wire import texts
from integrationd.wire.encoding import EncodedRequest, encode
from integrationd.wire.messages import Answer, Request

FindFault: TypeAlias = Callable[[str, frozenset[str]], str | None]
"""Says why a host must not be called; None where it may be."""
ReadBeside: TypeAlias = Callable[[str], bytes]
"""Reads a file that lies beside the cases."""


@dataclass(slots=True)
class ScriptedProvider:
    """Answers by the script of the reading under way; opens as the port does."""

    find_fault: FindFault
    givers: Sequence[TokenGiver] = ()
    """Answers requests for tokens that no exchange is about."""
    script: Script = field(default_factory=lambda: Script(()))
    files: Mapping[str, bytes] = field(default_factory=dict)
    """What lies beside the cases and is answered, by its name."""
    asked: list[EncodedRequest] = field(default_factory=list)
    """Every request, tokens included."""
    answered: list[Answer] = field(default_factory=list)
    """Every answer of the script."""

    @asynccontextmanager
    async def open(self, policy: HttpPolicy) -> AsyncIterator[ScriptedHttp]:
        """Open a client."""
        yield ScriptedHttp(self, policy)

    def respond(self, request: Request, policy: HttpPolicy) -> Answer:
        """Answer one call, as :meth:`integrationd.ports.outside.Http.send` says."""
        encoded = encode(request)
        fault = self.find_fault(urlsplit(encoded.url).hostname or "", policy.hosts)
        if fault is not None:
            raise EgressError(f"{encoded.shown}: {fault}")
        self.asked.append(encoded)
        url = encoded.shown.partition(" ")[2]
        if not self.script.knows(encoded):
            token = first_granted(giver.answer(encoded) for giver in self.givers)
            if token is not None:
                return token
        exchange = self.script.answer(encoded)
        if exchange is None:
            unexpected = RefusedError(f"{encoded.shown}: the case expected no such request")
            unexpected.stops = True
            raise unexpected
        given = exchange.response
        if given.fault is Fault.UNREACHED:
            raise UnreachedError(f"{encoded.shown}: no connection")
        if given.fault is Fault.BROKEN:
            raise UnavailableError(f"{encoded.shown}: the connection broke")
        answer = build_answer(given, url, self.files)
        self.answered.append(answer)
        return answer


@dataclass(frozen=True, slots=True)
class ScriptedHttp:
    """One client."""

    provider: ScriptedProvider
    policy: HttpPolicy

    async def send(self, request: Request) -> Answer:
        """Perform one call."""
        return self.provider.respond(request, self.policy)


def build_answer(given: GivenAnswer, url: str, files: Mapping[str, bytes]) -> Answer:
    """Build an answer as it comes over the wire."""
    headers = {
        name.lower(): reveal(text)
        for name, value in given.headers.items()
        if (text := texts.to_text(value)) is not None
    }
    body = b""
    if given.file is not None:
        body = files[given.file]
    elif given.base64 is not None:
        body = bytes(given.base64)
    elif isinstance(given.body, str):
        body = given.body.encode()
    elif given.body is not None:
        body = texts.dump_json(given.body).encode()
        headers.setdefault("content-type", "application/json")
    return Answer(status=given.status, headers=headers, body=body, url=url)


@dataclass(frozen=True, slots=True)
class MadeUpSecrets:
    """Secrets as a case gives them, whatever the files refer to."""

    secrets: Mapping[str, str]

    async def resolve(
        self, tenant: str, integration: str, references: Mapping[str, Json]
    ) -> Mapping[str, Json]:
        """Return those asked for."""
        _ = tenant, integration
        return {name: Secret(self.secrets[name]) for name in references}


@dataclass(slots=True)
class OpenVault:
    """A vault that is open, for one case."""

    kept: dict[tuple[str, str, str], Secret] = field(default_factory=dict)

    def is_open(self) -> bool:
        """Say yes."""
        return True

    async def get(self, tenant: str, integration: str, name: str) -> Secret | None:
        """Return what was put last."""
        return self.kept.get((tenant, integration, name))

    async def put(self, tenant: str, integration: str, name: str, value: Secret) -> None:
        """Keep it."""
        self.kept[tenant, integration, name] = value

    async def remove(self, tenant: str, integration: str, name: str) -> bool:
        """Forget it."""
        return self.kept.pop((tenant, integration, name), None) is not None


@dataclass(slots=True)
class Ear:
    """Keeps what the engine says."""

    heard: list[Signal] = field(default_factory=list)

    def emit(self, signal: Signal) -> None:
        """Keep it."""
        self.heard.append(signal)


@dataclass(slots=True)
class WatchedStore:
    """The store in memory, with every page that goes in kept for a look at it."""

    store: Store
    pages: list[PageCommit] = field(default_factory=list)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - of the store
        """Hand on what is not watched."""
        return getattr(self.store, name)

    async def commit_page(self, tenant: str, page: PageCommit) -> Counts:
        """Store one page."""
        counts = await self.store.commit_page(tenant, page)
        self.pages.append(page)
        return counts
