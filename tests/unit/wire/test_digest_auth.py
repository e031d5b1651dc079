"""Digest: the RFC's own answers, another client's, and which challenges can be answered."""

import hashlib
import urllib.request
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrationd.errors import SecretError
from integrationd.model.secret import Secret
from integrationd.wire.challenges import parse_challenges
from integrationd.wire.encoding import encode
from integrationd.wire.messages import Request
from tests.support.signers import GET, attempt, header, sign, signer

AUTH = '{type: digest, username: "{{ secrets.user }}", password: "{{ secrets.password }}"}'
WHO = {"user": "Mufasa", "password": "Circle of Life"}
OFFER = (
    'realm="http-auth@example.org", qop="auth, auth-int", '
    'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", '
    'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
)
SHA256, MD5 = f"Digest {OFFER}, algorithm=SHA-256", f"Digest {OFFER}, algorithm=MD5"
CNONCE = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
INDEX = Request(method="GET", url="http://www.example.org/dir/index.html")


def answer(challenge: str, request: Request = INDEX, count: int = 1, **who: str) -> dict[str, str]:
    """Answer a challenge; return the parts of the header."""
    moment = attempt(nonce=CNONCE, challenge=challenge, count=count)
    line = header(sign(AUTH, request, moment, **{**WHO, **who}))
    (read,) = parse_challenges(line)
    assert read.scheme == "digest"
    return dict(read.parameters)


@pytest.mark.parametrize(
    ("challenge", "response"),
    [
        (SHA256, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
        (MD5, "8ca523f5e9506fed4657c9700eebdbec"),
    ],
)
def test_answer_is_that_of_the_rfc(challenge, response):
    """RFC 7616 section 3.9.1."""
    moment = attempt(nonce=CNONCE, challenge=challenge, count=1)
    name = challenge.rpartition("=")[2]

    assert header(sign(AUTH, INDEX, moment, **WHO)) == (
        'Digest username="Mufasa", realm="http-auth@example.org", uri="/dir/index.html", '
        f'algorithm={name}, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", qop=auth, '
        f'nc=00000001, cnonce="{CNONCE}", response="{response}", '
        'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
    )


def test_stronger_digest_is_chosen():
    """RFC 7616 section 3.9.1 offers both; older clients take the second."""
    assert answer(f"{MD5}, {SHA256}")["algorithm"] == "SHA-256"
    assert answer(f"{SHA256}, {MD5}")["algorithm"] == "SHA-256"


@given(path=st.text("a b/ä%2F+", max_size=8), query=st.text("a b&=ä%+", max_size=8))
def test_uri_is_the_one_that_is_sent(path, query):
    """Path and query, byte for byte; another client of the same request answers the same."""
    request = Request(method="PUT", url=f"https://api.test/{path}?{query}")
    url = encode(request).url
    parts = urlsplit(url)

    made = answer('Digest realm="r", nonce="n", qop="auth"', request, count=1)

    assert made["uri"] == url.removeprefix("https://api.test")
    handler = urllib.request.HTTPDigestAuthHandler()
    handler.add_password("r", "https://api.test/", WHO["user"], WHO["password"])
    handler.get_cnonce = lambda nonce: CNONCE
    asked = urllib.request.Request(url, method="PUT")
    # urllib leaves a lone question mark in.
    other = handler.get_authorization(asked, {"realm": "r", "nonce": "n", "qop": "auth"})
    if parts.query or "?" not in asked.selector:
        (read,) = parse_challenges(f"Digest {other}")
        assert read.parameters["response"] == made["response"]


def test_answers_are_counted():
    """RFC 7616 section 3.4: eight digits, and another response for each."""
    made = [answer(SHA256, count=count) for count in (1, 2, 255)]

    assert [each["nc"] for each in made] == ["00000001", "00000002", "000000ff"]
    assert len({each["response"] for each in made}) == 3


def test_old_device_is_answered_without_a_count():
    """RFC 2069, before qop and algorithm were named."""
    made = answer('Digest realm="cam", nonce="abc"')

    def md5(text):
        return hashlib.md5(text.encode()).hexdigest()

    expected = md5(f"{md5('Mufasa:cam:Circle of Life')}:abc:{md5('GET:/dir/index.html')}")
    assert made == {
        "username": "Mufasa",
        "realm": "cam",
        "uri": "/dir/index.html",
        "nonce": "abc",
        "response": expected,
    }


def test_name_may_be_hidden():
    """RFC 7616 section 3.4.4: a digest of it is sent where the server can read that."""
    made = answer(f"{SHA256}, userhash=true")

    assert made["username"] == hashlib.sha256(b"Mufasa:http-auth@example.org").hexdigest()
    assert made["userhash"] == "true"


def test_name_that_is_not_ascii_is_escaped():
    """RFC 7616 section 3.4: ``username*``, as a header holds no more than ASCII."""
    made = answer(SHA256, user="Jäsøn")

    assert made["username*"] == "UTF-8''J%C3%A4s%C3%B8n"
    assert "username" not in made


@pytest.mark.parametrize(
    ("challenge", "can"),
    [
        (SHA256, True),
        (f"Basic realm=x, {MD5}", True),
        ("Digest realm=x, nonce=y", True),
        ("Digest realm=x, nonce=y, qop=auth-int", False),
        ("Digest realm=x, nonce=y, algorithm=SHA-512-256", False),
        ("Digest realm=x, nonce=y, algorithm=MD5-sess", False),
        ("Digest realm=x", False),
        ('Basic realm="x"', False),
        ("", False),
    ],
)
def test_challenge_that_cannot_be_answered_is_known(challenge, can):
    """Then the 401 stands."""
    made = signer(AUTH)

    assert made.can_answer(challenge) is can
    variables = {"config": {}, "secrets": {name: Secret(text) for name, text in WHO.items()}}
    signed = made.sign(GET, variables, attempt(challenge=challenge, count=1))
    assert (signed is GET) is not can


@pytest.mark.parametrize("name", ["user", "password"])
def test_empty_credentials_are_told(name):
    """An empty one is a mistake at home, not a refusal by the provider."""
    with pytest.raises(SecretError) as caught:
        answer(SHA256, **{name: ""})

    field = "username" if name == "user" else name
    assert str(caught.value) == f"auth.{field} is empty, expected a secret; is its value set?"
