"""A played provider answers in the format that the spec reads."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrationd.errors import UsageError
from integrationd.testing.formats import write_body
from integrationd.wire import pieces
from integrationd.wire.charsets import Charset
from integrationd.wire.decode.csv import CsvDecoder
from integrationd.wire.decode.ndjson import NdjsonDecoder
from integrationd.wire.decode.text import TextDecoder
from integrationd.wire.decode.unpacking import Compression
from integrationd.wire.decode.xlsx import XlsxDecoder
from integrationd.wire.decode.xml import XmlDecoder
from integrationd.wire.messages import Answer
from tests.support.players import player_of, walk

SHOP = """\
integration: shop
http:
  base_url: http://player.test
  paginate: {{type: page, into: query.page, full_pages: false}}
streams:
  orders: {{get: /orders, key: id, decode: {decode}, records: {records}}}
"""


@pytest.mark.parametrize(
    ("decode", "records"),
    [
        ("ndjson", "body"),
        ("{type: ndjson, compression: gzip}", "body"),
        ("csv", "body"),
        ("{type: csv, delimiter: tab, quote: null, columns: [id], skip_lines: 1}", "body"),
        ("{type: csv, compression: zip, member: 'out/*.csv', encoding: utf-16}", "body"),
        ("xml", '"body.orders.order || `[]`"'),
        ("{type: xml, lists: [order], encoding: latin-1}", '"body.orders.order || `[]`"'),
    ],
)
def test_player_is_read_by_the_decoder(decode, records):
    """Each record once, whatever the format."""
    player = player_of(SHOP.format(decode=decode, records=records))

    found = [str(record["id"]) for page in walk(player, "orders") for record in page]

    assert len(found) == len(set(found)) == 25


TEXTS = st.text(st.characters(categories=["L", "N", "P"]), max_size=6)
ROWS = st.lists(st.fixed_dictionaries({"a": TEXTS, "b": TEXTS}), min_size=1, max_size=4)


@given(
    ROWS,
    st.sampled_from(
        [
            NdjsonDecoder(),
            CsvDecoder(),
            CsvDecoder(delimiter=";", quote="'", encoding=Charset("utf-16")),
            CsvDecoder(compression=Compression.ZIP),
        ]
    ),
)
def test_rows_read_back(rows, decoder):
    """What is written is what the decoder reads."""
    body, kind = write_body(decoder, rows)
    answer = Answer(status=200, headers={"content-type": kind}, body=body, url="http://x.test/")

    assert pieces.finish(decoder.decode(answer)) == rows


def test_attributes_and_texts_are_written():
    """As the decoder names them; the same body is the same bytes."""
    body = {"a": {"@b": "1 & <2>", "#text": "x", "c": [{"d": None}, 5, True]}}
    written = (
        b'<?xml version="1.0"?><a b="1 &amp; &lt;2&gt;">x<c><d></d></c><c>5</c><c>true</c></a>'
    )

    assert write_body(XmlDecoder(), body) == (written, "application/xml")


@pytest.mark.parametrize(
    ("decoder", "body", "message"),
    [
        (
            XlsxDecoder(),
            {"data": []},
            "an answer of a workbook is a list, so 'records' must be the whole body",
        ),
        (
            CsvDecoder(),
            {"data": []},
            "an answer of CSV is a list, so 'records' must be the whole body",
        ),
        (
            XmlDecoder(),
            [],
            "an answer of XML is one element, so 'records' must begin with its name",
        ),
        (
            CsvDecoder(quote=None),
            [{"a": "1,2"}],
            "a field holds the delimiter and the spec says no 'quote'",
        ),
    ],
)
def test_what_cannot_be_written_is_told(decoder, body, message):
    """Before the player starts."""
    with pytest.raises(UsageError) as caught:
        write_body(decoder, body)

    assert str(caught.value) == message


def test_text_is_written_as_it_is():
    """In its own encoding."""
    assert write_body(TextDecoder(encoding=Charset("iso8859-1")), "é") == (
        b"\xe9",
        "text/plain; charset=iso8859-1",
    )
    assert write_body(TextDecoder(lines=True), ["a", "b"]) == (b"a\nb", "text/plain")


def test_stream_that_cannot_be_written_is_named():
    """The player says which one, and does not start where it is the only one."""
    with pytest.raises(UsageError) as caught:
        player_of(SHOP.format(decode="xml", records="body"))

    assert str(caught.value) == (
        "stream 'orders' cannot be played: an answer of XML is one element, so 'records' must "
        "begin with its name"
    )
