"""An endpoint: where a provider posts its events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from integrationd.config.decode import SIZE, Kinds
from integrationd.config.nodes import Position
from integrationd.spec.http import CONSTANTS
from integrationd.transform.expression import Expression
from integrationd.wire.alternatives import VERIFY_KINDS
from integrationd.wire.inbound.values import INBOUND
from integrationd.wire.verify.verifier import Verifier


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One endpoint; what is verified there is stored before it is answered."""

    position: Position
    verify: Annotated[Verifier, Kinds(VERIFY_KINDS), CONSTANTS]
    """How the sender proves itself. There is no way to leave it out."""
    dedup: Annotated[Expression | None, INBOUND] = None
    """The sender's id of the event, stored once; a digest of the signed bytes by default."""
    event: Annotated[Expression | None, INBOUND] = None
    """The sender's name of what happened."""
    max_body: Annotated[int | None, SIZE] = None
    """The largest body; the settings' ``limits.body``."""
