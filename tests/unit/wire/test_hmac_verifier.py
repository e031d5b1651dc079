"""Signatures over the raw body: what fits, what does not, and what is told of it."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrationd.config.decode import INVALID, Kinds, Site, decode
from integrationd.config.problems import Problems
from integrationd.config.yaml import parse_yaml
from integrationd.errors import SecretError, SignatureError
from integrationd.model.secret import Secret
from integrationd.wire.alternatives import VERIFY_KINDS
from integrationd.wire.messages import Call, Request
from tests.support.senders import load_vectors

NOW = datetime(2026, 3, 1, tzinfo=UTC)
KEY = "it's a secret"
KEYS = 'keys: ["{{ secrets.key }}"]'
HEX = f'{{type: hmac, {KEYS}, signature: {{from: header.X-Sig, prefix: "sha256="}}}}'
REQUEST = Request(method="POST", url="https://hooks.test/x")


def decode_verifier(text):
    """Decode the YAML of a verifier; return it with what was told."""
    problems = Problems()
    node = parse_yaml(text.encode(), file="specs/acme.yaml", problems=problems)
    made = decode(node, object, Site(problems, "webhooks.events.verify").noted(Kinds(VERIFY_KINDS)))
    return made, [str(problem) for problem in problems.found]


def read(text):
    """Decode what is known to be right."""
    verifier, told = decode_verifier(text)
    assert told == []
    return verifier


def variables(**secrets):
    """Build the values that templates see."""
    return {"config": {}, "secrets": {name: Secret(value) for name, value in secrets.items()}}


def call(body, **headers):
    """Build an inbound call."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return Call(
        method="POST", url="https://hooks.test/x", path="/x", query=(), headers=names, body=body
    )


def check(text, made, **secrets):
    """Verify a call."""
    read(text).verify(made, variables(**secrets or {"key": KEY}), NOW)


def refusal(text, made, **secrets):
    """Return why a call is refused."""
    with pytest.raises(SignatureError) as caught:
        check(text, made, **secrets)
    return str(caught.value)


def signature(body, key=KEY, algorithm="sha256"):
    """Sign as a sender does, without our own code."""
    return hmac.new(key.encode(), body, algorithm).hexdigest()


NO_MATCH = (
    "no signature in header.x-sig fits the body; another key, or the body was changed on its way"
)


@given(body=st.binary(max_size=300))
def test_signed_body_is_accepted(body):
    """Any bytes can be signed, an empty body included, and the case of hex does not matter."""
    check(HEX, call(body, x_sig=f"sha256={signature(body)}"))
    check(HEX, call(body, x_sig=f"sha256={signature(body).upper()}"))


@given(body=st.binary(min_size=1, max_size=100), data=st.data())
def test_flipped_bit_in_the_body_breaks_the_signature(body, data):
    """Every bit of the body is covered."""
    bit = data.draw(st.integers(0, len(body) * 8 - 1))
    changed = bytearray(body)
    changed[bit // 8] ^= 1 << bit % 8

    made = call(bytes(changed), x_sig=f"sha256={signature(body)}")

    assert refusal(HEX, made) == NO_MATCH


@given(bit=st.integers(0, 255))
def test_flipped_bit_in_the_signature_breaks_it(bit):
    """Every bit of the signature counts."""
    digest = bytearray.fromhex(signature(b"{}"))
    digest[bit // 8] ^= 1 << bit % 8

    assert refusal(HEX, call(b"{}", x_sig=f"sha256={digest.hex()}")) == NO_MATCH


def test_body_is_taken_byte_for_byte():
    """A body with other white space is another body."""
    assert refusal(HEX, call(b"{} ", x_sig=f"sha256={signature(b'{}')}")) == NO_MATCH
    assert refusal(HEX, call(b"\n{}", x_sig=f"sha256={signature(b'{}')}")) == NO_MATCH


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "sha512"])
@pytest.mark.parametrize("encoding", ["hex", "base64"])
def test_what_is_signed_verifies(algorithm, encoding):
    """The same spec plays the sender, for every algorithm and encoding."""
    text = (
        f"{{type: hmac, algorithm: {algorithm}, keys: ['{{{{ secrets.key }}}}'],"
        f" signature: {{from: header.x-sig, encoding: {encoding}}}}}"
    )
    signed = read(text).sign(REQUEST, b"body", variables(key=KEY), NOW)

    digest = hmac.new(KEY.encode(), b"body", algorithm).digest()
    shown = digest.hex() if encoding == "hex" else base64.b64encode(digest).decode()
    assert signed == REQUEST.with_header("x-sig", shown)
    check(text, call(b"body", x_sig=shown))


def test_signature_may_stand_in_the_query():
    """The place is the spec's choice."""
    text = HEX.replace("header.X-Sig", "query.sig")
    signed = read(text).sign(REQUEST, b"body", variables(key=KEY), NOW)

    made = call(b"body")
    made = Call(
        method=made.method,
        url=made.url,
        path=made.path,
        query=signed.query,
        headers={},
        body=b"body",
    )
    check(text, made)


ROTATING = HEX.replace('["{{ secrets.key }}"]', '["{{ secrets.new }}", "{{ secrets.old }}"]')


@pytest.mark.parametrize("key", ["new", "old"])
def test_any_key_may_fit_while_they_are_rotated(key):
    """Both keys are accepted; the newest signs."""
    check(ROTATING, call(b"{}", x_sig=f"sha256={signature(b'{}', key)}"), new="new", old="old")

    signed = read(ROTATING).sign(REQUEST, b"{}", variables(new="new", old="old"), NOW)
    assert signed.headers["x-sig"] == f"sha256={signature(b'{}', 'new')}"


@pytest.mark.parametrize("place", range(8))
def test_any_of_several_signatures_may_fit(place):
    """A sender that rotates its secret sends several; ones that cannot be read are passed over."""
    parts = ["sha256=00", "v0=abc", f"sha256={'0' * 64}", "", "sha256=é", "sha256=zz", "a", "b"]
    parts[place] = f"sha256={signature(b'{}')}"

    check(HEX, call(b"{}", x_sig=", ".join(parts)))


def test_too_many_signatures_are_refused():
    """The work for one call is bounded, also where the ninth would fit."""
    header = ",".join([*["sha256=00"] * 8, f"sha256={signature(b'{}')}"])

    assert refusal(HEX, call(b"{}", x_sig=header)) == "header.x-sig holds more than 8 signatures"


UNREADABLE = "header.x-sig cannot be read, expected a sha256 signature in hex"


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        ({}, "header.x-sig is missing, expected a signature"),
        ({"x_sig": ""}, "header.x-sig is missing, expected a signature"),
        ({"x_sig": signature(b"{}")}, "header.x-sig holds no signature that begins with 'sha256='"),
        ({"x_sig": "sha256="}, UNREADABLE),
        ({"x_sig": "sha256=" + "0" * 62}, UNREADABLE),
        ({"x_sig": "sha256=" + "0" * 66}, UNREADABLE),
        ({"x_sig": "sha256=" + "00 " * 32}, UNREADABLE),
        ({"x_sig": "sha256=00" + "é" * 62}, UNREADABLE),
        ({"x_sig": "sha256=" + "é" * 64}, UNREADABLE),
        ({"x_sig": "sha256=" + "\u0660" * 64}, UNREADABLE),
        ({"x_sig": "sha256=\udcff"}, UNREADABLE),
        ({"x_sig": "sha256=" + "0" * 64}, NO_MATCH),
    ],
)
def test_unusable_signature_is_refused_with_its_reason(headers, message):
    """Which check failed is told; the signature that was expected is not."""
    assert refusal(HEX, call(b"{}", **headers)) == message


BASE64 = HEX.replace(', prefix: "sha256="', ", encoding: base64")


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.rstrip("="),
        lambda text: text + "=",
        lambda text: text[:5] + "\n" + text[5:],
        lambda text: text.replace(text[0], "!", 1),
        lambda text: text[:-2] + chr(ord(text[-2]) + 1) + "=",
        lambda _: "é" * 44,
    ],
    ids=["unpadded", "overpadded", "wrapped", "other-sign", "stray-bits", "not-ascii"],
)
def test_base64_has_one_spelling(change):
    """What decodes to the same bytes by leniency is refused."""
    good = base64.b64encode(hmac.digest(KEY.encode(), b"{}", hashlib.sha256)).decode()
    check(BASE64, call(b"{}", x_sig=good))

    assert refusal(BASE64, call(b"{}", x_sig=change(good))) == (
        "header.x-sig cannot be read, expected a sha256 signature in base64"
    )


@given(st.text(max_size=100))
def test_any_header_is_refused_or_verified(text):
    """No header crashes the check."""
    refusal(HEX, call(b"{}", x_sig=text))
    refusal(BASE64, call(b"{}", x_sig=text))


@pytest.mark.parametrize(("new", "old", "index"), [("", "old", 0), ("new", "", 1)])
def test_empty_key_closes_the_endpoint(new, old, index):
    """With an empty key anybody could sign; one among others is no better."""
    made = call(b"{}", x_sig=f"sha256={signature(b'{}', 'old')}")
    message = f"verify.keys[{index}] is empty, expected a secret; is its value set?"

    for act in (
        lambda: check(ROTATING, made, new=new, old=old),
        lambda: read(ROTATING).sign(REQUEST, b"", variables(new=new, old=old), NOW),
    ):
        with pytest.raises(SecretError) as caught:
            act()
        assert str(caught.value) == message


def test_missing_key_closes_the_endpoint():
    """A secret that is not there is told as such, not as a crash."""
    with pytest.raises(SecretError) as caught:
        check(HEX, call(b"{}", x_sig="sha256=00"), other="x")

    assert str(caught.value).startswith("verify.keys[0] cannot be made: ")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "{type: hmac, keys: [], signature: {from: header.x}}",
            (
                "1:20: E102: webhooks.events.verify.keys is empty, expected at least one template "
                'such as "{{ secrets.NAME }}"'
            ),
        ),
        (
            '{type: hmac, keys: ["{{ secrets.k }}"], signature: {from: json.sig}}',
            (
                "1:52: E114: webhooks.events.verify.signature stands in the body (json.sig), "
                "which is signed as a whole; say with 'signed' what is"
            ),
        ),
        (
            '{type: hmac, algorithm: md4, keys: ["{{ secrets.k }}"], signature: {from: header.x}}',
            (
                "1:25: E103: webhooks.events.verify.algorithm is 'md4', "
                "expected one of sha256, sha1, sha384, sha512, md5"
            ),
        ),
    ],
)
def test_wrong_verifier_is_told(text, told):
    """No key, a signature inside what it signs, and a broken algorithm are refused at load."""
    assert decode_verifier(text) == (INVALID, [f"specs/acme.yaml:{told}"])


SCHEMES = {
    "hmac-sha256 hex 'sha256=' over body": {
        "header": "x-hub-signature-256",
        "rest": 'prefix: "sha256="',
    },
    "hmac-sha256 hex over body with 'sha256='": {
        "header": "x-webhook-signature",
        "rest": 'prefix: "sha256="',
    },
    "hmac-sha256 base64 over body": {"header": "x-shopify-hmac-sha256", "rest": "encoding: base64"},
    "hmac-sha256 hex over body": {"header": None, "rest": "encoding: hex"},
}


OVER_THE_BODY = [
    one for one in load_vectors() if one.values[0] is None or one.values[0]["scheme"] in SCHEMES
]


@pytest.mark.parametrize("vector", OVER_THE_BODY)
def test_published_vector_verifies(vector):
    """What senders publish is accepted, and with another key or body it is not."""
    headers = {name.lower(): value for name, value in vector["headers"].items()}
    scheme = SCHEMES[vector["scheme"]]
    header = scheme["header"] or next(name for name in headers if name.endswith("signature"))
    text = (
        f"{{type: hmac, keys: ['{{{{ secrets.key }}}}'],"
        f" signature: {{from: header.{header}, {scheme['rest']}}}}}"
    )
    body = vector["body"].encode()
    made = Call(method="POST", url="u", path="/", query=(), headers=headers, body=body)

    check(text, made, key=vector["secret"])

    assert "fits the body" in refusal(text, made, key=vector["secret"] + "x")
    signed = read(text).sign(REQUEST, body, variables(key=vector["secret"]), NOW)
    assert signed.headers == {header: headers[header]}
