"""How long to wait before another try."""

from __future__ import annotations

from typing import Final

BASE_S: Final = 1.0
"""Most that the first wait takes: long enough for a process to restart behind a balancer."""
CAP_S: Final = 60.0
"""Most that any wait takes by itself: a stream's schedule is the longer way to try again."""
RETRY_AFTER_MAX_S: Final = 86_400.0
"""Most that a provider can make us wait."""
_DOUBLINGS_MAX: Final = 30
"""Beyond this every cap is reached; 2.0 ** 2000 would overflow."""


def delay(
    attempt: int,
    fraction: float,
    retry_after_s: float | None = None,
    *,
    base_s: float = BASE_S,
    cap_s: float = CAP_S,
) -> float:
    """Return the seconds to wait before try number ``attempt`` + 1.

    Half of the bound is certain and half is chance, so that many clients that failed together do
    not come back together, and none comes back at once. What the provider asks for is never
    undercut; the chance comes on top of it.

    Args:
        attempt: How many tries have failed, from 1.
        fraction: Chance, from 0 up to 1.
        retry_after_s: What the provider asked for, if it did.
        base_s: The bound after the first failure; it doubles with each further one.
        cap_s: Where the bound ends to grow.

    Source:
        "Exponential Backoff And Jitter", AWS Architecture Blog: "equal jitter".
    """
    own_s = bound(attempt, base_s=base_s, cap_s=cap_s) / 2
    asked_s = min(max(retry_after_s or 0.0, 0.0), RETRY_AFTER_MAX_S)
    return max(own_s, asked_s) + fraction * own_s


def bound(attempt: int, *, base_s: float = BASE_S, cap_s: float = CAP_S) -> float:
    """Return the longest wait before try number ``attempt`` + 1 that chance alone can give."""
    doublings = min(max(attempt - 1, 0), _DOUBLINGS_MAX)
    return min(cap_s, base_s * 2.0**doublings)
