"""Hashed and keyed texts: vendors' own examples, and that what is signed is what is sent."""

import base64
import hashlib
import hmac
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrationd.config.decode import INVALID
from integrationd.errors import RefusedError, SecretError
from integrationd.model.secret import Secret
from integrationd.wire import signable
from integrationd.wire.encoding import encode
from integrationd.wire.messages import FormBody, JsonBody, MultipartBody, Request
from integrationd.wire.showing import STAND_IN, show_request, stand_ins
from tests.support.auth import decode_auth
from tests.support.signers import GET, NONCE, attempt, header, sent, sign, signer

CLOUDINARY = """
type: signed
with: {form.timestamp: "{{ timestamp }}", form.api_key: "{{ secrets.api_key }}"}
text: >-
  {% for each in parameters if each.name not in ['api_key', 'file'] %}{{ "" if
  loop.first else "&" }}{{ each.name }}={{ each.value }}{% endfor
  %}{{ secrets.api_secret }}
algorithm: sha1
into: form.signature
"""
VONAGE = """
type: signed
with: {query.timestamp: "{{ timestamp }}", query.api_key: "{{ secrets.api_key }}"}
text: >-
  {% for each in parameters %}&{{ each.name }}={{ each.value | replace("&", "_") |
  replace("=", "_") }}{% endfor %}{{ secrets.signature_secret }}
algorithm: md5
into: query.sig
"""
HMAC = """
type: signed
text: "{{ timestamp }}{{ method }}{{ path }}{{ '?' if query else '' }}{{ query }}{{ body }}"
algorithm: hmac-sha256
key: "{{ secrets.key }}"
with: {header.x-timestamp: "{{ timestamp }}", header.x-nonce: "{{ nonce }}"}
into: header.x-signature
"""
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))


@pytest.mark.parametrize("body", [FormBody, MultipartBody])
def test_cloudinary_signature_is_that_of_its_manual(body):
    """Sorted parameters joined by ``&``, the secret behind them, SHA-1 in hex."""
    text = CLOUDINARY.replace("{{ timestamp }}", "1315060510")
    pairs = (
        ("public_id", "sample_image"),
        ("eager", "w_400,h_300,c_pad|w_260,h_200,c_crop"),
        ("file", "data:image/png;base64,AAAA"),
    )
    upload = Request(method="POST", url="https://api.test/upload", body=body(pairs))

    made = dict(sign(text, upload, api_key="1234", api_secret="abcd").body.pairs)

    assert made["signature"] == Secret("bfd09f95f331f558cbd1320e67aa8d488770583e")
    assert made["api_key"] == Secret("1234")
    assert made["timestamp"] == "1315060510"


def test_vonage_parameters_are_cleaned_and_signed():
    """``&`` and ``=`` in values become ``_``; each parameter has its ``&`` before it."""
    call = GET.with_query("text", "a=b&c").with_query("to", "44")

    url = sent(VONAGE, call, api_key="K", signature_secret="S").url

    plain = "&api_key=K&text=a_b_c&timestamp=1795248000&to=44S"
    expected = hashlib.md5(plain.encode()).hexdigest()
    assert dict(parse_qsl(url.partition("?")[2])) == {
        "text": "a=b&c",
        "to": "44",
        "timestamp": "1795248000",
        "api_key": "K",
        "sig": expected,
    }


@given(
    names=st.dictionaries(TEXTS.filter(bool), TEXTS, max_size=4),
    body=st.none() | st.dictionaries(TEXTS, TEXTS | st.integers(), max_size=4),
    path=TEXTS,
)
def test_what_is_signed_is_what_is_sent(names, body, path):
    """Path, query and body are those on the wire, byte for byte, whatever they hold."""
    request = Request(
        method="POST",
        url=f"https://api.test/{path.replace('?', '').replace('#', '')}?b=1+2&a=%7e/",
        query=tuple(names.items()),
        body=None if body is None else JsonBody(body),
    )

    out = sent(HMAC, request, key="k3y")

    target = out.url.removeprefix("https://api.test")
    text = f"1795248000POST{target}".encode() + (out.body or b"")
    expected = hmac.digest(b"k3y", text, "sha256").hex()
    assert out.headers["x-signature"] == expected
    assert out.headers["x-timestamp"] == "1795248000"
    assert out.headers["x-nonce"] == NONCE
    assert out.url == encode(request).url


@pytest.mark.parametrize(
    ("encoding", "made"),
    [
        ("hex", bytes.hex),
        ("base64", lambda digest: base64.b64encode(digest).decode()),
        ("base64url", lambda digest: base64.urlsafe_b64encode(digest).decode().rstrip("=")),
    ],
)
@pytest.mark.parametrize(
    "algorithm", ["hmac-md5", "hmac-sha1", "hmac-sha256", "hmac-sha384", "hmac-sha512"]
)
def test_every_digest_is_written_in_every_way(algorithm, encoding, made):
    """An HMAC of the text, in hex or one of both kinds of base64."""
    text = (
        f'{{type: signed, text: "{{{{ nonce }}}}", algorithm: {algorithm}, '
        f'key: "{{{{ secrets.key }}}}", '
        f"key_encoding: base64, encoding: {encoding}, into: header.x-s}}"
    )

    digest = hmac.digest(b"key", NONCE.encode(), algorithm.removeprefix("hmac-"))
    assert header(sign(text, key="a2V5"), "x-s") == made(digest)


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha256", "sha512"])
def test_plain_hash_has_the_secret_in_its_text(algorithm):
    """No key is needed where the text holds the secret."""
    text = (
        f'{{type: signed, text: "{{{{ secrets.s }}}}{{{{ timestamp_ms }}}}", '
        f"algorithm: {algorithm}, into: query.sign}}"
    )

    expected = hashlib.new(algorithm, b"s3cret1795248000250").hexdigest()
    assert sign(text, s="s3cret").query == (("sign", Secret(expected)),)


def test_prefix_may_name_the_key():
    """Many schemes have the key's id before the signature."""
    text = (
        '{type: signed, text: x, algorithm: hmac-sha256, key: "{{ secrets.key }}", '
        'into: header.authorization, prefix: "HMAC {{ config.id }}:"}'
    )

    digest = hmac.digest(b"k", b"x", "sha256").hex()
    assert header(sign(text, key="k")) == f"HMAC ann:{digest}"


def test_each_try_has_its_own():
    """Another moment and another nonce are another signature."""
    one = sign(HMAC, moment=attempt(), key="k")
    two = sign(HMAC, moment=attempt(nonce="f" * 32), key="k")

    assert header(one, "x-nonce") != header(two, "x-nonce")
    assert header(one, "x-signature") == header(two, "x-signature")


def test_body_that_is_no_text_is_signed_all_the_same():
    """Bytes that are no UTF-8 come through the template as they are."""
    assert signable.as_bytes(signable.as_text(b"\xff\x00\xc3\xa4")) == b"\xff\x00\xc3\xa4"


def test_what_is_made_of_the_request_is_secret():
    """The URL may hold a key, so a header that is made of it is not shown."""
    text = HMAC.replace('"{{ nonce }}"', '"{{ secrets.key }}-{{ nonce }}"')

    assert isinstance(sign(text, key="k").headers["x-nonce"], Secret)


@pytest.mark.parametrize(
    ("text", "secrets", "message"),
    [
        (HMAC, {"key": ""}, "auth.key is empty, expected a secret; is its value set?"),
        (
            HMAC.replace("{{ body }}", "{{ config.none }}"),
            {"key": "k"},
            "auth.text cannot be made: 'config.none' has no value; supply it, or add | default(…)",
        ),
        (
            HMAC.replace("{{ nonce }}", "{{ config.none }}"),
            {"key": "k"},
            (
                "auth.with.header.x-nonce cannot be made: 'config.none' has no value; supply it, "
                "or add | default(…)"
            ),
        ),
        (
            HMAC.replace("hmac-sha256", "hmac-sha256\nkey_encoding: base64"),
            {"key": "?"},
            "auth.key is not base64; was it copied as a whole?",
        ),
    ],
)
def test_what_cannot_be_signed_is_told(text, secrets, message):
    """A mistake at home, not a refusal by the provider."""
    with pytest.raises(SecretError) as caught:
        sign(text, **secrets)

    assert str(caught.value) == message


def test_signature_that_does_not_fit_is_told():
    """A form's field has no room in a JSON body."""
    request = Request(method="POST", url="https://api.test/", body=JsonBody({}))

    with pytest.raises(RefusedError) as caught:
        sign(CLOUDINARY, request, api_key="k", api_secret="s")

    assert str(caught.value) == ("form.timestamp cannot be set: the body of this request is JSON")


def test_preview_needs_no_secret():
    """Stand-ins for secrets sign as well, and the place of the signature is seen."""
    variables = {"config": {}, "secrets": stand_ins(["key"])}
    shown = show_request(signer(HMAC).sign(GET, variables, STAND_IN))

    assert shown.headers["x-signature"] == "***"
    assert shown.headers["x-timestamp"] == "0"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "{type: signed, text: x, algorithm: hmac-sha1, into: header.s}",
            "specs/acme.yaml:1:1: E102: http.auth has no 'key', which hmac-sha1 needs",
        ),
        (
            '{type: signed, text: x, algorithm: sha1, key: "{{ secrets.k }}", into: header.s}',
            (
                "specs/acme.yaml:1:42: E114: http.auth has 'key', which goes with the algorithms "
                "hmac-…; of a plain hash the secret is part of 'text'"
            ),
        ),
        (
            "{type: signed, text: x, algorithm: sha1, into: header.s, with: {time: a}}",
            (
                "specs/acme.yaml:1:65: E206: http.auth.with has 'time', expected a place such as "
                "header.x-timestamp"
            ),
        ),
        (
            "{type: signed, text: x, algorithm: sha1, into: header.s, with: {url: a}}",
            (
                "specs/acme.yaml:1:65: E206: http.auth.with has 'url', expected a place such as "
                "header.x-timestamp"
            ),
        ),
        (
            '{type: signed, text: x, algorithm: md5, into: query.s, with: {query.a: "{{ url }}"}}',
            (
                "specs/acme.yaml:1:72: E204: template uses 'url', variables here are: config, "
                "nonce, now, secrets, timestamp, timestamp_ms"
            ),
        ),
    ],
)
def test_mistakes_are_told_when_the_file_is_checked(text, told):
    """Each with its place."""
    assert decode_auth(text) == (INVALID, [told])
