"""Operations of several requests: the first that finds something, and one after the other."""

import pytest

from integrationd.engine.asking import Manner
from integrationd.engine.call import call_operation
from integrationd.errors import UnavailableError
from integrationd.model.runs import RunStatus
from integrationd.spec.settings import Settings
from tests.support.fakes import answer, script
from tests.support.worlds import bundle_of, stage

pytestmark = pytest.mark.looptime(start=0)

SPEC = """\
integration: library
http: {base_url: "https://api.test"}
operations:
  lookup:
    input:
      barcode: {type: [string, "null"], default: null}
      title: {type: [string, "null"], default: null}
    first_of:
      - when: input.barcode
        get: /items
        query: {code: "{{ input.barcode }}"}
        found: "length(body) > `0`"
        errors: [{when: "status == `404`", then: skip}]
      - {when: input.title, get: /search, query: &t {title: "{{ input.title }}"}, found: "body[0]"}
      - {when: input.title, get: /archive, query: *t, found: "body[0]"}
    output: {found: "length(body || `[]`) > `0`", item: "body[0]", status: status}
  lend:
    input: {card: {type: string}}
    steps:
      - {name: patron, get: /patrons, query: {card: "{{ input.card }}"}, output: "body[0].id"}
      - name: member
        when: "!(steps.patron)"
        post: /patrons
        json: {card: "{{ input.card }}"}
        output: body.id
      - {name: loan, post: /loans, json: {patron: "{{ steps.patron or steps.member }}"}}
    output: {loan: body.id, member: "var('steps.member')"}
  safe: {idempotent: true, steps: [{name: a, post: /a}, {name: b, idempotent: false, post: /b}]}
  plain: {steps: [{name: a, get: /a, output: body.x}, {name: b, when: steps.a, get: /b}]}
"""
ITEMS = "GET https://api.test/items?code=1"
SEARCH = "GET https://api.test/search?title=Dune"
ARCHIVE = "GET https://api.test/archive?title=Dune"
FIND = "GET https://api.test/patrons?card=c"
JOIN = "POST https://api.test/patrons"
LOAN = "POST https://api.test/loans"


async def call(operation, *steps, **given):
    """Call once, with exactly these requests; returns the outcome."""
    provider, used_up = script(*steps)
    integration = bundle_of(library=SPEC).integrations["library"]
    found = integration.operations[operation]
    async with stage(provider) as on:
        manner = Manner(settings=Settings(), budget=None, may_repeat=found.may_repeat)
        outcome = await call_operation(
            on.world, integration, operation, found.input.read(given, {}), manner
        )
    used_up()
    return outcome


@pytest.mark.parametrize(
    ("given", "steps", "output"),
    [
        ({"barcode": "1", "title": "Dune"}, [(ITEMS, [7])], (True, 7, 200)),
        ({"barcode": "1", "title": "Dune"}, [(ITEMS, []), (SEARCH, [8])], (True, 8, 200)),
        ({"title": "Dune"}, [(SEARCH, [8])], (True, 8, 200)),
        ({"title": "Dune"}, [(SEARCH, []), (ARCHIVE, [9])], (True, 9, 200)),
        ({"title": "Dune"}, [(SEARCH, []), (ARCHIVE, [])], (False, None, 200)),
        ({"barcode": "1"}, [(ITEMS, None)], (False, None, None)),
        ({}, [], (False, None, None)),
    ],
    ids=["first", "second", "by when", "third", "none", "a tolerated 404", "none asked"],
)
async def test_first_that_finds_something_is_the_last(given, steps, output):
    """Those whose condition does not hold are not asked; the output reads the last answer."""
    answers = [
        (line, answer(body) if body is not None else answer({}, status=404)) for line, body in steps
    ]

    outcome = await call("lookup", *answers, **given)

    assert outcome.error == ""
    assert tuple(outcome.output.values()) == output


async def test_failure_is_no_reason_to_look_elsewhere():
    """Only what is written as nothing is nothing; the error says which request it was."""
    outcome = await call("lookup", (SEARCH, answer({}, status=404)), title="Dune")

    assert (outcome.status, outcome.error) == (
        RunStatus.FAILED,
        (
            "first_of[1]: GET /search answered 404; there is no such thing, or the path or "
            "http.base_url is wrong"
        ),
    )


@pytest.mark.parametrize(
    ("steps", "output"),
    [
        ([(FIND, [{"id": 5}]), (LOAN, {"id": 9})], {"loan": 9, "member": None}),
        ([(FIND, []), (JOIN, {"id": 6}), (LOAN, {"id": 9})], {"loan": 9, "member": 6}),
    ],
    ids=["known", "new"],
)
async def test_step_uses_what_came_before(steps, output):
    """A step that is not needed is not made, and gives null."""
    outcome = await call("lend", *((line, answer(body)) for line, body in steps), card="c")

    assert (outcome.error, outcome.output) == ("", output)
    assert outcome.counts.requests == len(steps)


async def test_failed_step_tells_what_was_done_before_it():
    """A person has to know that the patron is there now, and the loan is not."""
    outcome = await call(
        "lend",
        (FIND, answer([])),
        (JOIN, answer({"id": 6})),
        (LOAN, answer({}, status=409)),
        card="c",
    )

    assert (outcome.status, outcome.output, outcome.known) == (RunStatus.FAILED, None, True)
    assert outcome.error == "steps.loan: POST /loans answered 409; done before it: member"


async def test_step_that_may_have_been_done_is_not_repeated():
    """Each goes by its own method; a read is tried again, a write is not."""
    broken = UnavailableError("the connection was closed")
    outcome = await call("lend", (FIND, broken), (FIND, answer([])), (JOIN, broken), card="c")

    assert not outcome.known
    assert outcome.error == (
        "steps.member: the connection was closed; it may have been done or not, so it is not "
        "tried again: look there before you repeat it"
    )


async def test_idempotent_is_said_for_all_or_for_one():
    """What a step says of itself goes before what the operation says of all."""
    broken = UnavailableError("the connection was closed")
    a, b = "POST https://api.test/a", "POST https://api.test/b"
    outcome = await call("safe", (a, broken), (a, answer({})), (b, broken))

    assert (outcome.known, outcome.counts.retries) == (False, 1)


@pytest.mark.parametrize(("body", "output"), [({"x": 1}, "b"), ({}, {})])
async def test_without_output_the_last_body_is_given(body, output):
    """Of the last step that was asked."""
    steps = [("GET https://api.test/a", answer(body)), ("GET https://api.test/b", answer("b"))]

    outcome = await call("plain", *(steps if body else steps[:1]))

    assert outcome.output == output
