"""What a spec says of the body of a request; one kind, one file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Protocol

from integrationd.model.json import Json
from integrationd.wire.messages import Body
from integrationd.wire.parameters import Encode

KINDS: Final = ("json", "form", "multipart", "xml", "graphql", "raw")
"""The fields of a request that say its body, of which one may be there."""


class BodyTemplate(Protocol):
    """What each of them offers."""

    def render(self, variables: Mapping[str, Json], encode: Encode) -> Body | None:
        """Fill in values; None where nothing is to be sent yet.

        Raises:
            ExpressionError: A template has no value.
            RefusedError: A value cannot be sent so.
        """
        ...
