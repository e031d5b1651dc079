"""``python -m tests.simulation [--histories N] [--seed S]``: what `make simulate` runs."""

from __future__ import annotations

import argparse
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor

from tests.simulation.running import simulate

CHUNK = 100


def main() -> int:
    """Run, tell failures, and return the exit code."""
    words = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    words.add_argument("--histories", type=int, default=10_000)
    words.add_argument("--first", type=int, default=0, help="the first seed")
    words.add_argument("--seed", type=int, help="this one alone")
    words.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    said = words.parse_args()
    first, count = (said.first, said.histories) if said.seed is None else (said.seed, 1)
    began_s = time.monotonic()
    chunks = [
        range(start, min(start + CHUNK, first + count))
        for start in range(first, first + count, CHUNK)
    ]
    with ProcessPoolExecutor(said.jobs) as pool:
        failures = [failure for found in pool.map(simulate, chunks) for failure in found]
    for failure in failures[:5]:
        print(failure, file=sys.stderr)
    if failures:
        seeds = ", ".join(str(failure.seed) for failure in failures)
        print(f"failed seeds: {seeds}", file=sys.stderr)
    took_s = time.monotonic() - began_s
    print(f"{count} histories, {len(failures)} failures, {took_s:.0f} s")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
