"""Objects that a list discovers, each with the stream that is made for it."""

from __future__ import annotations

from dataclasses import dataclass

from integrationd.model.json import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One object, for as long as anything is known of it."""

    of: str
    """The list: the stream whose record it is."""
    key: str
    """The record's external id: by it the object is known again."""
    stream: str
    """The name of its own stream, which never changes."""
    data: Json
    """The record as it was stored last."""
    listed: bool = True
    """Whether the list still has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What a list holds now, held against what was known of it."""

    found: tuple[Found, ...]
    """All that is known from now on, what is listed no more included."""
    over: int = 0
    """Objects that have no stream, as there would be too many."""
    wrong: tuple[str, ...] = ()
    """Why objects could not be named, each with its key."""
    unused: tuple[str, ...] = ()
    """Names of which the file says something, and which no object has."""

    taken: tuple[Found, ...] = ()
    """Of those that are listed the ones that are not read, as a file has a stream or an operation
    of their name by now."""

    @property
    def streams(self) -> frozenset[str]:
        """Return the names of the streams that are read for what is listed."""
        listed = {one.stream for one in self.found if one.listed}
        return frozenset(listed - {one.stream for one in self.taken})

    @property
    def remarks(self) -> tuple[str, ...]:
        """Say what a person may want to change."""
        told = []
        if self.over:
            told.append(
                f"{self.over} more objects are listed than 'discover.max' allows; they have no "
                "stream; leave out some with 'where', or raise it"
            )
        told += [f"object {text}" for text in self.wrong]
        told += [
            f"object {one.key} has the stream {one.stream!r}, a name that a file gives to "
            "something of its own by now, so the object is not read; call that otherwise"
            for one in self.taken
        ]
        if self.unused:
            names = ", ".join(self.unused)
            told.append(f"'discover.streams' names what no object is called: {names}")
        return tuple(told)
