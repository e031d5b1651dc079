"""One function that expressions and templates share: what it takes is said by its signature."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from typing import Annotated, Any, Final, TypeAlias

from integrationd.errors import ExpressionError
from integrationd.model.json import Json

TEXT_MAX: Final = 1_000_000
"""Most characters of a text that a function makes."""
Number: TypeAlias = int | float
Amount: TypeAlias = int | float | str
"""A number, or text that is one: money is kept as text so that no digit is lost."""


@dataclass(frozen=True, slots=True)
class Fixed:
    """Marks a text that is written in quotes, and looked at when the file is read."""

    parse: Callable[[str], object]
    """Raises ValueError where it is wrong; the text says what was expected."""


@dataclass(frozen=True, slots=True)
class Argument:
    """What stands for an argument in a file."""

    is_literal: bool
    value: Json = None


@dataclass(frozen=True, slots=True)
class Parameter:
    """What a function takes at one place."""

    name: str
    kinds: tuple[type, ...]
    """What it may be; empty is anything, null too."""
    default: Json
    """What null stands for; where there is no default, the function gives null."""
    fixed: Fixed | None
    repeats: bool

    @property
    def required(self) -> bool:
        """Tell whether it has to be given."""
        return self.default is _NONE and not self.repeats

    def takes(self, value: Json) -> bool:
        """Tell whether a value is of a kind that it takes."""
        return value is None or not self.kinds or value.__class__ in self.kinds

    def find_fault(self, value: Json) -> str:
        """Say why it does not take a value; empty where it does."""
        if self.takes(value):
            return ""
        expected = " or ".join(dict.fromkeys(_KINDS[kind] for kind in self.kinds))
        return f"got {_KINDS.get(value.__class__, 'something else')}, expected {expected}"

    def find_fixed_fault(self, argument: Argument) -> str:
        """Say what is wrong with what has to stand in quotes; empty where nothing has to."""
        if self.fixed is None:
            return ""
        if not argument.is_literal or not isinstance(argument.value, str):
            return f"takes its {self.name!r} in quotes, not computed"
        try:
            self.fixed.parse(argument.value)
        except ValueError as wrong:
            return str(wrong)
        return ""


@dataclass(frozen=True, slots=True)
class Function:
    """One function. Given null where a kind of value is asked for, it gives null, as SQL does."""

    name: str
    run: Callable[..., Json]
    """Raises ValueError, whose text says what was expected and never holds data."""
    parameters: tuple[Parameter, ...]
    deep: bool
    """Whether it looks at, or makes, what is inside of lists and objects."""
    weight: int
    """How much more work it is than a look at each character."""

    @classmethod
    def of(cls, run: Callable[..., Json], *, deep: bool = False, weight: int = 1) -> Function:
        """Read the signature of a Python function."""
        hints = typing.get_type_hints(run, include_extras=True)
        written = inspect.signature(run).parameters.values()
        parameters = tuple(_parameter(each, hints[each.name]) for each in written)
        return cls(run.__name__.rstrip("_"), run, parameters, deep, weight)

    @property
    def usage(self) -> str:
        """Write it as an author would, ``pad_left(text, width, fill?)``."""
        words = [
            f"{each.name}, …" if each.repeats else each.name + ("" if each.required else "?")
            for each in self.parameters
        ]
        return f"{self.name}({', '.join(words)})"

    def find_fault(self, arguments: Sequence[Argument]) -> str:
        """Say what is wrong with how it is used, as far as that is seen before it runs."""
        least = sum(each.required for each in self.parameters)
        most = len(arguments) if self.parameters[-1].repeats else len(self.parameters)
        if not least <= len(arguments) <= most:
            return f"has {len(arguments)} arguments; it is written {self.usage}"
        faults = (
            place.find_fixed_fault(one) or (place.find_fault(one.value) if one.is_literal else "")
            for place, one in zip(self.places(), arguments, strict=False)
        )
        return next(filter(None, faults), "")

    def call(self, arguments: Sequence[Json]) -> Json:
        """Call it.

        Raises:
            ExpressionError: It does not take what it is given. The message never holds data.
        """
        try:
            return self.apply(arguments)
        except ValueError as wrong:
            raise ExpressionError(f"function {self.name}() {wrong}") from None

    def apply(self, arguments: Sequence[Json]) -> Json:
        """Call it.

        Raises:
            ValueError: It does not take what it is given; the text goes on after its name.
        """
        given = []
        for place, value in zip(self.places(), arguments, strict=False):
            if value is None and place.kinds:
                if place.default is _NONE:
                    return None
                given.append(place.default)
                continue
            fault = place.find_fault(value)
            if fault:
                raise ValueError(fault)
            given.append(value)
        return self.run(*given)

    def places(self) -> Iterator[Parameter]:
        """Yield the parameter of one argument after the other, without end."""
        return chain(self.parameters, repeat(self.parameters[-1]))


def check_size(size: int) -> None:
    """Refuse a text before it is made.

    Raises:
        ValueError: It would be longer than a function may make.
    """
    if size > TEXT_MAX:
        raise ValueError(f"makes a text of more than {TEXT_MAX:,} characters")


def _parameter(written: inspect.Parameter, hint: Any) -> Parameter:  # noqa: ANN401 - any type
    fixed = None
    if typing.get_origin(hint) is Annotated:
        hint, fixed = typing.get_args(hint)
    default = _NONE if written.default is written.empty else written.default
    repeats = written.kind is written.VAR_POSITIONAL
    return Parameter(written.name, tuple(_kinds(hint)), default, fixed, repeats)


def _kinds(hint: Any) -> Iterator[type]:  # noqa: ANN401
    if hint is Any or hint is type(None):
        return
    if isinstance(hint, types.UnionType):
        for one in typing.get_args(hint):
            yield from _kinds(one)
        return
    yield typing.get_origin(hint) or hint


_NONE: Final = object()
_KINDS: Final = {
    str: "string",
    int: "number",
    float: "number",
    bool: "boolean",
    list: "array",
    dict: "object",
}
