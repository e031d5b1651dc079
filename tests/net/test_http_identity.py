"""Mutual TLS on loopback: the client shows its certificate, and what cannot be shown is told."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest
import trustme

from integrationd.errors import SecretError, UnavailableError
from integrationd.model.secret import Secret
from integrationd.ports.outside import HttpPolicy, Identity
from integrationd.transport.egress import EgressPolicy
from integrationd.transport.http import AiohttpOpener
from integrationd.wire.messages import Answer, Request
from tests.support.signers import P256, RSA_PEM, pem

EGRESS = EgressPolicy(allow=(ip_network("127.0.0.1/32"),))


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """Make an authority for both sides."""
    return trustme.CA()


@pytest.fixture(scope="module")
def ca_file(authority, tmp_path_factory) -> str:
    """Write its certificate where ``http.tls.ca`` can name it."""
    path = tmp_path_factory.mktemp("tls") / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return str(path)


@pytest.fixture(scope="module")
def client(authority) -> trustme.LeafCert:
    """Make the client's certificate and key."""
    return authority.issue_cert("reader.example")


@pytest.fixture(params=[ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"])
def asking(request, authority) -> ssl.SSLContext:
    """Make a server's context that wants a client's certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.maximum_version = request.param
    context.verify_mode = ssl.CERT_REQUIRED
    authority.issue_cert("erp.example").configure_cert(context)
    authority.configure_trust(context)
    return context


async def look_up(host: str) -> tuple[str, ...]:
    """Find every name on loopback."""
    return ("127.0.0.1",)


async def tell_who(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer with the name in the client's certificate."""
    await reader.readuntil(b"\r\n\r\n")
    shown = writer.get_extra_info("peercert")
    name = dict(shown["subjectAltName"])["DNS"].encode()
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(name), name))


def identity(certificate: str, key: str) -> Identity:
    """Return what a client is known by."""
    return Identity(certificate=Secret(certificate), key=Secret(key))


def identity_of(leaf: trustme.LeafCert) -> Identity:
    """Return certificate and key of a client."""
    chain = b"".join(blob.bytes() for blob in leaf.cert_chain_pems).decode()
    return identity(chain, leaf.private_key_pem.bytes().decode())


async def call(port: int, ca_file: str, shown: Identity | None) -> Answer:
    """Call erp.example on a port."""
    policy = HttpPolicy(
        hosts=frozenset({"erp.example"}),
        connect_timeout=timedelta(seconds=2),
        read_timeout=timedelta(seconds=2),
        total_timeout=timedelta(seconds=4),
        response_max_bytes=1000,
        ca_file=ca_file,
        identity=shown,
    )
    async with AiohttpOpener(EGRESS, look_up).open(policy) as http:
        return await http.send(Request(method="GET", url=f"https://erp.example:{port}/"))


async def test_certificate_is_shown(serving, asking, ca_file, client):
    """The server verifies it and knows who asks; nothing of the key stays open."""
    async with serving(tell_who, asking) as port:
        answer = await call(port, ca_file, identity_of(client))

    assert answer.body == b"reader.example"
    assert [target for target in open_files() if "integrationd-tls" in target] == []


def open_files() -> Iterator[str]:
    """Yield what this process has open."""
    for descriptor in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            yield str(descriptor.readlink())


async def test_line_ends_may_be_written_out(serving, asking, ca_file, client):
    r"""A variable of one line holds them as ``\\n``."""
    whole = identity_of(client)
    flat = [text.reveal().replace("\n", "\\n") for text in (whole.certificate, whole.key)]
    async with serving(tell_who, asking) as port:
        answer = await call(port, ca_file, identity(*flat))

    assert answer.body == b"reader.example"


@contextmanager
def refusing(context: ssl.SSLContext) -> Iterator[int]:
    """Serve one handshake that fails, and say why as servers do; asyncio's hangs up instead."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def meet() -> None:
            connection, _ = server.accept()
            with context.wrap_socket(
                connection, server_side=True, do_handshake_on_connect=False
            ) as secured:
                with pytest.raises(ssl.SSLError):
                    secured.do_handshake()
                secured.shutdown(socket.SHUT_WR)
                while secured.recv(1000):
                    pass

        thread = threading.Thread(target=meet)
        thread.start()
        yield server.getsockname()[1]
        thread.join(timeout=10)


async def refusal(asking: ssl.SSLContext, ca_file: str, shown: Identity | None) -> str:
    """Return what a call says that is refused."""
    with refusing(asking) as port, pytest.raises(UnavailableError) as caught:
        await call(port, ca_file, shown)
    return str(caught.value).replace(str(port), "PORT")


async def test_server_that_wants_one_is_told(asking, ca_file):
    """Without a certificate the connection is refused, and the message says what to set."""
    assert await refusal(asking, ca_file, None) == (
        "GET https://erp.example:PORT/: erp.example:PORT wants a client's certificate; set "
        "http.tls.certificate and http.tls.key"
    )


async def test_certificate_of_a_stranger_is_told(asking, ca_file):
    """The server does not know who signed it."""
    stranger = identity_of(trustme.CA().issue_cert("reader.example"))

    assert await refusal(asking, ca_file, stranger) == (
        "GET https://erp.example:PORT/: erp.example:PORT does not accept the certificate in "
        "http.tls.certificate: it does not know who signed it"
    )


CERTIFICATE = trustme.CA().issue_cert("a.example").cert_chain_pems[0].bytes().decode()


@pytest.mark.parametrize(
    ("certificate", "key", "message"),
    [
        (
            "s3cret",
            RSA_PEM,
            "http.tls.certificate is no certificate in PEM form, '-----BEGIN CERTIFICATE-----'",
        ),
        (
            CERTIFICATE,
            "s3cret",
            "http.tls.key is no private key in PEM form, '-----BEGIN PRIVATE KEY-----'",
        ),
        (CERTIFICATE, pem(P256), "http.tls.key does not belong to http.tls.certificate"),
        (
            CERTIFICATE,
            pem(P256, b"passphrase"),
            (
                "http.tls.key has a passphrase; store it without one, the encrypted store "
                "protects it"
            ),
        ),
        (
            CERTIFICATE[:200] + "\n-----END CERTIFICATE-----",
            pem(P256),
            (
                "http.tls.certificate or http.tls.key cannot be read; were they copied with all "
                "their lines?"
            ),
        ),
        (
            CERTIFICATE,
            RSA_PEM[:200] + "\n-----END PRIVATE KEY-----",
            (
                "http.tls.certificate or http.tls.key cannot be read; were they copied with all "
                "their lines?"
            ),
        ),
    ],
)
async def test_what_cannot_be_shown_is_told(ca_file, certificate, key, message):
    """Before anything is sent, by the names of the fields; nothing of either is repeated."""
    with pytest.raises(SecretError) as caught:
        await call(1, ca_file, identity(certificate, key))

    assert str(caught.value) == message
    assert caught.value.__cause__ is None
