"""Keys of verification: how they are written, until when they count, and whose they are."""

import base64
import hmac
from datetime import UTC, datetime

import pytest

from integrationd.errors import SecretError, SignatureError
from integrationd.model.secret import Secret
from integrationd.wire.messages import Call
from tests.support.senders import decode_verifier, verifier_of

NOW = datetime(2026, 3, 1, tzinfo=UTC)
SIGNATURE = "signature: {from: header.x-sig}"


def call(body=b"{}", **headers):
    """Build an inbound call."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return Call(
        method="POST", url="https://hooks.test/x", path="/x", query=(), headers=names, body=body
    )


def check(text, made, now=NOW, **secrets):
    """Verify a call."""
    named = {name: Secret(value) for name, value in secrets.items()}
    verifier_of(text).verify(made, {"config": {"account": "b"}, "secrets": named}, now)


def refusal(text, made, now=NOW, kind=SignatureError, **secrets):
    """Return why a call is refused."""
    with pytest.raises(kind) as caught:
        check(text, made, now, **secrets)
    return str(caught.value)


def signed(key, body=b"{}", **headers):
    """Build a call that is signed by the raw bytes of a key."""
    return call(body, x_sig=hmac.new(key, body, "sha256").hexdigest(), **headers)


@pytest.mark.parametrize(
    ("encoding", "written"),
    [
        ("utf8", "whsec_AAEC"),
        ("hex", b"\0\1\2\xff".hex()),
        ("hex", b"\0\1\2\xff".hex().upper()),
        ("base64", base64.b64encode(b"\0\1\2\xff").decode()),
        ("base64", base64.b64encode(b"\0\1\2\xff").decode().rstrip("=")),
    ],
)
def test_key_is_read_as_the_spec_says(encoding, written):
    """What a key looks like decides nothing: its encoding is said."""
    text = f'{{type: hmac, keys: ["{{{{ secrets.k }}}}"], key_encoding: {encoding}, {SIGNATURE}}}'
    raw = written.encode() if encoding == "utf8" else b"\0\1\2\xff"

    check(text, signed(raw), k=written)

    if encoding != "utf8":
        assert "fits the body" in refusal(text, signed(written.encode()), k=written)


@pytest.mark.parametrize(
    ("options", "written", "message"),
    [
        (
            "key_encoding: hex",
            "xyz",
            "verify.keys[0] is not hex; was it copied as a whole?",
        ),
        (
            "key_encoding: base64",
            "a b!",
            "verify.keys[0] is not base64; was it copied as a whole?",
        ),
        (
            "key_encoding: base64",
            "  ",
            "verify.keys[0] is empty once it is read, expected a secret",
        ),
        ("strip_prefix: whsec_", "whsec_", "verify.keys[0] is empty behind its prefix 'whsec_'"),
    ],
)
def test_unreadable_key_closes_the_endpoint(options, written, message):
    """A key that is none, or nothing, never verifies anything."""
    text = f'{{type: hmac, keys: ["{{{{ secrets.k }}}}"], {options}, {SIGNATURE}}}'

    assert refusal(text, signed(b""), kind=SecretError, k=written) == message


ROTATED = f"""
type: hmac
keys:
  - "{{{{ secrets.new }}}}"
  - {{key: "{{{{ secrets.old }}}}", not_after: "2026-02-28"}}
{SIGNATURE}
"""


def test_old_key_counts_until_the_end_of_its_day():
    """On its last day, in UTC, a key counts, and from the next midnight on it does not."""
    made = signed(b"old")

    check(ROTATED, made, datetime(2026, 2, 28, 23, 59, 59, tzinfo=UTC), new="new", old="old")

    after = datetime(2026, 3, 1, tzinfo=UTC)
    assert "fits the body" in refusal(ROTATED, made, after, new="new", old="old")
    check(ROTATED, signed(b"new"), after, new="new", old="old")


def test_endpoint_closes_when_no_key_counts_any_more():
    """Where each key is past its day that is told, not taken for a forged call."""
    text = ROTATED.replace('  - "{{ secrets.new }}"\n', "")

    assert refusal(text, signed(b"old"), kind=SecretError, old="old") == (
        "no key of verify.keys counts any more, each is past its 'not_after'"
    )


SELECTED = f"""
type: hmac
keys:
  - {{id: a, key: "{{{{ secrets.one }}}}"}}
  - {{id: "{{{{ config.account }}}}", key: "{{{{ secrets.two }}}}"}}
select: header.x-account
{SIGNATURE}
"""


def test_call_names_its_key():
    """Only the key that a call names may fit it."""
    check(SELECTED, signed(b"2", x_account="b"), one="1", two="2")

    wrong = signed(b"2", x_account="a")
    assert "fits the body" in refusal(SELECTED, wrong, one="1", two="2")
    for made in (signed(b"2", x_account="c"), signed(b"2")):
        assert refusal(SELECTED, made, one="1", two="2") == (
            "the call names a key that is none of verify.keys by its 'id'"
        )


TIMED = """
type: hmac
keys: ["{{ secrets.k }}"]
timestamp: {from: header.x-time, format: %s}
signature: {from: header.x-sig}
signed: "{{ timestamp }}{{ body }}"
"""
AT = int(NOW.timestamp())


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("unix", str(AT)),
        ("unix_ms", f"{AT}000"),
        ("rfc3339", "2026-03-01T00:00:00Z"),
        ("rfc3339", "2026-03-01T01:00:00.5+01:00"),
        ("http_date", "Sun, 01 Mar 2026 00:00:00 GMT"),
    ],
)
def test_time_is_read_in_its_format(written, text):
    """The text of the time is signed as it came."""
    digest = hmac.new(b"k", text.encode() + b"{}", "sha256").hexdigest()

    check(TIMED % written, call(x_sig=digest, x_time=text), k="k")


@pytest.mark.parametrize("written", ["unix", "unix_ms", "rfc3339", "http_date"])
@pytest.mark.parametrize(
    "text",
    [
        *("Infinity", "NaN", "1e9", "-1", "+1", "1_0", "0x10", " ", "1.5", "\uff19\uff19"),
        *("1" * 20, "9" * 5000, "2026-03-01", "2026-13-01T00:00:00Z", "20260301T000000Z"),
        *("Sun, 41 Mar 2026 00:00:00 GMT", "Sunday", "2026-03-01T00:00:00"),
    ],
)
def test_what_is_no_time_is_refused(written, text):
    """A time is digits, or one exact form of a date; nothing else, also where it is signed."""
    digest = hmac.new(b"k", text.encode() + b"{}", "sha256").hexdigest()

    told = refusal(TIMED % written, call(x_sig=digest, x_time=text), k="k")

    assert told.startswith("header.x-time is ")


@pytest.mark.parametrize(("future", "ahead"), [("", 300), ("future: 10s", 10)])
def test_time_ahead_of_ours_has_its_own_bound(future, ahead):
    """A sender's clock may be ahead by as much as it may be behind, or by what is said."""
    text = (TIMED % "unix").replace("format: unix", f"format: unix, {future}".rstrip(", "))
    for seconds, fits in ((AT + ahead, True), (AT + ahead + 1, False)):
        digest = hmac.new(b"k", f"{seconds}{{}}".encode(), "sha256").hexdigest()
        made = call(x_sig=digest, x_time=str(seconds))
        if fits:
            check(text, made, k="k")
        else:
            assert refusal(text, made, k="k") == (
                f"header.x-time is {ahead + 1} s ahead, expected at most {ahead}; "
                "is one of the clocks wrong?"
            )


CHOSEN = """
type: hmac
keys: ["{{ secrets.k }}"]
algorithm: {from: header.x-alg, map: {"1": sha256, "2": sha512}}
signature: {from: header.x-sig}
"""


def test_call_chooses_only_among_what_is_allowed():
    """The sender's word stands for what the file says, and any other word is refused."""
    for word, name in (("1", "sha256"), ("2", "sha512")):
        digest = hmac.new(b"k", b"{}", name).hexdigest()
        check(CHOSEN, call(x_sig=digest, x_alg=word), k="k")
    weak = hmac.new(b"k", b"{}", "sha1").hexdigest()
    for word in ("sha1", "", "3"):
        assert refusal(CHOSEN, call(x_sig=weak, x_alg=word), k="k") == (
            "header.x-alg names no algorithm that is allowed: 1, 2"
        )


CHECKED = """
type: token
keys: ["{{ secrets.k }}"]
token: {from: header.x-token}
when: "body.kind != 'other'"
checks: [{value: "body.value[].state", equals: "{{ secrets.state }}"}]
"""


def test_every_item_of_a_check_counts():
    """One item with another text is enough to refuse the call, and none at all too."""
    check(CHECKED, call(b'{"value":[{"state":"s"},{"state":"s"}]}', x_token="k"), k="k", state="s")

    for body in (b'{"value":[{"state":"s"},{"state":"t"}]}', b'{"value":[{"state":["s"]}]}'):
        assert refusal(CHECKED, call(body, x_token="k"), k="k", state="s") == (
            "verify.checks[0]: body.value[].state is not what it has to be"
        )
    assert refusal(CHECKED, call(b"{}", x_token="k"), k="k", state="s") == (
        "verify.checks[0]: body.value[].state is missing"
    )
    empty = refusal(CHECKED, call(x_token="k"), kind=SecretError, k="k", state="")
    assert empty == "verify.checks[0].equals is empty, expected a text to compare with"


def test_condition_that_does_not_hold_refuses():
    """What ``when`` rules out is refused however it is signed."""
    told = refusal(CHECKED, call(b'{"kind": "other"}', x_token="k"), k="k", state="s")
    assert told == "'when' does not hold for this call: body.kind != 'other'"


@pytest.mark.parametrize("shown", ["", "K", "k ", "kk", "é"])
def test_another_token_is_refused(shown):
    """A token is compared whole."""
    text = '{type: token, keys: ["{{ secrets.k }}"], token: {from: header.x-token}}'
    check(text, call(x_token="k"), k="k")

    assert refusal(text, call(x_token=shown), k="k").startswith(("the token", "header.x-token is"))


@pytest.mark.parametrize("header", ["", "Basic", "Basic !", "Bearer dTpw", "Basic dTpwcA=="])
def test_another_login_is_refused(header):
    """Name and password are compared together; nothing but Basic is read."""
    text = '{type: basic, username: u, password: "{{ secrets.k }}"}'
    check(text, call(authorization="basic dTpw"), k="p")

    assert refusal(text, call(authorization=header), k="p").startswith("header.authorization ")
    assert "is empty" in refusal(text, call(), kind=SecretError, k="")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            '{type: hash, keys: ["{{ secrets.k }}"], signature: {from: header.x}}',
            (
                "1:1: E102: webhooks.events.verify.signed does not use 'key', so that anybody "
                'could make the hash; expected a template such as "{{ body }}{{ key }}"'
            ),
        ),
        (
            (
                '{type: hmac, keys: ["{{ secrets.k }}"], signature: {from: header.x}, '
                'signed: "{{ timestamp }}{{ body }}"}'
            ),
            (
                "1:1: E102: webhooks.events.verify.signed uses 'timestamp', "
                "but there is no 'timestamp'"
            ),
        ),
        (
            (
                '{type: hmac, keys: ["{{ secrets.k }}"], signature: {from: header.x}, '
                "timestamp: {from: header.y}}"
            ),
            (
                "1:81: E102: webhooks.events.verify.timestamp stands in header.y, which is not "
                "signed, so that an old call passes with a new time; use 'timestamp' in 'signed' "
                "as the sender does, or leave it out"
            ),
        ),
        (
            "{type: any_of, of: []}",
            (
                "1:20: E102: webhooks.events.verify.of is empty, expected a kind of signature for "
                "each way"
            ),
        ),
        (
            (
                '{type: hmac, keys: [{key: "{{ secrets.k }}", not_after: soon}], '
                "signature: {from: header.x}}"
            ),
            (
                "1:57: E111: webhooks.events.verify.keys[0].not_after is 'soon', expected a day "
                'such as "2026-12-31"'
            ),
        ),
        (
            (
                '{type: hmac, keys: ["{{ secrets.k }}"], signature: {from: header.x}, '
                'signed: {fields: json, write: "{{ value }}"}}'
            ),
            (
                "1:78: E102: webhooks.events.verify.signed has no 'names', which fields of JSON "
                "need: their order"
            ),
        ),
    ],
)
def test_wrong_verification_is_told(text, told):
    """What could never verify, or verifies anything, is refused when the file is read."""
    assert decode_verifier(text)[1] == [f"specs/acme.yaml:{told}"]


def test_body_of_any_size_and_any_bytes_is_signed():
    """A body larger than a template may write, of bytes that are no text, is taken as it came."""
    body = bytes(range(256)) * 8000
    text = '{type: hmac, keys: ["{{ secrets.k }}"], @, signed: "{{ method }}.{{ body }}"}'.replace(
        "@", SIGNATURE
    )
    digest = hmac.new(b"k", b"POST." + body, "sha256").hexdigest()

    check(text, call(body, x_sig=digest), k="k")

    looped = text.replace("{{ body }}", "{% if true %}{{ body }}{% endif %}")
    small = bytes(range(256))
    digest = hmac.new(b"k", b"POST." + small, "sha256").hexdigest()
    check(looped, call(small, x_sig=digest), k="k")


def test_field_that_is_signed_and_missing_refuses():
    """A header that a template names is not taken for an empty one."""
    text = '{type: hmac, keys: ["{{ secrets.k }}"], @, signed: "{{ headers.other }}"}'.replace(
        "@", SIGNATURE
    )
    digest = hmac.new(b"k", b"", "sha256").hexdigest()

    assert refusal(text, call(x_sig=digest), k="k").startswith("signed cannot be made of this call")
