"""A played provider that wants a person's consent: browsers, devices, renewal and rotation."""

from __future__ import annotations

import asyncio
import json
from urllib.parse import parse_qsl, urlsplit

import looptime
import pytest

from integrationd.engine.logins import Logins
from integrationd.engine.renewal import Account
from integrationd.model.secret import Secret
from integrationd.ports.consent import LoginWish
from integrationd.spec.settings import Settings
from integrationd.testing.options import PlayOptions
from integrationd.testing.telling import describe_stage, lines_of
from integrationd.wire.messages import FormBody, Request
from tests.support.played import Reader, reader_of, truth
from tests.support.players import player_of, received

SPEC = """\
integration: koha
secrets: {client_secret: {}}
http:
  base_url: "http://player.test/api"
  auth:
    type: oauth2
    grant: authorization_code
    authorize: {url: "http://player.test/authorize", query: {prompt: consent}}
    token_url: "http://player.test/token"
    client_id: cid
    client_secret: "{{ secrets.client_secret }}"
    scopes: [read, offline]
  paginate: none
streams: {items: {get: /items, key: id}}
"""
DEVICE = SPEC.replace("authorization_code", "device_code").replace(
    'authorize: {url: "http://player.test/authorize", query: {prompt: consent}}',
    'device: {url: "http://player.test/device"}',
)
ELSEWHERE = SPEC.replace(
    "    scopes:", "    refresh: {url: 'http://player.test/renew'}\n    scopes:"
)
PORT = 4711


class Person:
    """Logs in at the player with the engine's own logins."""

    def __init__(self, reader: Reader) -> None:
        self.reader, self.logins = reader, Logins(reader.world)
        integration = reader.player.integration
        self.account = Account(integration, integration.http.auth, Settings())

    async def lines(self, **wish):
        """Begin or end a login."""
        given = LoginWish(integration="koha", **wish)
        return [line async for line in self.logins.login(self.account, given)]

    async def address(self) -> str:
        """Begin a login in a browser."""
        (line,) = await self.lines(port=PORT)
        return line["address"]

    def browse(self, address: str):
        """Open an address; returns status and where it leads to."""
        answer = self.reader.player.answer(received(Request(method="GET", url=address)), 0.0)
        return answer.status, answer.headers.get("location", answer.body.decode())

    async def log_in(self):
        """Give consent in a browser; returns the last line."""
        status, location = self.browse(await self.address())
        assert status == 302
        assert location.startswith(f"http://127.0.0.1:{PORT}/callback?")
        (line,) = await self.lines(answer=Secret(location))
        return line


def play(text, work, **options):
    """Play a spec and let a person do something with it, in virtual time."""

    async def history():
        player = player_of(text, PlayOptions(records=3, bad=0, **options))
        assert player.unplayed == {}
        async with reader_of(player) as reader:
            await asyncio.sleep(1)
            await work(Person(reader), reader)

    with asyncio.Runner(loop_factory=lambda: looptime.new_event_loop(start=0)) as runner:
        runner.run(history())


async def reads_all(reader):
    """Read everything and compare it with what the player has."""
    assert await reader.sync_all() == {}
    assert await reader.rows("items") == truth(reader.player, "items")


def test_no_consent_no_records():
    """Before the login nothing is asked for; after it all is there."""

    async def work(person, reader):
        wrong = await reader.sync_all()
        assert list(wrong) == ["items"]
        assert "integrationd auth login koha" in wrong["items"]

        assert (await person.log_in())["status"] == "done"
        await reads_all(reader)

    play(SPEC, work)


@pytest.mark.parametrize("text", [SPEC, ELSEWHERE, DEVICE], ids=["browser", "elsewhere", "device"])
@pytest.mark.parametrize("rotate", [False, True])
def test_token_is_renewed_without_anybody(text, rotate):
    """When it has ended the refresh token gives the next, again and again, rotated or not."""

    async def work(person, reader):
        if text is DEVICE:
            lines = await person.lines()
            assert lines[0]["user_code"] == "PLAY-0001"
            assert lines[-1]["status"] == "done"
        else:
            assert (await person.log_in())["status"] == "done"
        for _ in range(3):
            await reads_all(reader)
            await asyncio.sleep(61)
        assert reader.player.booth.granted >= 3

    play(text, work, token_lifetime_s=60, rotate_tokens=rotate)


@pytest.mark.parametrize("text", [SPEC, DEVICE], ids=["browser", "device"])
def test_player_says_no_where_it_is_told_to(text):
    """`--refuse-consent` is a person who does not want to."""

    async def work(person, reader):
        _ = reader
        line = (await person.lines())[-1] if text is DEVICE else await person.log_in()
        assert line["status"] == "failed"
        assert "access_denied" in line["error"]

    play(text, work, refuse_consent=True)


def test_device_is_asked_to_wait_first():
    """The first question comes too early, as nobody types so fast."""

    async def work(person, reader):
        lines = await person.lines()
        asked = [line for line in reader.http.asked if "/token" in line]
        assert [line.rpartition(" ")[2] for line in asked] == ["400", "200"]
        assert lines[0]["address"] == "http://player.test/played-device"
        assert person.browse(lines[0]["address"])[0] == 200

    play(DEVICE, work)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("client_id=cid", "client_id=other", "client_id is missing or another one"),
        ("scope=read%20offline", "scope=read", "scope is missing or another one"),
        ("prompt=consent", "prompt=none", "prompt is missing or another one"),
        ("code_challenge=", "code_challenge=x&y=", "code_challenge is missing or another one"),
        ("response_type=code", "response_type=token", "response_type is missing or another one"),
    ],
)
def test_wrong_question_is_answered_to_the_browser(old, new, said):
    """What the spec sends is what the player wants to see."""

    async def work(person, reader):
        _ = reader
        address = await person.address()
        assert old in address
        status, location = person.browse(address.replace(old, new))
        fields = dict(parse_qsl(urlsplit(location).query))
        assert status == 302
        assert (fields["error"], fields["error_description"]) == ("invalid_request", said)

    play(SPEC, work)


@pytest.mark.parametrize(
    ("old", "new"), [("redirect_uri=http", "redirect_uri=ftp"), ("state=", "other=")]
)
def test_browser_is_sent_nowhere_without_an_address_that_is_known(old, new):
    """Nor without the state that says which login it is."""

    async def work(person, reader):
        _ = reader
        status, body = person.browse((await person.address()).replace(old, new))
        assert status == 400
        assert "<html>" in body

    play(SPEC, work)


def redeem(player, **fields):
    """Ask for a token; returns the answer's status and its words."""
    request = player.integration.http.auth.first_request(player.variables, fields)
    answer = player.answer(received(request), 0.0)
    told = json.loads(answer.body)
    return answer.status, told.get("error", ""), told.get("error_description", "")


def ticket(player, challenge="E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"):
    """Have a code; the verifier of that challenge is the one of RFC 7636 appendix B."""
    auth = player.integration.http.auth
    address = auth.authorize_address(player.variables, CALLBACK, "s", Secret("x"))
    query = dict(parse_qsl(urlsplit(address).query)) | {"code_challenge": challenge}
    request = Request(
        method="GET", url=address.partition("?")[0], query=tuple(query.items()), headers={}
    )
    location = player.answer(received(request), 0.0).headers["location"]
    return dict(parse_qsl(urlsplit(location).query))["code"]


CALLBACK = "http://127.0.0.1:5/callback"
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"


def test_code_is_good_once_and_with_its_verifier():
    """A code that was used, one of nobody, and one with another verifier give nothing."""
    player = player_of(SPEC, PlayOptions(records=1, bad=0))
    good = {"redirect_uri": CALLBACK, "code_verifier": VERIFIER}
    used, wrong, other = ticket(player), ticket(player), ticket(player)

    assert redeem(player, code=used, **good)[0] == 200
    assert redeem(player, code=used, **good) == (
        400,
        "invalid_grant",
        "the code was not given, or was used already",
    )
    assert redeem(player, code=wrong, **{**good, "code_verifier": VERIFIER[::-1]}) == (
        400,
        "invalid_grant",
        "code_verifier is not the one of this login",
    )
    assert redeem(
        player, code=other, **{**good, "redirect_uri": "http://127.0.0.1:6/callback"}
    ) == (
        400,
        "invalid_request",
        "redirect_uri is missing or another one",
    )


def test_refresh_token_of_a_player_before_is_taken_and_then_its_line_holds():
    """A player that was started again knows nothing; what comes first is believed."""
    player = player_of(SPEC, PlayOptions(records=1, bad=0, rotate_tokens=True))
    auth = player.integration.http.auth

    def renew(token):
        request = auth.token_request(player.variables, Secret(token))
        return json.loads(player.answer(received(request), 0.0).body)

    assert renew("play-refresh-1.4")["refresh_token"] == "play-refresh-1.5"
    assert renew("play-refresh-1.4")["error"] == "invalid_grant"
    assert renew("play-refresh-1.5")["refresh_token"] == "play-refresh-1.6"
    assert renew("play-refresh-x")["error"] == "invalid_grant"


def test_tokens_are_not_renewed_where_the_first_is_had():
    """Where the spec says an address for that, it is the only one."""
    player = player_of(ELSEWHERE, PlayOptions(records=1, bad=0))
    request = player.integration.http.auth.token_request(player.variables, Secret("play-refresh-1"))
    body = request.body
    assert isinstance(body, FormBody)
    moved = Request(
        method="POST", url="http://player.test/token", headers=request.headers, body=body
    )

    answer = player.answer(received(moved), 0.0)

    assert json.loads(answer.body)["error"] == "unsupported_grant_type"
    assert player.answer(received(request), 0.0).status == 200


def test_addresses_elsewhere_and_the_command_are_told():
    """Where a browser goes and where tokens are had is laid over; who says yes is said."""
    player = player_of(
        ELSEWHERE.replace("http://player.test/", "https://login.example/"),
        PlayOptions(records=1, bad=0),
    )

    told = describe_stage(player)

    assert told["http"]["auth"] == {
        "token_url": "http://player.test/token",
        "refresh": {"url": "http://player.test/renew"},
        "authorize": {"url": "http://player.test/authorize"},
    }
    lines = list(lines_of(told))
    assert "  a person's consent: integrationd auth login koha" in lines
    assert (
        "  http: {auth: {token_url: http://player.test/token, refresh: {url: "
        "http://player.test/renew}, authorize: {url: http://player.test/authorize}}}"
    ) in lines
