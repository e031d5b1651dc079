"""A played provider's webhooks: events that say what the spec reads, signed as it checks."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from integrationd.errors import UsageError
from integrationd.model.json import Json
from integrationd.model.secret import Secret
from integrationd.spec.webhook import Endpoint
from integrationd.testing.provider import Player
from integrationd.transform.expression import Expression
from integrationd.transform.inverse import Mark, Tree, UnsolvableError, merge, solve
from integrationd.wire import encoding, texts
from integrationd.wire.messages import JsonBody, Request

_PARTS: Final = frozenset({"body", "headers", "query"})
"""What of an inbound call an event can fill."""


def build_event(
    player: Player, endpoint: str, *, url: str, number: int, now: datetime, forged: bool = False
) -> Request:
    """Build one signed event, ready to be sent.

    Args:
        player: Whose provider sends it; it tells of a record of its first stream.
        endpoint: The name of the endpoint in the spec.
        url: Where it goes.
        number: Which event it is; the same number is the same event.
        now: When it is sent, for signatures that say so.
        forged: Whether another key signs it than the one that the spec knows.

    Raises:
        UsageError: The endpoint's expressions cannot be turned round.
        SecretError: There is no key to sign with.
    """
    spec = player.integration.webhooks[endpoint]
    name, source = next(iter(player.sources.items()))
    entry = source.listed()[number % len(source.listed())] if source.entries else None
    tree = _wishes(spec, endpoint, identity=f"evt_{number:06d}", event=f"{name}.changed")
    body = _settled(tree.get("body"))
    if isinstance(body, dict) and "data" not in body:
        body = {**body, "data": {"object": None if entry is None else entry.data}}
    request = Request(
        method="POST",
        url=url,
        query=tuple((key, str(value)) for key, value in (tree.get("query") or {}).items()),
        headers={key.lower(): str(value) for key, value in (tree.get("headers") or {}).items()},
        body=JsonBody(body),
    )
    raw = encoding.encode(request).body or b""
    assert raw == texts.dump_json(body).encode()
    variables = player.variables
    if forged:
        named = dict.fromkeys(player.secrets, Secret("forged"))
        variables = {**variables, "secrets": named}
    return spec.verify.sign(request, raw, variables, now)


def _wishes(spec: Endpoint, endpoint: str, *, identity: str, event: str) -> dict[str, Tree]:
    tree: Tree = {"body": {}}
    for expression, wanted in ((spec.dedup, identity), (spec.event, event)):
        if expression is not None:
            tree = _wish(tree, expression, wanted, endpoint)
    found: dict[str, Tree] = tree
    return found


def _wish(tree: Tree, expression: Expression, wanted: str, endpoint: str) -> Tree:
    try:
        wished = merge(tree, solve(expression.text, wanted))
    except UnsolvableError as wrong:
        why = str(wrong)
    else:
        if set(wished) <= _PARTS:
            return wished
        why = f"an event has {', '.join(sorted(_PARTS))}"
    raise UsageError(f"webhook {endpoint!r} cannot be played: {expression.text!r}: {why}")


def _settled(tree: Tree) -> Json:
    if isinstance(tree, dict):
        return {key: _settled(value) for key, value in tree.items()}
    if isinstance(tree, list):
        return [_settled(value) for value in tree]
    return None if isinstance(tree, Mark) else tree
