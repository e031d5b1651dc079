"""Five hundred generated histories end as the oracle says; `make simulate` goes through all."""

import pytest

from tests.simulation.running import Failure, simulate

HISTORIES = 500
CHUNK = 25


@pytest.mark.parametrize("first", range(0, HISTORIES, CHUNK))
def test_histories_end_as_the_oracle_says(first):
    """Whatever changes, fails or dies on the way; a failure tells its seed."""
    failures = simulate(range(first, first + CHUNK))

    assert "\n".join(map(str, failures)) == ""


def test_seed_makes_the_same_history_again():
    """A failure is told with all that was done, and the command that does it again."""
    failure = Failure(7, "WrongError: lost", "Kind(…)", ("sync", "crash"))

    assert str(failure) == (
        "seed 7: WrongError: lost\nKind(…)\n  1. sync\n  2. crash\n"
        "again: python -m tests.simulation --seed 7"
    )
