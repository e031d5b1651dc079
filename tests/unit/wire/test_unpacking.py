"""Packed bodies: what is unpacked, and what is refused before it takes the memory."""

import gzip
import io
import tracemalloc
import zipfile
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrationd.errors import PageShapeError
from integrationd.wire import pieces
from integrationd.wire.decode.json import JsonDecoder
from integrationd.wire.decode.ndjson import NdjsonDecoder
from integrationd.wire.decode.text import TextDecoder
from integrationd.wire.decode.unpacking import Compression
from integrationd.wire.messages import Answer


def zipped(*files, method=zipfile.ZIP_DEFLATED):
    """Pack files by name, in order; a name may stand twice."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        for name, content in files:
            archive.writestr(name, content)
    return packed.getvalue()


def decode(body, decoder, *, room_bytes=100_000):
    """Decode a body to the end."""
    answer = Answer(
        status=200, headers={}, body=body, url="https://api.test/v1/export", room_bytes=room_bytes
    )
    return pieces.finish(decoder.decode(answer))


def told(body, decoder, **room):
    """Return why a body is refused."""
    with pytest.raises(PageShapeError) as caught:
        decode(body, decoder, **room)
    assert caught.value.status == 200
    return str(caught.value)


@given(st.binary(max_size=2000), st.sampled_from(["gzip", "auto"]))
def test_gzip_is_unpacked(content, compression):
    """Whatever was packed comes out, text by text."""
    body = gzip.compress(content.hex().encode(), mtime=0)

    assert decode(body, TextDecoder(compression=Compression(compression))) == (
        content.hex() or None
    )


def test_gzip_of_several_streams_is_one_file():
    """As ``cat a.gz b.gz`` makes it, with the padding of tapes."""
    body = gzip.compress(b"one ", mtime=0) + gzip.compress(b"two", mtime=0) + b"\0\0\0"

    assert decode(body, TextDecoder(compression=Compression.GZIP)) == "one two"


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED])
def test_files_of_a_zip_are_put_together(method):
    """In the order of the archive; folders and what a Mac adds are left out."""
    body = zipped(
        ("out/", b""),
        ("out/a.ndjson", b'{"id": 1}\n'),
        ("__MACOSX/out/a.ndjson", b"\0"),
        ("out/read.me", b"no JSON"),
        ("out/b.ndjson", b""),
        ("c.ndjson", b'{"id": 2}\n{"id": 3}\n'),
        method=method,
    )

    found = decode(body, NdjsonDecoder(compression=Compression.ZIP, member="*.ndjson"))

    assert found == [{"id": 1}, {"id": 2}, {"id": 3}]


def test_one_file_of_a_zip_may_be_any_value():
    """An object needs no list around it."""
    body = zipped(("a.json", b'{"data": []}'))

    assert decode(body, JsonDecoder(compression=Compression.ZIP)) == {"data": []}


def test_auto_goes_by_the_first_bytes():
    """Also inside each other, and plain where nothing is packed."""
    decoder = JsonDecoder(compression=Compression.AUTO)

    assert decode(b"[1]", decoder) == [1]
    assert decode(gzip.compress(b"[1]", mtime=0), decoder) == [1]
    assert decode(zipped(("a.json.gz", gzip.compress(b"[1]", mtime=0))), decoder) == [1]
    assert decode(b"", decoder) is None


def test_empty_body_is_null_however_it_should_be_packed():
    """As 204 has it."""
    assert decode(b"", JsonDecoder(compression=Compression.GZIP)) is None
    assert decode(b"", JsonDecoder(compression=Compression.ZIP)) is None


BOMB = gzip.compress(b"0" * 10_000_000, mtime=0)
MANY = b"".join(gzip.compress(b"", mtime=0) for _ in range(100))
PACKED = zipped(("a.json", b"[1]" * 100))
CHECKSUM = zlib.crc32(b"[1]" * 100).to_bytes(4, "little")
TWICE = zipped(("a.json", b"{}"), ("b.json", b"{}"))
TOO_LARGE = "it unpacks to more than 100kB; raise http.max_response"


@pytest.mark.parametrize(
    ("body", "compression", "reason"),
    [
        pytest.param(BOMB, "gzip", TOO_LARGE, id="gzip bomb"),
        pytest.param(zipped(("a", b"0" * 10_000_000)), "zip", TOO_LARGE, id="zip bomb"),
        pytest.param(
            zipped(*((f"a{n}", b"0" * 60_000) for n in range(2))), "zip", TOO_LARGE, id="all count"
        ),
        pytest.param(
            zipped(("a", b"0" * 200_000), method=zipfile.ZIP_STORED), "zip", TOO_LARGE, id="stored"
        ),
        pytest.param(
            gzip.compress(
                gzip.compress(gzip.compress(gzip.compress(b"[1]", mtime=0), mtime=0), mtime=0),
                mtime=0,
            ),
            "auto",
            "it is packed more than 3 times",
            id="nested",
        ),
        pytest.param(MANY, "gzip", "its gzip data has more than 64 streams", id="streams"),
        pytest.param(
            zipped(*((str(n), b"") for n in range(1001))),
            "zip",
            "its zip data has 1001 members, expected at most 1000",
            id="members",
        ),
        pytest.param(
            gzip.compress(bytes(range(256)), mtime=0)[:-20],
            "gzip",
            "its packed data ended early",
            id="cut gzip",
        ),
        pytest.param(
            PACKED[:-30], "zip", "its zip data has no directory; was it cut off?", id="cut zip"
        ),
        pytest.param(
            PACKED.replace(CHECKSUM, b"\xff" * 4),
            "zip",
            "its packed data is damaged",
            id="bits",
        ),
        pytest.param(b"[1]", "gzip", "it is not gzip; say 'auto' where it varies", id="plain"),
        pytest.param(
            gzip.compress(b"[1]", mtime=0),
            "zip",
            "it is not zip; say 'auto' where it varies",
            id="gzip",
        ),
        pytest.param(
            zipped(("a", b"1"), method=zipfile.ZIP_LZMA),
            "zip",
            "its zip data is packed in a way that is not read; use deflate",
            id="lzma",
        ),
        pytest.param(
            zipped(("read.me", b"1")),
            "zip",
            "none of the 1 files in its zip is called '*.json'; say the right name as 'member'",
            id="no file",
        ),
    ],
)
def test_what_cannot_be_unpacked_is_told(body, compression, reason):
    """Each with its reason, and never with a piece of the body."""
    member = "*.json" if "called" in reason else "*"

    found = told(body, JsonDecoder(compression=Compression(compression), member=member))

    assert found == f"the answer of /v1/export cannot be unpacked: {reason}"


def test_bomb_is_refused_before_it_is_whole():
    """No more is unpacked than there is room for, but for one step."""
    bomb = gzip.compress(b"0" * 30_000_000, mtime=0)
    tracemalloc.start()
    told(bomb, JsonDecoder(compression=Compression.GZIP), room_bytes=2_000_000)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert most < 5_000_000


def test_encrypted_zip_is_refused():
    """There is no place for its password."""
    body = bytearray(PACKED)
    body[body.rindex(b"PK\x01\x02") + 8] |= 1

    assert told(bytes(body), JsonDecoder(compression=Compression.ZIP)) == (
        "the answer of /v1/export cannot be unpacked: its zip data is encrypted"
    )


def test_several_files_that_are_no_lists_are_refused():
    """Nobody knows which of them was meant."""
    assert told(TWICE, JsonDecoder(compression=Compression.ZIP)) == (
        "the answer of /v1/export holds 2 files, of which each is one value, expected one file, or "
        "lists; say which file as 'member'"
    )


def test_file_that_is_broken_is_counted():
    """Of several files the message says which one."""
    body = zipped(("a.json", b"[1]"), ("b.json", b"[1"))

    assert told(body, JsonDecoder(compression=Compression.ZIP)) == (
        "file 2 of 2: the answer of /v1/export is not JSON: input data was truncated"
    )


def test_page_in_place_of_a_file_is_told():
    """A login page is no damaged archive."""
    page = b"<!DOCTYPE html><title>Sign in</title>"

    assert told(page, JsonDecoder(compression=Compression.ZIP)) == (
        "the answer of /v1/export is an HTML page titled 'Sign in', expected a file of zip; is "
        "base_url right?"
    )


@given(st.data())
def test_damaged_archive_gives_a_value_or_its_error(data):
    """Whatever bits are turned, nothing but a value or a page-shape error comes out."""
    whole = data.draw(st.sampled_from([PACKED, TWICE, gzip.compress(b"[1, 2]", mtime=0)]))
    body = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(body) - 1))
        body[at] = data.draw(st.integers(0, 255))
    try:
        decode(bytes(body), NdjsonDecoder(compression=Compression.AUTO))
    except PageShapeError as refused:
        assert str(refused)  # noqa: PT017 - either outcome is right
