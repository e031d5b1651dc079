"""All cases, one after the other, and what they showed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from integrationd.config.nodes import Position
from integrationd.errors import UsageError
from integrationd.model.json import Json
from integrationd.spec.documents import CasesDocument, Integration
from integrationd.testing.cases.accounts import Accounts, made_up
from integrationd.testing.cases.clock import VirtualLoop
from integrationd.testing.cases.parts import Part
from integrationd.testing.cases.running import (
    AnyCase,
    Equipment,
    Setting,
    Watched,
    name_of,
    run_case,
)
from integrationd.testing.cases.touching import Touch

ReadFileBeside: TypeAlias = Callable[[str, str], bytes]
"""Takes the path of a file of cases, as people are told it, and a name beside it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseReport:
    """One case, when it is over."""

    spec: str
    """The provider or integration that it is about."""
    name: str
    position: Position
    about: Mapping[str, Json]
    """``{stream: items}``, ``{operation: …}``, ``{endpoint: …}`` or ``{probe: true}``."""
    faults: tuple[str, ...]
    """What was another than expected; empty where all was as said."""
    took_ms: float

    def to_json(self) -> Json:
        """Return it as programs read it."""
        return {
            "file": self.position.file,
            "line": self.position.line,
            "spec": self.spec,
            "name": self.name,
            **self.about,
            "ok": not self.faults,
            "faults": list(self.faults),
            "took_ms": self.took_ms,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecReport:
    """One provider or integration, when all its cases are over."""

    name: str
    parts: int
    """How many it has that a case can show."""
    untouched: tuple[Part, ...]
    """Those that none has shown, in the order of the file."""

    def to_json(self) -> Json:
        """Return it as programs read it."""
        return {
            "name": self.name,
            "parts": self.parts,
            "touched": self.parts - len(self.untouched),
            "untouched": [part._asdict() for part in self.untouched],
        }


@dataclass(slots=True, kw_only=True)
class Book:
    """The cases of some files, and how they are run."""

    accounts: Accounts
    documents: Sequence[CasesDocument]
    read_beside: ReadFileBeside
    touches: dict[str, Touch] = field(default_factory=dict)
    """By what they are about."""
    _count: int = 0

    def choose(self, words: str = "") -> Iterator[tuple[CasesDocument, AnyCase]]:
        """Yield the cases whose file, spec or name has these words in it, whatever their case."""
        for document in self.documents:
            for case in document.body.each():
                text = f"{document.name.position.file} {document.name} {case.name}"
                if words.lower() in text.lower():
                    yield document, case

    async def run(
        self,
        equipment: Equipment,
        document: CasesDocument,
        case: AnyCase,
        seen: Watched | None = None,
    ) -> CaseReport:
        """Run one case; never raises for what is in it.

        Args:
            equipment: What it is run with.
            document: The file of the case.
            case: One of its cases.
            seen: Told what came of it.
        """
        began_s = time.perf_counter()
        self._count += 1

        def make() -> tuple[Integration, Mapping[str, str], Touch]:
            integration = self.accounts.make(document, case.config)
            touch = self.touches.setdefault(str(document.name), Touch(integration))
            given = {**document.body.secrets, **case.secrets}
            secrets = {name: given.get(name, made_up(name)) for name in integration.secrets}
            return integration, secrets, touch

        file = document.name.position.file
        faults = await run_case(
            equipment,
            case,
            make,
            Setting(
                tenant=f"case-{self._count}",
                now=case.now or document.body.now,
                read_beside=lambda name: self.read_beside(file, name),
                seen=seen or Watched(),
            ),
        )
        return CaseReport(
            spec=str(document.name),
            name=case.name,
            position=case.position,
            about=name_of(case),
            faults=tuple(faults),
            took_ms=round((time.perf_counter() - began_s) * 1000, 1),
        )

    def reports(self) -> list[SpecReport]:
        """Return what no case has touched, for each spec that has cases; after they are run."""
        for document in self.documents:
            if str(document.name) not in self.touches:
                try:
                    integration = self.accounts.make(document, {})
                except UsageError:
                    continue  # its cases have said so
                self.touches[str(document.name)] = Touch(integration)
        return [
            SpecReport(name=name, parts=len(touch.parts), untouched=tuple(touch.untouched))
            for name, touch in sorted(self.touches.items())
        ]


def run_virtually(work: Callable[[], Awaitable[None]]) -> None:
    """Run something in an event loop of its own whose clock waits for nobody."""

    async def perform() -> None:
        await work()

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(perform())
