"""XML documents as objects."""

import gzip
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrationd.errors import PageShapeError
from integrationd.wire import pieces
from integrationd.wire.charsets import Charset
from integrationd.wire.decode.unpacking import Compression
from integrationd.wire.decode.xml import XmlDecoder
from integrationd.wire.messages import Answer

NAMES = st.from_regex("[a-z]{1,3}", fullmatch=True)
TEXTS = st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=5)
ELEMENTS = st.recursive(
    TEXTS | st.none(),
    lambda inner: st.dictionaries(
        NAMES, inner | st.lists(inner, min_size=2, max_size=3), min_size=1
    ),
    max_leaves=12,
)


def decode(body, decoder=XmlDecoder(), **headers):  # noqa: B008 - frozen
    """Decode a body to the end."""
    data = body.encode() if isinstance(body, str) else body
    answer = Answer(status=200, headers=headers, body=data, url="https://api.test/v1/feed")
    return pieces.finish(decoder.decode(answer))


def refused(body, decoder=XmlDecoder(), **headers):  # noqa: B008 - frozen
    """Return why a body is refused."""
    with pytest.raises(PageShapeError) as caught:
        decode(body, decoder, **headers)
    assert caught.value.status == 200
    return str(caught.value)


def build(name, value):
    """Write what the decoder should read, with another library."""
    element = ET.Element(name)
    if isinstance(value, str):
        element.text = value
    for key, inner in (value or {}).items() if not isinstance(value, str) else ():
        for one in inner if isinstance(inner, list) else [inner]:
            element.append(build(key, one))
    return element


@given(NAMES, ELEMENTS)
def test_document_reads_back(name, value):
    """Texts, empty elements and repeated ones are found again, however deep."""
    body = ET.tostring(build(name, value), encoding="utf-8", xml_declaration=True)

    assert decode(body) == {name: value}


@given(st.binary(max_size=60) | st.text("<>/a&;\"'=! []?x", max_size=40).map(str.encode))
def test_any_bytes_are_a_document_or_refused(body):
    """Nothing but objects or a page-shape error comes out."""
    try:
        found = decode(body)
    except PageShapeError:
        return
    assert found is None or isinstance(found, dict)


@pytest.mark.parametrize(
    ("body", "decoder", "found"),
    [
        ("<a> x </a>", XmlDecoder(), {"a": "x"}),
        ("<a>\n</a>", XmlDecoder(), {"a": None}),
        ("<a/>", XmlDecoder(), {"a": None}),
        ('<a b="1"/>', XmlDecoder(), {"a": {"@b": "1"}}),
        ('<a b="1">x</a>', XmlDecoder(), {"a": {"@b": "1", "#text": "x"}}),
        ("<a>x<b/>y</a>", XmlDecoder(), {"a": {"b": None, "#text": "xy"}}),
        ("<a><b>1</b><c/><b>2</b></a>", XmlDecoder(), {"a": {"b": ["1", "2"], "c": None}}),
        ("<a><b>1</b></a>", XmlDecoder(lists=("b",)), {"a": {"b": ["1"]}}),
        ("<a><b/><b/><b/></a>", XmlDecoder(lists=("b",)), {"a": {"b": [None, None, None]}}),
        ("<a>&lt;&#233;&amp;<![CDATA[<b>]]></a>", XmlDecoder(), {"a": "<é&<b>"}),
        ("<!-- x --><?y z?><a/>", XmlDecoder(), {"a": None}),
        ("", XmlDecoder(), None),
        (" \n", XmlDecoder(), None),
    ],
)
def test_elements_are_objects(body, decoder, found):
    """Attributes, text, repeated and empty elements each have their form."""
    assert decode(body, decoder) == found


FEED = """
<rss xmlns:media="urn:m" xmlns="urn:r">
  <media:title>M</media:title><title id="1" media:id="2">T</title>
</rss>
"""


def test_names_are_without_prefix():
    """Elements of the same name then stand together, and an attribute of its own wins."""
    assert decode(FEED) == {"rss": {"title": ["M", {"@id": "1", "#text": "T"}]}}


def test_prefixes_can_be_kept():
    """Where two names would be one without."""
    assert decode(FEED, XmlDecoder(prefixes=True)) == {
        "rss": {"media:title": "M", "title": {"@media:id": "2", "@id": "1", "#text": "T"}}
    }


@pytest.mark.parametrize(
    ("body", "decoder", "headers"),
    [
        ("<a>é</a>", XmlDecoder(), {}),
        ('<?xml version="1.0" encoding="ISO-8859-1"?><a>é</a>'.encode("latin-1"), XmlDecoder(), {}),
        (
            '<?xml version="1.0" encoding="windows-1252"?><a>é</a>'.encode("cp1252"),
            XmlDecoder(),
            {},
        ),
        ("<a>é</a>".encode("utf-16"), XmlDecoder(), {}),
        ("<a>é</a>".encode("latin-1"), XmlDecoder(), {"content-type": "text/xml; charset=latin1"}),
        ("<a>é</a>".encode("latin-1"), XmlDecoder(encoding=Charset("iso8859-1")), {}),
        (
            '<?xml version="1.0" encoding="utf-8"?><a>é</a>'.encode("gbk"),
            XmlDecoder(encoding=Charset("gbk")),
            {},
        ),
        (gzip.compress("<a>é</a>".encode(), mtime=0), XmlDecoder(compression=Compression.GZIP), {}),
    ],
)
def test_document_is_read_in_its_encoding(body, decoder, headers):
    """As the spec says, or the content type, or the document itself."""
    assert decode(body, decoder, **headers) == {"a": "é"}


BILLION = '<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;&b;">]><a>&c;</a>'
OUTSIDE = '<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>'


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        pytest.param(
            BILLION,
            "it has a document type (DTD), which is not read",
            id="entities",
        ),
        pytest.param(
            OUTSIDE,
            "it has a document type (DTD), which is not read",
            id="outside",
        ),
        pytest.param("<a>&b;</a>", "undefined entity (line 1, column 4)", id="entity"),
        pytest.param("<a>" * 101, "nested deeper than 100 elements", id="deep"),
        pytest.param("<a>\n<b></a>", "mismatched tag (line 2, column 6)", id="mismatch"),
        pytest.param("<a/><b/>", "junk after document element (line 1, column 5)", id="two"),
        pytest.param("<a><b/>", "no element found (line 1, column 8)", id="cut"),
        pytest.param('{"a": 1}', "not well-formed (invalid token) (line 1, column 1)", id="json"),
        pytest.param(
            '<?xml version="1.0" encoding="rot13"?><a/>',
            "it says an unknown encoding; say the right one as 'encoding'",
            id="encoding",
        ),
        pytest.param(
            '<?xml version="1.0" encoding="big5"?><a/>',
            "it says an unknown encoding; say the right one as 'encoding'",
            id="multi-byte",
        ),
    ],
)
def test_what_is_no_document_is_told(body, reason):
    """With its place, and without a piece of the body."""
    assert refused(body) == f"the answer of /v1/feed is not XML: {reason}"


def test_page_of_html_is_no_document():
    """Also one that is well-formed."""
    page = '<?xml version="1.0"?>\n<!-- x -->\n<html><head><title>Maintenance</title></head></html>'

    assert refused(page) == (
        "the answer of /v1/feed is an HTML page titled 'Maintenance', expected XML; is base_url "
        "right?"
    )


def test_large_document_is_read_with_pauses():
    """Others get their turn every few milliseconds."""
    body = b"<a>" + b"<b>1</b>" * 100_000 + b"</a>"
    answer = Answer(status=200, headers={}, body=body, url="https://api.test/")

    assert sum(1 for _ in XmlDecoder().decode(answer)) >= len(body) // 300_000
