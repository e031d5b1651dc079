"""Pages for people: how they are known, and by which title."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from integrationd.wire import html


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"<!DOCTYPE html><title>Sign in</title>", "an HTML page titled 'Sign in'"),
        (
            b"\xef\xbb\xbf\n<HTML lang=en><TITLE >\n Sign\n in </TITLE>",
            "an HTML page titled 'Sign in'",
        ),
        (
            b"<!-- x --><html ><title>a &lt;b&gt; &eacute;</title>",
            "an HTML page titled 'a <b> \xe9'",
        ),
        (b"<html></html>", "an HTML page"),
        (b"<html><title> </title>", "an HTML page"),
        (b"<head><title>a\x1b[2Jb</title>", "an HTML page titled 'a\\u001b[2Jb'"),
        (b"<html><title>\xff</title>", "an HTML page titled '\ufffd'"),
        (b"<feed><title>Feed</title></feed>", None),
        (b"<htmlx/>", None),
        (b'{"a": "<html>"}', None),
        (b"a,b\n<html>,2\n", None),
        (b"", None),
    ],
)
def test_page_is_known_by_its_beginning(body, told):
    """And named by its title, on one line and without control characters."""
    assert html.describe_page(body) == told


def test_long_title_is_cut_between_words():
    """Half a secret would not be known for one, and not be masked."""
    title = "Wrong key " + "x" * 100

    assert html.find_title(f"<title>{title}</title>".encode()) == "Wrong key"
    assert html.find_title(f"<title>{'x' * 100}</title>".encode()) == ""
    assert html.find_title(f"<title>{'ab ' * 50}</title>".encode()) == ("ab " * 26).strip()


@given(st.binary(max_size=80), st.binary(max_size=80))
@example(b"", b"\xdc\x8e")
def test_any_page_can_be_named(head, title):
    """Whatever bytes are in it, the title is one line that can be printed."""
    told = html.describe_page(b"<html>" + head + b"<title>" + title)

    assert told is not None
    assert told.isprintable()
