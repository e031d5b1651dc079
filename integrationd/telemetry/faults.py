"""A program's own faults: their tracebacks, with every secret masked that was looked up."""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType

from typing_extensions import override


def mask_crash(mask: Callable[[str], str]) -> None:
    """Have the traceback that ends the program masked: a library's words may hold a secret."""

    def tell(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        sys.stderr.write(mask("".join(traceback.format_exception(kind, error, trace))))

    sys.excepthook = tell


@contextmanager
def masked_faults(mask: Callable[[str], str]) -> Iterator[None]:
    """Mask what is logged meanwhile, for a command that has no log of its own, and a crash."""
    writer, root = _Masked(mask), logging.getLogger()
    root.addHandler(writer)
    mask_crash(mask)
    try:
        yield
    finally:
        root.removeHandler(writer)


class _Masked(logging.StreamHandler):  # type: ignore[type-arg] # generic for checkers alone
    """Writes warnings and errors to stderr, as Python does where nothing is set up."""

    def __init__(self, mask: Callable[[str], str]) -> None:
        super().__init__()
        self.setLevel(logging.WARNING)
        self._mask = mask

    @override
    def format(self, record: logging.LogRecord) -> str:
        return self._mask(super().format(record))
