"""What happens to the records of a played provider while time goes by."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from integrationd.model.json import Json
from integrationd.testing.provider import Player
from integrationd.testing.records import Entry, Source
from integrationd.testing.values import moment_of


@dataclass(slots=True)
class Story:
    """Changes, one after the other: the same for the same seed and the same number of each."""

    player: Player
    step: int = 0
    _chance: random.Random = field(init=False)

    def __post_init__(self) -> None:
        """Begin."""
        seed = self.player.options.seed
        self._chance = random.Random(f"{seed} story")  # noqa: S311 - to be repeated

    def go_on(self, at: datetime, *, changes: int = 3) -> Mapping[str, Json]:
        """Change some records of one stream, and let one come or go; streams take turns.

        Args:
            at: The time, which the records that have one say.
            changes: How many are changed.

        Returns:
            What happened: ``stream``, ``changed``, and ``added`` or ``deleted``, each ids.
        """
        self.step += 1
        names = list(self.player.sources)
        name = names[(self.step - 1) % len(names)]
        source = self.player.sources[name]
        self.player.families.parts(name)
        moment = moment_of(at)
        changed = source.change(changes, moment)
        # Each stream in turn gets one and loses one.
        adds = (self.step - 1) // len(names) % 2 == 0
        others = source.add(1, moment) if adds else source.delete(1, moment)
        return {
            "stream": name,
            "changed": _ids(source, changed),
            "added" if adds else "deleted": _ids(source, others),
        }

    def go_one(self, at: datetime) -> Mapping[str, Json]:
        """Let one thing happen to one record of one stream."""
        self.step += 1
        name = self._chance.choice(list(self.player.sources))
        source = self.player.sources[name]
        self.player.families.parts(name)
        word = self._chance.choices(("changed", "added", "deleted"), (6, 2, 2))[0]
        act = {"changed": source.change, "added": source.add, "deleted": source.delete}[word]
        return {"stream": name, word: _ids(source, act(1, moment_of(at)))}


def _ids(source: Source, entries: list[Entry]) -> list[str]:
    return [source.external_id(entry) for entry in entries]
