"""Every exception of ours, on one page; the class says what the caller does next.

Wording: where, what is wrong with the value, what was expected, what to do. No secret, header
value or response body is ever part of a message.
"""

from __future__ import annotations

from typing import Self


class IntegrationError(Exception):
    """The root: whatever this program raises on purpose."""


class FaultError(IntegrationError):
    """A fault of our own: the log has it whole, people are told where to look."""


class UsageError(IntegrationError):
    """The command line or a request names something that does not exist: exit 2 or 404."""


class InputError(UsageError):
    """What an operation was given does not fit its input: exit 2 or 422."""


class SettingsError(IntegrationError):
    """The daemon's own settings cannot be used: exit 78."""


class ExpressionError(IntegrationError):
    """A JMESPath expression or a template failed on a value, or grew past its bounds."""


class MappingError(IntegrationError):
    """One record cannot become an entity: it is set aside and the others go on."""

    def __init__(self, reason: str, *, code: str, field: str = "") -> None:
        """Keep what quarantine stores: a stable code, the field, and the whole reason."""
        super().__init__(reason)
        self.reason = reason
        self.code = code
        self.field = field


class ProviderError(IntegrationError):
    """A provider did not give what was asked; ``kind`` is auth, rate, temporary or permanent."""

    kind = "permanent"

    def __init__(self, message: str, *, status: int | None = None) -> None:
        """Keep the status for the log; the message already names the request."""
        super().__init__(message)
        self.status = status
        self.stops = False
        """Whether the spec says that the whole run ends, and not only this part of it."""


class ThrottledError(ProviderError):
    """Too many requests, and the tries ran out: wait for the next schedule."""

    kind = "rate"


class UnavailableError(ProviderError):
    """No answer, a broken one, or a passing failure, and the tries ran out."""

    kind = "temporary"


class UnreachedError(UnavailableError):
    """Nothing was sent, so nothing can have been done: another try is safe, whatever is asked."""


class OutcomeUnknownError(ProviderError):
    """What was asked may have been done or not: not repeated, a person must look there first."""

    kind = "temporary"


class CredentialsError(ProviderError):
    """The provider does not accept who we are: stop the run, a person must look."""

    kind = "auth"


class RefusedError(ProviderError):
    """The provider understood and said no: not retried."""


class ExpiredError(RefusedError):
    """What was kept of an earlier reading is not taken any more: the stream is read in full."""

    def __init__(self, message: str, *, status: int | None = None) -> None:
        """Mark it as one that concerns the whole run."""
        super().__init__(message, status=status)
        self.stops = True


class UnreadableError(RefusedError):
    """An answer came that cannot be taken: too large, or packed in an unknown way. Not retried."""


class SkippedError(ProviderError):
    """A rule of the spec says that nothing came and that this is no failure."""


class EgressError(ProviderError):
    """The address is one that this daemon must not call: not retried."""


class PageShapeError(ProviderError):
    """A page is not of the shape that the spec describes: the page fails, nothing of it is kept."""


class PaginationLoopError(ProviderError):
    """A page token did not move or a page came twice: stop instead of looping."""


class SignatureError(IntegrationError):
    """An inbound call is not from who it says: 401, and no event is stored."""


class SecretError(IntegrationError):
    """A secret cannot be found or read: that integration is degraded, the others go on."""


class StoreError(IntegrationError):
    """The store cannot be used: retried where that can help, else exit 69."""


class NothingStoredError(StoreError):
    """There is no database yet, or nothing in it."""


class StoreBusyError(StoreError):
    """The store's queue is full: answer 503 with Retry-After."""


class StoreBrokenError(StoreError):
    """What is on the disk is not known any more: end the process and recover from the log."""


class HistoryError(IntegrationError):
    """A run cannot be undone, as what it wrote over is not kept any more: 410."""

    @classmethod
    def pruned(cls, run_id: str) -> Self:
        """Say it of a run whose changes are older than what is kept."""
        return cls(
            f"run {run_id} cannot be undone: what it wrote over is older than retention.history "
            "keeps and has been removed"
        )


class LeaseLostError(IntegrationError):
    """Another holder has the claim now: drop the work, write nothing."""
