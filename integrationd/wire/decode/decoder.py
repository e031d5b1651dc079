"""What every decoder offers."""

from __future__ import annotations

from typing import ClassVar, Protocol

from integrationd.wire.messages import Answer
from integrationd.wire.pieces import Steps


class Decoder(Protocol):
    """Makes JSON of a body; pure, and with pauses where the body is large."""

    kind: ClassVar[str]

    def decode(self, answer: Answer) -> Steps:
        """Return the body as JSON; an empty one, as 204 has, is None.

        Raises:
            PageShapeError: The body is not what the kind reads; nothing of it is in the message.
        """
        ...
