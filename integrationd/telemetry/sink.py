"""Where all signals end: one log line and the metrics of the table for each."""

from __future__ import annotations

import structlog

from integrationd.signals import Signal
from integrationd.telemetry.entries import fields_of
from integrationd.telemetry.metrics import Metrics
from integrationd.telemetry.table import BY_SIGNAL


class SignalSink:
    """Implements :class:`integrationd.ports.outside.Signals`."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._log = structlog.get_logger()

    def emit(self, signal: Signal) -> None:
        """Log and count one signal; lines below the level cost next to nothing."""
        self._metrics.observe(signal)
        entry = BY_SIGNAL[type(signal)]
        fields = fields_of(signal)
        getattr(self._log, entry.level_of(signal).value)(entry.event, **fields)
