"""The table's metrics, counted and shown in Prometheus' text format."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias, TypeVar

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)

from integrationd.ports.outside import Clock
from integrationd.signals import Signal
from integrationd.telemetry.entries import Kind, Metric
from integrationd.telemetry.table import BY_SIGNAL, TABLE

_Move: TypeAlias = Callable[[tuple[str, ...], float], None]

_BUCKETS_S = (0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800)
"""From a fast webhook to a long first reading."""


class Metrics:
    """One process's metrics, in a registry of its own."""

    def __init__(self, clock: Clock) -> None:
        # A second series for each counter, with the time it began, is of no use here.
        disable_created_metrics()  # type: ignore[no-untyped-call]  # the library lacks the types
        self._clock = clock
        self._registry = CollectorRegistry()
        self._moves = {
            metric.name: self._build(metric) for entry in TABLE for metric in entry.metrics
        }

    def observe(self, signal: Signal) -> None:
        """Move what a signal moves."""
        for metric in BY_SIGNAL[type(signal)].metrics:
            move = self._moves[metric.name]
            for labels, amount in metric.samples(signal):
                move(labels, amount)

    def render(self) -> bytes:
        """Return all metrics in the text format, version 0.0.4."""
        return generate_latest(self._registry)

    def _build(self, metric: Metric[Signal]) -> _Move:
        name, text, labels = metric.name, metric.text, metric.labels
        if metric.kind is Kind.COUNTER:
            counter = Counter(name, text, labels, registry=self._registry)
            return lambda values, amount: _at(counter, values).inc(amount)
        if metric.kind is Kind.HISTOGRAM:
            histogram = Histogram(name, text, labels, registry=self._registry, buckets=_BUCKETS_S)
            return lambda values, amount: _at(histogram, values).observe(amount)
        gauge = Gauge(name, text, labels, registry=self._registry)
        if metric.kind is Kind.TIMESTAMP:
            return lambda values, _: _at(gauge, values).set(self._clock.now().timestamp())
        return lambda values, amount: _at(gauge, values).set(amount)


_C = TypeVar("_C", Counter, Gauge, Histogram)


def _at(collector: _C, values: tuple[str, ...]) -> _C:
    return collector.labels(*values) if values else collector
