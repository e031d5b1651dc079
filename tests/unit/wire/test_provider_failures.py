"""How real providers say that something failed, and how long to wait: a case for each of them.

Each row has what a spec says of it, the answer, and what becomes of that.
"""

import json
from datetime import UTC, datetime

import pytest

from integrationd.config.decode import Site, decode
from integrationd.config.problems import Problems
from integrationd.config.yaml import parse_yaml
from integrationd.wire import pieces
from integrationd.wire.decode.json import JsonDecoder
from integrationd.wire.decode.xml import XmlDecoder
from integrationd.wire.messages import Answer, Request
from integrationd.wire.reply import ReplyShape, judge_in_steps
from integrationd.wire.rules import ErrorRule

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
IN_90_S = str(int(NOW.timestamp()) + 90)
DATE = "Sun, 01 Mar 2026 12:01:30 GMT"

FAILURES = {
    "moodle: an exception with status 200": (
        (
            "[{when: \"body.errorcode == 'invalidtoken'\", then: fail, kind: auth}, "
            '{when: "body.exception", then: fail}]'
        ),
        (200, {"exception": "moodle_exception", "errorcode": "invalidtoken"}),
        ("refused", "auth", None),
    ),
    "moodle: an exception of another kind": (
        '[{when: "body.exception", then: fail, message: "{{ body.message }}"}]',
        (200, {"exception": "dml_missing_record_exception", "message": "no course"}),
        ("refused", "permanent", None),
    ),
    "moodle: null is a good answer": (
        '[{when: "body.exception", then: fail}]',
        (200, None),
        ("accepted", "", None),
    ),
    "idukay: a list of errors": (
        '[{when: "length(body.errors || `[]`) > `0`", then: fail}]',
        (200, {"errors": ["no such period"]}),
        ("refused", "permanent", None),
    ),
    "textlocal: a status in the body": (
        "[{when: \"body.status == 'failure'\", then: fail}]",
        (200, {"status": "failure", "errors": [{"code": 4}]}),
        ("refused", "permanent", None),
    ),
    "vonage: throttled is a code": (
        (
            "[{when: \"contains(['1', '10'], body.messages[0].status)\", then: wait, wait: 1s}, "
            "{when: \"body.messages[?status != '0']\", then: fail}]"
        ),
        (200, {"messages": [{"status": "1"}]}),
        ("retry", "rate", 1),
    ),
    "vonage: any other code": (
        (
            "[{when: \"contains(['1', '10'], body.messages[0].status)\", then: wait, wait: 1s}, "
            "{when: \"body.messages[?status != '0']\", then: fail}]"
        ),
        (200, {"messages": [{"status": "0"}, {"status": "9"}]}),
        ("refused", "permanent", None),
    ),
    "evergreen: the gateway's own status": (
        '[{when: "body.status != `200` || body.payload[0].ilsevent", then: fail}]',
        (200, {"status": 404, "payload": []}),
        ("refused", "permanent", None),
    ),
    "evergreen: an event in the payload": (
        '[{when: "body.status != `200` || body.payload[0].ilsevent", then: fail}]',
        (200, {"status": 200, "payload": [{"ilsevent": "1002"}]}),
        ("refused", "permanent", None),
    ),
    "quickbooks: a fault": (
        '[{when: "body.Fault", then: fail, message: "{{ body.Fault.Error[0].Message }}"}]',
        (200, {"Fault": {"Error": [{"Message": "Object Not Found"}]}}),
        ("refused", "permanent", None),
    ),
    "salesforce: a part of a composite": (
        '[{when: "body.compositeResponse[?httpStatusCode >= `400`]", then: fail}]',
        (200, {"compositeResponse": [{"httpStatusCode": 400}]}),
        ("refused", "permanent", None),
    ),
    "salesforce: a daily limit with 403": (
        (
            "[{when: \"status == `403` && body[0].errorCode == 'REQUEST_LIMIT_EXCEEDED'\", "
            "then: wait, wait: 15m}]"
        ),
        (403, [{"errorCode": "REQUEST_LIMIT_EXCEEDED"}]),
        ("retry", "rate", 900),
    ),
    "salesforce: a session that is over": (
        "[{when: \"body[0].errorCode == 'INVALID_SESSION_ID'\", then: reauthenticate}]",
        (401, [{"errorCode": "INVALID_SESSION_ID"}]),
        ("reauthenticate", "auth", None),
    ),
    "shopify: throttled GraphQL": (
        "[{when: \"body.errors[?extensions.code == 'THROTTLED']\", then: wait, wait: 2s}]",
        (200, {"errors": [{"extensions": {"code": "THROTTLED"}}]}),
        ("retry", "rate", 2),
    ),
    "shopify: errors of a mutation": (
        '[{when: "body.data.orderUpdate.userErrors", then: fail}]',
        (200, {"data": {"orderUpdate": {"userErrors": [{"message": "no"}]}}}),
        ("refused", "permanent", None),
    ),
    "xero: an item with errors": (
        '[{when: "body.Invoices[?HasErrors]", then: fail}]',
        (200, {"Invoices": [{"HasErrors": True}]}),
        ("refused", "permanent", None),
    ),
    "gmail: throttled with 403": (
        (
            "[{when: \"contains(['rateLimitExceeded', 'userRateLimitExceeded'], "
            'body.error.errors[0].reason)", then: wait}]'
        ),
        (403, {"error": {"errors": [{"reason": "rateLimitExceeded"}]}}),
        ("retry", "rate", None),
    ),
    "gmail: forbidden with 403": (
        "[{when: \"body.error.errors[0].reason == 'rateLimitExceeded'\", then: wait}]",
        (403, {"error": {"errors": [{"reason": "insufficientPermissions"}]}}),
        ("refused", "auth", None),
    ),
    "sierra: a refusal with status 500": (
        '[{when: "status == `500` && body.code == `132`", then: fail, kind: permanent}]',
        (500, {"code": 132, "name": "XCirc error"}),
        ("refused", "permanent", None),
    ),
    "razorpay: a conflict that passes": (
        '[{when: "status == `409`", then: retry}]',
        (409, {"error": {"code": "BAD_REQUEST_ERROR"}}),
        ("retry", "temporary", None),
    ),
    "twilio: 429 was never done": ("[]", (429, {"code": 20429}), ("retry", "rate", None)),
    "a 404 is a failure": ("[]", (404, {}), ("refused", "permanent", None)),
    "a 404 is none where that is written": (
        '[{when: "status == `404`", then: skip}]',
        (404, {}),
        ("skipped", "permanent", None),
    ),
}

WAITS = {
    "Retry-After in seconds": ("[]", 429, {"retry-after": "90"}, 90),
    "Retry-After with a fraction": ("[]", 429, {"retry-after": "1.5"}, 1.5),
    "Retry-After as a date": ("[]", 503, {"retry-after": DATE}, 90),
    "none at all": ("[]", 429, {}, None),
    "sendgrid: Unix time": (
        (
            '[{when: "status == `429`", then: wait, '
            'wait: {value: headers."x-ratelimit-reset", format: unix}}]'
        ),
        429,
        {"x-ratelimit-reset": IN_90_S},
        90,
    ),
    "cloudinary: a date, also with 420": (
        (
            '[{when: "status == `420`", then: wait, '
            'wait: {value: headers."x-featureratelimit-reset", format: date}}]'
        ),
        420,
        {"x-featureratelimit-reset": DATE},
        90,
    ),
    "quickbooks: always a minute": (
        '[{when: "status == `429`", then: wait, wait: 60s}]',
        429,
        {},
        60,
    ),
    "a header that is missing": (
        '[{when: "status == `429`", then: wait, wait: {value: headers.again}}]',
        429,
        {"retry-after": "5"},
        5,
    ),
}


def rules(text):
    """Decode the rules of a call."""
    problems = Problems()
    node = parse_yaml(text.encode(), file="x.yaml", problems=problems)
    found = decode(node, tuple[ErrorRule, ...], Site(problems, "errors"))
    assert [str(problem) for problem in problems.found] == []
    return found


def outcome_of(text, status, body, headers=(), decoder=None):
    """Judge an answer."""
    answer = Answer(status=status, headers=dict(headers), body=body, url="https://api.test/x")
    shape = ReplyShape(errors=rules(text), decoder=decoder or JsonDecoder())
    request = Request(method="POST", url="https://api.test/x")
    return pieces.finish(judge_in_steps(answer, request, shape, NOW)).outcome


@pytest.mark.parametrize(("text", "given", "found"), FAILURES.values(), ids=FAILURES)
def test_failure_means_what_its_provider_says(text, given, found):
    """What the run does next, the kind of failure, and how long to wait."""
    status, body = given
    outcome = outcome_of(text, status, json.dumps(body).encode())

    assert (str(outcome.verdict), outcome.kind, outcome.wait_s) == found


@pytest.mark.parametrize(("text", "status", "headers", "wait_s"), WAITS.values(), ids=WAITS)
def test_wait_is_as_long_as_its_provider_says(text, status, headers, wait_s):
    """In seconds from now, however it is written."""
    outcome = outcome_of(text, status, b"{}", headers)

    assert (str(outcome.verdict), outcome.wait_s) == ("retry", wait_s)


@pytest.mark.parametrize(
    ("text", "status", "body", "verdict"),
    [
        (
            "[{when: \"body.Error.Code == 'SlowDown'\", then: wait}]",
            503,
            b"<Error><Code>SlowDown</Code></Error>",
            "retry",
        ),
        (
            '[{when: "body.PublishBatchResponse.PublishBatchResult.Failed", then: fail}]',
            200,
            (
                b"<PublishBatchResponse><PublishBatchResult><Failed><member><Code>x</Code></member>"
                b"</Failed></PublishBatchResult></PublishBatchResponse>"
            ),
            "refused",
        ),
        (
            '[{when: "body.PublishBatchResponse.PublishBatchResult.Failed", then: fail}]',
            200,
            (
                b"<PublishBatchResponse><PublishBatchResult><Failed/>"
                b"</PublishBatchResult></PublishBatchResponse>"
            ),
            "accepted",
        ),
    ],
    ids=["s3: slow down", "sns: a part failed", "sns: none failed"],
)
def test_failure_in_xml_means_what_its_provider_says(text, status, body, verdict):
    """S3 and SNS answer in XML."""
    outcome = outcome_of(text, status, body, decoder=XmlDecoder())

    assert str(outcome.verdict) == verdict


def test_only_what_was_surely_not_done_is_repeated():
    """A 429 of any provider was not done; a conflict that a rule repeats may have been."""
    throttled = outcome_of("[]", 429, b"{}")
    conflict = outcome_of('[{when: "status == `409`", then: retry}]', 409, b"{}")

    assert (throttled.undone, conflict.undone) == (True, False)
