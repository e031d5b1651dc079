"""Workbooks of Excel: one that another program wrote, and what may be inside of one."""

import io
import zipfile
from pathlib import Path
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrationd.errors import PageShapeError
from integrationd.wire import pieces
from integrationd.wire.decode.unpacking import Compression
from integrationd.wire.decode.xlsx import XlsxDecoder
from integrationd.wire.messages import Answer

WRITTEN = (Path(__file__).parent / "workbook.xlsx").read_bytes()
"""By openpyxl 3.1.5: sheets ``Orders`` and ``Ü 2``."""
RELATED = (
    '<Relationships><Relationship Id="r1" Type="http://x/%s" Target="%s"/>'
    '<Relationship Id="r2" Type="http://x/styles" Target="/xl/styles.xml"/></Relationships>'
)
STYLES = """
<styleSheet><numFmts><numFmt numFmtId="200" formatCode='[Red]"d"0;[h]'/>
<numFmt numFmtId="201" formatCode="yyyy\\-mm"/>
<numFmt numFmtId="202" formatCode="[h]:mm"/></numFmts>
<cellStyleXfs><xf numFmtId="14"/></cellStyleXfs>
<cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="200"/><xf numFmtId="201"/>
<xf numFmtId="202"/></cellXfs></styleSheet>
"""
ENCODED = st.text(st.characters(categories=["L", "N", "P", "Zs"]), min_size=1, max_size=6)


def zipped(files):
    """Pack files by name."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


def parts(rows, *, properties=""):
    """Write the parts of a workbook around the rows of its one sheet."""
    return {
        "[Content_Types].xml": "<Types/>",
        "_rels/.rels": RELATED % ("officeDocument", "xl/workbook.xml"),
        "xl/workbook.xml": (
            f'<x:workbook xmlns:x="m" xmlns:r="r">{properties}<x:sheets>'
            '<x:sheet name="One" sheetId="7" r:id="r1"/></x:sheets></x:workbook>'
        ),
        "xl/_rels/workbook.xml.rels": RELATED % ("worksheet", "sheets/a.xml"),
        "xl/styles.xml": STYLES,
        "xl/sheets/a.xml": f"<worksheet><sheetData>{rows}</sheetData></worksheet>",
    }


def decode(body, decoder=XlsxDecoder(), *, room_bytes=1_000_000):  # noqa: B008 - frozen
    """Decode a workbook to the end."""
    data = zipped(body) if isinstance(body, dict) else body
    answer = Answer(
        status=200, headers={}, body=data, url="https://api.test/v1/export", room_bytes=room_bytes
    )
    return pieces.finish(decoder.decode(answer))


def refused(body, decoder=XlsxDecoder(), **room):  # noqa: B008 - frozen
    """Return why a workbook is refused."""
    with pytest.raises(PageShapeError) as caught:
        decode(body, decoder, **room)
    start = "the answer of /v1/export is not a workbook as it is said: "
    assert str(caught.value).startswith(start)
    return str(caught.value).removeprefix(start)


def test_workbook_of_another_program_is_read():
    """Numbers, texts, true and false and dates; shared and rich texts; a row that is empty."""
    assert decode(WRITTEN) == [
        {
            "id": 1,
            "name": "A & <b>",
            "at": "2026-01-31T10:30:15",
            "amount": 12.5,
            "open": True,
            "note": None,
            "elapsed": 1.25,
        },
        {
            "id": 2,
            "name": " é ",
            "at": "2026-02-28",
            "amount": -3,
            "open": False,
            "note": None,
            "elapsed": None,
        },
        {
            "id": "007",
            "name": "ab",
            "at": "08:15:00",
            "amount": 1e20,
            "open": True,
            "note": "two\nlines",
            "elapsed": None,
        },
        {
            "id": 3,
            "name": None,
            "at": None,
            "amount": None,
            "open": None,
            "note": "far",
            "elapsed": None,
        },
    ]


@pytest.mark.parametrize(
    ("decoder", "found"),
    [
        (XlsxDecoder(sheet="Ü 2"), [{"only": 1}]),
        (XlsxDecoder(sheet="Ü 2", skip_rows=1, columns=("n",)), [{"n": 1}]),
        (XlsxDecoder(sheet="Ü 2", skip_rows=2), []),
        (XlsxDecoder(skip_rows=6, columns=("a", "b")), [{"a": 3, "b": None}]),
    ],
)
def test_sheet_and_columns_are_said(decoder, found):
    """Empty rows count where rows are skipped."""
    assert decode(WRITTEN, decoder) == found


def test_workbook_is_a_zip_that_stays_one():
    """``auto`` opens what is around workbooks, not the workbooks."""
    decoder = XlsxDecoder(sheet="Ü 2", compression=Compression.AUTO)
    around = zipped({"a.xlsx": WRITTEN, "b.xlsx": WRITTEN})

    assert decode(WRITTEN, decoder) == [{"only": 1}]
    assert decode(around, decoder) == [{"only": 1}, {"only": 1}]


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        ('<c r="A2"><v>5</v></c>', 5),
        ('<c r="A2"><v>0.30000000000000004</v></c>', 0.30000000000000004),
        ('<c r="A2"><v>1E400</v></c>', "1E400"),
        ('<c r="A2"><v>NaN</v></c>', "NaN"),
        ('<c r="A2"><v>x</v></c>', "x"),
        ('<c r="A2" t="b"><v>0</v></c>', False),
        ('<c r="A2" t="str"><f>A1</f><v>sum</v></c>', "sum"),
        ('<c r="A2" t="d"><v>2026-01-31</v></c>', "2026-01-31"),
        (
            '<c r="A2" t="inlineStr"><is><r><t>a</t></r><r><t>_x000D_b</t></r></is></c>',
            "a\rb",
        ),
        ('<c r="A2" t="str"><v>_xD800_</v></c>', "_xD800_"),
        ('<c r="A2" s="1"><v>46053.5</v></c>', "2026-01-31T12:00:00"),
        ('<c r="A2" s="1"><v>46053.5000001</v></c>', "2026-01-31T12:00:00.009"),
        ('<c r="A2" s="1"><v>99999999</v></c>', 99_999_999),
        ('<c r="A2" s="2"><v>7</v></c>', 7),
        ('<c r="A2" s="3"><v>46053</v></c>', "2026-01-31"),
        ('<c r="A2" s="4"><v>1.5</v></c>', 1.5),
        ('<c r="A2" s="99"><v>1</v></c>', 1),
        ("<c><v>1</v></c>", 1),
    ],
)
def test_cell_is_what_it_shows(cell, found):
    """Whatever the kind of cell and its format."""
    rows = f'<row><c t="str"><v>a</v></c></row><row r="2">{cell}</row>'

    assert decode(parts(rows)) == [{"a": found}]


def test_sounds_are_no_part_of_a_text():
    """Excel keeps how a Japanese name is read beside the name."""
    shared = "<sst><si><r><t>東</t></r><r><t>京</t></r><rPh><t>トウキョウ</t></rPh></si></sst>"
    files = parts('<row><c t="str"><v>a</v></c></row><row><c t="s"><v>0</v></c></row>')
    related = files["xl/_rels/workbook.xml.rels"].replace(
        "<Relationships>",
        '<Relationships><Relationship Id="r3" Type="x/sharedStrings" Target="texts.xml"/>',
    )

    found = decode({**files, "xl/_rels/workbook.xml.rels": related, "xl/texts.xml": shared})

    assert found == [{"a": "東京"}]


def test_place_that_is_given_twice_counts_once():
    """Of cells that go back in their row the first stands."""
    head = '<row><c t="str"><v>a</v></c><c t="str"><v>b</v></c></row>'
    row = '<row><c r="A2"><v>1</v></c><c r="B2"><v>2</v></c><c r="A2"><v>3</v></c></row>'

    assert decode(parts(head + row)) == [{"a": 1, "b": 2}]


@pytest.mark.parametrize("cell", ["<c/>", '<c t="e"><v>#N/A</v></c>', '<c t="str"><v></v></c>'])
def test_empty_cell_and_error_are_null(cell):
    """A row of such cells alone is none."""
    head = '<row><c t="str"><v>a</v></c><c t="str"><v>b</v></c></row>'

    assert decode(parts(f"{head}<row>{cell}</row><row>{cell}<c><v>1</v></c></row>")) == [
        {"a": None, "b": 1}
    ]


def test_some_workbooks_count_from_1904():
    """Old ones of a Mac."""
    rows = '<row><c t="str"><v>a</v></c></row><row><c s="1"><v>1</v></c></row>'
    properties = '<x:workbookPr date1904="1"/>'

    assert decode(parts(rows, properties=properties)) == [{"a": "1904-01-02"}]


@given(
    st.lists(
        st.lists(
            st.integers(-(2**53) + 1, 2**53 - 1) | ENCODED | st.none(), min_size=3, max_size=3
        ),
        max_size=4,
    )
)
def test_rows_read_back(table):
    """Whatever stands in a table is found again, but for empty rows."""
    rows = ["<row>" + "".join(f'<c t="str"><v>{name}</v></c>' for name in "abc") + "</row>"]
    for cells in table:
        written = [
            f'<c r="{letter}9" t="{"str" if isinstance(cell, str) else "n"}">'
            f"<v>{escape(str(cell))}</v></c>"
            for letter, cell in zip("ABC", cells, strict=True)
            if cell is not None
        ]
        rows.append(f"<row>{''.join(written)}</row>")

    assert decode(parts("".join(rows))) == [
        dict(zip("abc", cells, strict=True)) for cells in table if cells != [None] * 3
    ]


HEAD = '<row><c t="str"><v>a</v></c><c t="str"><v>a</v></c></row>'
FAR = "".join(f'<row><c r="XFD{n}"><v>1</v></c></row>' for n in range(1, 400))
LONG = "<row>" + "".join(f"<c><v>{n}</v></c>" for n in range(3000)) + "</row>"
CUT = {name: part for name, part in parts("").items() if name != "xl/sheets/a.xml"}


@pytest.mark.parametrize(
    ("body", "decoder", "reason"),
    [
        pytest.param(
            b"\xd0\xcf\x11\xe0",
            XlsxDecoder(),
            "it is no XLSX file; the older XLS is not read",
            id="xls",
        ),
        pytest.param(zipped({"a": "b"}), XlsxDecoder(), "a part of it is missing", id="zip"),
        pytest.param(CUT, XlsxDecoder(), "a part of it is missing", id="missing"),
        pytest.param(
            WRITTEN[:-40], XlsxDecoder(), "its zip data has no directory; was it cut off?", id="cut"
        ),
        pytest.param(WRITTEN, XlsxDecoder(sheet="Three"), "it has no sheet 'Three'", id="sheet"),
        pytest.param(
            parts(HEAD),
            XlsxDecoder(),
            "a name stands twice in its header; say 'columns' and skip the header by 'skip_rows'",
            id="names",
        ),
        pytest.param(parts(FAR), XlsxDecoder(), "it has more cells than are read", id="far"),
        pytest.param(
            parts(LONG + "<row><c><v>1</v></c></row>" * 2000),
            XlsxDecoder(),
            "it has more cells than are read",
            id="wide",
        ),
        pytest.param(
            parts('<row><c t="s"><v>0</v></c></row>'),
            XlsxDecoder(),
            "a cell names a text that is not there",
            id="text",
        ),
        pytest.param(
            parts("<row>"), XlsxDecoder(), "mismatched tag (line 1, column 30)", id="broken"
        ),
        pytest.param(
            parts("") | {"xl/styles.xml": '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'},
            XlsxDecoder(),
            "it has a document type (DTD), which is not read",
            id="entities",
        ),
        pytest.param(
            parts(" " * 2_000_000),
            XlsxDecoder(),
            "it unpacks to more than 1MB; raise http.max_response",
            id="bomb",
        ),
    ],
)
def test_what_is_no_workbook_is_told(body, decoder, reason):
    """With its reason, and without a piece of the body."""
    assert refused(body, decoder) == reason


def test_empty_body_has_no_rows():
    """As 204 has it."""
    assert decode(b"") is None


@given(st.data())
def test_damaged_workbook_gives_rows_or_its_error(data):
    """Whatever bytes are changed, nothing but rows or a page-shape error comes out."""
    files = parts('<row><c r="A1" t="str"><v>a</v></c></row><row><c s="1"><v>4</v></c></row>')
    name = data.draw(st.sampled_from(sorted(files)))
    part = bytearray(files[name].encode())
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(part) - 1))
        part[at] = data.draw(st.integers(0, 255))
    try:
        found = decode({**files, name: bytes(part)})
    except PageShapeError:
        return
    assert isinstance(found, list)
