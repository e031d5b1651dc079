"""Routes of quarantine on the control socket."""

from __future__ import annotations

import msgspec
from aiohttp import web

from integrationd.ports.actions import Actions, QuarantineWish
from integrationd.web.lines import answer_json, tell_lines
from integrationd.web.problem import problem


class QuarantineBody(msgspec.Struct, forbid_unknown_fields=True):
    """What ``POST …/quarantine/…`` takes."""

    integration: str | None = None
    stream: str | None = None
    ids: list[int] = []


def add_quarantine_routes(app: web.Application, actions: Actions) -> None:
    """Add what maps again and what forgets."""
    routes = _Routes(actions)
    app.router.add_post("/api/v1/quarantine/replay", routes.replay)
    app.router.add_post("/api/v1/quarantine/drop", routes.drop)


class _Routes:
    def __init__(self, actions: Actions) -> None:
        self._actions = actions

    async def replay(self, request: web.Request) -> web.StreamResponse:
        """Map again what waits; each line of the answer is one stream."""
        try:
            wish = await _read_wish(request)
        except msgspec.MsgspecError as wrong:
            return problem(422, str(wrong))
        return await tell_lines(request, self._actions.replay(wish))

    async def drop(self, request: web.Request) -> web.Response:
        """Forget what waits; the answer says how many there were."""
        try:
            wish = await _read_wish(request)
        except msgspec.MsgspecError as wrong:
            return problem(422, str(wrong))
        return answer_json(await self._actions.drop(wish))


async def _read_wish(request: web.Request) -> QuarantineWish:
    body = msgspec.json.decode(await request.read() or b"{}", type=QuarantineBody)
    return QuarantineWish(integration=body.integration, stream=body.stream, ids=tuple(body.ids))
