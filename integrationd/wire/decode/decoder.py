"""What every decoder offers."""

from __future__ import annotations

from typing import ClassVar, Protocol

from integrationd.model.json import Json
from integrationd.wire.messages import Answer
from integrationd.wire.pieces import Steps


class Decoder(Protocol):
    """Makes JSON of a body; pure, and with pauses where the body is large."""

    kind: ClassVar[str]
    reads_failures: ClassVar[bool]
    """Whether it surely refuses what is of another kind, so that a failure can be tried with it;
    to a reader of CSV any text is a header."""

    def decode(self, answer: Answer) -> Steps:
        """Return the body as JSON; an empty one, as 204 has, is None.

        Raises:
            PageShapeError: The body is not what the kind reads; nothing of it is in the message.
        """
        ...

    def decode_loosely(self, answer: Answer) -> Json:
        """Return a body that :meth:`decode` refused, with what nothing can store still in it.

        Raises:
            PageShapeError: Something else is wrong with it.
        """
        ...
