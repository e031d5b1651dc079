"""The names that templates and expressions of a system use, held against those that there are."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from integrationd.config.decode import Site
from integrationd.config.problems import nearest
from integrationd.spec.documents import SystemBody
from integrationd.spec.operation import Operation, Output, Probe, Step
from integrationd.spec.preludes import StreamStep
from integrationd.spec.stream import Stream
from integrationd.transform.expression import Expression
from integrationd.transform.finding import parts_in, references_in
from integrationd.transform.mapping import Mapping as RecordMapping

STREAM_ROOTS: Final = frozenset(
    {"config", "secrets", "now", "page", "cursor", "each", "input", "object", "steps", "window"}
)
"""What a stream can use."""
_NEEDED: Final = {
    "cursor": "no 'incremental' that keeps one",
    "window": "no 'incremental.window'",
    "each": "no 'for_each'",
    "object": "is none that a list discovers",
    "steps": "no 'steps'",
}
"""What a stream must say for these."""
MOMENTARY: Final[Mapping[str, Collection[str]]] = {"now": (), "page": ("first",)}
"""What stands behind the variables that differ by run and by page."""
_OF_PARTS: Final = frozenset({"job", "poll", "change"})
"""What parts of a stream can use beside that, ``deferred`` and ``feed``; they say it themselves."""


def check_names(
    body: SystemBody | Stream | Operation | Probe | Step | StreamStep | Output | RecordMapping,
    site: Site,
    known: Mapping[str, Collection[str]],
) -> None:
    """Tell a name behind a variable that is not among the known ones."""
    for reference in references_in(body):
        root, *rest = reference.path
        if root in known and rest and rest[0] not in known[root]:
            name = f"{root}.{rest[0]}"
            hint = nearest(rest[0], known[root])
            message = f"{name!r} is used here but not declared under {root!r}{hint}"
            site.refuse(reference.position, "E204", message)


def check_steps(steps: Sequence[Step | StreamStep], site: Site) -> list[str]:
    """Tell what is used of a step before it was made, or of none; return all names."""
    names: list[str] = []
    for step in steps:
        check_names(step, site, {"steps": names})
        names.append(str(step.name))
    return names


def check_secret_steps(body: Stream | Operation, site: Site) -> None:
    """Refuse an expression that brings what a step keeps secret into a record or an output."""
    secret = {str(step.name) for step in body.steps if step.secret}
    for part in parts_in(body) if secret else ():
        for reference in part.references if isinstance(part, Expression | Output) else ():
            root, *rest = reference.path
            if root == "steps" and (not rest or rest[0] in secret):
                name = ".".join(reference.path[:2])
                message = f"expression uses {name!r}, which is secret; only requests may use it"
                site.refuse(reference.position, "E204", message)


def check_variables(stream: Stream, site: Site, each: Collection[str], *, found: bool) -> None:
    """Tell what a stream uses and does not have.

    Args:
        stream: What it says itself.
        site: Where problems go.
        each: The names of its own values and its ancestors'.
        found: Whether it is one of those that a list discovers.
    """
    there = _variables_of(stream, found=found)
    for reference in references_in(stream):
        root = reference.path[0]
        if root in _OF_PARTS:
            continue
        if root not in STREAM_ROOTS:
            roots = ", ".join(sorted(STREAM_ROOTS))
            message = f"template uses {root!r}, variables here are: {roots}"
            site.refuse(reference.position, "E204", message)
        elif root in _NEEDED and root not in there:
            lack = _NEEDED[root]
            verb = "" if lack.startswith("is ") else "has "
            message = f"template uses {root!r}, but the stream {verb}{lack}"
            site.refuse(reference.position, "E204", message)
    names = check_steps(stream.steps, site)
    known = {"each": each, "window": ("start", "end")}
    own = {root: known[root] for root in known.keys() & there}
    check_names(stream, site, {**own, **MOMENTARY, "input": stream.input.schemas})
    if stream.steps:
        check_names(dataclasses.replace(stream, steps=()), site, {"steps": names})
    check_secret_steps(stream, site)
    _check_lasting(stream, site)


def _check_lasting(stream: Stream, site: Site) -> None:
    """Refuse what is gone when a record that waits in quarantine is read again."""
    cursor = None if stream.incremental is None else stream.incremental.field
    lasting = (stream.key, stream.deleted, stream.where, stream.item_error, cursor)
    for reference in references_in(lasting):
        if reference.path[0] == "steps":
            message = (
                "expression uses 'steps', which is there while records are found, not where each "
                "is looked at; bring it into them under 'records'"
            )
            site.refuse(reference.position, "E204", message)


def _variables_of(stream: Stream, *, found: bool) -> set[str]:
    """Return the variables that it has beside the common ones."""
    rule = stream.incremental
    there = {
        "cursor": rule is not None,
        "window": rule is not None and rule.window is not None,
        "each": stream.for_each is not None,
        "object": found,
        "steps": bool(stream.steps),
    }
    return {name for name, is_there in there.items() if is_there}
