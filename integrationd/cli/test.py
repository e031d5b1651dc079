"""``test [PATH…]``: the cases of specs, run offline, and which parts none of them touches."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

import click

from integrationd.bundles.checking import Gathered, gather, problem_json
from integrationd.bundles.shipped import shipped_dirs
from integrationd.cli.main import EXIT_FAILED
from integrationd.cli.options import Common, common
from integrationd.cli.output import print_json
from integrationd.config.problems import Problem
from integrationd.errors import UsageError
from integrationd.model.json import Json
from integrationd.spec.build import build_bundle
from integrationd.spec.bundle import Bundle
from integrationd.spec.documents import CasesDocument
from integrationd.store.sqlstore import SqlStore
from integrationd.testing.cases.accounts import Accounts
from integrationd.testing.cases.book import Book, CaseReport, SpecReport, run_virtually
from integrationd.testing.cases.comparing import count
from integrationd.testing.cases.running import Equipment
from integrationd.transport.egress import find_host_fault


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What came of all of it."""

    problems: Sequence[Problem]
    """Errors of the files that were asked for: their cases were not run."""
    cases: list[CaseReport] = field(default_factory=list)
    specs: Sequence[SpecReport] = ()
    took_s: float = 0.0

    @property
    def failed(self) -> int:
        """Count the cases that did not hold."""
        return sum(bool(case.faults) for case in self.cases)

    @property
    def untouched(self) -> int:
        """Count the parts that no case touches."""
        return sum(len(spec.untouched) for spec in self.specs)

    def to_json(self) -> Json:
        """Return it as programs read it."""
        return {
            "cases": [case.to_json() for case in self.cases],
            "specs": [spec.to_json() for spec in self.specs],
            "problems": [problem_json(problem) for problem in self.problems],
            "totals": {
                "cases": len(self.cases),
                "passed": len(self.cases) - self.failed,
                "failed": self.failed,
                "parts": sum(spec.parts for spec in self.specs),
                "untouched": self.untouched,
            },
            "took_ms": round(self.took_s * 1000),
        }


@click.command("test")
@click.argument("paths", metavar="[PATH…]", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option("-k", "words", metavar="WORDS", default="", help="Only cases with these in the name.")
@click.option("--strict", is_flag=True, help="Fail also where no case touches a part of a spec.")
@click.option("-v", "--verbose", is_flag=True, help="Name the cases that hold, too.")
@common
def command(
    said: Common, paths: tuple[Path, ...], *, words: str, strict: bool, verbose: bool
) -> int:
    """Run the cases of files, or of the whole configuration, without any network.

    A file of cases is run; with that of a provider or an integration all cases about it are. Exits
    1 where a case does not hold or a file has errors.
    """
    if not paths and not said.paths.config.is_dir():
        raise UsageError(f"there is no directory {said.paths.config}; say where with --config")
    if words and strict:
        raise UsageError("--strict is about all cases, -k runs some; leave one of them out")
    gathered = gather(said.paths.config, paths, shipped=shipped_dirs())
    outcome = _run(gathered, words, _Teller(quiet=said.json, verbose=verbose))
    if paths and not outcome.cases and not outcome.problems and not words:
        raise UsageError(f"there are no cases in {', '.join(map(str, paths))} or about it")
    if words and not outcome.cases:
        raise UsageError(f"no case has {words!r} in its name, its file's or its spec's")
    if said.json:
        print_json(outcome.to_json())
    else:
        _tell_end(outcome)
    failed = outcome.failed or outcome.problems or (strict and outcome.untouched)
    return EXIT_FAILED if failed else 0


def _run(gathered: Gathered, words: str, teller: _Teller) -> Outcome:
    bundle = build_bundle(gathered.reads, gathered.settings)
    shown = gathered.shown
    documents = _choose(gathered, bundle)
    errors = [
        problem
        for problem in sorted({*bundle.problems, *gathered.problems})
        if problem.is_error and problem.position.file in shown
    ]
    wrong = {problem.position.file for problem in errors}
    book = Book(
        accounts=Accounts(gathered.reads, gathered.settings, bundle),
        documents=[one for one in documents if one.name.position.file not in wrong],
        read_beside=lambda file, name: _read_beside(gathered, file, name),
    )
    outcome = Outcome(problems=errors)
    began_s = time.perf_counter()

    async def work() -> None:
        async with SqlStore.in_memory() as store:
            equipment = Equipment(
                store=store, settings=gathered.settings, find_fault=find_host_fault
            )
            for document, case in book.choose(words):
                report = await book.run(equipment, document, case)
                outcome.cases.append(report)
                teller.tell(report)

    for problem in errors:
        teller.tell_problem(problem)
    run_virtually(work)
    outcome.specs = () if words else book.reports()
    outcome.took_s = time.perf_counter() - began_s
    return outcome


def _choose(gathered: Gathered, bundle: Bundle) -> list[CasesDocument]:
    """Return the cases in the files that were asked for, and those about what these define."""
    shown = gathered.shown
    named = {
        read.claim[1]
        for read in gathered.reads
        if read.claim is not None
        and read.claim[0] in ("provider", "integration")
        and read.source.path in shown
    }
    return [
        document
        for document in bundle.cases
        if document.name.position.file in shown or str(document.name) in named
    ]


def _read_beside(gathered: Gathered, file: str, name: str) -> bytes:
    place = gathered.find(file)
    assert place is not None
    beside, reason = place.parent / name, "it cannot be read"
    try:
        # A pipe or a device would be waited for, or never end.
        if beside.is_file() or not beside.exists():
            return beside.read_bytes()
        reason = "is a directory" if beside.is_dir() else "is no file"
    except OSError as failed:
        reason = (failed.strerror or reason).lower()
    except ValueError:  # a NUL
        pass
    raise UsageError(f"file {name!r} beside {file}: {reason}")


@dataclass(slots=True, kw_only=True)
class _Teller:
    """Tells a person of each case when it is over."""

    quiet: bool
    verbose: bool

    def tell_problem(self, problem: Problem) -> None:
        """Tell why a file's cases are not run."""
        if not self.quiet:
            click.echo(problem)

    def tell(self, report: CaseReport) -> None:
        """Tell how a case ended."""
        if self.quiet:
            return
        if report.faults:
            click.echo(f"FAIL {report.position}: {report.spec}: {report.name}")
            for fault in report.faults:
                click.echo(f"     {fault}")
        elif self.verbose:
            click.echo(f"ok   {report.position}: {report.spec}: {report.name}")


def _tell_end(outcome: Outcome) -> None:
    for spec in outcome.specs:
        for line in untouched_lines(spec):
            click.echo(line)
    passed = len(outcome.cases) - outcome.failed
    errors = f", {count(len(outcome.problems), 'error')} in files" if outcome.problems else ""
    parts = sum(spec.parts for spec in outcome.specs)
    touched = f"; {outcome.untouched} of {parts} parts untouched" if outcome.specs else ""
    ended = f"{count(len(outcome.cases), 'case')}, {passed} passed, {outcome.failed} failed"
    click.echo(f"{ended}{errors}{touched}; {outcome.took_s:.2f} s", err=True)


def untouched_lines(spec: SpecReport) -> Iterator[str]:
    """Lay out for people what no case touches; nothing where all is touched."""
    if not spec.untouched:
        return
    yield f"{spec.name}: no case touches {len(spec.untouched)} of {spec.parts} parts:"
    for where, parts in groupby(spec.untouched, key=lambda part: part.where):
        yield f"  {where}: {', '.join(part.what for part in parts)}"
