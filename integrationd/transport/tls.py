"""TLS contexts: whom one integration trusts, and by what certificate it is known."""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

from integrationd.errors import RefusedError, SecretError
from integrationd.ports.outside import HttpPolicy, Identity


def load_context(policy: HttpPolicy) -> ssl.SSLContext:
    """Make a context.

    Raises:
        RefusedError: The CA file cannot be used.
        SecretError: The client's certificate or key cannot be used.
    """
    context = _trust(policy.ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if policy.identity is not None:
        _identify(context, policy.identity)
    return context


def _trust(ca_file: str | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except ssl.SSLError:
        message = f"http.tls.ca {ca_file!r} holds no certificate in PEM form"
    except OSError as error:
        message = f"http.tls.ca {ca_file!r} cannot be read: {error.strerror}"
    raise RefusedError(message)


def _identify(context: ssl.SSLContext, identity: Identity) -> None:
    """Give a context the client's certificate and key, which OpenSSL takes from files alone."""
    certificate, key = (
        text.reveal().strip().replace("\\n", "\n") + "\n"
        for text in (identity.certificate, identity.key)
    )
    if "-----BEGIN CERTIFICATE-----" not in certificate:
        message = "http.tls.certificate is no certificate in PEM form"
        raise SecretError(f"{message}, '-----BEGIN CERTIFICATE-----'")
    if "PRIVATE KEY-----" not in key:
        message = "http.tls.key is no private key in PEM form"
        raise SecretError(f"{message}, '-----BEGIN PRIVATE KEY-----'")
    try:
        with _in_memory(certificate) as first, _in_memory(key) as second:
            context.load_cert_chain(first, second, password=_refuse_passphrase)
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            message = "http.tls.key does not belong to http.tls.certificate"
        else:
            message = (
                "http.tls.certificate or http.tls.key cannot be read; were they copied with all "
                "their lines?"
            )
        raise SecretError(message) from None


@contextmanager
def _in_memory(text: str) -> Iterator[str]:
    """Provide a path to a text that lies on no disk and that no other user can open."""
    descriptor = os.memfd_create("integrationd-tls")
    try:
        with os.fdopen(os.dup(descriptor), "wb") as file:
            file.write(text.encode())
        yield f"/proc/self/fd/{descriptor}"
    finally:
        os.close(descriptor)


def _refuse_passphrase() -> str:
    """Stand in the place of a question on the terminal, which nobody would see."""
    raise SecretError(
        "http.tls.key has a passphrase; store it without one, the encrypted store protects it"
    )
