"""What happens, as frozen values; telemetry turns each into a log line and a metric.

Names are past participles: ``RunFinished`` is logged as ``run.finished``. No field ever holds a
secret, a header value or a body.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from integrationd.model.runs import Counts


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """The root of all; engine rooms emit, telemetry listens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DaemonStarted(Signal):
    """The first load is over, whatever it found, and the listener answers."""

    version: str
    listen: str
    integrations: int
    problems: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DaemonStopping(Signal):
    """The ladder of shutdown began."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DaemonStopped(Signal):
    """All rungs are behind us."""

    took_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleSwapped(Signal):
    """Files were read and what is good of them runs now."""

    integrations: int
    errors: int
    warnings: int
    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    took_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ReloadRefused(Signal):
    """The store was away, so files could not be taken up; what ran goes on, and they wait."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRefused(Signal):
    """One problem of one file; the last good version of what depends on it keeps running."""

    problem: str
    """The whole message, as ``check`` prints it."""
    code: str
    keeps: tuple[str, ...] = ()
    """Integrations that run on their last good files because of this one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileAdvised(Signal):
    """Advice about a file, which runs all the same."""

    advice: str
    """The whole message, as ``check`` prints it."""
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CopySpoiled(Signal):
    """A kept copy of last good files cannot be used; nothing stops because of it."""

    remark: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewsChanged(Signal):
    """The files give other entities or fields now, and their SQL views followed."""

    made: tuple[str, ...]
    dropped: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewAdvised(Signal):
    """An entity has no SQL view, or one whose name nobody would guess."""

    advice: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamsDiscovered(Signal):
    """A list holds other objects than before, so that there are other streams."""

    integration: str
    stream: str
    streams: int
    added: tuple[str, ...]
    gone: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscoveryAdvised(Signal):
    """A list holds what gets no stream."""

    integration: str
    stream: str
    advice: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretMissed(Signal):
    """An integration cannot run until a person supplies a secret."""

    integration: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretChanged(Signal):
    """A person has set or removed a secret of the encrypted store."""

    tenant: str
    integration: str
    name: str
    change: str
    """set or removed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeysRotated(Signal):
    """The encrypted store is sealed under new keys, or its ring under another master key."""

    keys: int
    secrets: int
    left: int
    """Values that cannot be opened and stay under their old keys."""
    master: str
    """The id of the master key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchThrown(Signal):
    """A person has switched an integration off, or on again; without a name everything."""

    integration: str
    switch: str
    """paused or disabled."""
    on: bool
    """Whether it is off in that way from now on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted(Signal):
    """A reading began."""

    tenant: str
    integration: str
    stream: str
    run_id: str
    trigger: str
    mode: str
    resumed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PageCommitted(Signal):
    """A page is in the store, whole."""

    integration: str
    stream: str
    run_id: str
    page: int
    """How many pages this run has committed, this one included."""
    counts: Counts
    """Of this page alone."""
    total: int | None = None
    """How many records the provider says there are, where the spec reads it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFinished(Signal):
    """A reading ended, well or not; one log line for each run."""

    tenant: str
    integration: str
    stream: str
    run_id: str
    status: str
    counts: Counts
    took_s: float
    error: str = ""
    kind: str = ""
    """auth, rate, temporary or permanent where it failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantineReplayed(Signal):
    """What waited in quarantine was mapped again."""

    tenant: str
    integration: str
    stream: str
    run_id: str
    status: str
    counts: Counts
    """``quarantined`` is what waits still."""
    took_s: float
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReverted(Signal):
    """What a run had written was undone, or some of it."""

    tenant: str
    integration: str
    stream: str
    run_id: str
    """Of the run that did it."""
    reverts: str
    """The run that was undone."""
    status: str
    gone: int
    restored: int
    revived: int
    conflicts: int
    """Records that something else changed since; they were left alone."""
    took_s: float
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletionHeld(Signal):
    """A sweep would delete more than the guard allows; a person decides."""

    integration: str
    stream: str
    run_id: str
    missing: int
    stored: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSkipped(Signal):
    """A run was due that cannot begin now."""

    integration: str
    stream: str
    reason: str = "another one is under way"


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationCalled(Signal):
    """A call of an operation ended, well or not."""

    tenant: str
    integration: str
    operation: str
    run_id: str
    """Empty where the answer came from memory."""
    status: str
    counts: Counts
    took_s: float
    error: str = ""
    kind: str = ""
    """auth, rate, temporary or permanent where it failed."""
    known: bool = True
    """False where it may have been done though nobody said so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IntegrationProbed(Signal):
    """A probe ended, well or not."""

    tenant: str
    integration: str
    status: str
    took_s: float
    error: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallSkipped(Signal):
    """A rule of the spec took an answer for nothing."""

    integration: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallAnswered(Signal):
    """A provider answered one request."""

    integration: str
    method: str
    host: str
    status: int
    took_ms: float
    body_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRetried(Signal):
    """A request did not succeed and will be tried again."""

    integration: str
    attempt: int
    wait_s: float
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetWaited(Signal):
    """A request waited for the integration's own rate."""

    integration: str
    wait_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRenewed(Signal):
    """A provider gave a new access token."""

    integration: str
    rotated: bool
    """With a new refresh token, which is kept."""
    lifetime_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenUnkept(Signal):
    """A provider gave a new refresh token, and it could not be stored."""

    integration: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentGiven(Signal):
    """A person has given consent, and what came of it is kept."""

    tenant: str
    integration: str
    refreshable: bool
    """Whether the provider gave a refresh token; without one consent ends with the access token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentRefused(Signal):
    """A login did not end in consent: a person or the provider said no, or the time ran out."""

    tenant: str
    integration: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EventAccepted(Signal):
    """A webhook was verified and stored, or recognised as one that already was."""

    integration: str
    endpoint: str
    event_id: str
    event_name: str
    """The sender's own word for what happened."""
    duplicate: bool
    took_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRefused(Signal):
    """A webhook was not stored; the status says why: 401, 413, 503."""

    integration: str
    endpoint: str
    status: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StorePruned(Signal):
    """Retention removed what was old."""

    rows: dict[str, int] = field(default_factory=dict)
