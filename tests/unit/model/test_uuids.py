"""Internal ids: UUIDv7s built from a time and chance, in the order of their numbers."""

import uuid

import pytest

from integrationd.model.ids import UUID_ENTROPY_BYTES, Uuids

UNIX_MS = 1_772_366_400_123


@pytest.mark.parametrize("chance", [b"\x00", b"\xff", b"\x5a"])
def test_uuids_sort_by_their_number_whatever_the_chance(chance):
    """The counter stands before the random bits."""
    made = Uuids(UNIX_MS, chance * UUID_ENTROPY_BYTES * 5000)

    built = [made[number] for number in range(len(made))]

    assert len(built) == 5000
    assert built == sorted(set(built))


def test_uuid_is_of_version_seven_and_holds_its_time():
    """Time first, then version, counter, variant and chance."""
    made = Uuids(UNIX_MS, bytes(UUID_ENTROPY_BYTES) + b"\xff" * UUID_ENTROPY_BYTES)

    assert [str(uuid.UUID(bytes=made[number])) for number in (0, 1)] == [
        "019ca945-0a7b-7000-8000-000000000000",
        "019ca945-0a7b-7000-8007-ffffffffffff",
    ]


def test_uuid_is_the_same_each_time_it_is_asked_for():
    """A transaction that is tried again stores the same ids."""
    made = Uuids(UNIX_MS, b"\x5a" * UUID_ENTROPY_BYTES)

    assert made[0] == made[0]
