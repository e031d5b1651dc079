"""Signature Version 4: AWS's own vectors, and that what is signed is what is sent."""

from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import parse_qsl, quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrationd.config.decode import INVALID
from integrationd.errors import RefusedError, SecretError
from integrationd.model.secret import Secret
from integrationd.wire.encoding import encode
from integrationd.wire.messages import FormBody, JsonBody, Request
from integrationd.wire.showing import STAND_IN, show_request, stand_ins
from tests.support.auth import decode_auth
from tests.support.signers import attempt, header, sent, sign, signer

SUITE = (
    '{type: sigv4, service: service, region: us-east-1, access_key: "{{ secrets.id }}", '
    'secret_key: "{{ secrets.key }}"}'
)
SUITE_KEYS = {"id": "AKIDEXAMPLE", "key": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}
SUITE_MOMENT = attempt(datetime(2015, 8, 30, 12, 36, tzinfo=UTC))
S3 = SUITE.replace("service: service", "service: s3")
S3_KEYS = {"id": "AKIAIOSFODNN7EXAMPLE", "key": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}
S3_MOMENT = attempt(datetime(2013, 5, 24, tzinfo=UTC))
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def suite(url: str, method: str = "GET", **more) -> str:
    """Sign a call of the suite and return the signature."""
    request = Request(method=method, url=f"https://example.amazonaws.com{url}", **more)
    return header(sign(SUITE, request, SUITE_MOMENT, **SUITE_KEYS)).rpartition("=")[2]


@pytest.mark.parametrize(
    ("name", "url", "signature"),
    [
        ("get-vanilla", "/", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        (
            "get-vanilla-query-order-key-case",
            "/?Param2=value2&Param1=value1",
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        ),
        (
            "get-vanilla-utf8-query",
            "/?ሴ=bar",
            "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04",
        ),
        (
            "get-unreserved",
            "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
            "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f",
        ),
        (
            "get-relative",
            "/example/..",
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
        ),
        (
            "get-slash-dot-slash",
            "/./",
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
        ),
        (
            "get-slashes",
            "//example//",
            "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84",
        ),
    ],
)
def test_suite(name, url, signature):
    """The cases of AWS's Signature Version 4 test suite.

    Its get-space sends a blank as it is, which no HTTP client does; how escapes are escaped again
    is held against botocore by tests/acceptance/test_moto.py.
    """
    assert suite(url) == signature, name


def test_suite_of_posts():
    """post-vanilla, and post-x-www-form-urlencoded with a body and its type."""
    form = FormBody((("Param1", "value1"),))

    assert suite("/", "POST") == "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"
    assert suite("/", "POST", body=form) == (
        "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"
    )


def test_whole_header_is_that_of_the_suite():
    """get-vanilla, as it is sent."""
    request = Request(method="GET", url="https://example.amazonaws.com/")

    out = sent(SUITE, request, SUITE_MOMENT, **SUITE_KEYS)

    assert out.headers == {
        "accept": "application/json",
        "x-amz-date": "20150830T123600Z",
        "authorization": (
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
            "SignedHeaders=host;x-amz-date, "
            "Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
        ),
    }


@pytest.mark.parametrize(
    ("query", "signature"),
    [
        ("lifecycle", "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
        (
            "max-keys=2&prefix=J",
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
        ),
    ],
)
def test_s3_is_that_of_its_manual(query, signature):
    """Amazon S3 API Reference, its examples; the empty body's hash stands in a header."""
    url = f"https://examplebucket.s3.amazonaws.com/?{query}"
    out = sent(S3, Request(method="GET", url=url), S3_MOMENT, **S3_KEYS)

    assert out.headers["authorization"] == (
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
        f"SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature={signature}"
    )
    assert out.headers["x-amz-content-sha256"] == EMPTY
    assert out.url == url


def test_s3_takes_a_body_that_is_not_signed():
    """Its header says so, in place of the hash."""
    text = S3.replace("service: s3", "service: s3, payload: unsigned")
    request = Request(method="PUT", url="https://b.test/k", body=JsonBody({"a": 1}))

    one = sent(text, request, S3_MOMENT, **S3_KEYS)
    two = sent(text, replace(request, body=JsonBody({"a": 2})), S3_MOMENT, **S3_KEYS)

    assert one.headers["x-amz-content-sha256"] == "UNSIGNED-PAYLOAD"
    assert one.headers["authorization"] == two.headers["authorization"]


def test_s3_paths_are_signed_as_they_are():
    """A key may hold dots and two slashes; other services remove them first."""
    urls = ["https://b.test/a//b", "https://b.test/a/b", "https://b.test/a/./b"]
    made = [header(sign(S3, Request(method="GET", url=url), **S3_KEYS)) for url in urls]

    assert len(set(made)) == 3


def test_session_token_is_sent_and_signed():
    """Keys that end have one; where it is empty nothing is sent."""
    text = SUITE.replace('}}"}', '}}", session_token: "{{ secrets.token }}"}')
    request = Request(method="GET", url="https://b.test/")

    made = sign(text, request, token="t0ken", **SUITE_KEYS)

    assert made.headers["x-amz-security-token"] == Secret("t0ken")
    assert "SignedHeaders=host;x-amz-date;x-amz-security-token," in header(made)
    assert sign(text, request, token="", **SUITE_KEYS) == sign(SUITE, request, **SUITE_KEYS)


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://b.test:443/", "https://b.test/"),
        ("http://b.test:80/", "http://b.test/"),
    ],
)
def test_usual_port_is_no_part_of_the_host(url, host):
    """The header that is sent leaves it out too."""
    made = [header(sign(SUITE, Request(method="GET", url=u), **SUITE_KEYS)) for u in (url, host)]

    assert made[0] == made[1]


@given(
    own=st.text(st.sampled_from("ab+%2B=&;:/?@!$'()*,~- "), max_size=12),
    query=st.dictionaries(TEXTS.filter(bool), TEXTS, max_size=4),
)
def test_query_can_be_read_in_one_way_alone(own, query):
    """What is sent means the same as before, and encodes to itself, so both sides sign one text."""
    request = Request(method="GET", url=f"https://b.test/?{own}", query=tuple(query.items()))

    out = sent(SUITE, request, **SUITE_KEYS).url.partition("?")[2]

    before = encode(request).url.partition("?")[2]
    pairs = parse_qsl(out, keep_blank_values=True, errors="surrogateescape")
    assert pairs == parse_qsl(before, keep_blank_values=True, errors="surrogateescape")
    assert "+" not in out
    parts = [text for part in out.split("&") if part for text in part.split("=", 1)]
    flat = [text.encode("utf-8", "surrogateescape") for pair in pairs for text in pair]
    assert [quote(text, safe="-_.~") for text in flat if text] == [text for text in parts if text]


def test_secret_query_stays_secret():
    """A query that had to be written anew is a secret as a whole, where a part of it was."""
    request = Request(method="GET", url="https://b.test/?a=b+c", query=(("k", Secret("s3")),))

    made = sign(SUITE, request, **SUITE_KEYS)

    assert made.url == Secret("https://b.test/?a=b%20c&k=s3")
    plain = sign(SUITE, Request(method="GET", url="https://b.test/?a=b+c"), **SUITE_KEYS)
    assert plain.url == "https://b.test/?a=b%20c"


def test_blanks_in_a_signed_header_are_one():
    """Several blanks are signed as one, and none at its ends."""
    request = Request(method="GET", url="https://b.test/", headers={"x-amz-meta-a": " a   b "})
    other = Request(method="GET", url="https://b.test/", headers={"x-amz-meta-a": "a b"})

    assert header(sign(SUITE, request, **SUITE_KEYS)) == header(sign(SUITE, other, **SUITE_KEYS))


def test_every_part_is_signed():
    """Another method, path, query, body, region or key is another signature."""
    request = Request(method="POST", url="https://b.test/a?b=1", body=JsonBody({"c": 1}))
    others = [
        replace(request, method="PUT"),
        replace(request, url="https://b.test/b?b=1"),
        replace(request, url="https://b.test/a?b=2"),
        replace(request, url="https://c.test/a?b=1"),
        replace(request, body=JsonBody({"c": 2})),
        request.with_header("content-type", "text/plain"),
        request.with_header("x-amz-target", "t"),
    ]
    made = [header(sign(SUITE, each, **SUITE_KEYS)) for each in (request, *others)]
    made.append(header(sign(SUITE.replace("us-east-1", "eu-west-1"), request, **SUITE_KEYS)))
    made.append(header(sign(SUITE, request, **{**SUITE_KEYS, "key": "other"})))

    assert len({line.rpartition("=")[2] for line in made}) == len(made)


@pytest.mark.parametrize(
    ("text", "keys", "error", "message"),
    [
        (
            SUITE,
            {"id": "a", "key": ""},
            SecretError,
            "auth.secret_key is empty, expected a secret; is its value set?",
        ),
        (
            SUITE,
            {"id": "", "key": "k"},
            SecretError,
            "auth.access_key is empty, expected a secret; is its value set?",
        ),
        (
            SUITE.replace("us-east-1", '""'),
            SUITE_KEYS,
            RefusedError,
            "auth.region is empty or no region, expected one like eu-central-1",
        ),
        (
            SUITE,
            {"id": "a\nb", "key": "k"},
            RefusedError,
            (
                "header 'authorization' holds a line break or another control character; is there "
                "a line end in its secret?"
            ),
        ),
    ],
)
def test_what_cannot_be_signed_is_told(text, keys, error, message):
    """A mistake at home, not a refusal by the provider."""
    with pytest.raises(error) as caught:
        sign(text, Request(method="GET", url="https://b.test/"), **keys)

    assert str(caught.value) == message


def test_preview_needs_no_key():
    """Stand-ins sign as well; the header as a whole is not shown."""
    variables = {"config": {}, "secrets": stand_ins(["id", "key"])}
    request = Request(method="GET", url="https://b.test/")
    shown = show_request(signer(S3).sign(request, variables, STAND_IN))

    assert shown.headers["authorization"] == (
        "AWS4-HMAC-SHA256 Credential=***/19700101/us-east-1/s3/aws4_request, "
        "SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature="
        + shown.headers["authorization"].rpartition("=")[2]
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            SUITE.replace("service: service", "service: ''"),
            (
                "specs/acme.yaml:1:24: E111: http.auth.service is '', expected a service's name "
                "such as s3 or sns"
            ),
        ),
        (
            SUITE.replace("service: service", "service: sns, payload: unsigned"),
            (
                "specs/acme.yaml:1:29: E114: http.auth has 'payload: unsigned', which goes with "
                "'service: s3' alone"
            ),
        ),
    ],
)
def test_mistakes_are_told_when_the_file_is_checked(text, told):
    """Each with its place."""
    assert decode_auth(text) == (INVALID, [told])
