"""Next-URLs: how they are resolved, compared and kept from leaking credentials."""

import pytest

from integrationd.errors import PageShapeError, PaginationLoopError, RefusedError
from integrationd.model.secret import Secret
from integrationd.wire import urls
from integrationd.wire.messages import JsonBody, Request

FIRST = Request(
    method="POST",
    url="https://api.test/v1/orders/list",
    query=(("limit", "2"),),
    headers={"x-a": "1"},
    body=JsonBody({"q": 1}),
)


@pytest.mark.parametrize(
    ("found", "url"),
    [
        ("https://api.test/v2?c=a%2Fb", "https://api.test/v2?c=a%2Fb"),
        ("https://other.test/x", "https://other.test/x"),
        ("/v2/orders?c=1", "https://api.test/v2/orders?c=1"),
        ("?page=2", "https://api.test/v1/orders/list?page=2"),
        ("page2", "https://api.test/v1/orders/page2"),
        ("//cdn.test/x", "https://cdn.test/x"),
    ],
)
def test_url_is_resolved_against_the_request(found, url):
    """Absolute URLs stand as received, relative ones are joined as a browser would."""
    assert urls.follow(FIRST, found).url == url


def test_only_the_query_of_the_first_request_is_dropped():
    """Method, headers and body are those of the first request."""
    following = urls.follow(FIRST, "/next")

    assert following.query == ()
    assert (following.method, following.headers, following.body) == (
        "POST",
        {"x-a": "1"},
        JsonBody({"q": 1}),
    )


def test_query_goes_along_where_the_url_has_none_of_that_name():
    """A provider that writes only the token into its URL gets the rest again, and nothing twice."""
    request = Request(
        method="GET", url="https://api.test/orders", query=(("limit", "2"), ("sort", "id"))
    )

    following = urls.follow(request, "?c=1&limit=5", with_query=True)

    assert following.url == "https://api.test/orders?c=1&limit=5"
    assert following.query == (("sort", "id"),)


def test_first_page_is_asked_as_it_is():
    """Without a token there is nothing to follow."""
    assert urls.follow(FIRST, None) is FIRST


def test_secret_url_makes_a_secret_url():
    """What is resolved against a secret URL may hold the secret."""
    request = Request(method="GET", url=Secret("https://api.test/bot123/list"))

    assert urls.follow(request, "page2").url == Secret("https://api.test/bot123/page2")


def test_own_host_is_asked_by_https():
    """A provider that writes http for its own https address does not get credentials in clear."""
    assert urls.follow(FIRST, "http://api.test/v1?p=2").url == "https://api.test/v1?p=2"


@pytest.mark.parametrize("found", ["http://other.test/x", "http://api.test:8080/x"])
def test_other_host_in_clear_is_refused(found):
    """Leaving https for another host's or port's http is refused."""
    with pytest.raises(RefusedError) as caught:
        urls.follow(FIRST, found)

    assert str(caught.value) == (
        "POST https://api.test/v1/orders/list: the next URL leaves https for http, "
        "which would send credentials in clear"
    )


def test_http_stays_http():
    """Where the first request was not encrypted, neither need the next be."""
    request = Request(method="GET", url="http://127.0.0.1:15672/api")

    assert urls.follow(request, "http://127.0.0.1:15672/b").url == "http://127.0.0.1:15672/b"


@pytest.mark.parametrize("found", ["file:///etc/passwd", "javascript:x", "mailto:a@b", "ftp://a/b"])
def test_other_schemes_are_refused(found):
    """Only http and https are followed; the URL itself is not printed."""
    with pytest.raises(RefusedError) as caught:
        urls.follow(FIRST, found)

    assert str(caught.value) == (
        "POST https://api.test/v1/orders/list: the next URL is not http or https"
    )


def test_unreadable_stored_url_is_refused():
    """A token that is no URL is an error, not a crash."""
    with pytest.raises(RefusedError) as caught:
        urls.follow(FIRST, "https://[")

    assert str(caught.value) == (
        "POST https://api.test/v1/orders/list: the next URL cannot be read"
    )


@pytest.mark.parametrize("found", [None, ""])
def test_no_url_ends_the_walk(found):
    """Nothing to follow is the end."""
    assert urls.advance_url("https://a.test", found) is None


@pytest.mark.parametrize(
    ("token", "found", "following"),
    [
        (None, "page2", "page2"),
        ("page2", "page3", "page3"),
        ("sub/page2", "page3", "sub/page3"),
        ("https://a.test/x/page2", "page3", "https://a.test/x/page3"),
        ("?page=2", "?page=3", "?page=3"),
        ("/x?page=2", "?page=3", "/x?page=3"),
    ],
)
def test_relative_url_belongs_to_its_own_page(token, found, following):
    """A relative URL is resolved against the page that it stands in."""
    assert urls.advance_url(token, found) == following


@pytest.mark.parametrize("found", ["https://a.test/x?p=2", "/x?p=2"])
def test_url_of_the_same_page_is_a_loop(found):
    """A page that says that it is followed by itself stops the walk, however it writes it."""
    with pytest.raises(PaginationLoopError) as caught:
        urls.advance_url("https://a.test/x?p=2", found)

    assert str(caught.value) == (
        "the next URL was returned twice in a row; the last page should have none"
    )


def test_unreadable_url_is_told_where_it_is_found():
    """What cannot be read as a URL fails the page that holds it."""
    with pytest.raises(PageShapeError) as caught:
        urls.advance_url(None, "https://[")

    assert str(caught.value) == "the next URL cannot be read as a URL"
