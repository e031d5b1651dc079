"""Objects that lists discover: what is known of them, and which stream each has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from integrationd.model.objects import Found


class ObjectStore(Protocol):
    """Where it is kept what lists were seen to hold; a name is given to one object for good."""

    async def objects(self, tenant: str, integration: str) -> Sequence[Found]:
        """Return all objects of an integration, in the order in which they were found."""
        ...

    async def keep_objects(self, tenant: str, integration: str, found: Sequence[Found]) -> None:
        """Note what was found, new or changed; what is not named here stays as it is.

        Of one that is known its name stays, whatever is given. A new one whose name is that of
        another one is left out: somebody else has given it away meanwhile.
        """
        ...
