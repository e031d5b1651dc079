"""What a provider holds: rows that change, with everything they ever were."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace

GROUPS = 3


@dataclass(frozen=True, slots=True)
class Row:
    """One row as it is at one time."""

    id: int
    at: int
    """When it changed last, on the provider's own clock, which ties."""
    count: int | str
    """A number, or a text that one of the mappings refuses."""
    draft: bool = False
    """Left out by ``where``."""
    gone: bool = False
    """Deleted, and still told."""
    keyless: bool = False
    """Broken: it does not say which row it is."""

    @property
    def group(self) -> int:
        """Return which group it is in."""
        return self.id % GROUPS

    def is_bad(self, mapping: str) -> bool:
        """Tell whether a mapping refuses it."""
        return mapping == "strict" and isinstance(self.count, str)

    def is_told(self) -> bool:
        """Tell whether it is to be there in the end."""
        return not (self.draft or self.gone or self.keyless)


@dataclass(frozen=True, slots=True)
class Entry:
    """One change, as a feed tells it."""

    id: int
    at: int
    row: Row | None
    """None where it was taken away."""


@dataclass(slots=True)
class Dataset:
    """The rows by id, and their past."""

    rng: random.Random
    clock: int = 1
    rows: dict[int, Row] = field(default_factory=dict)
    past: dict[int, list[Row]] = field(default_factory=dict)
    absent: set[int] = field(default_factory=set)
    """Ids that were missing at some time since this was cleared."""
    last_id: int = 0
    log: list[Entry] = field(default_factory=list)
    """Every change, in order."""
    groups: int = 0
    """How many groups there are; the rows of further ones cannot be asked for yet."""

    def put(self, row: Row) -> None:
        """Hold a row as it is now."""
        self.rows[row.id] = row
        self.past.setdefault(row.id, []).append(row)
        self.log.append(Entry(row.id, row.at, row))

    def tick(self) -> int:
        """Let the clock go on, or not."""
        self.clock += self.rng.choice((0, 0, 1, 3))
        return self.clock

    def insert(self, *, at_end: bool) -> None:
        """Add a row; its id is the greatest, or any that is free."""
        free = [number for number in range(1, self.last_id) if number not in self.rows]
        number = self.last_id + 1 if at_end or not free else self.rng.choice(free)
        self.last_id = max(self.last_id, number)
        self.put(Row(number, self.tick(), self.rng.randrange(9)))

    def change(self) -> None:
        """Change one row in one way."""
        if not self.rows:
            return
        row = self.rows[self.rng.choice(sorted(self.rows))]
        changes = (
            {"count": self.rng.randrange(9)},
            {"count": self.rng.randrange(9)},
            {"count": f"x{self.rng.randrange(9)}"},
            {"draft": not row.draft},
            {"gone": not row.gone},
            {"keyless": not row.keyless and self.rng.random() < 0.3},
        )
        self.put(replace(row, at=self.tick(), **self.rng.choice(changes)))

    def delete(self) -> None:
        """Take one row away without a word."""
        if self.rows:
            self._take(self.rng.choice(sorted(self.rows)))

    def delete_first(self, count: int) -> None:
        """Take away the rows that were added first: in a list by places the others move up."""
        for number in sorted(self.rows)[:count]:
            self._take(number)

    def _take(self, number: int) -> None:
        del self.rows[number]
        self.absent.add(number)
        self.log.append(Entry(number, self.clock, None))

    def changed_last(self, number: int) -> int:
        """Return the place in the log of a row's last change."""
        return max(place for place, entry in enumerate(self.log) if entry.id == number)

    def mend(self) -> None:
        """Give every row its key back."""
        for row in list(self.rows.values()):
            if row.keyless:
                self.put(replace(row, at=self.tick(), keyless=False))
