"""The search for cyclic garbage, told what this process is like."""

from __future__ import annotations

import gc
from typing import Final

YOUNG: Final = 50_000
"""New objects between two searches: some 10 ms to look through. A page of 5,000 records makes half
of them, none of which are garbage; by Python's 700 they are looked at again and again."""
MIDDLE: Final = 1
"""Searches after which what they left is looked through again; by Python's 10 that holds the event
loop for 80 ms while an answer of 16 MB is taken in."""
OLD: Final = 100
"""Such second looks between two searches through everything, which take as long."""


def look_seldom() -> None:
    """Search less often from now on; what is in no cycle goes at once all the same."""
    gc.set_threshold(YOUNG, MIDDLE, OLD)


def settle() -> None:
    """Take all that is there now for permanent; called once, when the first files are loaded.

    The modules and the bundle are some 150,000 objects, and a search among them holds the event
    loop for 30 to 80 ms. Not called again at a reload: of the bundle before, cycles would stay.
    """
    gc.freeze()
