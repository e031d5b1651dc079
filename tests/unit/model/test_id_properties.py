"""Ids sort by time, never meet, and have the shape that their standards give them."""

import uuid

from hypothesis import given
from hypothesis import strategies as st

from integrationd.model.ids import UUID_ENTROPY_BYTES, Uuids, build_ulid, build_uuid7

MILLISECONDS = st.integers(0, (1 << 48) - 1)
CHANCE = st.binary(min_size=10, max_size=10)
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def read_ulid(text):
    """Read a ULID back: its time and its chance."""
    number = 0
    for character in text:
        number = number << 5 | CROCKFORD.index(character)
    return number >> 80, (number & (1 << 80) - 1).to_bytes(10, "big")


@given(unix_ms=MILLISECONDS, chance=CHANCE)
def test_ulid_holds_its_time_and_all_its_chance(unix_ms, chance):
    """26 Crockford characters, from which both parts are read back whole."""
    made = build_ulid(unix_ms, chance)

    assert len(made) == 26
    assert read_ulid(made) == (unix_ms, chance)


def test_ulid_is_the_one_of_the_specification():
    """The greatest of all and a known one, as the specification and its authors print them."""
    assert build_ulid((1 << 48) - 1, b"\xff" * 10) == "7ZZZZZZZZZZZZZZZZZZZZZZZZZ"
    assert build_ulid(1_469_918_176_385, bytes(10)) == "01ARYZ6S410000000000000000"


@given(times=st.tuples(MILLISECONDS, MILLISECONDS), chances=st.tuples(CHANCE, CHANCE))
def test_ulids_sort_as_their_times_do(times, chances):
    """As text, the later one is the greater one whatever its chance."""
    first, second = (build_ulid(*pair) for pair in zip(times, chances, strict=True))

    if times[0] != times[1]:
        assert (first < second) == (times[0] < times[1])
    assert (first == second) == ((times[0], chances[0]) == (times[1], chances[1]))


@given(unix_ms=MILLISECONDS, chance=CHANCE)
def test_uuid_has_version_seven_and_the_variant_of_the_rfc(unix_ms, chance):
    """48 bits of time, 0111, 12 bits, 10 and 62 bits, in this order."""
    made = uuid.UUID(bytes=build_uuid7(unix_ms, chance))

    free = int.from_bytes(chance, "big") >> 6
    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert made.int >> 80 == unix_ms
    assert (made.int >> 64 & 0xFFF, made.int & (1 << 62) - 1) == (free >> 62, free & (1 << 62) - 1)


@given(times=st.tuples(MILLISECONDS, MILLISECONDS), chances=st.tuples(CHANCE, CHANCE))
def test_uuids_sort_as_their_times_do(times, chances):
    """As bytes, the later one is the greater one whatever its chance."""
    first, second = (build_uuid7(*pair) for pair in zip(times, chances, strict=True))

    if times[0] != times[1]:
        assert (first < second) == (times[0] < times[1])


@given(unix_ms=MILLISECONDS, data=st.data(), count=st.integers(1, 40))
def test_uuids_of_one_page_never_meet(unix_ms, data, count):
    """Also where chance is the same for all, their numbers keep them apart and in order."""
    one = data.draw(st.binary(min_size=UUID_ENTROPY_BYTES, max_size=UUID_ENTROPY_BYTES))
    page = Uuids(unix_ms, one * count)

    made = [page[number] for number in range(count)]

    assert len(page) == count
    assert made == sorted(set(made))
    assert {uuid.UUID(bytes=each).version for each in made} == {7}
