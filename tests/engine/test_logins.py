"""Logins: calls one after the other, one session for all runs, and again when it is refused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

import pytest

from integrationd.model.runs import RunStatus
from integrationd.model.secret import Secret
from integrationd.wire.encoding import encode
from tests.support.fakes import answer
from tests.support.granting import GET, credentials, kept_in
from tests.support.worlds import plan_of, stage

pytestmark = pytest.mark.looptime(start=0)
SECRETS = {"password": "pw-canary"}
TEXT = """\
integration: acme
secrets: {password: {}}
http:
  base_url: https://api.test/v1
  hosts: [sso.test]
  paginate: none
  retries: 1
  auth:
    type: login
    steps:
      - post: https://sso.test/ticket
        json: {user: ann, password: "{{ secrets.password }}"}
        read: {ticket: body.ticket}
      - post: /session
        headers: {x-ticket: "{{ read.ticket }}"}
        read: {session: cookies.sid}
    token: "{{ read.session }}"
    into: header.x-session
    refused_when: body.ok == `false`
streams:
  orders: {get: /orders, records: body.data, key: id}
"""


@dataclass
class Doors:
    """``sso.test`` gives tickets, ``api.test`` sessions for them; both in virtual time."""

    calls: list[str] = field(default_factory=list)
    shown: list[str | None] = field(default_factory=list)
    good: set[str] = field(default_factory=set)
    opened: int = 0
    refusal: object = None
    """Given instead of a ticket."""
    expired: str = ""
    """A session that is told as such with status 200."""

    @asynccontextmanager
    async def open(self, policy) -> AsyncIterator[Doors]:
        """Open for a run, or for a login: for the declared hosts alone."""
        assert policy.hosts == {"api.test", "sso.test"}
        yield self

    async def send(self, request):
        """Answer one call."""
        sent = encode(request)
        url = urlsplit(sent.url)
        self.calls.append(url.path)
        await asyncio.sleep(0.1)
        return replace(self._answer(url.path, sent), url=sent.url)

    def _answer(self, path, sent):
        if path == "/ticket":
            assert sent.body == b'{"user":"ann","password":"pw-canary"}'
            return self.refusal or answer({"ticket": "t1"})
        if path == "/v1/session":
            assert sent.headers["x-ticket"] == "t1"
            self.opened += 1
            self.good.add(f"s{self.opened}")
            dated = "a=b; Expires=Wed, 21 Oct 2026 07:28:00 GMT; Path=/"
            cookies = {"set-cookie": f"{dated}, sid=s{self.opened}; HttpOnly"}
            return replace(answer(None, status=302), headers=cookies)
        session = sent.headers.get("x-session")
        self.shown.append(session)
        if session == self.expired:
            return answer({"code": "expired"})
        return answer({"data": [{"id": 1}]}, status=200 if session in self.good else 401)


async def test_calls_are_made_in_order_and_give_a_session():
    """What one gives the next one takes; where it leads to is not followed."""
    doors = Doors()
    async with stage(doors, **SECRETS) as on:
        outcome = await on.sync(plan_of(TEXT, "orders"))
        kept = await kept_in(on.world)

    assert outcome.status is RunStatus.DONE
    assert doors.calls == ["/ticket", "/v1/session", "/v1/orders"]
    assert doors.shown == ["s1"]
    assert kept.access == Secret("s1")


async def test_fifty_runs_log_in_once():
    """Whoever comes while a login is under way waits for it."""
    doors = Doors()
    async with stage(doors, **SECRETS) as on:
        made = [credentials(on, TEXT) for _ in range(50)]
        signed = await asyncio.gather(*(each.sign(GET) for each in made))

    assert {each.token for each in signed} == {Secret("s1")}
    assert doors.calls == ["/ticket", "/v1/session"]


async def test_session_that_is_refused_is_replaced():
    """A 401 costs one login and one call more."""
    doors = Doors()
    async with stage(doors, **SECRETS) as on:
        await on.sync(plan_of(TEXT, "orders"))
        doors.good.clear()
        outcome = await on.sync(plan_of(TEXT, "orders"))

    assert outcome.status is RunStatus.DONE
    assert doors.shown == ["s1", "s1", "s2"]


async def test_session_whose_end_is_told_with_a_success_is_replaced():
    """A rule says ``reauthenticate``."""
    rule = "  retries: 1\n  errors: [{when: \"body.code == 'expired'\", then: reauthenticate}]\n"
    doors = Doors(expired="s1")
    async with stage(doors, **SECRETS) as on:
        outcome = await on.sync(plan_of(TEXT.replace("  retries: 1\n", rule), "orders"))

    assert outcome.status is RunStatus.DONE
    assert doors.shown == ["s1", "s2"]


async def test_session_is_used_for_its_lifetime():
    """It is opened anew before its end; without one it is used until it is refused."""
    doors = Doors()
    text = TEXT.replace("    into:", "    lifetime: 10m\n    into:")
    async with stage(doors, **SECRETS) as on:
        for wait_s in (0, 500, 100):
            await asyncio.sleep(wait_s)
            await on.sync(plan_of(text, "orders"))

    assert doors.shown == ["s1", "s1", "s2"]


async def test_two_processes_share_a_session():
    """The encrypted store carries it over."""
    doors = Doors()
    async with stage(doors, **SECRETS) as on:
        await on.sync(plan_of(TEXT, "orders"))
        on.world.tokens.held.clear()
        await on.sync(plan_of(TEXT, "orders"))

    assert doors.calls.count("/ticket") == 1


@pytest.mark.parametrize(
    ("refusal", "message"),
    [
        (
            answer({"message": "wrong pw-canary"}, status=401),
            "POST /ticket answered 401 (wrong ***); look at secrets.password",
        ),
        (
            answer({"ok": False, "message": "no such user"}),
            "POST /ticket answered 200 refused (no such user); look at secrets.password",
        ),
        (answer({}, status=404), "POST /ticket answered 404; is http.auth.steps right?"),
    ],
)
async def test_refused_login_is_told(refusal, message):
    """By its status or by what its answer says; never with the password."""
    doors = Doors(refusal=refusal)
    async with stage(doors, **SECRETS) as on:
        outcome = await on.sync(plan_of(TEXT, "orders"))

    assert (outcome.status, outcome.error) == (RunStatus.FAILED, message)
    assert doors.shown == []


async def test_answer_without_what_is_read_is_told():
    """With the place in the file."""
    doors = Doors(refusal=answer({"tickets": ["pw-canary"]}))
    async with stage(doors, **SECRETS) as on:
        outcome = await on.sync(plan_of(TEXT, "orders"))

    assert outcome.error == (
        "call 1 of the login gave nothing at body.ticket, expected text; say under "
        "http.auth.steps[0].read.ticket where it stands"
    )
