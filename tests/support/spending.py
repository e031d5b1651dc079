"""Work that must cost little, measured so that a busy machine does not count."""

import time
from collections.abc import Callable

TRIES = 3


def cpu_s(work: Callable[[], object]) -> float:
    """Do the work at most three times until one took a tenth of a second; give the least, in s.

    It is the processor time of this process: a collection of a test run's garbage falls into one
    try, while work that costs too much costs it in each.
    """
    least_s = float("inf")
    for _ in range(TRIES):
        began_s = time.process_time()
        work()
        least_s = min(least_s, time.process_time() - began_s)
        if least_s < 0.1:
            break
    return least_s
