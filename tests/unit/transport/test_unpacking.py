"""Packed bodies: what they hold comes out, and never more than allowed."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrationd.errors import ProviderError, RefusedError, UnavailableError
from integrationd.transport.decompress import Unpacker


def raw_deflate(data: bytes) -> bytes:
    """Return the bare stream that some servers call deflate."""
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


PACKERS = {
    "": bytes,
    "identity": bytes,
    "gzip": gzip.compress,
    "X-GZIP ": gzip.compress,
    "deflate": zlib.compress,
    "Deflate": raw_deflate,
}


def unpack(encoding: str, pieces: list[bytes], max_bytes: int = 10_000_000) -> bytes:
    """Feed all pieces and finish."""
    unpacker = Unpacker(encoding=encoding, max_bytes=max_bytes)
    for piece in pieces:
        unpacker.feed(piece)
    return unpacker.finish()


@given(st.sampled_from(sorted(PACKERS)), st.binary(max_size=3000), st.integers(1, 700))
def test_unpacking_gives_what_was_packed(encoding, data, step):
    """Each encoding gives the body back, however it is cut into pieces."""
    packed = PACKERS[encoding](data)

    pieces = [packed[at : at + step] for at in range(0, len(packed), step)]

    assert unpack(encoding, pieces) == data


@pytest.mark.parametrize("unit", [b"x", b"ab"])
@pytest.mark.parametrize("size", [256 * 1024 - 1, 256 * 1024, 256 * 1024 + 9, 524_288, 900_000])
@pytest.mark.parametrize("encoding", ["gzip", "deflate", "Deflate"])
def test_body_around_the_step_size_is_whole(encoding, size, unit):
    """A body that ends with a step is complete although all its input was taken before."""
    body = (unit * size)[:size]

    assert unpack(encoding, [PACKERS[encoding](body)]) == body


@given(st.lists(st.binary(max_size=50), min_size=1, max_size=10), st.integers(0, 20))
def test_members_of_gzip_are_joined_and_padding_is_dropped(members, zeros):
    """Concatenated gzip streams are one body; zeros behind them are none of it."""
    packed = b"".join(gzip.compress(member, mtime=0) for member in members)

    pieces = [packed, b"\0" * zeros] if zeros else [packed]

    assert unpack("gzip", pieces) == b"".join(members)


@pytest.mark.parametrize("encoding", sorted(PACKERS))
def test_empty_body_is_empty(encoding):
    """Nothing at all is an empty body, whatever it says of its encoding (304, 204)."""
    assert unpack(encoding, []) == b""


@pytest.mark.parametrize("encoding", sorted(PACKERS))
def test_size_cap_is_exact(encoding):
    """A body of the cap passes, one more byte does not."""
    body = bytes(range(256)) * 4
    cap = max(len(body), len(PACKERS[encoding](body)))

    assert unpack(encoding, [PACKERS[encoding](body)], cap) == body
    with pytest.raises(RefusedError) as caught:
        unpack(encoding, [PACKERS[encoding](body + b"x" * (cap - len(body) + 1))], cap)
    assert str(caught.value) == f"the answer is larger than {cap}B; raise http.max_response"


def test_announced_size_is_refused_before_it_is_read():
    """A Content-Length above the cap is enough."""
    unpacker = Unpacker(encoding="", max_bytes=1_000_000)

    unpacker.expect(None)
    unpacker.expect(1_000_000)
    with pytest.raises(RefusedError) as caught:
        unpacker.expect(1_000_001)
    assert str(caught.value) == "the answer is larger than 1MB; raise http.max_response"


def test_bomb_is_refused_by_its_ratio():
    """A small body that becomes a huge one is refused long before the cap."""
    packed = gzip.compress(b"\0" * 50_000_000, mtime=0)
    tracemalloc.start()
    with pytest.raises(RefusedError) as caught:
        unpack("gzip", [packed[:4096]], 10**9)
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert str(caught.value) == "the answer unpacks to more than 200 times its size"
    assert peak_bytes < 3_000_000


def test_short_page_of_blanks_is_no_bomb():
    """Below a megabyte the ratio does not count."""
    assert unpack("gzip", [gzip.compress(b" " * 1_000_000, mtime=0)]) == b" " * 1_000_000


def test_flood_of_members_is_refused():
    """More than 64 gzip streams in one body are an attack."""
    empty = gzip.compress(b"", mtime=0)

    assert unpack("gzip", [empty * 64]) == b""
    with pytest.raises(RefusedError) as caught:
        unpack("gzip", [empty * 65])
    assert str(caught.value) == "the answer holds too many gzip streams"


def test_second_deflate_stream_is_refused():
    """Deflate has no members."""
    with pytest.raises(RefusedError) as caught:
        unpack("deflate", [zlib.compress(b"a") * 2])

    assert str(caught.value) == "the answer holds too many deflate streams"


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [
        ("br", "as br"),
        ("ZSTD", "as zstd"),
        ("gzip, gzip", "in an unknown way"),
        ("sk_live_1", "in an unknown way"),
    ],
)
def test_unknown_encoding_is_refused_before_it_is_read(encoding, shown):
    """Only gzip and deflate are unpacked, once; a stranger's word is not repeated."""
    with pytest.raises(RefusedError) as caught:
        Unpacker(encoding=encoding, max_bytes=10)

    assert str(caught.value) == f"the answer is encoded {shown}, expected gzip, deflate or none"


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_cut_body_is_unavailable(encoding):
    """A packed body without its end is worth another try."""
    with pytest.raises(UnavailableError) as caught:
        unpack(encoding, [PACKERS[encoding](b"abc" * 99)[:-5]])

    assert str(caught.value) == f"the answer's {encoding} data ended early"


def test_damaged_body_is_unavailable():
    """What is no gzip at all is a broken answer."""
    with pytest.raises(UnavailableError) as caught:
        unpack("gzip", [b"<html>"])

    assert str(caught.value) == "the answer's gzip data is damaged"


@settings(max_examples=200)
@given(st.sampled_from(["gzip", "deflate"]), st.binary(max_size=400), st.data())
def test_any_bytes_give_a_body_or_an_error_of_ours(encoding, body, data):
    """Flipped, cut and mixed input never ends in another exception."""
    packed = bytearray(PACKERS[encoding](body))
    for at in data.draw(st.lists(st.integers(0, len(packed) - 1), max_size=4)):
        packed[at] ^= data.draw(st.integers(1, 255))

    try:
        unpack(encoding, [bytes(packed)], 500)
    except ProviderError:
        return
