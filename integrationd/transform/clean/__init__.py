"""What ``clean`` can do to a value before it is converted; one class for each kind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Final, TypeAlias

from integrationd.config.decode import INVALID, Invalid, Site, decode_fields, fields_of
from integrationd.config.nodes import Fields, Items, Node, Scalar
from integrationd.config.problems import nearest, shorten
from integrationd.config.sites import Named, Written
from integrationd.model.json import Json
from integrationd.transform.clean.cleaner import Cleaner, Tally, UnfitError
from integrationd.transform.clean.email import Email
from integrationd.transform.clean.html import Html
from integrationd.transform.clean.isbn import Isbn
from integrationd.transform.clean.phone import Phone, Region
from integrationd.transform.clean.text import Control, Empty, MaxLength, Nfc, Spaces, Trim

__all__ = ["KINDS", "Clean", "Cleaner", "Cleaning", "Region", "Tally", "UnfitError"]

Clean: TypeAlias = Callable[[Json, Tally], Json]
"""Cleans a value; raises UnfitError where a single one cannot be made fit."""

KINDS: Final[tuple[type[Cleaner], ...]] = (
    *(Html, Control, Nfc, Spaces, Trim),
    *(Email, Phone, Isbn),
    *(MaxLength, Empty),
)
"""In the order in which they run, whatever that in a file: cleaning twice is cleaning once."""
_BY_NAME: Final = {cls.kind: cls for cls in KINDS}
_WHAT: Final = "the name of a cleaner, or an object with one, as in {max_length: 200}"


@dataclass(frozen=True, slots=True)
class Cleaning:
    """The cleaners of one field."""

    FORM: ClassVar[Written] = Written((Annotated[tuple[Cleaner, ...], Named(KINDS)],))

    steps: tuple[Cleaner, ...]
    """In the order of :data:`KINDS`."""

    @classmethod
    def decode_node(cls, node: Node, site: Site) -> Cleaning | Invalid:
        """Read a list of cleaners, ``[trim, {max_length: 200}]``."""
        if not isinstance(node, Items) or not node.items:
            return site.expected(node, "a list of cleaners such as [trim, nfc]")
        steps: dict[str, Cleaner] = {}
        valid = True
        for index, item in enumerate(node.items):
            step = _decode_cleaner(item, site.item(index))
            if isinstance(step, Invalid):
                valid = False
                continue
            clash = _find_clash(step, steps)
            if clash:
                site.refuse(item.position, "E114", f"{site.item(index).path}: {clash}")
                valid = False
            steps[step.kind] = step
        order = [steps[cls.kind] for cls in KINDS if cls.kind in steps]
        return cls(tuple(order)) if valid else INVALID

    @property
    def form(self) -> str:
        """Return the kind of what it makes of every value, such as ``email``; often none."""
        return next((step.kind for step in self.steps if step.kind in _FORMS), "")

    @property
    def needs_region(self) -> bool:
        """Tell whether what it makes of a number depends on the country of its owner."""
        return any(isinstance(step, Phone) and step.phone is None for step in self.steps)

    def bound(self, region: Region) -> Cleaning:
        """Return the same where numbers that do not say their country are of a region."""
        return Cleaning(
            tuple(
                replace(step, phone=region) if isinstance(step, Phone) and not step.phone else step
                for step in self.steps
            )
        )

    def compile(self) -> Clean:
        """Return the function that cleans a value.

        Texts are cleaned, also those of a list; what is left out of a list counts as dropped. Of
        other values all stay as they are, except where a form such as an e-mail address is asked.
        """
        clean_one = self._compile_one()

        def clean(value: Json, tally: Tally) -> Json:
            if isinstance(value, list):
                fresh: Json = _clean_items(value, clean_one, tally)
            else:
                fresh = clean_one(value)
            if fresh is not value and fresh != value:
                tally.cleaned += 1
            return fresh

        return clean

    def _compile_one(self) -> Callable[[Json], Json]:
        steps = tuple(step.clean for step in self.steps)
        expected = f"expected {_FORMS[self.form]}" if self.form else ""

        def clean(value: Json) -> Json:
            if not isinstance(value, str):
                if value is None or not expected:
                    return value
                # The digits of a number may be what is asked for, as of an ISBN without hyphens.
                if type(value) is not int or abs(value) >= _WHOLE_MAX:
                    raise UnfitError(expected)
                value = str(value)
            for step in steps:
                value = step(value)
                if value is None:
                    return None
            return value

        return clean


def _clean_items(items: list[Json], clean: Callable[[Json], Json], tally: Tally) -> list[Json]:
    kept: list[Json] = []
    for item in items:
        try:
            fresh = clean(item)
        except UnfitError:
            tally.dropped += 1
            continue
        if fresh is not None or item is None:
            kept.append(fresh)
    return kept


def _decode_cleaner(node: Node, site: Site) -> Cleaner | Invalid:
    given = node if isinstance(node, Fields) else Fields({}, node.position)
    name: object = node.value if isinstance(node, Scalar) else None
    if isinstance(node, Fields) and len(node.entries) == 1:
        (name,) = node.entries
    if isinstance(node, Scalar) and node.told:
        return INVALID
    if not isinstance(name, str):
        return site.expected(node, _WHAT)
    cls = _BY_NAME.get(name)
    if cls is None:
        message = f"{site.path} is {shorten(name)}, which is not known{nearest(name, _BY_NAME)}"
        return site.refuse(node.position, "E110", message)
    if given.entries and name not in fields_of(cls):
        message = f"{site.path}: {name!r} takes no value, write it alone"
        return site.refuse(node.position, "E103", message)
    if not given.entries and any(field.required for field in fields_of(cls).values()):
        message = f"{site.path}: {name!r} needs a value, as in {{{name}: 200}}"
        return site.refuse(node.position, "E102", message)
    return decode_fields(given, cls, site)


def _find_clash(step: Cleaner, steps: dict[str, Cleaner]) -> str:
    """Say why a cleaner cannot stand beside those before it; empty where it can."""
    if step.kind in steps:
        return f"{step.kind!r} stands twice"
    forms = _FORMS.keys()
    for group in (forms, {*forms, MaxLength.kind}):
        other = next((kind for kind in steps if {kind, step.kind} <= group), None)
        if other is not None and {other, step.kind} & forms:
            return f"{other!r} and {step.kind!r} exclude each other; leave one of them out"
    return ""


_FORMS: Final = {cls.kind: cls.form for cls in (Email, Phone, Isbn)}
"""What cleaners make of every value, by kind; one of them has the last word."""
_WHOLE_MAX: Final = 10**15
