"""All files, read and checked, as one immutable value."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from integrationd.config.problems import Problem
from integrationd.spec.documents import CasesDocument, Integration, ProviderDocument


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """What can run, and what is wrong."""

    integrations: Mapping[str, Integration]
    providers: Mapping[str, ProviderDocument]
    problems: tuple[Problem, ...]
    """In the order of files and lines, each once."""
    refused: Collection[str]
    """Names of integrations that could not be made of the files as they are."""
    kept: Collection[str] = ()
    """Those of ``integrations`` that run on their last good files."""

    cases: tuple[CasesDocument, ...] = ()
    """Those whose own files have no errors."""

    @property
    def errors(self) -> tuple[Problem, ...]:
        """Return the problems that keep something from running."""
        return tuple(problem for problem in self.problems if problem.is_error)
