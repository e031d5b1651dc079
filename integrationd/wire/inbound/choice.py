"""An algorithm that the call names, from a list that the file allows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, TypeVar

from integrationd.errors import SignatureError
from integrationd.wire.inbound.candidates import INBOUND_PLACES
from integrationd.wire.messages import Call
from integrationd.wire.places import Place

T = TypeVar("T", bound=str)


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """Where a call names its algorithm."""

    from_: Annotated[Place, INBOUND_PLACES]
    """The place of the name, ``json.SignatureVersion``."""


def pick(named: Named, known: Mapping[str, T], call: Call) -> T:
    """Return what the call's word stands for.

    Raises:
        SignatureError: It is none of those that are allowed.
    """
    found = known.get(named.from_.take(call) or "")
    if found is None:
        listed = ", ".join(known)
        raise SignatureError(f"{named.from_} names no algorithm that is allowed: {listed}")
    return found
