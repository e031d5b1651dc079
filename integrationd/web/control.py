"""The control socket: the routes of the API that this version has, for the owner alone."""

from __future__ import annotations

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler

from integrationd.errors import (
    HistoryError,
    InputError,
    IntegrationError,
    SettingsError,
    UsageError,
)
from integrationd.model.json import Json
from integrationd.ports.actions import Actions, RevertWish, SyncWish
from integrationd.web.calls import add_call_routes
from integrationd.web.lines import answer_json, tell_lines
from integrationd.web.logins import add_login_routes
from integrationd.web.problem import problem
from integrationd.web.quarantine import add_quarantine_routes
from integrationd.web.secrets import add_secret_routes
from integrationd.web.switches import add_switch_routes


class SyncBody(msgspec.Struct, forbid_unknown_fields=True):
    """What ``POST …/sync`` takes."""

    streams: list[str] = []
    full: bool = False
    confirmed: bool = False
    input: dict[str, Json] = {}
    texts: dict[str, str] = {}


class RevertBody(msgspec.Struct, forbid_unknown_fields=True):
    """What ``POST …/revert`` takes."""

    dry_run: bool = False


class PreviewBody(msgspec.Struct, forbid_unknown_fields=True):
    """What ``POST …/preview`` takes."""

    full: bool = False
    input: dict[str, Json] = {}
    texts: dict[str, str] = {}


def build_control(actions: Actions) -> web.Application:
    """Build the application that stands on the control socket."""
    app = web.Application(middlewares=[_told])
    routes = _Routes(actions)
    app.router.add_get("/api/v1/status", routes.status)
    app.router.add_post("/api/v1/reload", routes.reload)
    app.router.add_post("/api/v1/integrations/{name}/sync", routes.sync)
    app.router.add_post("/api/v1/runs/{run}/revert", routes.revert)
    app.router.add_post("/api/v1/integrations/{name}/streams/{stream}/preview", routes.preview)
    app.router.add_get("/api/v1/integrations/{name}/webhooks/{endpoint}", routes.webhook)
    add_quarantine_routes(app, actions)
    add_call_routes(app, actions.calls)
    add_switch_routes(app, actions)
    add_secret_routes(app, actions.secrets)
    add_login_routes(app, actions)
    return app


@web.middleware
async def _told(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer whatever goes wrong as a problem, so that a command can print it."""
    try:
        return await handler(request)
    except UsageError as unknown:
        return problem(422 if isinstance(unknown, InputError) else 404, str(unknown))
    except SettingsError as refused:
        return problem(409, str(refused))
    except HistoryError as gone:
        return problem(410, str(gone))
    except IntegrationError as failed:
        return problem(503, str(failed))
    except web.HTTPException as known:
        return problem(known.status, known.reason)


class _Routes:
    def __init__(self, actions: Actions) -> None:
        self._actions = actions

    async def status(self, _request: web.Request) -> web.Response:
        """Answer how everything stands."""
        return answer_json(await self._actions.status())

    async def reload(self, _request: web.Request) -> web.Response:
        """Read the files again; the answer says what was taken."""
        return answer_json(await self._actions.reload())

    async def webhook(self, request: web.Request) -> web.Response:
        """Answer where a sender posts to."""
        name, endpoint = request.match_info["name"], request.match_info["endpoint"]
        return answer_json(await self._actions.webhook_url(name, endpoint))

    async def sync(self, request: web.Request) -> web.StreamResponse:
        """Read streams now; each line of the answer is one thing that happened."""
        try:
            body = msgspec.json.decode(await request.read() or b"{}", type=SyncBody)
        except msgspec.MsgspecError as wrong:
            return problem(422, str(wrong))
        wish = SyncWish(
            integration=request.match_info["name"],
            streams=tuple(body.streams),
            full=body.full,
            confirmed=body.confirmed,
            input=body.input,
            texts=body.texts,
        )
        return await tell_lines(request, self._actions.sync(wish))

    async def revert(self, request: web.Request) -> web.StreamResponse:
        """Undo a run; each line of the answer is one thing that happened."""
        try:
            body = msgspec.json.decode(await request.read() or b"{}", type=RevertBody)
        except msgspec.MsgspecError as wrong:
            return problem(422, str(wrong))
        wish = RevertWish(run=request.match_info["run"], dry_run=body.dry_run)
        return await tell_lines(request, self._actions.revert(wish))

    async def preview(self, request: web.Request) -> web.StreamResponse:
        """Read a stream and keep nothing; each line of the answer is one thing it would change."""
        try:
            body = msgspec.json.decode(await request.read() or b"{}", type=PreviewBody)
        except msgspec.MsgspecError as wrong:
            return problem(422, str(wrong))
        wish = SyncWish(
            integration=request.match_info["name"],
            streams=(request.match_info["stream"],),
            full=body.full,
            input=body.input,
            texts=body.texts,
        )
        return await tell_lines(request, self._actions.preview(wish))
