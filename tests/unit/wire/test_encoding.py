"""Requests to bytes, and how they are printed."""

from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrationd.errors import RefusedError
from integrationd.model.secret import Secret
from integrationd.wire import encoding
from integrationd.wire.messages import FormBody, JsonBody, Request

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
PAIRS = st.lists(st.tuples(TEXTS, TEXTS), max_size=5).map(tuple)


def request(url="https://api.test/orders", **parts):
    """Build a request."""
    return Request(method=parts.pop("method", "GET"), url=url, **parts)


@given(PAIRS)
def test_query_reads_back(pairs):
    """Any names and values arrive as they were, in order."""
    url = encoding.encode(request(query=pairs)).url

    assert url.isascii()
    assert parse_qsl(urlsplit(url).query, keep_blank_values=True) == list(pairs)


def test_query_is_percent_encoded():
    """A blank is %20 and a plus is %2B: neither can be taken for the other."""
    made = encoding.encode(request(query=(("_order_by", "+id"), ("a[b]", "c d&e"))))

    assert made.url == "https://api.test/orders?_order_by=%2Bid&a%5Bb%5D=c%20d%26e"


def test_next_url_is_used_as_received():
    """What a provider wrote is not encoded again, nor decoded."""
    url = "https://api.test/orders?cursor=a%2Fb%20c+d&filter[x]=1,2&e=&e=%e9#part"

    assert encoding.encode(request(url)).url == url.removesuffix("#part")


def test_own_parameter_replaces_the_one_in_the_url():
    """A next-URL that repeats the API key gets the present one, once."""
    made = request("https://api.test/o?key=old&page=2&k%65y=older", query=(("key", "new"),))

    assert encoding.encode(made).url == "https://api.test/o?page=2&key=new"


@pytest.mark.parametrize(
    ("url", "sent"),
    [
        ("https://api.test/a b/ñ?q=é\n", "https://api.test/a%20b/%C3%B1?q=%C3%A9"),
        ("https://BÜCHER.test:8443/x", "https://xn--bcher-kva.test:8443/x"),
        ("HTTP://api.test", "http://api.test"),
        ("http://[::1]:8080/x", "http://[::1]:8080/x"),
    ],
)
def test_url_is_made_ascii(url, sent):
    """Characters that no URL may hold are encoded, an international name is in its ASCII form."""
    assert encoding.encode(request(url)).url == sent


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("/orders", "GET /orders: expected an absolute http or https URL"),
        ("ftp://api.test/x", "GET ftp://api.test/x: expected an absolute http or https URL"),
        ("https:///x", "GET https:///x: expected an absolute http or https URL"),
        ("https://[", "GET ***: expected an absolute http or https URL"),
        ("https://a:99999/", "GET https://a:99999/: expected an absolute http or https URL"),
        (
            "https://user:s3cr3t@api.test/x?key=s3cr3t",
            "GET https://api.test/x: a URL must not hold a user name; use 'auth'",
        ),
        (Secret("/bot-s3cr3t"), "GET ***: expected an absolute http or https URL"),
    ],
)
def test_unusable_url_is_refused_without_its_secrets(url, message):
    """Only whole http URLs are asked; the message has no query, user name or secret."""
    with pytest.raises(RefusedError) as caught:
        encoding.encode(request(url))

    assert str(caught.value) == message


@pytest.mark.parametrize(
    "parts",
    [
        {"query": (("a", "\ud800"),)},
        {"body": JsonBody("\ud800")},
        {"body": FormBody((("a", "\ud800"),))},
    ],
)
def test_broken_unicode_is_refused(parts):
    """Half a character cannot be sent."""
    with pytest.raises(RefusedError) as caught:
        encoding.encode(request(**parts))

    assert str(caught.value) == "GET https://api.test/orders: a text is not valid Unicode"


def test_json_body_is_sent_with_its_secrets():
    """Secrets inside are revealed, integers keep every digit, and the type is said."""
    body = JsonBody({"key": Secret("s3cr3t"), "id": 10**24, "name": "ñ"})

    made = encoding.encode(request(body=body, method="POST"))

    assert made.body == '{"key":"s3cr3t","id":1000000000000000000000000,"name":"ñ"}'.encode()
    assert made.headers == {"content-type": "application/json", "accept": "application/json"}
    assert made.method == "POST"


def test_form_body_is_urlencoded():
    """A form has its own type, and its blanks are plus signs."""
    made = encoding.encode(request(body=FormBody((("a", "1 2"), ("a", Secret("ñ"))))))

    assert made.body == b"a=1+2&a=%C3%B1"
    assert made.headers["content-type"] == "application/x-www-form-urlencoded"


def test_request_without_a_body_has_no_type():
    """There is nothing to say the type of."""
    made = encoding.encode(request())

    assert (made.body, made.headers) == (None, {"accept": "application/json"})


def test_headers_of_the_spec_win():
    """What the spec says stands; a secret header is revealed."""
    headers = {"accept": "text/csv", "content-type": "application/x+json", "x-key": Secret("k")}

    made = encoding.encode(request(headers=headers, body=JsonBody({})))

    assert made.headers == {
        "accept": "text/csv",
        "content-type": "application/x+json",
        "x-key": "k",
    }


def test_header_with_a_line_break_is_refused():
    """The last look before the wire."""
    with pytest.raises(RefusedError) as caught:
        encoding.encode(request(headers={"x-key": "a\r\nx-admin: 1"}))

    assert str(caught.value) == (
        "header 'x-key' holds a line break or another control character; "
        "is there a line end in its secret?"
    )


def test_printing_shows_no_query_and_no_secret():
    """Neither a request nor its encoding shows more than method, host and path."""
    made = request("https://api.test/orders?key=s3cr3t", query=(("key", Secret("s3cr3t")),))

    assert encoding.describe(made) == "GET https://api.test/orders"
    assert repr(encoding.encode(made)) == "EncodedRequest('GET https://api.test/orders')"
    assert "s3cr3t" in encoding.encode(request(query=(("key", Secret("s3cr3t")),))).url


def test_secret_url_is_printed_as_a_placeholder():
    """A URL that is made with a secret is itself one."""
    made = request(Secret("https://api.test/bot123/getMe"))

    assert repr(encoding.encode(made)) == "EncodedRequest('GET ***')"
    assert encoding.encode(made).url == "https://api.test/bot123/getMe"
