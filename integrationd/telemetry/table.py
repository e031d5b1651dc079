"""One table: what each signal is called in the log, how loud it is, and what it counts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from integrationd import signals
from integrationd.signals import Signal
from integrationd.spec.settings import LogLevel
from integrationd.telemetry import samples
from integrationd.telemetry.entries import Entry, Kind, Metric, count, measure

_STREAM: Final = ("integration", "stream")

TABLE: Final[tuple[Entry[Any], ...]] = (
    Entry(
        signal=signals.DaemonStarted,
        event="daemon.started",
        level=LogLevel.INFO,
        metrics=(
            measure(
                Kind.GAUGE,
                "integrationd_build_info",
                "The version that runs, as a label.",
                lambda _: 1,
                "version",
            ),
        ),
    ),
    Entry(signal=signals.DaemonStopping, event="daemon.stopping", level=LogLevel.INFO),
    Entry(signal=signals.DaemonStopped, event="daemon.stopped", level=LogLevel.INFO),
    Entry(
        signal=signals.BundleSwapped,
        event="bundle.swapped",
        level=LogLevel.INFO,
        metrics=(
            measure(
                Kind.GAUGE,
                "integrationd_integrations",
                "Integrations that run.",
                lambda signal: signal.integrations,
            ),
            measure(
                Kind.GAUGE,
                "integrationd_problems",
                "Errors in files; what depends on them runs on the last good ones.",
                lambda signal: signal.errors,
            ),
            measure(
                Kind.GAUGE,
                "integrationd_reload_ok",
                "1 where the files that were read last have no error, else 0.",
                lambda signal: 0 if signal.errors else 1,
            ),
            Metric(
                name="integrationd_reload_timestamp_seconds",
                kind=Kind.TIMESTAMP,
                text="When files were read last.",
                samples=lambda _: (((), 0),),
            ),
        ),
    ),
    Entry(signal=signals.ReloadRefused, event="reload.refused", level=LogLevel.WARNING),
    Entry(
        signal=signals.FileRefused,
        event="file.refused",
        level=LogLevel.ERROR,
        metrics=(count("integrationd_files_refused_total", "Problems of files, by code.", "code"),),
    ),
    Entry(signal=signals.FileAdvised, event="file.advised", level=LogLevel.WARNING),
    Entry(signal=signals.CopySpoiled, event="copy.spoiled", level=LogLevel.WARNING),
    Entry(signal=signals.ViewsChanged, event="views.changed", level=LogLevel.INFO),
    Entry(signal=signals.ViewAdvised, event="view.advised", level=LogLevel.WARNING),
    Entry(signal=signals.StreamsDiscovered, event="streams.discovered", level=LogLevel.INFO),
    Entry(signal=signals.DiscoveryAdvised, event="discovery.advised", level=LogLevel.WARNING),
    Entry(
        signal=signals.SecretMissed,
        event="secret.missed",
        level=LogLevel.ERROR,
        metrics=(
            count(
                "integrationd_secrets_missed_total",
                "Times that an integration could not find a secret.",
                "integration",
            ),
        ),
    ),
    Entry(signal=signals.SecretChanged, event="secret.changed", level=LogLevel.INFO),
    Entry(
        signal=signals.KeysRotated,
        event="keys.rotated",
        level=LogLevel.INFO,
        louder=LogLevel.WARNING,
        when="where a value cannot be opened",
        is_louder=lambda signal: signal.left > 0,
    ),
    Entry(signal=signals.SwitchThrown, event="switch.thrown", level=LogLevel.INFO),
    Entry(signal=signals.RunStarted, event="run.started", level=LogLevel.DEBUG),
    Entry(
        signal=signals.PageCommitted,
        event="page.committed",
        level=LogLevel.DEBUG,
        metrics=(count("integrationd_pages_total", "Pages that were stored.", *_STREAM),),
    ),
    Entry(
        signal=signals.RunFinished,
        event="run.finished",
        level=LogLevel.INFO,
        louder=LogLevel.WARNING,
        when="it failed",
        is_louder=lambda signal: bool(signal.status == "failed"),
        metrics=(
            count("integrationd_runs_total", "Readings that ended.", *_STREAM, "status"),
            measure(
                Kind.HISTOGRAM,
                "integrationd_run_seconds",
                "How long readings took.",
                lambda signal: signal.took_s,
                "integration",
            ),
            Metric(
                name="integrationd_records_total",
                kind=Kind.COUNTER,
                text="Records of readings that ended, by what became of them.",
                labels=(*_STREAM, "result"),
                samples=samples.records,
            ),
            Metric(
                name="integrationd_values_total",
                kind=Kind.COUNTER,
                text="Values that cleaning changed, and those that became null as they were unfit.",
                labels=(*_STREAM, "result"),
                samples=samples.values,
            ),
            Metric(
                name="integrationd_run_success_timestamp_seconds",
                kind=Kind.TIMESTAMP,
                text="When a stream was read well last.",
                labels=_STREAM,
                samples=samples.success,
            ),
        ),
    ),
    Entry(
        signal=signals.QuarantineReplayed,
        event="quarantine.replayed",
        level=LogLevel.INFO,
    ),
    Entry(
        signal=signals.RunReverted,
        event="run.reverted",
        level=LogLevel.INFO,
        louder=LogLevel.WARNING,
        when="it failed or left records alone",
        is_louder=lambda signal: bool(signal.status == "failed" or signal.conflicts),
        metrics=(
            count("integrationd_reverts_total", "Runs that undid another.", *_STREAM, "status"),
        ),
    ),
    Entry(
        signal=signals.DeletionHeld,
        event="deletion.held",
        level=LogLevel.ERROR,
        metrics=(
            count(
                "integrationd_deletions_held_total",
                "Sweeps that wait for a person.",
                *_STREAM,
            ),
        ),
    ),
    Entry(
        signal=signals.RunSkipped,
        event="run.skipped",
        level=LogLevel.WARNING,
        metrics=(
            count(
                "integrationd_runs_skipped_total",
                "Readings that were due and could not begin.",
                *_STREAM,
            ),
        ),
    ),
    Entry(
        signal=signals.OperationCalled,
        event="operation.called",
        level=LogLevel.INFO,
        louder=LogLevel.WARNING,
        when="it failed",
        is_louder=lambda signal: bool(signal.status == "failed"),
        metrics=(
            count(
                "integrationd_operations_total",
                "Calls of operations that ended, those answered from memory included.",
                "integration",
                "operation",
                "status",
            ),
            measure(
                Kind.HISTOGRAM,
                "integrationd_operation_seconds",
                "How long calls of operations took, with all tries and waiting.",
                lambda signal: signal.took_s,
                "integration",
            ),
        ),
    ),
    Entry(
        signal=signals.IntegrationProbed,
        event="integration.probed",
        level=LogLevel.INFO,
        louder=LogLevel.WARNING,
        when="it failed",
        is_louder=lambda signal: bool(signal.status == "failed"),
        metrics=(
            count("integrationd_probes_total", "Probes that ended.", "integration", "status"),
        ),
    ),
    Entry(
        signal=signals.CallSkipped,
        event="call.skipped",
        level=LogLevel.INFO,
        metrics=(
            count(
                "integrationd_calls_skipped_total",
                "Answers that a rule of the spec took for nothing.",
                "integration",
            ),
        ),
    ),
    Entry(
        signal=signals.CallAnswered,
        event="call.answered",
        level=LogLevel.DEBUG,
        metrics=(
            Metric(
                name="integrationd_calls_total",
                kind=Kind.COUNTER,
                text="Calls that were answered, by class of status (2xx).",
                labels=("integration", "status"),
                samples=samples.answers,
            ),
            measure(
                Kind.HISTOGRAM,
                "integrationd_call_seconds",
                "How long answers took, whole.",
                lambda signal: signal.took_ms / 1000,
                "integration",
            ),
            measure(
                Kind.COUNTER,
                "integrationd_call_body_bytes_total",
                "Bytes of answers, unpacked.",
                lambda signal: signal.body_bytes,
                "integration",
            ),
        ),
    ),
    Entry(
        signal=signals.CallRetried,
        event="call.retried",
        level=LogLevel.WARNING,
        metrics=(
            count(
                "integrationd_call_retries_total",
                "Calls that are tried again.",
                "integration",
            ),
            measure(
                Kind.COUNTER,
                "integrationd_call_retry_wait_seconds_total",
                "Waiting before another try.",
                lambda signal: signal.wait_s,
                "integration",
            ),
        ),
    ),
    Entry(
        signal=signals.BudgetWaited,
        event="budget.waited",
        level=LogLevel.DEBUG,
        metrics=(
            measure(
                Kind.COUNTER,
                "integrationd_budget_wait_seconds_total",
                "Waiting for an integration's own rate.",
                lambda signal: signal.wait_s,
                "integration",
            ),
        ),
    ),
    Entry(
        signal=signals.TokenRenewed,
        event="token.renewed",
        level=LogLevel.INFO,
        metrics=(
            count(
                "integrationd_tokens_renewed_total",
                "Access tokens that providers gave.",
                "integration",
            ),
        ),
    ),
    Entry(
        signal=signals.TokenUnkept,
        event="token.unkept",
        level=LogLevel.ERROR,
        metrics=(
            count(
                "integrationd_tokens_unkept_total",
                "New refresh tokens that could not be stored.",
                "integration",
            ),
        ),
    ),
    Entry(signal=signals.ConsentGiven, event="consent.given", level=LogLevel.INFO),
    Entry(signal=signals.ConsentRefused, event="consent.refused", level=LogLevel.WARNING),
    Entry(
        signal=signals.EventAccepted,
        event="event.accepted",
        level=LogLevel.DEBUG,
        metrics=(
            Metric(
                name="integrationd_events_total",
                kind=Kind.COUNTER,
                text="Webhooks that were verified, accepted or duplicate.",
                labels=("integration", "endpoint", "result"),
                samples=samples.events,
            ),
            measure(
                Kind.HISTOGRAM,
                "integrationd_event_seconds",
                "From a webhook's arrival to its answer.",
                lambda signal: signal.took_ms / 1000,
                "integration",
            ),
        ),
    ),
    Entry(
        signal=signals.EventRefused,
        event="event.refused",
        level=LogLevel.WARNING,
        metrics=(
            count(
                "integrationd_events_refused_total",
                "Webhooks that were not stored, by the status they were given.",
                "integration",
                "endpoint",
                "status",
            ),
        ),
    ),
    Entry(
        signal=signals.StorePruned,
        event="store.pruned",
        level=LogLevel.INFO,
        metrics=(
            Metric(
                name="integrationd_rows_pruned_total",
                kind=Kind.COUNTER,
                text="Rows that retention removed, by table.",
                labels=("table",),
                samples=samples.pruned,
            ),
        ),
    ),
)
"""Every signal there is; a test holds it to that."""

BY_SIGNAL: Final[Mapping[type[Signal], Entry[Any]]] = {entry.signal: entry for entry in TABLE}
