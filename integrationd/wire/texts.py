"""JSON values as the text that paths, queries, headers and forms carry."""

from __future__ import annotations

import json
import math
from typing import Final

from integrationd.errors import ExpressionError, RefusedError
from integrationd.model.json import Json
from integrationd.model.secret import Secret
from integrationd.transform import printing
from integrationd.wire.messages import Text

_UNBOUNDED: Final = "a number without bounds (NaN or infinity) cannot be sent"


def to_text(value: Json) -> Text | None:
    """Return one value as text; None stays None and means: leave it out.

    Numbers are canonical (``1.0`` is ``1``), true and false are lower case, an object or a list is
    JSON text. What holds a :class:`Secret` is itself one.

    Raises:
        RefusedError: A number without bounds, which has no text.
    """
    if value is None or isinstance(value, str | Secret):
        return value
    if isinstance(value, int | float):
        return _print_number(value)
    text = dump_json(value)
    return Secret(text) if holds_secret(value) else text


def to_texts(value: Json) -> tuple[Text, ...]:
    """Return a value as the texts that repeat a parameter: a list gives one for each item."""
    items = value if isinstance(value, list | tuple) else (value,)
    return tuple(text for text in map(to_text, items) if text is not None)


def dump_json(value: Json) -> str:
    """Return compact JSON with every secret revealed; integers keep every digit.

    Raises:
        RefusedError: A number without bounds (JSON has none).
    """
    try:
        return json.dumps(
            value, default=_reveal, allow_nan=False, ensure_ascii=False, separators=(",", ":")
        )
    except ValueError:
        raise RefusedError(_UNBOUNDED) from None


def holds_secret(value: Json) -> bool:
    """Tell whether a secret is anywhere inside a value."""
    if isinstance(value, dict):
        return any(map(holds_secret, value.values()))
    if isinstance(value, list | tuple):
        return any(map(holds_secret, value))
    return isinstance(value, Secret)


def _print_number(value: float) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        raise RefusedError(_UNBOUNDED)
    try:
        return printing.print_value(value)
    except ExpressionError as wrong:
        raise RefusedError(f"{wrong}, which cannot be sent") from None


def _reveal(value: object) -> str:
    assert isinstance(value, Secret)
    return value.reveal()
