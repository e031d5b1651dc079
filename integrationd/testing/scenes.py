"""What can be asked of a played provider, and what all of that has in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol
from urllib.parse import urlsplit

from integrationd.errors import UsageError
from integrationd.model.json import Json
from integrationd.model.secret import reveal
from integrationd.spec.documents import Integration
from integrationd.testing import formats
from integrationd.testing.families import Families
from integrationd.testing.options import PlayOptions
from integrationd.testing.replies import ReplyBuilder
from integrationd.testing.routes import Asked, Route
from integrationd.wire.call import BaseCall
from integrationd.wire.decode.decoder import Decoder
from integrationd.wire.messages import Answer, Call, Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What all scenes of one played provider have in common."""

    integration: Integration
    options: PlayOptions
    variables: Mapping[str, Json] = field(repr=False)
    """``config`` and the made-up ``secrets``."""
    base: BaseCall
    origin: str
    """Where it is reached."""
    hidden: frozenset[str]
    """Query parameters that say who asks."""
    families: Families

    def here(self, request: Request) -> Request:
        """Return a request of the spec as it reaches the player, whatever host it names."""
        parts = urlsplit(reveal(request.url))
        url = f"{self.origin}{parts.path or '/'}"
        return replace(request, url=f"{url}?{parts.query}" if parts.query else url)


class Scene(Protocol):
    """Something that can be asked."""

    @property
    def name(self) -> str:
        """What it is called in the spec."""

    @property
    def way(self) -> str:
        """Which of ``http.auths`` it is asked by; empty for ``http.auth``."""

    @property
    def shown(self) -> str:
        """One of its requests, for people."""

    def routes(self) -> Sequence[Route]:
        """Return what its requests look like now; the same value while nothing has changed."""

    def answer(self, asked: Asked, route: Route) -> Answer:
        """Answer a call that one of its routes is.

        Raises:
            BadCallError: It asks for something that is not there.
        """


def write_answer(
    builder: ReplyBuilder,
    decoder: Decoder,
    where: str,
    call: Call,
    columns: Sequence[str] = (),
) -> Answer:
    """Return a reply as bytes in the format that its reader expects.

    Raises:
        UsageError: There is no such reply.
    """
    reply = builder.build()
    try:
        body, kind = formats.write_body(decoder, reply["body"], columns)
    except UsageError as wrong:
        raise UsageError(f"{where} cannot be played: {wrong}") from None
    return Answer(
        status=reply["status"],
        headers={"content-type": kind, **reply["headers"]},
        body=body,
        url=call.url,
    )
