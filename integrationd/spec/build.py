"""Files to a bundle: cross-check all, merge and compile every integration."""

from __future__ import annotations

from collections.abc import Iterable

from integrationd.config.decode import Site
from integrationd.config.problems import Problems
from integrationd.spec.bundle import Bundle
from integrationd.spec.checks import Declared, check_system
from integrationd.spec.documents import Integration, ProviderDocument
from integrationd.spec.fitting import check_mapping
from integrationd.spec.integration import compile_integration
from integrationd.spec.memo import Memo
from integrationd.spec.settings import Settings
from integrationd.spec.shelf import ReadFile, Shelf


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
    for document in providers.values():
        _check_provider(document, shelf, problems)
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
    return Bundle(
        integrations=integrations,
        providers=providers,
        problems=tuple(sorted(set(problems.found))),
        refused=frozenset(refused),
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


def _check_provider(document: ProviderDocument, shelf: Shelf, problems: Problems) -> None:
    """Tell what only all files together show; each integration that uses it would tell the same."""
    declared = Declared(document.config, document.secrets)
    check_system(document.body, Site(problems, ""), declared, shelf)
