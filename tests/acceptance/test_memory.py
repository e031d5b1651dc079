"""Memory of one whole sync: bounded, and the same for ten times as many records."""

import pytest

from tests.support.syncing import integrationd, measure, page_server, write_config

pytestmark = [pytest.mark.acceptance]
LIMIT_MB = 150
NOISE_MB = 10
"""What the interpreter's own allocation differs by from run to run."""


def test_memory_does_not_grow_with_the_number_of_records(tmp_path):
    """200,000 records take no more memory than 20,000, and less than 150 MB."""
    peaks_mb = {}
    for records in (20_000, 200_000):
        with page_server(records) as port:
            options = write_config(tmp_path / str(records), port)
            run = measure(integrationd(*options, "sync", "bench"))
        assert run.output.splitlines()[-1] == (
            f"bench/customers: done, {records} read ({records} added)"
        )
        peaks_mb[records] = run.rss_mb

    assert peaks_mb[200_000] < LIMIT_MB
    assert peaks_mb[200_000] < peaks_mb[20_000] + NOISE_MB
