"""Cursors that a provider gives beside the records, and what it says when one is too old."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from integrationd.errors import ExpiredError, ExpressionError, PageShapeError, ProviderError
from integrationd.model.json import Json
from integrationd.model.unstorable import find_unstorable
from integrationd.spec.incremental import Incremental
from integrationd.transform.expression import Expression


def find_cursor(rule: Incremental, reply: Mapping[str, Json]) -> Json:
    """Return the cursor that an answer gives; None where it gives none.

    Raises:
        PageShapeError: What stands there is neither text nor a number.
    """
    assert rule.cursor is not None
    return find_reply_cursor(rule.cursor, reply, "incremental.cursor")


def find_reply_cursor(cursor: Expression, reply: Mapping[str, Json], name: str) -> Json:
    """Return what an expression finds in an answer, to be kept; None where it finds nothing.

    Raises:
        PageShapeError: What stands there is neither text nor a number.
    """
    try:
        found = cursor.search(dict(reply))
    except ExpressionError as wrong:
        raise PageShapeError(f"{name}: {wrong}") from None
    if found is None or found == "":
        return None
    if isinstance(found, bool | list | dict):
        raise PageShapeError(f"{name}: expected text or a number")
    wrong_value = find_unstorable(found)
    if wrong_value is not None:
        raise PageShapeError(f"{name}: {wrong_value}")
    return found


def explain_age(
    refused: ProviderError, rule: Incremental | None, *, sent: bool, follows: bool
) -> ProviderError:
    """Return what a refusal means: 410 that a cursor of the provider's own is too old.

    Args:
        refused: By status or by a rule of the spec.
        rule: Of the stream.
        sent: Whether anything was sent that an earlier reading had kept.
        follows: Whether it is a feed that refused.
    """
    by_field = rule is None or (rule.cursor is None and not follows)
    is_old = not by_field and refused.status == HTTPStatus.GONE
    if sent and is_old and not isinstance(refused, ExpiredError):
        return ExpiredError(str(refused), status=refused.status)
    return refused
