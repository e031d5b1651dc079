"""Error rules: what a spec makes of failures that a status does not tell."""

import json
import math
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrationd.config.decode import Invalid, Site, decode
from integrationd.config.nodes import Position
from integrationd.config.problems import Problems
from integrationd.config.yaml import parse_yaml
from integrationd.errors import PageShapeError
from integrationd.model.json import Json
from integrationd.wire.decode.csv import CsvDecoder
from integrationd.wire.decode.json import JsonDecoder
from integrationd.wire.decode.ndjson import NdjsonDecoder
from integrationd.wire.decode.text import TextDecoder
from integrationd.wire.decode.xml import XmlDecoder
from integrationd.wire.judge import WAIT_MAX_S, Outcome, Verdict
from integrationd.wire.messages import Answer, Request
from integrationd.wire.reply import Judged, ReplyShape, judge_in_steps
from integrationd.wire.rules import MESSAGE_MAX, ErrorRule, find_rule

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
REQUEST = Request(method="GET", url="https://api.test/v1/orders?key=s3cr3t")


def read(text: str, hint: object) -> tuple[Json, list[str]]:
    """Decode a piece of YAML; returns it and what was told."""
    problems = Problems()
    node = parse_yaml(text.encode(), file="x.yaml", problems=problems)
    assert node is not None
    value = decode(node, hint, Site(problems, "errors[0]"))
    return value, [str(problem) for problem in problems.found]


def rule(text: str) -> ErrorRule:
    """Decode one good rule."""
    value, told = read(text, ErrorRule)
    assert told == []
    assert isinstance(value, ErrorRule)
    return value


def judged(body: bytes, *rules: str, status=200, decoder=None, **headers) -> Judged:
    """Judge an answer under some rules."""
    shape = ReplyShape(errors=tuple(rule(text) for text in rules))
    if decoder is not None:
        shape = ReplyShape(decoder=decoder, errors=shape.errors)
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    made = Answer(status=status, headers=names, body=body, url="https://api.test/v1/orders")
    steps = judge_in_steps(made, REQUEST, shape, NOW)
    while True:
        try:
            next(steps)
        except StopIteration as done:
            found: Judged = done.value
            return found


def outcome(body: bytes, *rules: str, status=200, **headers) -> Outcome:
    """Judge, and return what it means."""
    return judged(body, *rules, status=status, **headers).outcome


def test_error_in_a_success_is_found():
    """Status 200 with an error in the body is that error, with the provider's own words."""
    found = outcome(
        b'{"errorcode": "invalidtoken", "message": "Invalid  token\\u001b[2J"}',
        "{when: \"body.errorcode == 'invalidtoken'\", then: fail, kind: auth, "
        'message: "{{ body.message }}"}',
    )

    assert found == Outcome(
        verdict=Verdict.REFUSED,
        kind="auth",
        message="GET /v1/orders answered 200: Invalid token\\u001b[2J",
        status=200,
    )


def test_failure_may_be_none():
    """A rule may take an answer for a success whatever its status; what it holds is whole."""
    found = judged(b'{"items": [1]}', "{when: status == `404`, then: accept}", status=404)

    assert (found.outcome.verdict, found.outcome.kind) == (Verdict.ACCEPTED, "")
    assert found.reply == {"status": 404, "headers": {}, "body": {"items": [1]}}


def test_answer_that_is_accepted_has_to_be_readable():
    """What is no JSON is not taken for a page, whatever the rule says."""
    with pytest.raises(PageShapeError):
        judged(b"<html>", "{when: status == `404`, then: accept}", status=404)


def test_success_that_no_rule_is_about_is_accepted():
    """The reply is whole."""
    found = judged(b'{"items": [1]}', "{when: body.error, then: fail}", x_total="1")

    assert found.outcome.verdict is Verdict.ACCEPTED
    assert found.reply == {"status": 200, "headers": {"x-total": "1"}, "body": {"items": [1]}}


@pytest.mark.parametrize(
    ("then", "verdict", "kind"),
    [
        ("retry", Verdict.RETRY, "temporary"),
        ("wait", Verdict.RETRY, "rate"),
        ("reauthenticate", Verdict.REAUTHENTICATE, "auth"),
        ("skip", Verdict.SKIPPED, "permanent"),
        ("fail", Verdict.REFUSED, "permanent"),
        ("stop", Verdict.STOPPED, "permanent"),
    ],
)
def test_each_outcome_has_its_kind(then, verdict, kind):
    """What a rule does not say follows from what it does."""
    found = outcome(b"{}", f"{{when: 'status == `403`', then: {then}}}", status=403)

    assert (found.verdict, found.kind) == (verdict, kind)


def test_first_rule_that_holds_decides():
    """A stream's own rules come first, and each in the order it was written."""
    rules = (
        "{when: body.a, then: skip}",
        "{when: body.b, then: stop}",
        "{when: 'status == `500`', then: fail}",
    )

    assert outcome(b'{"b": 1}', *rules, status=500).verdict is Verdict.STOPPED
    assert outcome(b"{}", *rules, status=500).verdict is Verdict.REFUSED
    assert outcome(b"{}", *rules[:2], status=500).verdict is Verdict.RETRY


def test_rule_that_cannot_be_evaluated_does_not_hold():
    """``contains`` over nothing is no reason to lose what the status says."""
    found = outcome(b"{}", "{when: \"contains(body.error, 'quota')\", then: skip}", status=404)

    assert found == Outcome(
        verdict=Verdict.REFUSED,
        kind="permanent",
        message="GET /v1/orders answered 404",
        status=404,
    )


def test_message_that_cannot_be_made_hides_nothing():
    """Where the body has no such value the status is told alone."""
    found = outcome(
        b"{}", '{when: "status == `400`", then: fail, message: "{{ body.a.b }}"}', status=400
    )

    assert found.message == "GET /v1/orders answered 400"


def test_message_is_bounded():
    """A page of prose becomes a line."""
    body = b'"' + b"x" * 5000 + b'"'
    found = outcome(body, '{when: body, then: fail, message: "{{ body }}"}')

    assert len(found.message) == len("GET /v1/orders answered 200: ") + MESSAGE_MAX


def test_failure_that_is_not_json_is_text():
    """A page for people can still be recognised."""
    found = outcome(
        b"<h1>Down for maintenance</h1>",
        "{when: \"contains(body, 'maintenance')\", then: retry}",
        status=403,
    )

    assert found.verdict is Verdict.RETRY


def test_success_that_is_not_json_can_have_a_rule():
    """A maintenance page with status 200 need not be a broken page."""
    page = b"<h1>Down for maintenance</h1>"
    rules = '{when: "headers.\\"content-type\\" == \'text/html\'", then: retry}'

    assert outcome(page, rules, content_type="text/html").verdict is Verdict.RETRY
    with pytest.raises(PageShapeError) as caught:
        judged(page, rules)
    assert str(caught.value) == (
        "the answer of /v1/orders is not JSON: invalid character (byte 0); it looks like HTML or "
        "XML, is base_url right?"
    )


@pytest.mark.parametrize(
    ("decoder", "when"),
    [
        (XmlDecoder(), "body.Error.Code == 'SlowDown'"),
        (CsvDecoder(), "contains(body, '<Code>SlowDown</Code>')"),
        (TextDecoder(), "contains(body, '<Code>SlowDown</Code>')"),
        (JsonDecoder(), "contains(body, '<Code>SlowDown</Code>')"),
    ],
)
def test_failure_is_read_as_the_decoder_can(decoder, when):
    """Where successes are XML failures are too; to the others such a failure is text."""
    rules = f'{{when: "{when}", then: wait}}'
    body = b"<Error><Code>SlowDown</Code></Error>"

    assert judged(body, rules, status=400, decoder=decoder).outcome.verdict is Verdict.RETRY


@pytest.mark.parametrize("decoder", [XmlDecoder(), CsvDecoder(), TextDecoder(), NdjsonDecoder()])
def test_failure_in_json_is_known_for_it(decoder):
    """Gateways answer in JSON whatever stands behind them."""
    rules = "{when: \"body.code == 'slow'\", then: wait}"

    found = judged(b'{"code": "slow"}', rules, status=400, decoder=decoder)

    assert found.outcome.verdict is Verdict.RETRY


def test_success_of_xml_can_hold_a_failure():
    """S3 and SOAP report some errors with status 200."""
    rules = '{when: body.Error, then: fail, message: "{{ body.Error.Code }}"}'

    found = judged(b"<Error><Code>InternalError</Code></Error>", rules, decoder=XmlDecoder())

    assert found.outcome.message.endswith("answered 200: InternalError")


@pytest.mark.parametrize(
    ("wait", "found", "wait_s"),
    [
        ("45s", None, 45.0),
        ("{value: body.in}", 7, 7.0),
        ("{value: body.in}", " 7.5 ", 7.5),
        ("{value: body.in, format: ms}", 1500, 1.5),
        ("{value: body.in, format: unix}", int(NOW.timestamp()) + 30, 30.0),
        ("{value: body.in, format: unix}", int(NOW.timestamp()) - 30, 0.0),
        ("{value: body.in, format: unix_ms}", int(NOW.timestamp()) * 1000 + 30_000, 30.0),
        ("{value: body.in, format: date}", "2026-03-01T12:01:00Z", 60.0),
        ("{value: body.in, format: date}", "2026-03-01T12:01:00", 60.0),
        ("{value: body.in, format: date}", "Sun, 01 Mar 2026 12:01:00 GMT", 60.0),
        ("{value: body.in}", 10**9, WAIT_MAX_S),
    ],
)
def test_wait_is_read(wait, found, wait_s):
    """Fixed, or found in the answer as a span or as a moment."""
    body = b"{}" if found is None else json.dumps({"in": found}).encode()

    assert outcome(body, f"{{when: status, then: wait, wait: {wait}}}").wait_s == wait_s


@pytest.mark.parametrize("found", [None, True, -1, "soon", "-5", [], {}, "9" * 40])
@pytest.mark.parametrize("format_", ["seconds", "ms", "unix", "unix_ms", "date"])
def test_unreadable_wait_leaves_what_the_header_says(found, format_):
    """Retry-After is the default."""
    body = json.dumps({"in": found}).encode()
    text = f"{{when: status, then: wait, wait: {{value: body.in, format: {format_}}}}}"

    assert outcome(body, text, status=429, retry_after="12").wait_s == 12.0


@given(
    found=st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    format_=st.sampled_from(["seconds", "ms", "unix", "unix_ms", "date"]),
)
def test_any_value_gives_a_bounded_wait_or_none(found, format_):
    """No answer makes us wait for longer than a day, go back in time, or fail."""
    one = rule(f"{{when: status, then: wait, wait: {{value: body, format: {format_}}}}}")
    plain = Outcome(verdict=Verdict.ACCEPTED, message="x", status=200)

    wait_s = one.judge({"status": 200, "headers": {}, "body": found}, plain, NOW).wait_s

    assert wait_s is None or (0 <= wait_s <= WAIT_MAX_S and math.isfinite(wait_s))


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=5))
def test_no_body_makes_a_rule_fail(body):
    """Whatever comes, a rule holds or does not."""
    rules = [rule("{when: \"body.a[0] > `1` || contains(body, 'x')\", then: fail}")]

    assert find_rule(rules, {"status": 200, "headers": {}, "body": body}) in (None, rules[0])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "{when: status, then: give_up}",
            (
                "errors[0].then is 'give_up', expected one of retry, wait, reauthenticate, skip, "
                "accept, fail, stop, restart"
            ),
        ),
        (
            "{when: state, then: fail}",
            (
                "expression uses 'state', variables here are: body, headers, status; did you mean "
                "'status'?"
            ),
        ),
        (
            "{when: status, then: fail, wait: 5s}",
            "errors[0] has 'wait', which goes with 'then: wait' or 'then: retry' alone",
        ),
        (
            "{when: status, then: wait, wait: soon}",
            "errors[0].wait is 'soon', expected a duration such as 30s, 15m or 1h30m",
        ),
        (
            '{when: status, then: fail, message: "{{ secrets.token }}"}',
            "template uses 'secrets', variables here are: body, headers, status",
        ),
        ("{then: fail}", "errors[0] has no 'when', which is required"),
    ],
)
def test_bad_rule_is_told(text, told):
    """Each with what was expected."""
    value, found = read(text, ErrorRule)

    assert isinstance(value, Invalid)
    assert [line.split(": ", 2)[2] for line in found] == [told]


def test_lines_are_records():
    """Each line is a value; empty ones and the mark at the front count for nothing."""
    found = judged(b'\xef\xbb\xbf{"a": 1}\r\n\n{"a": 2}\n', decoder=NdjsonDecoder())

    assert found.reply["body"] == [{"a": 1}, {"a": 2}]


def test_no_line_is_no_body():
    """As an empty JSON answer."""
    assert judged(b"\n", decoder=NdjsonDecoder()).reply["body"] is None


def test_line_that_is_cut_off_fails_the_page():
    """A short answer must not pass for a whole one; the line is told by its number."""
    with pytest.raises(PageShapeError) as caught:
        judged(b'{"a": 1}\n{"a": ', decoder=NdjsonDecoder())

    assert str(caught.value) == (
        "line 2 of the answer of /v1/orders is not JSON: input data was truncated"
    )


@given(st.lists(st.recursive(st.integers() | st.text() | st.none(), st.lists), min_size=1))
def test_lines_are_read_as_they_were_written(values):
    """Whatever the values, line breaks inside of texts included."""
    body = "\n".join(map(json.dumps, values)).encode()

    assert judged(body, decoder=NdjsonDecoder()).reply["body"] == values


def test_rule_names_no_variable_of_the_spec():
    """A check of names over a whole stream finds nothing in it."""
    one = rule('{when: body.a, then: fail, message: "{{ body.b }}"}')

    assert one.references == ()
    assert one.when.position == Position("x.yaml", 1, 8)
