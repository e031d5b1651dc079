"""The route of logins on the control socket: what a browser came back with comes in, never out."""

from __future__ import annotations

import msgspec
from aiohttp import web

from integrationd.model.secret import Secret
from integrationd.ports.consent import LoginActions, LoginWish
from integrationd.web.lines import tell_lines
from integrationd.web.problem import problem


class LoginBody(msgspec.Struct, forbid_unknown_fields=True):
    """What ``POST …/login`` takes."""

    tenant: str | None = None
    port: int | None = None
    answer: str | None = None


def add_login_routes(app: web.Application, actions: LoginActions) -> None:
    """Add the route to an application that tells errors as problems."""

    async def login(request: web.Request) -> web.StreamResponse:
        """Begin a login or end one; each line of the answer is one thing that happened."""
        try:
            body = msgspec.json.decode(await request.read() or b"{}", type=LoginBody)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            # What is wrong is not told in detail, as that might repeat a code.
            return problem(422, 'the body is not {"tenant": TEXT, "port": NUMBER, "answer": TEXT}')
        wish = LoginWish(
            integration=request.match_info["name"],
            tenant=body.tenant,
            port=body.port,
            answer=None if body.answer is None else Secret(body.answer),
        )
        return await tell_lines(request, actions.login(wish))

    app.router.add_post("/api/v1/integrations/{name}/login", login)
