"""A stream that is read as a whole: one partition, without a name."""

from __future__ import annotations

from dataclasses import dataclass, field

from integrationd.engine.parts import WHOLE
from integrationd.engine.progress import Reading, abandoned
from integrationd.engine.reading import Common, PartReading, keeps_old_names
from integrationd.model.runs import Counts
from integrationd.ports.store import ReadingState


@dataclass(slots=True)
class Single:
    """The reading of a stream as a whole."""

    common: Common
    reading: Reading
    own: PartReading = field(init=False)

    def __post_init__(self) -> None:
        """Make its only partition."""
        self.own = PartReading(self.common, WHOLE, self.reading, settles=False)

    async def run(self) -> None:
        """Read to the end.

        Raises:
            ProviderError: It broke off, or may not replace what is called by old names.
            StoreError: From a commit.
        """
        await self.common.prelude.begin()
        await self.own.run()
        self.common.world.failpoints.reach("run.read")
        if self.reading.renames and self.missed:
            raise keeps_old_names(self.missed)

    @property
    def counts(self) -> Counts:
        """Return what its pages counted."""
        return self.own.track.counts

    @property
    def unknown(self) -> int:
        """Return how many records it could not name."""
        return self.own.track.unknown

    @property
    def saw_all(self) -> bool:
        """Tell, after a good end, whether no answer was skipped."""
        return not self.own.track.skipped

    @property
    def missed(self) -> str:
        """Say why what was not seen may be there all the same; empty where it may not."""
        return self.own.track.missed

    def take_counts(self) -> Counts:
        """Return what was counted with no page."""
        return self.own.caller.take_counts().plus(self.common.prelude.take_counts())

    def done(self) -> ReadingState:
        """Return the stream's state after everything was read."""
        return self.own.done(self.own.track.state)

    def broken(self, *, resumable: bool) -> ReadingState:
        """Return the stream's state after the reading broke off."""
        committed = self.own.track.committed
        return committed if resumable else abandoned(committed)
