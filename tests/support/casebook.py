"""Cases run as ``integrationd test`` runs them, from texts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from integrationd.spec.build import build_bundle
from integrationd.spec.read import read_file
from integrationd.spec.settings import Settings
from integrationd.spec.source import SourceFile
from integrationd.store.sqlstore import SqlStore
from integrationd.testing.cases.accounts import Accounts
from integrationd.testing.cases.book import Book, CaseReport, SpecReport, run_virtually
from integrationd.testing.cases.running import Equipment
from integrationd.transport.egress import find_host_fault

LIBRARY = """\
provider: library
config: {base_url: {type: string}}
secrets: {api_key: {}}
http:
  base_url: "{{ config.base_url }}/api"
  auth: {type: bearer, token: "{{ secrets.api_key }}"}
  paginate: {type: page, into: query.page, total: body.total}
probe: {get: /me}
streams:
  books:
    get: /books
    records: body.data
    key: id
    deleted: gone
    incremental: {field: changed, into: query.since}
    mapping: book
  copies:
    for_each: {stream: books, value: id, as: book_id}
    get: "/books/{{ each.book_id }}/copies"
    paginate: none
    key: id
operations:
  renew:
    input: {id: {type: integer}, days: {type: integer, default: 7}}
    post: "/copies/{{ input.id }}/renewal"
    json: {days: "{{ input.days }}"}
    output: {until: body.until, by: body.by}
webhooks:
  events:
    verify:
      type: hmac
      keys: ["{{ secrets.api_key }}"]
      signature: {from: header.x-sign, encoding: hex}
    dedup: body.id
    event: body.type
"""
BOOK = """\
mapping: book
fields:
  title: title
  pages: {path: pages, type: integer}
  state: {path: state, map: {i: in, o: out}}
required: [title]
"""


@dataclass
class Run:
    """What came of some cases."""

    cases: list[CaseReport]
    specs: list[SpecReport]

    @property
    def faults(self) -> list[str]:
        """Return every fault, in order."""
        return [fault for case in self.cases for fault in case.faults]

    def untouched(self) -> Mapping[str, list[str]]:
        """Return what the only spec has that no case touches, by place."""
        (spec,) = self.specs
        found: dict[str, list[str]] = {}
        for part in spec.untouched:
            found.setdefault(part.where, []).append(part.what)
        return found


def run(cases: str, *, files: Mapping[str, bytes] | None = None, **texts: str) -> Run:
    """Run cases about the library, or about what other texts define; their errors are assertions.

    Args:
        cases: A file of cases.
        files: What lies beside it.
        texts: Other files, in the place of the library's.
    """
    texts = {**(texts or {"library": LIBRARY, "book": BOOK}), "cases": cases}
    sources = [SourceFile(f"{name}.yaml", text.encode()) for name, text in texts.items()]
    reads = [read_file(source) for source in sources]
    bundle = build_bundle(reads, Settings())
    assert [str(problem) for problem in bundle.errors] == []
    book = Book(
        accounts=Accounts(reads, Settings(), bundle),
        documents=bundle.cases,
        read_beside=lambda _, name: (files or {})[name],
    )
    reports: list[CaseReport] = []

    async def work() -> None:
        async with SqlStore.in_memory() as store:
            equipment = Equipment(store=store, settings=Settings(), find_fault=find_host_fault)
            for document, case in book.choose():
                reports.append(await book.run(equipment, document, case))

    run_virtually(work)
    return Run(reports, book.reports())


def one(expect: str, exchanges: str, **more: str) -> list[str]:
    """Return the faults of one reading of the books.

    Args:
        expect: The inside of ``expect``.
        exchanges: The inside of the list, in the flow style.
        more: Further keys of the case, in the flow style.
    """
    keys = "".join(f", {key}: {value}" for key, value in more.items())
    case = f"{{name: one, stream: books, exchanges: [{exchanges}], expect: {{{expect}}}{keys}}}"
    return run(f"cases: library\nstreams: [{case}]\n").faults
