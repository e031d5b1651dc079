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
from integrationd.spec.settings import Settings
from integrationd.spec.shelf import ReadFile, Shelf


def build_bundle(files: Iterable[ReadFile], settings: Settings) -> Bundle:
    """Build what can run of these files, and tell everything that is wrong with the rest.

    An integration that cannot be made leaves the others untouched.
    """
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
        built = compile_integration(read, shelf, settings, problems)
        if built is None or read.has_errors:
            refused.add(name)
        else:
            integrations[name] = built
    return Bundle(
        integrations=integrations,
        providers=providers,
        problems=tuple(sorted(set(problems.found))),
        refused=frozenset(refused),
    )


def _check_provider(document: ProviderDocument, shelf: Shelf, problems: Problems) -> None:
    """Tell what only all files together show; each integration that uses it would tell the same."""
    declared = Declared(document.config, document.secrets)
    check_system(document.body, Site(problems, ""), declared, shelf)
