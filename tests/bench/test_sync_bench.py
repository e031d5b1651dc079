"""CPU for each record of a whole sync, beside a hand-written floor in the same run."""

import sys
from pathlib import Path

import pytest

from tests.support.syncing import integrationd, measure, page_server, write_config

FLOOR = Path(__file__).parent / "floor.py"
RECORDS = 200_000


@pytest.mark.bench
@pytest.mark.timeout(900)
def test_sync_beside_the_floor(tmp_path, capsys):
    """Print microseconds of CPU for each record, and how many times the floor that is."""
    with page_server(RECORDS) as port:
        options = write_config(tmp_path, port)
        floor = measure([sys.executable, str(FLOOR), str(port), str(tmp_path / "floor.db")])
        first = measure(integrationd(*options, "sync", "bench"))
        again = measure(integrationd(*options, "sync", "bench"))

    assert (floor.exit_code, first.exit_code, again.exit_code) == (0, 0, 0), first.output
    with capsys.disabled():
        print()
        for name, run in (("floor", floor), ("first load", first), ("unchanged", again)):
            each_us = run.cpu_s / RECORDS * 1e6
            ratio = run.cpu_s / floor.cpu_s
            print(f"{name:12} {each_us:6.1f} us/record  {ratio:4.1f} x floor  {run.rss_mb:5.0f} MB")
