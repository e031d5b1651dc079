"""The routes of secrets on the control socket: values come in and never go out."""

from __future__ import annotations

from typing import TypeVar

import msgspec
from aiohttp import web

from integrationd.model.json import Json
from integrationd.model.secret import Secret
from integrationd.ports.vault import SecretActions
from integrationd.web.problem import problem

T = TypeVar("T")


class ValueBody(msgspec.Struct, forbid_unknown_fields=True):
    """What ``PUT …/secrets/{secret}`` takes."""

    value: str


class RotateBody(msgspec.Struct, forbid_unknown_fields=True):
    """What ``POST …/secrets/rotate`` takes."""

    master_key: str | None = None


def add_secret_routes(app: web.Application, actions: SecretActions) -> None:
    """Add the routes to an application that tells errors as problems."""
    routes = _Routes(actions)
    one = "/api/v1/integrations/{name}/secrets/{secret}"
    app.router.add_get("/api/v1/secrets", routes.show)
    app.router.add_post("/api/v1/secrets/rotate", routes.rotate)
    app.router.add_put(one, routes.put)
    app.router.add_delete(one, routes.remove)


class _Routes:
    def __init__(self, actions: SecretActions) -> None:
        self._actions = actions

    async def show(self, request: web.Request) -> web.Response:
        """Answer where every secret is found."""
        return _json(await self._actions.show(request.query.get("integration")))

    async def put(self, request: web.Request) -> web.Response:
        """Keep a secret."""
        body = await _read(request, ValueBody)
        if body is None or not body.value:
            return problem(422, 'the body is not {"value": TEXT} with a text that is not empty')
        return _json(await self._actions.put(*_place(request), Secret(body.value)))

    async def remove(self, request: web.Request) -> web.Response:
        """Forget a secret."""
        return _json(await self._actions.remove(*_place(request)))

    async def rotate(self, request: web.Request) -> web.Response:
        """Seal everything anew."""
        body = await _read(request, RotateBody)
        if body is None:
            return problem(422, 'the body is neither {} nor {"master_key": TEXT}')
        key = None if body.master_key is None else Secret(body.master_key)
        return _json(await self._actions.rotate(key))


async def _read(request: web.Request, kind: type[T]) -> T | None:
    """Read a body; what is wrong with one is not told in detail, as that might repeat it."""
    try:
        return msgspec.json.decode(await request.read(), type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


def _place(request: web.Request) -> tuple[str, str]:
    return request.match_info["name"], request.match_info["secret"]


def _json(value: Json) -> web.Response:
    return web.Response(body=msgspec.json.encode(value), content_type="application/json")
