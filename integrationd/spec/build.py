"""Files to a bundle: cross-check all, merge and compile every integration."""

from __future__ import annotations

from collections.abc import Iterable

from integrationd.config.decode import Site
from integrationd.config.problems import Problems
from integrationd.spec.bundle import Bundle
from integrationd.spec.checks import Declared, check_system, mappings_of
from integrationd.spec.documents import Integration, ProviderDocument
from integrationd.spec.fitting import check_mapping
from integrationd.spec.fitting_cases import check_cases
from integrationd.spec.integration import compile_integration
from integrationd.spec.memo import Memo
from integrationd.spec.settings import Settings
from integrationd.spec.shelf import Held, ReadFile, Shelf


def build_bundle(files: Iterable[ReadFile], settings: Settings, memo: Memo | None = None) -> Bundle:
    """Build what can run of these files, and tell everything that is wrong with the rest.

    An integration that cannot be made leaves the others untouched.

    Args:
        files: Every file.
        settings: The same for one memo.
        memo: What earlier builds made; what it has of the same files is taken from there.
    """
    memo = Memo() if memo is None else memo
    problems = Problems()
    shelf = Shelf(problems)
    for read in sorted(files, key=lambda read: (read.source.layer, read.source.path)):
        problems.found.extend(read.problems)
        shelf.add(read)
    providers = dict(shelf.providers())
    for name, document in providers.items():
        shelf.held[name] = held = _hold(document, shelf)
        problems.found.extend(held.problems)
    for mapping in shelf.mappings():
        check_mapping(mapping, shelf, problems)
    integrations: dict[str, Integration] = {}
    refused = {name for kind, name in shelf.broken if kind == "integration"}
    for name, read in shelf.integrations():
        built = _make(name, read, shelf, settings, problems, memo)
        if built is None or read.has_errors:
            refused.add(name)
        else:
            integrations[name] = built
    memo.forget_all_but(set(integrations))
    cases = tuple(shelf.cases())
    for about in cases:
        check_cases(about, shelf, integrations, problems)
    return Bundle(
        integrations=integrations,
        providers=providers,
        problems=tuple(sorted(set(problems.found))),
        refused=frozenset(refused),
        cases=cases,
    )


def _make(
    name: str, read: ReadFile, shelf: Shelf, settings: Settings, problems: Problems, memo: Memo
) -> Integration | None:
    made = memo.find(name, read, shelf)
    if made is not None:
        problems.found.extend(made.advice)
        return made.integration
    own = Problems()
    built = compile_integration(read, shelf, settings, own)
    problems.found.extend(own.found)
    if built is not None:
        memo.keep(built, tuple(own.found), shelf)
    return built


def _hold(document: ProviderDocument, shelf: Shelf) -> Held:
    """Find what only all files together show of a provider."""
    own = Problems()
    check_system(document.body, Site(own, ""), Declared(document.config, document.secrets), shelf)
    return Held(tuple(own.found), mappings_of(document.body))
