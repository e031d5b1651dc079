"""OAuth 1: the RFC's and a provider's own examples, and that every parameter is signed."""

import base64
import hmac
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import quote, unquote

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from hypothesis import given
from hypothesis import strategies as st

from integrationd.config.decode import INVALID
from integrationd.errors import RefusedError, SecretError
from integrationd.model.secret import Secret
from integrationd.wire.challenges import parse_challenges
from integrationd.wire.messages import FormBody, JsonBody, Request
from integrationd.wire.showing import STAND_IN, show_request, stand_ins
from tests.support.auth import decode_auth
from tests.support.signers import RSA, RSA_PEM, attempt, header, sign, signer

CLIENT = (
    '{type: oauth1, consumer_key: "{{ secrets.key }}", '
    'consumer_secret: "{{ secrets.secret }}", token: "{{ secrets.token }}", '
    'token_secret: "{{ secrets.token_secret }}"'
)
RFC = CLIENT + ", realm: Photos, send_version: false}"
RFC_KEYS = {
    "key": "dpf43f3p2l4k3l03",
    "secret": "kd94hf93k423kf44",
    "token": "nnch734d00sl2jdk",
    "token_secret": "pfkkdhi9sl3r4s00",
}
PHOTOS = Request(
    method="GET", url="http://photos.example.net/photos?file=vacation.jpg&size=original"
)
RFC_MOMENT = attempt(datetime.fromtimestamp(137131202, UTC), nonce="chapoH")
TWITTER = {
    "key": "xvz1evFS4wEEPTGEFPHBog",
    "secret": "kAcSOqF21Fu85e7zjz7ZN2U4ZRhfV3WpwPAoE3Z7kBw",
    "token": "370773112-GmHxMAgYyLbNEtIKZeRNFsMKPR9EyMZeS9weJAEb",
    "token_secret": "LswwdoUaIvS8ltyTt5jkRh4J50vUPVVHtR2YPi5kE",
}
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)


def parts(request: Request) -> dict[str, str]:
    """Return the decoded parts of the header."""
    (read,) = parse_challenges(header(request))
    assert read.scheme == "oauth"
    return {name: unquote(value) for name, value in read.parameters.items()}


def test_header_is_that_of_the_rfc():
    """RFC 5849 section 1.2, the request of a photo."""
    assert header(sign(RFC, PHOTOS, RFC_MOMENT, **RFC_KEYS)) == (
        'OAuth realm="Photos", oauth_consumer_key="dpf43f3p2l4k3l03", '
        'oauth_signature_method="HMAC-SHA1", oauth_timestamp="137131202", oauth_nonce="chapoH", '
        'oauth_token="nnch734d00sl2jdk", '
        'oauth_signature="MdpQcU8iPSUjWoN%2FUDMsK2sui9I%3D"'
    )


def test_form_is_signed_as_a_provider_says():
    """X, "Creating a signature": parameters of query and form, blanks and signs among them."""
    status = "Hello Ladies + Gentlemen, a signed OAuth request!"
    request = Request(
        method="POST",
        url="https://api.twitter.com/1.1/statuses/update.json?include_entities=true",
        body=FormBody((("status", status),)),
    )
    moment = attempt(
        datetime.fromtimestamp(1318622958, UTC), "kYjzVBB8Y0ZFabxSWbWovY3uYSQ2pTgmZeNu2VS4cg"
    )

    made = parts(sign(CLIENT + "}", request, moment, **TWITTER))

    assert made["oauth_signature"] == "hCtSmYh+iHYCEqBWrE7C7hYmtUk="
    assert made["oauth_version"] == "1.0"


def test_hmac_may_be_sha256():
    """The same text, another digest; NetSuite takes nothing else."""
    text = RFC.replace("realm", "signature_method: HMAC-SHA256, realm")

    made = parts(sign(text, PHOTOS, RFC_MOMENT, **RFC_KEYS))

    pairs = (
        "file=vacation.jpg&oauth_consumer_key=dpf43f3p2l4k3l03&oauth_nonce=chapoH&"
        "oauth_signature_method=HMAC-SHA256&oauth_timestamp=137131202&"
        "oauth_token=nnch734d00sl2jdk&size=original"
    )
    base = f"GET&{quote('http://photos.example.net/photos', safe='')}&{quote(pairs, safe='')}"
    digest = hmac.digest(b"kd94hf93k423kf44&pfkkdhi9sl3r4s00", base.encode(), "sha256")
    assert made["oauth_signature"] == base64.b64encode(digest).decode()


def test_plain_text_sends_both_secrets():
    """RFC 5849 section 3.4.4; each is escaped before they are joined."""
    text = CLIENT + ", signature_method: PLAINTEXT}"

    made = parts(sign(text, PHOTOS, key="k", secret="a&b", token="t", token_secret="c d"))

    assert made["oauth_signature"] == "a%26b&c%20d"


def test_private_key_signs_in_place_of_secrets():
    """RFC 5849 section 3.4.3; the public key verifies it."""
    text = (
        '{type: oauth1, consumer_key: c, private_key: "{{ secrets.pem }}", '
        "signature_method: RSA-SHA1, send_version: false}"
    )
    request = Request(method="GET", url="https://api.test:443")

    made = parts(sign(text, request, RFC_MOMENT, pem=RSA_PEM))

    pairs = (
        "oauth_consumer_key=c&oauth_nonce=chapoH&oauth_signature_method=RSA-SHA1&"
        "oauth_timestamp=137131202"
    )
    base = f"GET&https%3A%2F%2Fapi.test%2F&{quote(pairs, safe='')}".encode()
    signature = base64.b64decode(made["oauth_signature"])
    RSA.public_key().verify(signature, base, padding.PKCS1v15(), hashes.SHA1())


def test_token_may_be_missing():
    """A client alone signs with its own secret and nothing behind the ``&``."""
    text = '{type: oauth1, consumer_key: k, consumer_secret: "{{ secrets.s }}"}'

    made = parts(sign(text, s="s", moment=RFC_MOMENT))

    assert "oauth_token" not in made
    assert made["oauth_consumer_key"] == "k"


@given(
    query=st.lists(st.tuples(TEXTS.filter(bool), TEXTS), max_size=4),
    form=st.lists(st.tuples(TEXTS.filter(bool), TEXTS), max_size=4),
)
def test_order_of_parameters_does_not_matter(query, form):
    """They are sorted before they are signed, whatever they hold; the header stays readable."""
    request = Request(
        method="POST", url="https://api.test/", query=tuple(query), body=FormBody(tuple(form))
    )
    turned = replace(request, query=tuple(reversed(query)), body=FormBody(tuple(reversed(form))))
    moved = replace(request, query=(*query, *form), body=FormBody(()))

    made = [parts(sign(RFC, each, RFC_MOMENT, **RFC_KEYS)) for each in (request, turned, moved)]

    assert made[0] == made[1]
    same = {name for name, _ in query}.isdisjoint(name for name, _ in form)
    assert not same or made[0] == made[2]


def test_every_part_is_signed():
    """Another method, host, path, parameter or moment is another signature; JSON is not covered."""
    request = Request(method="POST", url="https://a.test/b?c=1", body=FormBody((("d", "2"),)))
    others = [
        replace(request, method="PUT"),
        replace(request, url="https://b.test/b?c=1"),
        replace(request, url="http://a.test/b?c=1"),
        replace(request, url="https://a.test:8443/b?c=1"),
        replace(request, url="https://a.test/c?c=1"),
        replace(request, url="https://a.test/b?c=2"),
        replace(request, body=FormBody((("d", "3"),))),
    ]
    made = [sign(RFC, each, RFC_MOMENT, **RFC_KEYS) for each in (request, *others)]
    made.append(sign(RFC, request, attempt(RFC_MOMENT.at, "other"), **RFC_KEYS))
    made.append(sign(RFC, request, attempt(nonce="chapoH"), **RFC_KEYS))
    made.append(sign(RFC, request, RFC_MOMENT, **{**RFC_KEYS, "token_secret": "x"}))

    assert len({parts(each)["oauth_signature"] for each in made}) == len(made)
    bodies = [replace(request, body=JsonBody(number)) for number in (1, 2)]
    assert len({header(sign(RFC, each, RFC_MOMENT, **RFC_KEYS)) for each in bodies}) == 1


@pytest.mark.parametrize("name", ["consumer_key", "consumer_secret", "token", "token_secret"])
def test_empty_credentials_are_told(name):
    """An empty one is a mistake at home, not a refusal by the provider."""
    short = {"consumer_key": "key", "consumer_secret": "secret"}.get(name, name)

    with pytest.raises(SecretError) as caught:
        sign(RFC, PHOTOS, **{**RFC_KEYS, short: ""})

    assert str(caught.value) == f"auth.{name} is empty, expected a secret; is its value set?"


def test_text_that_cannot_be_encoded_is_told():
    """A secret of bytes that are no text; nothing of it is repeated."""
    with pytest.raises(RefusedError) as caught:
        sign(RFC, PHOTOS, **{**RFC_KEYS, "token": "a\udcff"})

    assert str(caught.value) == "a parameter is not valid Unicode, which cannot be signed"


def test_preview_needs_no_secret():
    """Stand-ins sign as well."""
    variables = {"config": {}, "secrets": stand_ins(RFC_KEYS)}
    shown = show_request(signer(RFC).sign(PHOTOS, variables, STAND_IN))

    assert shown.headers["authorization"].startswith("OAuth ")
    assert isinstance(sign(RFC, PHOTOS, **RFC_KEYS).headers["authorization"], Secret)


KEY = 'consumer_secret: "{{ secrets.s }}"'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "1:1: E102: http.auth has no 'consumer_secret', which HMAC-SHA1 needs"),
        (
            "signature_method: RSA-SHA1",
            "1:1: E102: http.auth has no 'private_key', which RSA-SHA1 needs",
        ),
        (
            KEY + ', private_key: "{{ secrets.p }}"',
            "1:69: E114: http.auth has 'private_key', which HMAC-SHA1 does not use",
        ),
        (
            KEY + ', private_key: "{{ secrets.p }}", signature_method: RSA-SHA1',
            "1:33: E114: http.auth has 'consumer_secret', which RSA-SHA1 does not use",
        ),
        (
            KEY + ', token_secret: "{{ secrets.t }}"',
            "1:1: E102: http.auth has no 'token', which goes with 'token_secret'",
        ),
    ],
)
def test_mistakes_are_told_when_the_file_is_checked(text, told):
    """Each with its place."""
    made = decode_auth(f"{{type: oauth1, consumer_key: k, {text}}}")

    assert made == (INVALID, [f"specs/acme.yaml:{told}"])
