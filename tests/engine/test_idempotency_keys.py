"""Keys of calls: the same at every try, another for every call, none after they are lost."""

import re

import pytest

from integrationd.engine.asking import Manner
from integrationd.engine.call import call_operation
from integrationd.errors import UnavailableError
from integrationd.model.runs import RunStatus
from integrationd.spec.settings import Settings
from tests.support.fakes import Provider, answer
from tests.support.worlds import bundle_of, stage

pytestmark = pytest.mark.looptime(start=0)

SPEC = """\
integration: shop
http: {base_url: "https://api.test"}
operations:
  pay:
    post: /pay
    idempotency_key: header.idempotency-key
  pay_order:
    input: {order: {type: string}}
    post: /pay
    idempotency_key: {into: query.requestid, value: "order-{{ input.order }}"}
  own: {post: "/own/{{ delivery.id }}"}
  forgets: {post: /pay, idempotency_key: {into: header.idempotency-key, keep: 30s}}
  both:
    idempotent: false
    steps:
      - {name: hold, post: /holds, idempotency_key: header.idempotency-key}
      - {name: pay, post: /pay, idempotency_key: header.idempotency-key}
      - {name: tell, post: /messages}
  either:
    first_of:
      - {post: /a, idempotency_key: header.idempotency-key, found: body.x}
      - {post: /b, idempotency_key: header.idempotency-key}
"""
BROKEN = UnavailableError("the connection broke")
DONE = answer({"id": 1})


async def call(operation, *answers, delivery="", **given):
    """Call once, answered so; returns the outcome, and of each request its line and its key."""
    left, asked = list(answers), []

    def respond(line, headers):
        asked.append((line.removeprefix("POST https://api.test"), headers.get("idempotency-key")))
        return left.pop(0)

    integration = bundle_of(shop=SPEC).integrations["shop"]
    found = integration.operations[operation]
    async with stage(Provider(respond)) as on:
        manner = Manner(settings=Settings(), budget=None, may_repeat=found.may_repeat)
        outcome = await call_operation(
            on.world,
            integration,
            operation,
            found.input.read(given, {}),
            manner,
            delivery=delivery,
        )
    assert left == []
    return outcome, asked


async def test_key_is_the_same_at_every_try():
    """A post with a key is tried again although it may have been done, under the same key."""
    outcome, asked = await call("pay", BROKEN, answer({}, status=502), DONE)

    assert outcome.status is RunStatus.DONE
    keys = {key for _, key in asked}
    assert len(asked) == 3
    assert len(keys) == 1
    assert re.fullmatch(r"dlv_[0-9A-HJKMNP-TV-Z]{26}", keys.pop())


async def test_whoever_owes_the_call_says_its_id():
    """A delivery's own id is the key, in another process and on another day too."""
    _, asked = await call("pay", DONE, delivery="dlv_7")
    _, own = await call("own", DONE, delivery="dlv_7")

    assert asked == [("/pay", "dlv_7")]
    assert own == [("/own/dlv_7", None)]


async def test_key_is_made_of_the_input():
    """The same order is the same call, whoever makes it."""
    outcome, asked = await call("pay_order", BROKEN, DONE, order="7")

    assert outcome.status is RunStatus.DONE
    assert [line for line, _ in asked] == ["/pay?requestid=order-7"] * 2


async def test_steps_have_keys_of_their_own():
    """A key stands for one request; a step without one is not repeated, whatever others have."""
    outcome, asked = await call("both", BROKEN, DONE, DONE, BROKEN, delivery="dlv_7")

    assert (outcome.status, outcome.known) == (RunStatus.FAILED, False)
    assert asked == [
        ("/holds", "dlv_7-hold"),
        ("/holds", "dlv_7-hold"),
        ("/pay", "dlv_7-pay"),
        ("/messages", None),
    ]


async def test_alternatives_have_keys_of_their_own():
    """What the first did not find is another request to the second."""
    _, asked = await call("either", DONE, BROKEN, DONE, delivery="dlv_7")

    assert asked == [("/a", "dlv_7-0"), ("/b", "dlv_7-1"), ("/b", "dlv_7-1")]


@pytest.mark.parametrize(
    ("first", "wait_s", "tries"),
    [
        pytest.param(500, "29", 2, id="within"),
        pytest.param(500, "30", 1, id="after"),
        pytest.param(429, "45", 2, id="nothing was done"),
    ],
)
async def test_key_is_not_sent_again_when_it_may_be_forgotten(first, wait_s, tries):
    """Where something may have been done, only while the provider knows the key."""
    late = answer({}, status=first, retry_after=wait_s)
    outcome, asked = await call("forgets", *[late, DONE][:tries])

    assert len(asked) == tries
    assert outcome.known is (tries == 2)


async def test_doubt_stays_when_a_later_answer_was_none():
    """A first try that may have been done counts, also where the second was surely not."""
    first = answer({}, status=500, retry_after="20")
    second = answer({}, status=429, retry_after="20")
    outcome, asked = await call("forgets", first, second)

    assert len(asked) == 2
    assert outcome.known is False
    assert outcome.error == (
        "POST /x answered 429; it may have been done or not, so it is not tried again: look there "
        "before you repeat it"
    ).replace("/x", "/pay")


async def test_what_was_tried_to_the_end_is_not_known():
    """Another call would have another key, so that a person has to look first."""
    outcome, asked = await call("pay", *[BROKEN] * 4)

    assert len({key for _, key in asked}) == 1
    assert (outcome.status, outcome.known) == (RunStatus.FAILED, False)


async def test_what_was_surely_not_done_is_known():
    """A limit that does not end is no doubt."""
    outcome, _ = await call("pay", *[answer({}, status=429)] * 4)

    assert (outcome.status, outcome.known, outcome.kind) == (RunStatus.FAILED, True, "rate")
