"""Routes that switch integrations, or everything, off and on again."""

from __future__ import annotations

from aiohttp import web

from integrationd.model.switches import Switch
from integrationd.ports.actions import Actions, SwitchWish
from integrationd.web.lines import answer_json

_VERBS = {
    "pause": (Switch.PAUSED, True),
    "resume": (Switch.PAUSED, False),
    "disable": (Switch.DISABLED, True),
    "enable": (Switch.DISABLED, False),
}


def add_switch_routes(app: web.Application, actions: Actions) -> None:
    """Add ``pause`` and ``resume`` for everything and, with ``disable`` and ``enable``, by name."""

    async def throw(request: web.Request) -> web.Response:
        switch, on = _VERBS[request.path.rpartition("/")[2]]
        name = request.match_info.get("name")
        return answer_json(await actions.throw(SwitchWish(integration=name, switch=switch, on=on)))

    for verb, (switch, _) in _VERBS.items():
        app.router.add_post(f"/api/v1/integrations/{{name}}/{verb}", throw)
        if switch is Switch.PAUSED:
            app.router.add_post(f"/api/v1/{verb}", throw)
