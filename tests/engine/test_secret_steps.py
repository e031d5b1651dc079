"""A step that is ``secret``: what it gives goes into requests, and is shown nowhere."""

import pytest

from integrationd.engine.asking import Manner
from integrationd.engine.call import call_operation
from integrationd.engine.explaining import explain_stream
from integrationd.errors import UnavailableError
from integrationd.model.secret import Secret
from integrationd.ports.store import ReadingState
from integrationd.spec.settings import Settings
from tests.support.fakes import START, answer, script
from tests.support.worlds import bundle_of, plan_of, stage

pytestmark = pytest.mark.looptime(start=0)

CANARY = "c4n4ry-s3ss10n"
SPEC = """\
integration: vaulted
http:
  base_url: https://api.test
  retries: 0
  paginate: {type: next_url, next: body.next}
  errors: [{when: body.error, then: fail, message: "{{ body.error }}"}]
streams:
  rows:
    steps:
      - {name: open, post: /sessions, output: {id: body.id, ends: body.ends}, secret: true}
      - {name: about, when: steps.open.id, get: "/about/{{ steps.open.id }}", output: body.site}
    get: /rows
    headers: {x-session: "{{ steps.open.id }}"}
    query: {site: "{{ steps.about }}"}
    records: body.data
    key: id
operations:
  export:
    steps:
      - {name: open, post: /sessions, output: body.id, secret: true}
      - name: run
        when: "steps.open != 'none'"
        post: /exports
        headers: {x-session: "{{ steps.open }}"}
  peek:
    steps:
      - {name: open, post: /sessions, output: body.id, secret: true}
"""
SESSION = ("POST https://api.test/sessions", answer({"id": CANARY, "ends": 5}))
ABOUT = (f"GET https://api.test/about/{CANARY}", answer({"site": "main"}))
ROWS = "GET https://api.test/rows?site=main"


def learning(on):
    """Return what the world is told to mask in its log."""
    told = {}
    on.world.tokens.learn = lambda place, secret: told.update({place: secret})
    return told


async def read(*steps):
    """Read once; returns the outcome, the requests and what the log masks."""
    provider, used_up = script(SESSION, ABOUT, *steps)
    async with stage(provider) as on:
        told = learning(on)
        outcome = await on.sync(plan_of(SPEC, "rows"))
        state = await on.store.load_state("default", plan_of(SPEC, "rows").key, "")
    used_up()
    return outcome, provider.sent, told, state


async def test_requests_have_it_as_a_secret():
    """In the path and in a header; what is no secret stays as it is."""
    outcome, sent, told, _ = await read((ROWS, answer({"data": [{"id": 1}]})))

    assert outcome.error == ""
    assert sent[1].url == Secret(f"https://api.test/about/{CANARY}")
    assert sent[2].headers["x-session"] == Secret(CANARY)
    assert sent[2].query == (("site", "main"),)
    assert CANARY not in repr(sent)
    assert told == {"vaulted/steps.open.0": Secret(CANARY), "vaulted/steps.open.1": Secret("5")}


async def test_provider_that_repeats_it_is_not_quoted():
    """Its own words are told without it, in the outcome and the history alike."""
    outcome, _, _, _ = await read((ROWS, answer({"error": f"no such session {CANARY}"})))

    assert outcome.error == "GET /rows answered 200: no such session ***"


async def test_address_that_repeats_it_is_not_kept():
    """A page token with it in it lies in no database: the next run begins anew."""
    following = f"https://api.test/rows?session={CANARY}"
    gone = UnavailableError("the connection was closed")
    outcome, _, _, state = await read(
        (ROWS, answer({"data": [{"id": 1}], "next": following})),
        (f"GET {following}", answer({"data": [{"id": 2}], "next": following + "&p=3"})),
        (f"GET {following}&p=3", gone),
    )

    assert outcome.error != ""
    assert CANARY not in outcome.error
    assert (state.walking, state.page_token) == (False, None)


def test_explain_shows_a_mask():
    """Where other steps have a stand-in, as nobody knows what they would give."""
    integration = bundle_of(vaulted=SPEC).integrations["vaulted"]
    shown = explain_stream(integration, "rows", ReadingState(), now=START, full=False)

    assert shown["request"]["headers"]["x-session"] == "***"
    assert shown["request"]["url"] == "https://api.test/rows?site=ABOUT"


async def call(operation, *steps):
    """Call once; returns the outcome."""
    provider, used_up = script(SESSION, *steps)
    integration = bundle_of(vaulted=SPEC).integrations["vaulted"]
    async with stage(provider) as on:
        manner = Manner(settings=Settings(), budget=None)
        outcome = await call_operation(on.world, integration, operation, {}, manner)
    used_up()
    return outcome


async def test_call_uses_it_and_masks_it():
    """A condition may look at it; an error does not tell it."""
    refused = answer({"error": f"bad {CANARY}"})
    done = await call("export", ("POST https://api.test/exports", answer({"job": 7})))
    failed = await call("export", ("POST https://api.test/exports", refused))

    assert (done.error, done.output) == ("", {"job": 7})
    assert CANARY not in failed.error
    assert failed.error.startswith("steps.run: POST /exports answered 200: bad ***")


async def test_answer_of_a_secret_step_is_no_output():
    """Of a call that makes no other request nothing is given."""
    outcome = await call("peek")

    assert (outcome.error, outcome.output) == ("", None)


async def test_of_many_secrets_of_one_step_none_is_forgotten():
    """A whole answer may hold more than are remembered of the steps before it."""
    session = answer({"id": CANARY, "ends": {"all": [f"0ther-{n}" for n in range(600)]}})
    about = (f"GET https://api.test/about/{CANARY}", answer({"site": "main"}))
    provider, used_up = script(
        (SESSION[0], session), about, (ROWS, answer({"error": f"no session {CANARY}"}))
    )
    async with stage(provider) as on:
        outcome = await on.sync(plan_of(SPEC, "rows"))
    used_up()

    assert "no session" in outcome.error
    assert CANARY not in outcome.error


@pytest.mark.parametrize(
    ("least", "steps"),
    [
        (3, (SESSION, ABOUT, (ROWS, answer({"data": []})))),
        (7, (SESSION, ("GET https://api.test/rows", answer({"data": []})))),
    ],
)
async def test_a_condition_can_make_a_number_of_a_secret_one(least, steps):
    """A secret is a text, also where the answer had a number."""
    when = f'when: "to_number(steps.open.ends) > `{least}`"'
    spec = SPEC.replace("when: steps.open.id", when).replace('"{{ steps.about }}"', "QUERY")
    query = '"{{ steps.about | default(omit) }}"'
    provider, used_up = script(*steps)
    async with stage(provider) as on:
        outcome = await on.sync(plan_of(spec.replace("QUERY", query), "rows"))
    used_up()

    assert outcome.error == ""
