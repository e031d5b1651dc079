"""Azure's Shared Key: the text that Microsoft's manual signs, and that every part is in it."""

import base64
import hmac
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from integrationd.errors import RefusedError, SecretError
from integrationd.wire.messages import JsonBody, Request
from integrationd.wire.showing import STAND_IN, show_request, stand_ins
from tests.support.signers import attempt, header, sent, sign, signer

AUTH = '{type: shared_key, account: myaccount, key: "{{ secrets.key }}", version: "2015-02-21"}'
RAW = b"a key of the account"
KEY = base64.b64encode(RAW).decode()
MOMENT = attempt(datetime(2015, 6, 26, 23, 39, 12, tzinfo=UTC))
HOST = "https://myaccount.blob.core.windows.net"


def signed_text(text: str) -> str:
    """Return the header that belongs to a text."""
    digest = hmac.digest(RAW, text.encode(), "sha256")
    return f"SharedKey myaccount:{base64.b64encode(digest).decode()}"


def test_reading_is_signed_as_in_the_manual():
    """Microsoft Learn, "Authorize with Shared Key": Get Container Metadata, its example."""
    url = f"{HOST}/mycontainer?comp=metadata&restype=container&timeout=20"

    out = sent(AUTH, Request(method="GET", url=url), MOMENT, key=KEY)

    assert out.headers["authorization"] == signed_text(
        "GET\n\n\n\n\n\n\n\n\n\n\n\nx-ms-date:Fri, 26 Jun 2015 23:39:12 GMT\n"
        "x-ms-version:2015-02-21\n/myaccount/mycontainer\ncomp:metadata\nrestype:container\n"
        "timeout:20"
    )
    assert out.headers["x-ms-date"] == "Fri, 26 Jun 2015 23:39:12 GMT"
    assert out.headers["x-ms-version"] == "2015-02-21"


def test_writing_is_signed_with_its_length_type_and_conditions():
    """The standard headers in their order; blanks of an own header become one, also as sent."""
    request = Request(
        method="PUT",
        url=f"{HOST}/box/a%20b.json",
        headers={
            "if-none-match": "*",
            "range": "bytes=0-9",
            "content-encoding": "identity",
            "date": "Thu, 01 Jan 1970 00:00:00 GMT",
            "x-ms-blob-type": "BlockBlob",
            "x-ms-meta-b": " two   words ",
        },
        body=JsonBody({"a": "ä"}),
    )

    made = sign(AUTH, request, MOMENT, key=KEY)

    assert header(made, "x-ms-meta-b") == "two words"
    assert header(made) == signed_text(
        "PUT\nidentity\n\n10\n\napplication/json\n\n\n\n*\n\nbytes=0-9\n"
        "x-ms-blob-type:BlockBlob\nx-ms-date:Fri, 26 Jun 2015 23:39:12 GMT\n"
        "x-ms-meta-b:two words\nx-ms-version:2015-02-21\n/myaccount/box/a%20b.json"
    )


def test_parameters_are_decoded_and_sorted():
    """Names in lower case, and all values of a name in one line."""
    request = Request(
        method="GET",
        url=f"{HOST}/?Include=b&prefix=a%2Fb",
        query=(("include", "c"), ("include", "a"), ("A", "ä")),
    )

    assert header(sign(AUTH, request, MOMENT, key=KEY)) == signed_text(
        "GET\n\n\n\n\n\n\n\n\n\n\n\nx-ms-date:Fri, 26 Jun 2015 23:39:12 GMT\n"
        "x-ms-version:2015-02-21\n/myaccount/\na:ä\ninclude:a,b,c\nprefix:a/b"
    )


def test_emulator_has_the_account_in_its_path():
    """It stands twice in the text then."""
    request = Request(method="GET", url="http://127.0.0.1:10000/myaccount/box")

    assert header(sign(AUTH, request, MOMENT, key=KEY)) == signed_text(
        "GET\n\n\n\n\n\n\n\n\n\n\n\nx-ms-date:Fri, 26 Jun 2015 23:39:12 GMT\n"
        "x-ms-version:2015-02-21\n/myaccount/myaccount/box"
    )


def test_every_part_is_signed():
    """Another method, path, query, header or length is another signature."""
    request = Request(method="PUT", url=f"{HOST}/a?b=1", body=JsonBody({"c": 1}))
    others = [
        replace(request, method="POST"),
        replace(request, url=f"{HOST}/b?b=1"),
        replace(request, url=f"{HOST}/a?b=2"),
        replace(request, body=JsonBody({"c": 11})),
        request.with_header("if-match", "x"),
        request.with_header("x-ms-meta-a", "x"),
    ]
    made = {header(sign(AUTH, each, MOMENT, key=KEY)) for each in (request, *others)}

    assert len(made) == 1 + len(others)


@pytest.mark.parametrize(
    ("text", "key", "error", "message"),
    [
        (AUTH, "", SecretError, "auth.key is empty, expected a secret; is its value set?"),
        (AUTH, "not base64", SecretError, "auth.key is not base64; was it copied as a whole?"),
        (
            AUTH.replace("2015-02-21", "a\\nb"),
            KEY,
            RefusedError,
            (
                "header 'x-ms-version' holds a line break or another control character; is there "
                "a line end in its secret?"
            ),
        ),
    ],
)
def test_what_cannot_be_signed_is_told(text, key, error, message):
    """A mistake at home, not a refusal by the provider."""
    with pytest.raises(error) as caught:
        sign(text, key=key)

    assert str(caught.value) == message


def test_preview_needs_no_key():
    """Stand-ins sign as well."""
    variables = {"config": {}, "secrets": stand_ins(["key"])}
    request = signer(AUTH).sign(Request(method="GET", url=HOST), variables, STAND_IN)

    assert show_request(request).headers["authorization"] == "SharedKey ***"
