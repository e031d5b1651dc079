"""Published vectors of senders: each verifies, and nothing that differs from one does."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from integrationd.errors import SecretError, SignatureError
from integrationd.wire.encoding import encode
from integrationd.wire.messages import FormBody, JsonBody, Request
from tests.support.senders import (
    OF_VECTORS,
    SENDERS,
    call_of,
    load_vectors,
    variables_of,
    verifier_of,
)

VECTORS = load_vectors()
IN_BODY = ("mailgun", "vonage-md5", "sns")
"""Senders whose signature stands in the body."""


def those(holds):
    """Return the vectors of which something holds, and what stands there without any."""
    return [one for one in VECTORS if one.values[0] is None or holds(one.values[0])]


WITH_SECRET = those(lambda vector: vector.get("secret") is not None)
SIGNED_WHOLE = those(lambda vector: vector["id"] != "sns-v1")
IN_HEADER = those(lambda vector: not OF_VECTORS[vector["id"]].startswith(IN_BODY))
TIMED = those(lambda vector: getattr(SENDERS[OF_VECTORS[vector["id"]]], "timestamp", None))
BY_PUBLIC_KEY = {
    *("sendgrid", "sns", "paypal", "discord"),
    *("http-signature", "http-signature-bare"),
}
ITEMS = {"notificationItems": [{"NotificationRequestItem": {"pspReference": "7"}}]}


def moment(vector):
    """Return when a vector was received."""
    return datetime.fromtimestamp(vector["now"], UTC)


def check(vector, key=None, now=None, **changes):
    """Verify a vector, or what was made of it."""
    verifier = SENDERS[OF_VECTORS[vector["id"]]]
    call = call_of(vector, **changes)
    fetched = {
        address: vector["resources"][address].encode()
        for address in verifier.addresses(call, variables_of(vector, key))
    }
    verifier.verify(call, variables_of(vector, key), now or moment(vector), fetched)


def is_refused(vector, **changes):
    """Tell whether a call is refused."""
    try:
        check(vector, **changes)
    except SignatureError:
        return True
    return False


def flipped(data):
    """Yield bytes with one bit changed: each bit of few, one bit of each of many."""
    bits = range(8) if len(data) <= 100 else range(1)
    for index in range(len(data)):
        for bit in bits:
            yield data[:index] + bytes([data[index] ^ 1 << bit]) + data[index + 1 :]


@pytest.mark.parametrize("vector", VECTORS)
def test_published_vector_verifies(vector):
    """What senders publish is accepted as it stands."""
    check(vector)


@pytest.mark.parametrize("vector", WITH_SECRET)
def test_another_key_is_refused(vector):
    """A key with one letter changed, or two exchanged, fits nothing."""
    secret = vector["secret"]
    middle = len(secret) // 2
    other = secret[:middle] + ("x" if secret[middle] != "x" else "y") + secret[middle + 1 :]
    assert is_refused(vector, key=other)


@pytest.mark.parametrize("vector", SIGNED_WHOLE)
def test_flipped_bit_of_the_body_is_refused(vector):
    """Where the body is signed, each byte of it counts; where it is not, the verifier says so."""
    verifier = SENDERS[OF_VECTORS[vector["id"]]]
    assert verifier.covers_body is vector["body_authenticated"]
    if not vector["body_authenticated"]:
        return
    body = vector["body"].encode()
    accepted = [changed for changed in flipped(body) if not is_refused(vector, body=changed)]
    # Of a form its fields are signed, and a field may be written in several ways.
    assert [one for one in accepted if not _is_same_form(vector, one, body)] == []


def _is_same_form(vector, left, right):
    from urllib.parse import parse_qsl  # noqa: PLC0415 - for this comparison alone

    if "form" not in vector["headers"].get("Content-Type", ""):
        return False
    pairs = [
        sorted(parse_qsl(body, keep_blank_values=True, errors="surrogateescape"))
        for body in (left.decode("utf-8", "surrogateescape"), right.decode())
    ]
    return pairs[0] == pairs[1]


@pytest.mark.parametrize("vector", IN_HEADER)
def test_dropped_header_is_refused(vector):
    """Without the header of the signature nothing is accepted."""
    assert is_refused(vector, headers={})


@pytest.mark.parametrize("vector", TIMED)
def test_time_is_held_against_the_receipt(vector):
    """At the tolerance a call is accepted, a second past it not; before and behind alike."""
    rule = SENDERS[OF_VECTORS[vector["id"]]].timestamp
    text = rule.read(call_of(vector), moment(vector))
    sent = datetime.fromtimestamp(rule.format.read(text), UTC)
    for sign in (1, -1):
        check(vector, now=sent + sign * rule.tolerance)
        assert is_refused(vector, now=sent + sign * (rule.tolerance + timedelta(seconds=1)))


@pytest.mark.parametrize("vector", WITH_SECRET)
def test_empty_or_missing_key_closes_the_endpoint(vector):
    """Without a secret nothing is accepted and the reason is another one than a signature."""
    verifier = SENDERS[OF_VECTORS[vector["id"]]]
    for secrets in ({}, {"key": ""}):
        with pytest.raises(SecretError, match=r"verify\.keys\[0\]"):
            verifier.verify(call_of(vector), {"config": {}, "secrets": secrets}, moment(vector))


@pytest.mark.parametrize("name", sorted(BY_PUBLIC_KEY))
def test_what_only_the_sender_can_sign_is_told(name):
    """Where a private key signs, playing the sender is refused in words."""
    request = Request(method="POST", url="https://hooks.test/x")
    with pytest.raises(SecretError, match="which only the sender has"):
        SENDERS[name].sign(request, b"", {}, datetime(2026, 3, 1, tzinfo=UTC))


@pytest.mark.parametrize("vector", [one for one in VECTORS if one.id == "sns-v1"])
@pytest.mark.parametrize(
    "name", ["Message", "MessageId", "Timestamp", "TopicArn", "Type", "Signature", "Subject"]
)
def test_each_signed_field_counts(vector, name):
    """A field that is changed, or that is added, breaks the signature of a notification."""
    body = json.loads(vector["body"])
    value = body.get(name, "")
    body[name] = value[:5] + ("1" if value[5:6] != "1" else "2") + value[6:]
    assert is_refused(vector, body=json.dumps(body))


@pytest.mark.parametrize("name", sorted(SENDERS.keys() - BY_PUBLIC_KEY))
def test_same_spec_signs(name):
    """What a spec verifies it signs too, so that the sender can be played."""
    verifier = SENDERS[name]
    prefix = "" if name == "adyen" else "whsec_"
    variables = variables_of({"secret": f"{prefix}{'0a1b2c3d' * 4}"})
    now = datetime(2026, 3, 1, tzinfo=UTC)
    body = (
        FormBody((("text", "a=b&c"), ("to", "1")))
        if name.startswith(("vonage", "twilio"))
        else JsonBody({"signature": {"token": "t"}, "id": 7, **ITEMS})
    )
    request = Request(method="POST", url="https://hooks.test/x?a=1", body=body)

    signed = verifier.sign(request, encode(request).body, variables, now)

    sent = encode(signed)
    vector = {"method": "POST", "url": sent.url, "headers": sent.headers, "body": sent.body}
    verifier.verify(call_of(vector), variables, now)
    with pytest.raises(SignatureError):
        verifier.verify(call_of(vector), variables_of({"secret": f"{prefix}ABCD"}), now)


@pytest.mark.parametrize(
    "text",
    [
        "{type: token, keys: ['{{ secrets.k }}'], token: {from: header.x}}",
        "{type: basic, username: '{{ config.u }}', password: '{{ secrets.p }}'}",
    ],
)
def test_what_signs_nothing_says_so(text):
    """Whoever saw one such call can send any body."""
    assert not verifier_of(text).covers_body
