"""Sealed values: what opens them, and that nothing else does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrationd.vault.sealing import KEY_BYTES, NONCE_BYTES, BrokenSealError, Sealer

KEY = bytes(range(KEY_BYTES))
NONCE = bytes(range(100, 100 + NONCE_BYTES))
PLACE = ("secret", "default", "acme", "token")

keys = st.binary(min_size=KEY_BYTES, max_size=KEY_BYTES)
nonces = st.binary(min_size=NONCE_BYTES, max_size=NONCE_BYTES)
places = st.lists(st.text(max_size=4), min_size=1, max_size=4).map(tuple)


@given(key=keys, nonce=nonces, place=places, plain=st.binary(max_size=200))
def test_what_was_sealed_opens(key, nonce, place, plain):
    """The same key and the same place give the value back."""
    sealer = Sealer("key_1", key)

    assert sealer.open(sealer.seal(plain, place, nonce), place) == plain


@given(place=places, other=places)
def test_another_place_does_not_open(place, other):
    """However two places are cut into parts, one's value does not open at the other."""
    sealer = Sealer("key_1", KEY)
    sealed = sealer.seal(b"value", place, NONCE)

    if other == place:
        assert sealer.open(sealed, other) == b"value"
    else:
        with pytest.raises(BrokenSealError):
            sealer.open(sealed, other)


@pytest.mark.parametrize(
    "other",
    [
        ("secret", "default", "acmet", "oken"),
        ("secret", "defaulta", "cme", "token"),
        ("secret", "default", "acme\0token", ""),
        ("secret", "default", "acme", "", "token"),
        ("key", "default", "acme", "token"),
    ],
)
def test_parts_that_read_alike_are_different_places(other):
    """Moving letters from one part to the next makes another place."""
    sealer = Sealer("key_1", KEY)

    with pytest.raises(BrokenSealError):
        sealer.open(sealer.seal(b"value", PLACE, NONCE), other)


def test_every_flipped_bit_is_noticed():
    """No bit of version, nonce, ciphertext or tag can be changed."""
    sealer = Sealer("key_1", KEY)
    sealed = sealer.seal(b"a token", PLACE, NONCE)

    for position in range(len(sealed) * 8):
        changed = bytearray(sealed)
        changed[position // 8] ^= 1 << position % 8
        with pytest.raises(BrokenSealError):
            sealer.open(bytes(changed), PLACE)


def test_every_shorter_value_is_noticed():
    """A value that was cut off anywhere does not open."""
    sealer = Sealer("key_1", KEY)
    sealed = sealer.seal(b"a token", PLACE, NONCE)

    for length in range(len(sealed)):
        with pytest.raises(BrokenSealError):
            sealer.open(sealed[:length], PLACE)


def test_row_that_names_another_key_does_not_open():
    """The id of the key is bound too, even where the key itself is the same."""
    sealed = Sealer("key_1", KEY).seal(b"value", PLACE, NONCE)

    with pytest.raises(BrokenSealError):
        Sealer("key_2", KEY).open(sealed, PLACE)


def test_sealed_value_has_the_form_that_is_described():
    """One byte of version, the nonce, and a ciphertext that is 16 bytes longer than the value."""
    sealed = Sealer("key_1", KEY).seal(b"value", PLACE, NONCE)

    assert (sealed[0], sealed[1:13], len(sealed)) == (1, NONCE, 1 + 12 + 5 + 16)
    assert b"value" not in sealed


def test_sealed_value_of_this_version_opens_for_ever():
    """What version 1 wrote once is what version 1 reads: the bytes may never change."""
    sealed = bytes.fromhex("016465666768696a6b6c6d6e6f3e7ab2131c6915b90308e1f9dc746272cb2234f556")

    assert Sealer("key_1", KEY).open(sealed, PLACE) == b"value"


def test_nothing_shows_the_key():
    """Printing a sealer shows neither key nor value."""
    assert KEY.hex() not in repr(Sealer("key_1", KEY))
    assert str(KEY) not in repr(vars(Sealer)) + repr(Sealer("key_1", KEY))


@pytest.mark.parametrize("size", [0, 16, 31, 33])
def test_only_256_bits_are_a_key(size):
    """AES-128 and AES-192 are not taken by accident."""
    with pytest.raises(BrokenSealError, match=r"^it is not a key of 256 bits$"):
        Sealer("key_1", bytes(size))
