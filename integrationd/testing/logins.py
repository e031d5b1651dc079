"""A login of several calls from the other side: what each gives, and which session is good."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

from integrationd.errors import IntegrationError, UsageError
from integrationd.model.json import Json
from integrationd.model.secret import Secret, reveal
from integrationd.testing import guards
from integrationd.testing.refusals import refuse
from integrationd.testing.replies import ReplyBuilder
from integrationd.testing.routes import Route
from integrationd.testing.scenes import Stage, write_answer
from integrationd.transform.inverse import Mark
from integrationd.wire.auth.login import LoginAuth, LoginStep
from integrationd.wire.call import build_request
from integrationd.wire.messages import Answer, Call
from integrationd.wire.places import Root

_SESSIONS_MAX: Final = 16
"""Logins under way that are remembered."""


@dataclass(slots=True)
class LoginBooth:
    """Answers the calls of a login, and knows what they gave."""

    auth: LoginAuth
    stage: Stage
    logins: int = 0
    """How many were begun."""
    _ends: dict[int, float] = field(default_factory=dict)
    """Until when each finished one is good."""
    _open: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Make each request and each answer once.

        Raises:
            UsageError: The spec reads an answer in a way that cannot be turned round.
        """
        nobody = Call(method="GET", url=self.stage.origin, path="/", query=(), headers={}, body=b"")
        for index, step in enumerate(self.auth.steps):
            try:
                self._route(index, step, 0)
            except IntegrationError as wrong:
                raise UsageError(f"http.auth.steps[{index}] cannot be played: {wrong}") from None
            self._reply(index, step, 0, nobody)

    def answer(self, call: Call, now_s: float) -> Answer | None:
        """Answer a call of the login; None where it is none."""
        there = False
        for index, step in enumerate(self.auth.steps):
            for number in [self.logins + 1] if index == 0 else self._open[::-1]:
                route = self._route(index, step, number)
                asked = route.match(call)
                if asked is None:
                    continue
                there = True
                if not isinstance(route.read(asked), str):
                    self._note(index, number, now_s)
                    return self._reply(index, step, number, call)
        if not there or self._is_of_stream(call):
            return None
        return self._refuse(call)

    def admits(self, call: Call, now_s: float) -> bool:
        """Tell whether a call shows a session that is good."""
        return any(
            guards.carries(call, self.auth, {**self.stage.variables, "token": token})
            for number, end in self._ends.items()
            if end > now_s
            for token in [self._token(number)]
        )

    @property
    def gives(self) -> bool:
        """Return True."""
        return True

    def is_own(self, call: Call) -> bool:
        """Tell whether a call is one of the login's."""
        steps = enumerate(self.auth.steps)
        return any(self._route(at, step, 0).match(call) is not None for at, step in steps)

    def challenge(self) -> Mapping[str, str]:
        """Return none."""
        return {}

    def revoke(self) -> None:
        """Let every session end."""
        self._ends.clear()

    def _is_of_stream(self, call: Call) -> bool:
        """Tell whether a call to the login's own path already shows a session."""
        place = self.auth.into
        return place.root is not Root.COOKIE and bool(place.take(call))

    def _note(self, index: int, number: int, now_s: float) -> None:
        if index == 0:
            self.logins = number
            self._open = [*self._open[-_SESSIONS_MAX:], number]
        if index == len(self.auth.steps) - 1:
            lifetime_s = self.stage.options.token_lifetime_s
            self._ends[number] = now_s + lifetime_s

    def _values(self, index: int, number: int) -> dict[str, Json]:
        """Return what the calls before one have given."""
        names = [name for step in self.auth.steps[:index] for name in step.read]
        return {name: f"play-{name.replace('_', '-')}-{number}" for name in names}

    def _token(self, number: int) -> Secret:
        values = self._values(len(self.auth.steps), number)
        if self.auth.token is None:
            (value,) = values.values()
            return Secret(value)
        text = self.auth.token.render_text({**self.stage.variables, "read": values})
        return Secret(reveal(text or ""))

    def _route(self, index: int, step: LoginStep, number: int) -> Route:
        variables = {**self.stage.variables, "read": self._values(index, number)}
        request = build_request(step, base=self.stage.base, variables=variables)
        return Route.build(f"http.auth.steps[{index}]", self.stage.here(request))

    def _reply(self, index: int, step: LoginStep, number: int, call: Call) -> Answer:
        where = f"http.auth.steps[{index}]"
        builder = ReplyBuilder(where, variables=self.stage.variables)
        values = self._values(index + 1, number)
        for name, expression in step.read.items():
            builder.wish(expression, values[name])
        builder.wish_where_free(self.auth.refused_when, Mark.FALSE)
        return write_answer(builder, step.decode, where, call)

    def _refuse(self, call: Call) -> Answer:
        """Answer as one who does not know the account."""
        return refuse(call, HTTPStatus.UNAUTHORIZED, "the login is not accepted")
