"""What went wrong with a call, in one line for people.

The library's own messages are never used: they hold whole URLs, and headers at times.
"""

from __future__ import annotations

import errno
import os
import socket
import ssl
from dataclasses import dataclass
from typing import Final

import aiohttp

from integrationd.config.units import format_duration
from integrationd.errors import ProviderError, RefusedError, UnavailableError, UnreachedError
from integrationd.ports.outside import HttpPolicy

_EXPIRED: Final = 10
_NOT_YET: Final = 9
_WRONG_NAME: Final = frozenset({62, 64})
_UNKNOWN_CA: Final = frozenset({18, 19, 20, 21})
"""X509_V_ERR_* numbers. Source: OpenSSL, X509_STORE_CTX_get_error(3)."""

_NOT_TLS: Final = frozenset({"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG"})
_WANTS_OURS: Final = frozenset(
    {"TLSV13_ALERT_CERTIFICATE_REQUIRED", "SSLV3_ALERT_HANDSHAKE_FAILURE"}
)
"""Until TLS 1.2 a missing certificate is a failure like others, but hardly anything else is one."""
_REFUSES_OURS: Final = {
    "TLSV1_ALERT_UNKNOWN_CA": "it does not know who signed it",
    "SSLV3_ALERT_BAD_CERTIFICATE": "it is not valid there",
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": "it has expired",
    "SSLV3_ALERT_CERTIFICATE_REVOKED": "it was revoked",
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN": "it is not known there",
    "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE": "it is of a kind that is not taken there",
    "TLSV1_ALERT_ACCESS_DENIED": "it has no access",
}
"""Source: RFC 8446 section 6.2; the names are OpenSSL's."""
_PROXY_REFUSES: Final = frozenset({401, 403, 407})


@dataclass(frozen=True, slots=True, kw_only=True)
class Explainer:
    """Knows whom one call talks to."""

    policy: HttpPolicy
    peer: str
    """``HOST:PORT`` of the target."""
    proxy: str | None
    """``HOST:PORT`` of the proxy, None where there is none."""

    def explain(self, error: Exception) -> ProviderError:
        """Return our error for the library's; the caller names the call.

        What fails while connecting, TLS included, is told apart: no byte of the call was sent.
        """
        if isinstance(error, aiohttp.ClientHttpProxyError):
            return self._explain_proxy(error.status)
        before = self._connecting_too_long(error) or self._tls(error) or self._connecting(error)
        if before is not None:
            return UnreachedError(before)
        return UnavailableError(
            self._waiting_too_long(error)
            or self._alert(_reason_of_tls(error.__cause__))
            or _breaking(error)
            or f"the call broke ({type(error).__name__})"
        )

    def _explain_proxy(self, status: int) -> ProviderError:
        message = f"the proxy {self.proxy} answered {status} and lets nothing through"
        if status in _PROXY_REFUSES:
            return RefusedError(f"{message}; look at http.proxy and its user name", status=status)
        return UnreachedError(message, status=status)

    def _connecting_too_long(self, error: Exception) -> str | None:
        if isinstance(error, aiohttp.ConnectionTimeoutError):
            limit = format_duration(self.policy.connect_timeout)
            return f"no connection to {self.proxy or self.peer} within {limit}"
        return None

    def _waiting_too_long(self, error: Exception) -> str | None:
        policy = self.policy
        if isinstance(error, aiohttp.SocketTimeoutError):
            return f"{self.peer} sent nothing for {format_duration(policy.read_timeout)}"
        if isinstance(error, TimeoutError):
            return f"no whole answer within {format_duration(policy.total_timeout)}"
        return None

    def _tls(self, error: Exception) -> str | None:
        if isinstance(error, aiohttp.ClientConnectorCertificateError):
            return self._certificate(error.certificate_error)
        if isinstance(error, aiohttp.ClientConnectorSSLError):
            reason = _reason_of_tls(error.os_error)
            told = self._alert(reason)
            if told is not None:
                return told
            if reason in _NOT_TLS:
                return f"{self.peer} does not speak TLS; is the URL's https right?"
            shown = (reason or "no reason given").lower().replace("_", " ")
            return f"TLS with {self.peer} could not be agreed: {shown}"
        return None

    def _alert(self, reason: str | None) -> str | None:
        """Explain what the other side says of our certificate; in TLS 1.3 it says so late."""
        if reason in _WANTS_OURS and self.policy.identity is None:
            return (
                f"{self.peer} wants a client's certificate; set http.tls.certificate and "
                "http.tls.key"
            )
        if reason in _REFUSES_OURS and self.policy.identity is not None:
            words = _REFUSES_OURS[reason]
            return f"{self.peer} does not accept the certificate in http.tls.certificate: {words}"
        return None

    def _certificate(self, error: Exception) -> str:
        code = error.verify_code if isinstance(error, ssl.SSLCertVerificationError) else 0
        whose = f"the certificate of {self.peer}"
        if code == _EXPIRED:
            return f"{whose} has expired"
        if code == _NOT_YET:
            return f"{whose} is not valid yet; is this host's clock right?"
        if code in _WRONG_NAME:
            return f"{whose} is for another host name"
        if code in _UNKNOWN_CA:
            return f"{whose} is signed by an unknown authority; name its file in http.tls.ca"
        return f"{whose} is not accepted (OpenSSL's reason {code})"

    def _connecting(self, error: Exception) -> str | None:
        whom = self.proxy or self.peer
        if isinstance(error, aiohttp.ClientConnectorDNSError):
            host = whom.rpartition(":")[0]
            if isinstance(error.os_error, socket.gaierror) and (
                error.os_error.errno == socket.EAI_AGAIN
            ):
                return f"no address for {host!r}: the name server does not answer"
            return f"no address for {host!r}: no such host name"
        if isinstance(error, aiohttp.ClientConnectorError):
            if isinstance(error.os_error, ConnectionRefusedError):
                return f"{whom} refuses connections"
            return f"no connection to {whom}: {_reason(error.os_error)}"
        return None


def _reason_of_tls(error: BaseException | None) -> str | None:
    return error.reason if isinstance(error, ssl.SSLError) else None


def _breaking(error: Exception) -> str | None:
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "the connection was closed before an answer came"
    if isinstance(error, aiohttp.ClientPayloadError):
        return "the answer ended early"
    if isinstance(error, aiohttp.ClientResponseError):
        return "the answer is not valid HTTP"
    if isinstance(error, OSError):
        return f"the connection broke: {_reason(error)}"
    return None


def _reason(error: OSError) -> str:
    """Return the system's word for an error number; never the text that came with it."""
    number = error.errno
    if number is None and isinstance(error, ConnectionResetError):
        return "the other side closed it"
    if number is None or number not in errno.errorcode:
        return "no reason given"
    return os.strerror(number).lower()
