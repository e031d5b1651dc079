"""``auth`` of a stream or an operation: another way to ask, with tokens and limits of its own."""

import base64

import pytest

from integrationd.daemon.calls import preview_call
from integrationd.engine.calls import Calls
from integrationd.engine.conductor import Conductor
from integrationd.engine.explaining import explain_stream
from integrationd.engine.plans import build_plan
from integrationd.engine.renewal import account_kept_as, find_lack
from integrationd.engine.sync import RunWish
from integrationd.model.runs import RunStatus, Trigger
from integrationd.ports.store import ReadingState
from integrationd.signals import RunSkipped
from integrationd.testing.options import PlayOptions
from integrationd.testing.provider import Player, player_secrets
from integrationd.wire.grants import Kept
from tests.support.casebook import run
from tests.support.fakes import START, Provider, answer
from tests.support.played import reader_of, truth
from tests.support.worlds import bundle_of, plan_of, stage

pytestmark = pytest.mark.looptime(start=0)

SPEC = """\
integration: shop
secrets: {key: {}, client_secret: {}, refresh: {}, report_key: {}}
http:
  base_url: https://api.test
  paginate: none
  retries: 1
  auth:
    type: oauth2
    grant: client_credentials
    token_url: https://login.test/token
    client_id: main
    client_secret: "{{ secrets.client_secret }}"
  auths:
    reports:
      type: oauth2
      grant: refresh_token
      token_url: https://login.test/token
      client_id: reports
      client_secret: "{{ secrets.report_key }}"
      refresh_token: "{{ secrets.refresh }}"
    old: {type: api_key, into: query.key, value: "{{ secrets.key }}"}
    nobody: {type: none}
probe: {auth: nobody, get: /health}
streams:
  orders: {get: /orders, key: id}
  reports: {auth: reports, get: /reports, key: id}
  legacy: {auth: old, get: /legacy, key: id}
  open: {auth: nobody, get: /open, key: id}
  lines:
    for_each: {stream: reports, value: id, as: report}
    get: "/orders/{{ each.report }}"
    key: id
operations:
  make: {auth: old, post: /make}
  send: {post: /send}
"""
SECRETS = {"key": "k3y", "client_secret": "s3cret", "refresh": "r0", "report_key": "rk"}


class Shop:
    """Grants tokens to two clients, and notes who asks for what."""

    def __init__(self):
        """Begin with nothing granted."""
        self.asked, self.granted, self.refused = [], {"main": 0, "reports": 0}, {}

    def respond(self, line, headers):
        """Answer one call."""
        word = headers.get("authorization", "")
        if line == "POST https://login.test/token":
            client = base64.b64decode(word.partition(" ")[2]).decode().partition(":")[0]
            self.granted[client] += 1
            number = self.granted[client]
            more = {"refresh_token": f"r{number}"} if client == "reports" else {}
            return answer({"access_token": f"{client}-{number}", "expires_in": 3600, **more})
        path = line.partition("api.test")[2]
        self.asked.append((path, word))
        if path in self.refused:
            return self.refused[path]
        return answer([{"id": 1}])


def shop():
    """Return the provider and its port."""
    found = Shop()
    return found, Provider(found.respond)


async def test_each_way_has_its_own_token():
    """One client for the reports, another for all else; both are asked once for many runs."""
    found, provider = shop()
    async with stage(provider, **SECRETS) as on:
        for name in ("orders", "reports", "orders", "reports", "lines"):
            assert (await on.sync(plan_of(SPEC, name))).error == ""
        kept = {
            name: Kept.parse(await on.world.vault.get("default", "shop", name))
            for name in ("oauth2.token", "oauth2.token.reports")
        }

    assert found.asked == [
        ("/orders", "Bearer main-1"),
        ("/reports", "Bearer reports-1"),
        ("/orders", "Bearer main-1"),
        ("/reports", "Bearer reports-1"),
        ("/orders/1", "Bearer main-1"),
    ]
    assert found.granted == {"main": 1, "reports": 1}
    assert {name: one.access.reveal() for name, one in kept.items()} == {
        "oauth2.token": "main-1",
        "oauth2.token.reports": "reports-1",
    }
    assert kept["oauth2.token.reports"].refresh.reveal() == "r1"


async def test_kinds_without_a_token_are_sent_alone():
    """A key in the query, and nothing at all; the token of the others is not even asked for."""
    found, provider = shop()
    async with stage(provider, **SECRETS) as on:
        outcomes = [await on.sync(plan_of(SPEC, name)) for name in ("legacy", "open")]

    assert [outcome.error for outcome in outcomes] == ["", ""]
    assert found.asked == [("/legacy?key=k3y", ""), ("/open", "")]
    assert found.granted == {"main": 0, "reports": 0}


async def test_refused_token_is_replaced_for_its_own_way_alone():
    """The other one is still good."""
    found, provider = shop()
    async with stage(provider, **SECRETS) as on:
        await on.sync(plan_of(SPEC, "orders"))
        await on.sync(plan_of(SPEC, "reports"))
        found.refused["/reports"] = answer({}, status=401)
        failed = await on.sync(plan_of(SPEC, "reports"))
        found.refused.clear()
        await on.sync(plan_of(SPEC, "orders"))

    assert (failed.status, failed.kind) == (RunStatus.FAILED, "auth")
    assert found.granted == {"main": 1, "reports": 2}
    assert found.asked[-1] == ("/orders", "Bearer main-1")


async def test_secrets_of_other_ways_need_not_be_there():
    """What is missing holds back what needs it, and nothing else."""
    _, provider = shop()
    async with stage(provider, key="k3y", client_secret="s3cret") as on:
        legacy, orders, reports = [
            await on.sync(plan_of(SPEC, name)) for name in ("legacy", "orders", "reports")
        ]

    assert (legacy.error, orders.error) == ("", "")
    assert "refresh" in reports.error


async def test_pause_of_one_way_leaves_the_others_going():
    """A limit belongs to who asks: a schedule begins what others ask for."""
    found, provider = shop()
    bundle = bundle_of(shop=SPEC)
    found.refused["/legacy?key=k3y"] = answer({}, status=429, retry_after="7200")
    async with stage(provider, **SECRETS) as on:
        conductor = Conductor(world=on.world, settings=on.settings, bundle=bundle)
        paused = await conductor.sync("shop", "legacy", RunWish(trigger=Trigger.MANUAL))
        begun = {name: conductor.due("shop", name) for name in ("legacy", "orders", "reports")}
        outcomes = {name: await run for name, run in begun.items() if run is not None}
        called = await Calls(conductor=conductor).call("shop", "make", {})
        sent = await Calls(conductor=conductor).call("shop", "send", {})

    assert paused.kind == "rate"
    assert {name: outcome.error for name, outcome in outcomes.items()} == {
        "orders": "",
        "reports": "",
    }
    assert [signal.stream for signal in on.ear.of(RunSkipped)] == ["legacy"]
    assert (called.kind, sent.error) == ("rate", "")


async def test_operation_and_probe_ask_as_they_say():
    """By a key, and as nobody."""
    found, provider = shop()
    async with stage(provider, **SECRETS) as on:
        conductor = Conductor(world=on.world, settings=on.settings, bundle=bundle_of(shop=SPEC))
        calls = Calls(conductor=conductor)
        outcomes = [await calls.call("shop", "make", {}), await calls.probe("shop")]

    assert [outcome.error for outcome in outcomes] == ["", ""]
    assert found.asked == [("/make?key=k3y", ""), ("/health", "")]


def test_what_is_shown_is_masked():
    """Neither the next request nor a dry run shows a credential."""
    integration = bundle_of(shop=SPEC).integrations["shop"]
    shown = [
        explain_stream(integration, name, ReadingState(), now=START, full=False)["request"]
        for name in ("legacy", "reports", "open")
    ]
    called = preview_call(integration, integration.operations["make"], {})["request"]

    assert [one["url"] for one in (*shown, called)] == [
        "https://api.test/legacy?key=***",
        "https://api.test/reports",
        "https://api.test/open",
        "https://api.test/make?key=***",
    ]
    assert [one["headers"].get("authorization") for one in shown] == [None, "Bearer ***", None]


def test_another_way_changes_no_fingerprint():
    """Who asks is no part of what is asked for."""
    plain = plan_of(SPEC.replace("auth: old, get", "get"), "legacy")

    assert plan_of(SPEC, "legacy").prints == plain.prints


async def test_messages_name_the_way():
    """A person looks where the file says it."""
    found, provider = shop()
    found.refused["/open"] = answer({}, status=401)
    async with stage(provider, **SECRETS) as on:
        refused = await on.sync(plan_of(SPEC, "open"))

    assert refused.error == (
        "GET /open answered 401; no credentials were sent, say under "
        "http.auths.nobody which ones this provider wants"
    )


def test_refresh_tokens_of_other_ways_want_a_place_too():
    """Without a master key a new one would be lost."""

    class Closed:
        def is_open(self):
            return False

    whole = bundle_of(shop=SPEC).integrations["shop"]

    assert "under http.auths.reports where" in find_lack(whole, Closed())
    assert find_lack(build_plan(whole, "legacy").integration, Closed()) == ""


def test_what_is_kept_is_known_by_its_way():
    """A person who removes a token is believed at once."""
    names = ("oauth2.token", "oauth2.token.reports", "oauth2.tokens", "key")

    assert [account_kept_as("shop", name) for name in names] == [
        "shop",
        "shop/reports",
        None,
        None,
    ]


async def test_player_wants_of_each_what_it_says():
    """A played provider grants both tokens and lets nobody in by those of another."""
    (integration,) = bundle_of(shop=SPEC).integrations.values()
    player = Player(
        integration=integration,
        options=PlayOptions(records=7, bad=0, page_size=10),
        secrets=player_secrets(integration),
        origin="http://player.test",
    )
    async with reader_of(player) as reader:
        wrong = await reader.sync_all()
        rows = {name: await reader.rows(name) for name in ("orders", "reports", "legacy", "open")}

    assert wrong == {}
    assert rows == {name: truth(player, name) for name in rows}
    assert {way: booth.granted for way, booth in player.booths.items()} == {"": 1, "reports": 1}


def test_cases_are_given_tokens_for_each():
    """The runner grants them unasked, whichever client asks."""
    ran = run(
        "cases: shop\n"
        "streams:\n"
        "  - {name: a, stream: reports, exchanges: [{request: {path: /reports, headers: "
        "{authorization: Bearer play-token-1}}, response: {body: []}}]}\n"
        "  - {name: b, stream: legacy, exchanges: [{request: 'GET /legacy?key=made-up-key', "
        "response: {body: []}}]}\n",
        shop=SPEC,
    )

    assert ran.faults == []
