"""The table of signals: complete, and each line and metric as it says."""

from __future__ import annotations

import dataclasses
import io
import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
import structlog
from prometheus_client.parser import text_string_to_metric_families

from integrationd import signals
from integrationd.model.runs import Counts
from integrationd.spec.settings import LogFormat, LogLevel
from integrationd.telemetry import logs
from integrationd.telemetry.entries import Kind, fields_of
from integrationd.telemetry.metrics import Metrics
from integrationd.telemetry.page import signals_page
from integrationd.telemetry.sink import SignalSink
from integrationd.telemetry.table import BY_SIGNAL, TABLE

PAGE = Path(__file__).parents[3] / "docs/reference/signals.md"
METRICS = [metric for entry in TABLE for metric in entry.metrics]


class StoppedClock:
    """Always the same second."""

    def now(self) -> datetime:
        """Return it."""
        return datetime(2026, 1, 2, tzinfo=UTC)

    def monotonic(self) -> float:
        """Return zero."""
        return 0.0


def finished(status: str, **changes) -> signals.RunFinished:
    """Return a run's end."""
    given = {
        "tenant": "default",
        "integration": "acme",
        "stream": "orders",
        "run_id": "run_1",
        "status": status,
        "counts": Counts(read=5, added=3, quarantined=2),
        "took_s": 1.5,
        **changes,
    }
    return signals.RunFinished(**given)


def samples_after(*emitted: signals.Signal) -> dict[str, float]:
    """Return what the metrics show, labels in the order of their names, buckets left out."""
    metrics = Metrics(StoppedClock())
    for signal in emitted:
        metrics.observe(signal)
    found = {}
    for family in text_string_to_metric_families(metrics.render().decode()):
        for sample in family.samples:
            if not sample.name.endswith("_bucket"):
                labels = ",".join(value for _, value in sorted(sample.labels.items()))
                found[f"{sample.name}{{{labels}}}"] = sample.value
    return found


def test_every_signal_has_one_line():
    """A signal that nobody listens to does not exist."""
    known = [
        kind
        for kind in vars(signals).values()
        if isinstance(kind, type) and issubclass(kind, signals.Signal)
    ]

    assert [entry.signal for entry in TABLE] == known[1:]
    assert len(BY_SIGNAL) == len(TABLE)


@pytest.mark.parametrize("entry", TABLE, ids=lambda entry: entry.event)
def test_event_is_the_signals_name_in_two_words(entry):
    """``RunFinished`` is logged as ``run.finished``."""
    assert entry.event == re.sub(r"(?<=[a-z])(?=[A-Z])", ".", entry.signal.__name__).lower()


def test_metrics_are_named_by_the_rules():
    """Names begin with integrationd_, counters end with _total, units are spelled out."""
    names = [metric.name for metric in METRICS]

    assert len(set(names)) == len(names)
    for metric in METRICS:
        assert re.fullmatch(r"integrationd(_[a-z]+)+", metric.name)
        assert (metric.kind is Kind.COUNTER) == metric.name.endswith("_total")
        assert metric.name.endswith("_timestamp_seconds") == (metric.kind is Kind.TIMESTAMP)
        if metric.kind is Kind.HISTOGRAM:
            assert metric.name.endswith("_seconds")


def test_labels_are_names_out_of_files():
    """No label has a value for each record, run, URL, host or address."""
    labels = {label for metric in METRICS for label in metric.labels}

    assert labels == {
        *("integration", "stream", "endpoint", "operation"),
        *("status", "result", "code", "table", "version"),
    }


def test_page_is_current():
    """The reference page is what the table says."""
    assert PAGE.read_text() == signals_page()


def test_finished_runs_are_counted_by_stream_and_outcome():
    """A run moves its counters, its histogram and, where it was good, its time of success."""
    good, bad = finished("done"), finished("failed", counts=Counts(read=1), kind="auth")

    found = samples_after(good, good, bad)

    assert found["integrationd_runs_total{acme,done,orders}"] == 2
    assert found["integrationd_runs_total{acme,failed,orders}"] == 1
    assert found["integrationd_run_seconds_sum{acme}"] == 4.5
    assert found["integrationd_records_total{acme,read,orders}"] == 11
    assert found["integrationd_records_total{acme,added,orders}"] == 6
    assert found["integrationd_records_total{acme,quarantined,orders}"] == 4
    assert (
        found["integrationd_run_success_timestamp_seconds{acme,orders}"]
        == StoppedClock().now().timestamp()
    )


def test_cleaned_values_are_counted_apart_from_records():
    """What cleaning changed and what it gave up are numbers of values."""
    found = samples_after(finished("done", counts=Counts(read=1, cleaned=3, dropped=2)))

    assert found["integrationd_values_total{acme,cleaned,orders}"] == 3
    assert found["integrationd_values_total{acme,dropped,orders}"] == 2


def test_failed_run_is_no_success():
    """Only a good run sets the time of the last success."""
    found = samples_after(finished("failed"), finished("stopped"))

    assert not any(name.startswith("integrationd_run_success") for name in found)


def test_reload_shows_whether_files_are_good():
    """``reload_ok`` falls to 0 with an error and rises again."""
    bad = signals.BundleSwapped(integrations=3, errors=2, warnings=0, took_ms=5)
    good = signals.BundleSwapped(integrations=4, errors=0, warnings=1, took_ms=5)

    assert samples_after(bad)["integrationd_reload_ok{}"] == 0
    assert samples_after(bad)["integrationd_problems{}"] == 2
    assert samples_after(bad, good)["integrationd_reload_ok{}"] == 1
    assert samples_after(bad, good)["integrationd_integrations{}"] == 4


def test_calls_and_events_are_counted():
    """Answers by class, bytes and seconds; events by result; waits in seconds."""
    call = {"integration": "acme", "method": "GET", "host": "erp.example"}
    event = {"integration": "acme", "endpoint": "hook"}

    found = samples_after(
        signals.CallAnswered(**call, status=200, took_ms=250, body_bytes=100),
        signals.CallAnswered(**call, status=204, took_ms=250, body_bytes=0),
        signals.CallAnswered(**call, status=503, took_ms=500, body_bytes=7),
        signals.CallRetried(integration="acme", attempt=1, wait_s=2.5, reason="answered 503"),
        signals.BudgetWaited(integration="acme", wait_s=0.25),
        signals.EventAccepted(**event, event_id="e", event_name="x", duplicate=False, took_ms=2),
        signals.EventAccepted(**event, event_id="e", event_name="x", duplicate=True, took_ms=2),
        signals.EventRefused(**event, status=401, reason="signature"),
        signals.StorePruned(rows={"events": 5, "runs": 1}),
    )

    assert found["integrationd_calls_total{acme,2xx}"] == 2
    assert found["integrationd_calls_total{acme,5xx}"] == 1
    assert found["integrationd_call_body_bytes_total{acme}"] == 107
    assert found["integrationd_call_seconds_sum{acme}"] == 1
    assert found["integrationd_call_retries_total{acme}"] == 1
    assert found["integrationd_call_retry_wait_seconds_total{acme}"] == 2.5
    assert found["integrationd_budget_wait_seconds_total{acme}"] == 0.25
    assert found["integrationd_events_total{hook,acme,accepted}"] == 1
    assert found["integrationd_events_total{hook,acme,duplicate}"] == 1
    assert found["integrationd_events_refused_total{hook,acme,401}"] == 1
    assert found["integrationd_rows_pruned_total{events}"] == 5
    assert not any("erp.example" in name for name in found)


def test_two_processes_share_no_counter():
    """Each has a registry of its own."""
    first, second = Metrics(StoppedClock()), Metrics(StoppedClock())
    first.observe(signals.RunSkipped(integration="acme", stream="orders"))

    assert b"acme" in first.render()
    assert b"acme" not in second.render()


def test_fields_spread_counts_and_leave_out_what_is_empty():
    """A line shows what there is: ``read`` always, other counts where they are not zero."""
    assert fields_of(finished("done")) == {
        "tenant": "default",
        "integration": "acme",
        "stream": "orders",
        "run_id": "run_1",
        "status": "done",
        "read": 5,
        "added": 3,
        "quarantined": 2,
        "took_s": 1.5,
    }
    assert fields_of(finished("done", counts=Counts(), took_s=0.0))["read"] == 0


@pytest.fixture
def lines():
    """Log JSON from level debug on; calling it returns what was written."""
    stream = io.StringIO()
    logs.configure(level=LogLevel.DEBUG, format=LogFormat.JSON, stream=stream, environ={})
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    structlog.reset_defaults()


def test_sink_logs_and_counts(lines):
    """One signal is one line, at the level of the table, and moves the metrics."""
    metrics = Metrics(StoppedClock())
    sink = SignalSink(metrics)

    sink.emit(signals.RunSkipped(integration="acme", stream="orders"))
    sink.emit(finished("done"))
    sink.emit(finished("failed", error="GET /x answered 503", kind="temporary"))

    found = lines()
    assert [(line["level"], line["event"]) for line in found] == [
        ("warning", "run.skipped"),
        ("info", "run.finished"),
        ("warning", "run.finished"),
    ]
    assert found[2]["error"] == "GET /x answered 503"
    assert b"integrationd_runs_skipped_total" in metrics.render()


@pytest.mark.parametrize("entry", TABLE, ids=[entry.event for entry in TABLE])
def test_every_signal_can_be_written_at_every_level(entry):
    """No field of a signal has a name that a log line uses for itself."""
    names = {field.name for field in dataclasses.fields(entry.signal)}

    assert not names & {"event", "level", "ts", "logger", "exception"}
