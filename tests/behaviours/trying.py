"""Cases of behaviours, run as ``integrationd test`` runs them, with edits in their files."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from integrationd.config.nodes import to_json
from integrationd.config.problems import Problems
from integrationd.config.yaml import parse_yaml
from integrationd.spec.build import build_bundle
from integrationd.spec.read import read_file
from integrationd.spec.settings import Settings
from integrationd.spec.source import SourceFile
from integrationd.store.sqlstore import SqlStore
from integrationd.testing.cases.accounts import Accounts
from integrationd.testing.cases.book import Book, run_virtually
from integrationd.testing.cases.running import Equipment
from integrationd.transport.egress import find_host_fault
from tests.behaviours.table import HERE

KINDS = ("streams", "operations", "probes", "webhooks")


@dataclass(frozen=True, slots=True, kw_only=True)
class Try:
    """One case, and what is another in its files."""

    file: str
    """That of the case and of its spec, without ``.yaml``."""
    case: str
    edits: Mapping[str, Any] = field(default_factory=dict)
    """Values by their paths, null to leave something out."""


@dataclass(slots=True)
class Tried:
    """What came of it."""

    problems: list[str] = field(default_factory=list)
    """Errors of the files: the case was not run."""
    faults: list[str] = field(default_factory=list)
    """What is another than the case expects."""


def try_cases(tries: Sequence[Try]) -> list[Tried]:
    """Run cases one after the other; what comes of each is its own."""
    tried = [Tried() for _ in tries]

    async def work() -> None:
        async with SqlStore.in_memory() as store:
            equipment = Equipment(store=store, settings=Settings(), find_fault=find_host_fault)
            for number, (one, result) in enumerate(zip(tries, tried, strict=True)):
                await _try(equipment, one, result, number)

    run_virtually(work)
    return tried


async def _try(equipment: Equipment, one: Try, result: Tried, number: int) -> None:
    trees = _edited(one)
    reads = [
        read_file(SourceFile(f"{root}.yaml", json.dumps(tree).encode()))
        for root, tree in trees.items()
    ]
    bundle = build_bundle(reads, Settings())
    result.problems += map(str, bundle.errors)
    if result.problems:
        return
    book = Book(
        accounts=Accounts(reads, Settings(), bundle),
        documents=bundle.cases,
        read_beside=lambda _, beside: (HERE / "cases" / beside).read_bytes(),
        _count=number,
    )
    for document, case in book.choose():
        if case.name == one.case:
            result.faults += (await book.run(equipment, document, case)).faults


def _edited(one: Try) -> Mapping[str, Any]:
    """Return the files of a try by their roots: ``spec``, ``cases``, ``mapping:NAME``."""
    spec = read_tree(f"specs/{one.file}")
    names = {stream.get("mapping") for stream in spec.get("streams", {}).values()} - {None}
    trees = {"spec": spec, "cases": read_tree(f"cases/{one.file}")}
    trees |= {f"mapping:{name}": read_tree(f"mappings/{name}") for name in sorted(names)}
    trees = copy.deepcopy(trees)
    case = find_case(trees["cases"], one.case)
    for path, value in one.edits.items():
        root, *parts = path.split("/")
        edit(case if root == "case" else trees[root], parts, value, path)
    return trees


def edit(tree: Any, parts: Sequence[str], value: Any, path: str) -> None:
    """Put a value at a path, or take away what is there."""
    *way, last = parts
    for part in way:
        tree = tree[int(part)] if isinstance(tree, list) else tree[part]
    key = int(last) if isinstance(tree, list) else last
    there = key < len(tree) if isinstance(tree, list) else key in tree
    if value is None:
        assert there, f"nothing at {path}"
        del tree[key]
    else:
        assert there or isinstance(tree, dict), f"nothing at {path}"
        tree[key] = value


def find_case(tree: Mapping[str, Any], name: str) -> Any:
    """Return a case by its name."""
    (found,) = [case for kind in KINDS for case in tree.get(kind, ()) if case["name"] == name]
    return found


def names_of_cases() -> set[tuple[str, str]]:
    """Return every case that there is, by its file and its name."""
    return {
        (path.stem, case["name"])
        for path in (HERE / "cases").glob("*.yaml")
        for kind in KINDS
        for case in read_tree(f"cases/{path.stem}").get(kind, ())
    }


@cache
def read_tree(stem: str) -> Any:
    """Read a file as the parser does."""
    problems = Problems()
    path = HERE / f"{stem}.yaml"
    node = parse_yaml(path.read_bytes(), file=path.name, problems=problems)
    assert node is not None, f"{path.name} cannot be read"
    assert not problems.has_errors, [str(problem) for problem in problems.found]
    return to_json(node)
