"""Bytes to text: which encoding counts, and which names are taken."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrationd.errors import PageShapeError
from integrationd.wire import charsets, pieces
from integrationd.wire.charsets import Charset
from integrationd.wire.decode.json import JsonDecoder
from integrationd.wire.decode.ndjson import NdjsonDecoder
from integrationd.wire.decode.text import TextDecoder
from integrationd.wire.messages import Answer

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))


def answer(body, content_type=""):
    """Build an answer."""
    headers = {"content-type": content_type} if content_type else {}
    return Answer(status=200, headers=headers, body=body, url="https://api.test/v1/names")


def decode(body, decoder, content_type=""):
    """Decode a body to the end."""
    return pieces.finish(decoder.decode(answer(body, content_type)))


@given(TEXTS, st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32", "gb18030"]))
def test_text_reads_back_as_the_spec_says(text, name):
    """Each encoding of all characters loses none; a mark before the text is none of it."""
    found = decode(text.encode(name), TextDecoder(encoding=Charset(charsets.find(name))))

    assert found == (text.removeprefix("\ufeff") or None)


@pytest.mark.parametrize(
    ("body", "content_type", "text"),
    [
        ("é".encode(), "", "é"),
        ("é".encode(), "text/plain", "é"),
        ("é".encode("latin-1"), "text/plain; charset=ISO-8859-1", "é"),
        ("“é”".encode("cp1252"), 'text/plain; CHARSET="windows-1252"; x=y', "“é”"),
        ("é".encode("utf-8-sig"), "text/plain; charset=latin-1", "é"),
        ("é".encode("utf-16"), "", "é"),
        ("é".encode("utf-32"), "", "é"),
        ("é".encode(), "text/plain; charset=unheard-of", "é"),
        ("é".encode(), "text/plain; charset=rot13", "é"),
    ],
)
def test_mark_decides_and_then_the_content_type(body, content_type, text):
    """Where the spec says nothing; a name that nobody knows counts for nothing."""
    assert decode(body, TextDecoder(), content_type) == text


def test_lines_are_texts_of_their_own():
    """Whatever ends them, and empty ones count for nothing."""
    decoder = TextDecoder(lines=True)

    assert decode(b"a\n\nb \x0c c\r\nd\re", decoder) == ["a", "b \x0c c", "d", "e"]
    assert decode(b"\n \n", decoder) is None


def test_spec_wins_over_the_content_type():
    """Some servers name an encoding that they do not write."""
    decoder = TextDecoder(encoding=Charset("cp1252"))

    assert decode("é".encode("cp1252"), decoder, "text/plain; charset=utf-8") == "é"


@pytest.mark.parametrize(
    ("decoder", "message"),
    [
        (
            TextDecoder(),
            (
                "the answer of /v1/names is not utf-8: invalid continuation byte (byte 1); say the "
                "right one as 'encoding'"
            ),
        ),
        (
            TextDecoder(encoding=Charset("ascii")),
            "the answer of /v1/names is not ascii: ordinal not in range(128) (byte 1)",
        ),
    ],
)
def test_wrong_encoding_is_told(decoder, message):
    """With the place, and what to say where the spec says nothing."""
    with pytest.raises(PageShapeError) as caught:
        decode(b"a\xe9b", decoder)

    assert str(caught.value) == message


JSON_TEXT = json.dumps({"name": "é"}, ensure_ascii=False)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (JSON_TEXT.encode(), "application/json"),
        (JSON_TEXT.encode(), "application/json; charset=iso-8859-1"),
        (JSON_TEXT.encode("latin-1"), "application/json; charset=iso-8859-1"),
        (JSON_TEXT.encode("utf-16"), "application/json"),
        (JSON_TEXT.encode("utf-16-le"), "application/json; charset=utf-16le"),
    ],
)
def test_json_is_utf_8_until_it_is_not(body, content_type):
    """What the content type says counts only where the body is no UTF-8."""
    assert decode(body, JsonDecoder(), content_type) == {"name": "é"}
    assert decode(body, NdjsonDecoder(), content_type) == [{"name": "é"}]


def test_json_is_read_as_the_spec_says():
    """Latin-1 without a word about it."""
    body = JSON_TEXT.encode("latin-1")

    assert decode(body, JsonDecoder(encoding=Charset("iso8859-1"))) == {"name": "é"}
    assert decode(body, NdjsonDecoder(encoding=Charset("iso8859-1"))) == [{"name": "é"}]


def test_json_of_another_encoding_keeps_its_sound_records():
    """Half a surrogate pair fails one record also where the text is no UTF-8."""
    body = b'[{"id": "\\ud800"}, {"id": "\xe9"}]'
    asked = answer(body, "application/json; charset=iso-8859-1")

    assert JsonDecoder().decode_loosely(asked) == [{"id": "\ud800"}, {"id": "é"}]
    assert NdjsonDecoder().decode_loosely(asked) == [[{"id": "\ud800"}, {"id": "é"}]]


@pytest.mark.parametrize(
    "name", ["rot13", "idna", "utf-7", "unicode_escape", "hex", "zlib", "", "\0", "../utf_8"]
)
def test_what_is_no_encoding_of_text_is_not_known(name):
    """Python's other codecs make something else of bytes."""
    assert charsets.find(name) is None


@pytest.mark.parametrize(
    ("name", "usual"),
    [
        ("Latin-1", "iso8859-1"),
        ("UTF8", "utf-8"),
        ("windows-1252", "cp1252"),
        ("sjis", "shift_jis"),
    ],
)
def test_encoding_has_many_names(name, usual):
    """Each is taken for the same."""
    assert charsets.find(name) == usual


@given(st.binary(max_size=60), st.text(max_size=60))
def test_any_bytes_are_text_or_refused(body, content_type):
    """Nothing but text or a page-shape error comes out, whatever the content type says."""
    try:
        text = charsets.to_text(answer(body, f"text/plain; charset={content_type}"), None)
    except PageShapeError:
        return
    assert text.encode() or not text
