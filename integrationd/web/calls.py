"""The routes of operations and probes on the control socket."""

from __future__ import annotations

import msgspec
from aiohttp import web

from integrationd.errors import InputError
from integrationd.model.json import Json
from integrationd.ports.calls import CallActions, CallWish
from integrationd.web.problem import problem


class CallBody(msgspec.Struct, forbid_unknown_fields=True):
    """What ``POST …/operations/{operation}`` takes."""

    input: dict[str, Json] = {}
    texts: dict[str, str] = {}
    dry_run: bool = False


def add_call_routes(app: web.Application, actions: CallActions) -> None:
    """Add the routes to an application that tells errors as problems."""
    routes = _Routes(actions)
    one = "/api/v1/integrations/{name}"
    app.router.add_post(f"{one}/operations/{{operation}}", routes.call)
    app.router.add_post(f"{one}/probe", routes.probe)


class _Routes:
    def __init__(self, actions: CallActions) -> None:
        self._actions = actions

    async def call(self, request: web.Request) -> web.Response:
        """Call an operation; a call that failed is an answer too."""
        try:
            body = msgspec.json.decode(await request.read() or b"{}", type=CallBody)
        except (msgspec.MsgspecError, UnicodeDecodeError) as wrong:
            return problem(422, str(wrong))
        wish = CallWish(
            integration=request.match_info["name"],
            operation=request.match_info["operation"],
            input=body.input,
            texts=body.texts,
            dry_run=body.dry_run,
        )
        try:
            return _json(await self._actions.call(wish))
        except InputError as wrong:
            return problem(422, str(wrong))

    async def probe(self, request: web.Request) -> web.Response:
        """Make an integration's probe."""
        return _json(await self._actions.probe(request.match_info["name"]))


def _json(value: Json) -> web.Response:
    return web.Response(body=msgspec.json.encode(value), content_type="application/json")
