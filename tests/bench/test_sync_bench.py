"""CPU for each record of a whole sync, beside a hand-written floor in the same run."""

import sys
import time
from contextlib import nullcontext
from pathlib import Path

import pytest

from tests.support.postgres import schema_url
from tests.support.syncing import integrationd, measure, page_server, write_config

FLOOR = Path(__file__).parent / "floor.py"
RECORDS = 200_000
STORED = 50_000


@pytest.mark.bench
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


@pytest.mark.bench
@pytest.mark.parametrize(
    "place",
    [
        pytest.param(nullcontext, id="sqlite"),
        pytest.param(schema_url, id="postgres", marks=pytest.mark.needs("postgres")),
    ],
)
def test_sync_into_each_store(tmp_path, capsys, place):
    """Print records a second, start included, and the CPU of our process; a server's is its own."""
    told = []
    with page_server(STORED) as port, place() as url:
        options = write_config(tmp_path, port)
        if url is not None:
            settings = tmp_path / "config" / "integrationd.yaml"
            settings.write_text(f"{settings.read_text()}database: '{url}'\n")
        for name in ("first load", "unchanged"):
            began_s = time.monotonic()
            run = measure(integrationd(*options, "sync", "bench"))
            told.append((name, run, time.monotonic() - began_s))

    assert [run.exit_code for _, run, _ in told] == [0, 0], told[0][1].output
    with capsys.disabled():
        print()
        for name, run, took_s in told:
            each_us, rate = run.cpu_s / STORED * 1e6, STORED / took_s
            print(f"{name:12} {rate:8.0f} records/s  {each_us:6.1f} us/record")
