"""Rows of fields: what is read, what is set aside, and what is told."""

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrationd.config.decode import Kinds, Site, decode
from integrationd.config.problems import Problems
from integrationd.config.yaml import parse_yaml
from integrationd.errors import PageShapeError
from integrationd.model.unstorable import Unstorable
from integrationd.wire import pieces
from integrationd.wire.decode import KINDS
from integrationd.wire.messages import Answer

FIELDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


def decode_said(text):
    """Decode ``decode:`` of a stream; return it with what was told."""
    problems = Problems()
    node = parse_yaml(text.encode(), file="specs/acme.yaml", problems=problems)
    made = decode(node, object, Site(problems, "decode").noted(Kinds(KINDS)))
    return made, [str(problem) for problem in problems.found]


def answer(body, **headers):
    """Build an answer."""
    return Answer(status=200, headers=headers, body=body, url="https://api.test/v1/rows")


def rows(body, said="csv"):
    """Decode a body to the end, with a decoder that is known to be right."""
    decoder, told = decode_said(said)
    assert told == []
    return pieces.finish(decoder.decode(answer(body.encode() if isinstance(body, str) else body)))


def refused(body, said="csv"):
    """Return why a body is refused."""
    with pytest.raises(PageShapeError) as caught:
        rows(body, said)
    return str(caught.value)


@given(
    st.lists(FIELDS.map(str.strip).filter(bool), min_size=1, max_size=4, unique=True),
    st.lists(st.lists(FIELDS, min_size=4, max_size=4), max_size=5),
    st.sampled_from([(",", '"', "\r\n"), (";", "'", "\n"), ("\t", '"', "\r")]),
)
def test_rows_read_back(names, table, dialect):
    """What another writer of CSV wrote is read as it was, line ends inside of fields included."""
    delimiter, quote, end = dialect
    table = [row[: len(names)] for row in table]
    text = io.StringIO(newline="")
    writer = csv.writer(
        text, delimiter=delimiter, quotechar=quote, lineterminator=end, quoting=csv.QUOTE_ALL
    )
    writer.writerows([names, *table])
    word = "tab" if delimiter == "\t" else delimiter
    said = f"{{type: csv, delimiter: '{word}', quote: {json.dumps(quote)}}}"

    found = rows(text.getvalue().encode(), said)

    assert found == [dict(zip(names, row, strict=True)) for row in table]


@given(st.binary(max_size=80), st.sampled_from(["csv", "{type: csv, comment: '#', ragged: allow}"]))
def test_any_bytes_are_rows_or_refused(body, said):
    """Nothing but rows of text or a page-shape error comes out."""
    try:
        found = rows(body, said)
    except PageShapeError:
        return
    assert found is None or all(
        isinstance(row, dict) and all(isinstance(text, str) for text in row.values())
        for row in found
    )


def test_rows_are_objects_of_text():
    """Digits stay text, empty fields and lines are what they are, a mark is no part of a name."""
    body = b'\xef\xbb\xbfid, name ,zip\r\n007,"a ""b"", c",01234\r\n\r\n8,,\r\n'

    assert rows(body) == [
        {"id": "007", "name": 'a "b", c', "zip": "01234"},
        {"id": "8", "name": "", "zip": ""},
    ]


@pytest.mark.parametrize(
    ("said", "body", "found"),
    [
        ("{type: csv, columns: [a, b]}", "1,2\n", [{"a": "1", "b": "2"}]),
        ("{type: csv, columns: [a, b], skip_lines: 1}", "x,x\n1,2", [{"a": "1", "b": "2"}]),
        ("{type: csv, skip_lines: 2}", 'Report "of\n\na\n1\n', [{"a": "1"}]),
        (
            '{type: csv, comment: "#"}',
            '# "made\na,b\n#1,2\n1,"x\n# y"\n',
            [{"a": "1", "b": "x\n# y"}],
        ),
        (
            '{type: csv, nulls: ["", "NULL"]}',
            "a,b,c\n,NULL,null\n",
            [{"a": None, "b": None, "c": "null"}],
        ),
        ("{type: csv, delimiter: tab, quote: null}", 'a\tb\n"1\t2\n', [{"a": '"1', "b": "2"}]),
        ("{type: csv, ragged: allow}", "a,b\n1\n1,2,3\n", [{"a": "1"}, {"a": "1", "b": "2"}]),
        ("csv", "a,b,\n1,2,\n", [{"a": "1", "b": "2"}]),
        ("csv", "a,b\n", []),
        ("csv", "", None),
        ("csv", " \r\n", None),
        ('{type: csv, comment: "#"}', "# nothing\n", []),
        ("{type: csv, skip_lines: 9}", "a\n1\n", []),
        ("{type: csv, encoding: windows-1252}", "a\n“é”\n".encode("cp1252"), [{"a": "“é”"}]),
    ],
)
def test_dialect_is_said(said, body, found):
    """Each word of ``decode`` does what it says."""
    assert rows(body, said) == found


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (
            "a,b\n1,2\n1,2,3\n",
            "row 2 (line 3) has 3 fields, expected 2; say 'ragged: allow' where that is normal",
        ),
        (
            'a,b\n1,"x\ny"\n1\n',
            "row 2 (line 4) has 1 fields, expected 2; say 'ragged: allow' where that is normal",
        ),
        ('a,b\n1,"2\n', "line 2: unexpected end of data"),
        ('a,b\n1,"2"3\n', "line 2: ',' expected after '\"'"),
        (
            "a,a\n1,2\n",
            "a name stands twice in its header; say 'columns' and 'skip_lines: 1'",
        ),
        (",".join(map(str, range(10_001))), "it has more than 10000 columns"),
    ],
)
def test_what_is_no_table_is_told(body, reason):
    """With its place, and without a piece of the body."""
    assert refused(body) == f"the answer of /v1/rows is not CSV as it is said: {reason}"


def test_page_of_html_is_no_table():
    """Also where it calls itself CSV."""
    page = '<!DOCTYPE html>\n<html><head><TITLE lang="en"> Log\n in &amp; go</TITLE>'

    assert refused(page) == (
        "the answer of /v1/rows is an HTML page titled 'Log in & go', expected CSV; is base_url "
        "right?"
    )


def test_row_of_another_length_is_set_aside_alone():
    """Which of its fields is which is not known any more, so none of them is believed."""
    decoder, _ = decode_said("csv")

    assert decoder.decode_loosely(answer(b"id,name\n1,a\n2,b,c\n3,d\n")) == [
        {"id": "1", "name": "a"},
        Unstorable({}, {"fields": ["2", "b", "c"]}, "row 2 (line 3) has 3 fields, expected 2"),
        {"id": "3", "name": "d"},
    ]


def test_long_field_is_read():
    """Python's own bound of 131,072 characters is not ours."""
    text = "x" * 300_000

    assert rows(f"a\n{text}\n") == [{"a": text}]


def test_large_table_is_read_with_pauses():
    """Others get their turn every few milliseconds."""
    decoder, _ = decode_said("csv")
    body = b"id,name\n" + b"".join(b"%d,someone\n" % number for number in range(100_000))
    steps = decoder.decode(answer(body))
    pauses = sum(1 for _ in steps)

    assert pauses >= len(body) // 300_000


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            "{type: csv, delimiter: ab}",
            ["1:24: E111: decode.delimiter is 'ab', expected one character, or tab"],
        ),
        (
            '{type: csv, quote: ""}',
            ["1:20: E111: decode.quote is '', expected one character, or null"],
        ),
        (
            '{type: csv, comment: ""}',
            ["1:22: E111: decode.comment is '', expected at least one character"],
        ),
        (
            '{type: csv, delimiter: "\'", quote: "\'"}',
            ["1:1: E114: decode has the same sign as 'delimiter' and as 'quote'"],
        ),
        (
            "{type: csv, columns: [a, b, a]}",
            ["1:13: E114: decode names a column twice in 'columns'"],
        ),
        (
            "{type: csv, encoding: rot13}",
            [
                (
                    "1:23: E111: decode.encoding is 'rot13', expected an encoding such as utf-8 or "
                    "windows-1252"
                )
            ],
        ),
        (
            "{type: csv, compression: lzma}",
            ["1:26: E103: decode.compression is 'lzma', expected one of none, gzip, zip, auto"],
        ),
    ],
)
def test_what_is_wrong_is_told_where_it_stands(said, told):
    """Each problem has its place."""
    _, found = decode_said(said)

    assert found == [f"specs/acme.yaml:{line}" for line in told]
