"""A whole document to a provider and its mappings."""

from __future__ import annotations

from pathlib import PurePath
from typing import Final

from integrationd.importers.draft import NODES_MAX, Draft, Piece
from integrationd.importers.naming import distinct, to_system, to_word
from integrationd.importers.openapi.calls import Call, find_calls
from integrationd.importers.openapi.document import Document, read_document
from integrationd.importers.openapi.lint import tell_faults
from integrationd.importers.openapi.lists import find_listing
from integrationd.importers.openapi.operations import write_operation
from integrationd.importers.openapi.parameters import count
from integrationd.importers.openapi.security import Security
from integrationd.importers.openapi.servers import own_server, settle_base
from integrationd.importers.openapi.shapes import Shapes, to_line
from integrationd.importers.openapi.streams import Streams, settle_probe
from integrationd.importers.report import Imported, Report

_BUDGETS: Final = (400, 100, 30, 8, 0)
"""How many values the schema of one input may have, the first with which all fits into a file."""


def import_openapi(data: bytes, *, file: str, name: str | None = None) -> Imported:
    """Translate a document.

    Args:
        data: The file as it is.
        file: How the report calls it.
        name: Of the provider; made of the title by default.

    Raises:
        DocumentError: It is no OpenAPI document.
    """
    report = Report()
    document = read_document(data, file=file, report=report)
    tell_faults(document)
    info = document.top.get("info")
    title = "" if info is None else info.text("title")
    draft = Draft(
        name=to_system(name or title or PurePath(file).stem),
        report=report,
        position=document.top.position,
        about=[
            f"Made of {PurePath(file).name}, an OpenAPI document; no schedule is said yet.",
            "Check it, say 'schedule' in the integration, and keep what you change here.",
        ],
    )
    _write_head(document, draft, title)
    base = settle_base(document, draft)
    calls = list(find_calls(document))
    shapes = Shapes(document)
    listings = {id(call): found for call in calls if (found := find_listing(call, shapes))}
    Streams(draft, shapes, calls).add_all(listings.values())
    others = [call for call in calls if id(call) not in listings]
    _add_operations(draft, shapes, others)
    Security(document, draft, base).settle(calls)
    settle_probe(draft)
    _tell_passed_over(document, others)
    return draft.finish()


def _write_head(document: Document, draft: Draft, title: str) -> None:
    info = document.top.get("info")
    if title:
        draft.head["title"] = " ".join(title.split())[:100]
    version = "" if info is None else info.text("version")
    if version:
        draft.head["version"] = version
    outside = document.top.get("externalDocs")
    if outside is not None and outside.text("url"):
        draft.head["docs"] = outside.text("url")
    about = "" if info is None else to_line(info.text("description"))
    if about and not about.startswith(("#", "|", "-", "*")):
        draft.head["notes"] = about


def _add_operations(draft: Draft, shapes: Shapes, calls: list[Call]) -> None:
    names: list[str] = []
    for call in calls:
        names.append(distinct(_name(call), names))
    bases = [own_server(call, draft) for call in calls]
    for budget in _BUDGETS:
        written = [
            write_operation(call, shapes, base=base, budget=budget)
            for call, base in zip(calls, bases, strict=True)
        ]
        if count(written) * 2 + count([each.said for each in draft.streams.values()]) < NODES_MAX:
            break
    for call, name, said in zip(calls, names, written, strict=True):
        draft.operations[name] = Piece(
            name=name,
            said=said,
            origin=f"{call.title}, line {call.spot.position.line}",
            position=call.spot.position,
            lost=call.lost,
        )
    if budget != _BUDGETS[0] and calls:
        message = "#: schemas of inputs are cut short, so that all fits into one file"
        draft.report.note(draft.position, message)


def _name(call: Call) -> str:
    given = call.spot.text("operationId")
    return to_word(given or f"{call.method}_{call.path.replace('{', 'by_')}", "call")


def _tell_passed_over(document: Document, others: list[Call]) -> None:
    top, report = document.top, document.report
    if top.has("webhooks"):
        message = "#/webhooks: what the provider posts is not read; write 'webhooks' by hand"
        report.lose(top.place("webhooks"), message)
    silent = [call for call in others if call.method == "get" and not call.contents()]
    if silent:
        first = silent[0]
        message = (
            f"{first.spot.pointer}: says nothing of its answer, as {len(silent) - 1} others, so "
            "that none of them is read as a stream"
        )
        report.note(first.spot.position, message)
