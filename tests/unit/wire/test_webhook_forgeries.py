"""Calls that strangers make of what they saw or may choose: each is refused, and cheaply."""

import base64
import hashlib
import hmac
import json

import pytest

from integrationd.errors import SignatureError
from integrationd.wire.inbound.fetched import UnknownKeyError
from integrationd.wire.messages import Call
from tests.support.pairs import AT, BODY, call, check
from tests.support.senders import SENDERS, verifier_of

FORM = "application/x-www-form-urlencoded"
TWILIO = SENDERS["twilio"]
SEEN = "https://hooks.test/x?a=bAccountSid12Body9"
"""What a sender signed: the address, and its form AccountSid=12&Body=9."""


def shown(url, body, kind, text=SEEN):
    """Build a call under the signature of a text."""
    signature = base64.b64encode(hmac.digest(b"k", text.encode(), "sha1")).decode()
    pairs = [part.partition("=")[::2] for part in url.partition("?")[2].split("&")]
    headers = {"content-type": kind, "x-twilio-signature": signature}
    return Call(method="POST", url=url, path="/x", query=tuple(pairs), headers=headers, body=body)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b'{"amount": 1000000}', "application/json"),
        (b"AccountSid=13", "text/plain"),
        (b"AccountSid=13", ""),
        (b"&".join(b"a=%d" % number for number in range(1001)), FORM),
    ],
    ids=["json", "text", "none", "too many fields"],
)
def test_fields_of_a_form_do_not_move_into_the_address(body, kind):
    """One signature over address and form is none over a longer address and any other body."""
    genuine = shown("https://hooks.test/x?a=b", b"AccountSid=12&Body=9", FORM)
    check(TWILIO, genuine, key="k")

    with pytest.raises(SignatureError):
        check(TWILIO, shown(SEEN, body, kind), key="k")


TWILIO_JSON = verifier_of("""
type: hmac
algorithm: sha1
keys: ["{{ secrets.key }}"]
signature: {from: header.x-twilio-signature, encoding: base64}
checks: [{value: query.bodySHA256, equals: "{{ body | sha256 }}"}]
signed: "{{ url }}"
""")


def test_body_that_is_no_form_is_tied_by_its_digest():
    """Beside forms Twilio signs an address that has the digest of any other body."""
    body = b'{"id": 7}'
    url = f"https://hooks.test/x?bodySHA256={hashlib.sha256(body).hexdigest()}"
    check(TWILIO_JSON, shown(url, body, "application/json", url), key="k")

    for other in (b'{"id": 8}', b"a=1", b""):
        with pytest.raises(SignatureError):
            check(TWILIO_JSON, shown(url, other, "application/json", url), key="k")
    bare = "https://hooks.test/x"
    with pytest.raises(SignatureError):
        check(TWILIO_JSON, shown(bare, body, "application/json", bare), key="k")


def test_form_is_one_however_its_kind_is_written():
    """An optional check is not passed over because the type of the content is in capitals."""
    verifier = verifier_of("""
type: token
keys: ["{{ secrets.k }}"]
token: {from: header.x-token}
checks: [{value: form.state, equals: "{{ secrets.s }}", optional: true}]
""")
    for kind in (FORM, FORM.upper()):
        check(verifier, call(b"state=s", content_type=kind, x_token="k"), k="k", s="s")
        with pytest.raises(SignatureError):
            check(verifier, call(b"state=t", content_type=kind, x_token="k"), k="k", s="s")


MESSAGE = verifier_of("""
type: http_signature
algorithm: hmac-sha256
keys: ["{{ secrets.key }}"]
require: ["@method", content-digest]
""")
SHARED = base64.b64encode(b"shared").decode()
DIGEST = f"sha-256=:{base64.b64encode(hashlib.sha256(BODY).digest()).decode()}:"
COVERED = f'("@method" "content-digest");created={AT}'


def message(digest=DIGEST, wrong=0, signature=None):
    """Sign a message; in front of the right signature stand so many wrong ones."""
    base = f'"@method": POST\n"content-digest": {digest}\n"@signature-params": {COVERED}'
    made = base64.b64encode(hmac.digest(b"shared", base.encode(), "sha256")).decode()
    labels = [f"w{number}" for number in range(wrong)]
    return call(
        content_digest=digest,
        signature_input=", ".join(f"{label}={COVERED}" for label in [*labels, "s"]),
        signature=", ".join([*(f"{label}=:AAAA:" for label in labels), signature or f"s=:{made}:"]),
    )


@pytest.mark.parametrize(
    "made",
    [
        message(signature="s=()"),
        message(signature='s=("a")'),
        message(digest="sha-256=()"),
        message(digest=DIGEST.replace("=:", "=(:", 1) + ")"),
        message(wrong=8),
    ],
    ids=["empty list", "list", "empty digest", "digest in a list", "many"],
)
def test_message_signature_of_another_shape_is_refused(made):
    """A list where bytes belong, and more signatures than anybody needs, are no signature."""
    check(MESSAGE, message(), key=SHARED)
    check(MESSAGE, message(wrong=7), key=SHARED)

    with pytest.raises(SignatureError):
        check(MESSAGE, made, key=SHARED)


def test_time_without_bounds_is_no_time():
    """A number that is too large for a time is refused like any other wrong one."""
    parts = (b'{"alg":"HS256"}', b'{"exp":1' + b"0" * 400 + b"}")
    text = ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)
    made = base64.urlsafe_b64encode(hmac.digest(b"k", text.encode(), "sha256")).rstrip(b"=")
    verifier = verifier_of(
        'type: jwt\nalgorithms: [HS256]\nkeys: ["{{ secrets.k }}"]\ntoken: {from: header.x-jwt}'
    )

    with pytest.raises(SignatureError, match="the token's exp is no time"):
        check(verifier, call(x_jwt=f"Bearer {text}.{made.decode()}"), k="k")


@pytest.mark.parametrize("depth", [10, 500, 900, 100_000])
def test_place_in_a_body_may_hold_anything(depth):
    """A body that is nested as deep as can be decoded, or deeper, is refused and no fault."""
    verifier = verifier_of("""
type: hmac
keys: ["{{ secrets.k }}"]
signature: {from: json.sig}
signed: "{{ json.id }}"
""")
    body = b'{"id": "1", "sig": ' + b"[" * depth + b"]" * depth + b"}"

    with pytest.raises(SignatureError):
        check(verifier, call(body), k="k")


EITHER = verifier_of("""
type: any_of
of:
  - type: jwt
    algorithms: [ES256]
    jwks: https://keys.a.test/set
    token: {from: header.authorization}
    when: contains(keys(headers), 'authorization')
  - type: hmac
    keys: ["{{ secrets.k }}"]
    signature: {from: header.x-sig}
""")


def test_key_that_is_newer_is_asked_for_among_several_ways():
    """That a key set lacks the key is told, unless another way accepts the call."""
    head = base64.urlsafe_b64encode(b'{"alg":"ES256","kid":"new"}').rstrip(b"=").decode()
    keys = {"https://keys.a.test/set": json.dumps({"keys": []}).encode()}
    signature = hmac.new(b"k", BODY, "sha256").hexdigest()
    check(EITHER, call(authorization=f"Bearer {head}.e30.AAAA", x_sig=signature), keys, k="k")

    with pytest.raises(UnknownKeyError) as caught:
        check(EITHER, call(authorization=f"Bearer {head}.e30.AAAA", x_sig="00"), keys, k="k")

    assert caught.value.address == "https://keys.a.test/set"


def test_nothing_is_fetched_for_what_a_condition_rules_out():
    """A call that is refused anyhow, or that goes another way, asks no sender for its keys."""
    assert EITHER.addresses(call(authorization="Bearer a.b.c"), {}) != ()
    assert EITHER.addresses(call(x_sig="00"), {}) == ()
    named = verifier_of("""
type: rsa
when: body.kind == 'a'
certificate: {from: json.url, allow_host: keys.a.test, allow_path: /one.pem, allow_name: a.test}
signature: {from: header.x-sig}
""")
    address = "https://keys.a.test/one.pem"
    for kind, wanted in (("a", (address,)), ("b", ())):
        body = json.dumps({"kind": kind, "url": address}).encode()
        assert named.addresses(call(body), {}) == wanted
    with pytest.raises(SignatureError, match="'when' does not hold for this call"):
        check(named, call(body, x_sig="00"))
