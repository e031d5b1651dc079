"""Records as a played provider lists them, where the spec takes lists inside of them apart."""

from __future__ import annotations

from integrationd.errors import UsageError
from integrationd.model.json import Json
from integrationd.testing.shapes import overlay
from integrationd.transform.explode import Explode
from integrationd.transform.inverse import UnsolvableError, solve


def fold(explode: Explode | None, record: Json, stream: str) -> Json:
    """Return a record in which the spec finds a list with just this one.

    Raises:
        UsageError: The expressions cannot be turned round, or ask how many came before.
    """
    if explode is None:
        return record
    if explode.position_:
        raise UsageError(
            f"stream {stream!r} cannot be played: 'explode' has 'position', which played records "
            "do not have"
        )
    kept = explode.keep.fields
    item = {name: value for name, value in record.items() if name not in kept}
    try:
        folded = solve(explode.path.text, [item.get(explode.as_) if explode.as_ else item])
        for name, expression in kept.items():
            folded = overlay(folded, solve(expression.text, record.get(name)))
    except UnsolvableError as wrong:
        raise UsageError(f"stream {stream!r} cannot be played: explode: {wrong}") from None
    return folded
