"""Answers that say no."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from integrationd.wire import texts
from integrationd.wire.messages import Answer, Call


def refuse(
    call: Call, status: HTTPStatus, message: str, headers: Mapping[str, str] | None = None
) -> Answer:
    """Return an answer that says no, and why."""
    body = {"error": status.phrase.lower().replace(" ", "_"), "message": message}
    return Answer(
        status=status,
        headers={"content-type": "application/json", **(headers or {})},
        body=texts.dump_json(body).encode(),
        url=call.url,
    )
