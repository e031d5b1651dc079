"""TLS on loopback: good certificates pass, each bad one is named."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network

import pytest
import trustme

from integrationd.errors import UnavailableError
from integrationd.ports.outside import HttpPolicy
from integrationd.transport.egress import EgressPolicy
from integrationd.transport.http import AiohttpOpener
from integrationd.wire.messages import Answer, Request

OPENER_EGRESS = EgressPolicy(allow=(ip_network("127.0.0.1/32"),))
NOW = datetime.now(UTC)
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """Make an authority of our own."""
    return trustme.CA()


@pytest.fixture(scope="module")
def ca_file(authority, tmp_path_factory) -> str:
    """Write its certificate where ``http.tls.ca`` can name it."""
    path = tmp_path_factory.mktemp("tls") / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return str(path)


async def look_up(host: str) -> tuple[str, ...]:
    """Find every name on loopback."""
    return ("127.0.0.1",)


async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer any request."""
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")


def speaking(certificate: trustme.LeafCert) -> ssl.SSLContext:
    """Return a server's context."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


async def call(port: int, ca_file: str | None) -> Answer:
    """Call erp.example on a port."""
    policy = HttpPolicy(
        hosts=frozenset({"erp.example"}),
        connect_timeout=timedelta(milliseconds=300),
        read_timeout=timedelta(milliseconds=300),
        total_timeout=timedelta(milliseconds=600),
        response_max_bytes=1000,
        ca_file=ca_file,
    )
    async with AiohttpOpener(OPENER_EGRESS, look_up).open(policy) as http:
        return await http.send(Request(method="GET", url=f"https://erp.example:{port}/?key=canary"))


async def fault_of(port: int, ca_file: str | None) -> str:
    """Return what a call that fails says, with the port named PORT."""
    with pytest.raises(UnavailableError) as caught:
        await call(port, ca_file)
    return str(caught.value).replace(str(port), "PORT")


async def test_certificate_of_the_named_authority_passes(serving, authority, ca_file):
    """``http.tls.ca`` makes a private authority trusted; the name sent is the host's."""
    async with serving(greet, speaking(authority.issue_cert("erp.example"))) as port:
        answer = await call(port, ca_file)

    assert answer.body == b"ok"


async def test_named_authority_replaces_the_systems(serving, authority, ca_file):
    """With ``http.tls.ca`` only its authorities are trusted."""
    stranger = trustme.CA().issue_cert("erp.example")
    async with serving(greet, speaking(stranger)) as port:
        fault = await fault_of(port, ca_file)

    assert fault == (
        "GET https://erp.example:PORT/: the certificate of erp.example:PORT is signed by an "
        "unknown authority; name its file in http.tls.ca"
    )


async def test_unknown_authority_says_where_to_name_it(serving, authority):
    """Without ``http.tls.ca`` a private authority is unknown."""
    async with serving(greet, speaking(authority.issue_cert("erp.example"))) as port:
        fault = await fault_of(port, None)

    assert fault == (
        "GET https://erp.example:PORT/: the certificate of erp.example:PORT is signed by an "
        "unknown authority; name its file in http.tls.ca"
    )


@pytest.mark.parametrize(
    ("names", "validity", "message"),
    [
        (
            ["erp.example"],
            {"not_before": NOW - 9 * DAY, "not_after": NOW - DAY},
            "has expired",
        ),
        (
            ["erp.example"],
            {"not_before": NOW + DAY, "not_after": NOW + 9 * DAY},
            "is not valid yet; is this host's clock right?",
        ),
        (["other.example"], {}, "is for another host name"),
        (["127.0.0.1"], {}, "is for another host name"),
    ],
    ids=["expired", "early", "other-name", "address-only"],
)
async def test_bad_certificate_is_named(serving, authority, ca_file, names, validity, message):
    """What is wrong with a certificate is told."""
    certificate = authority.issue_cert(*names, **validity)
    async with serving(greet, speaking(certificate)) as port:
        fault = await fault_of(port, ca_file)

    assert fault == (
        f"GET https://erp.example:PORT/: the certificate of erp.example:PORT {message}"
    )


async def test_plain_server_on_a_tls_port_is_told(serving, ca_file):
    """A server that answers TLS with plain text does not speak TLS."""

    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

    async with serving(plain) as port:
        fault = await fault_of(port, ca_file)

    assert fault == (
        "GET https://erp.example:PORT/: erp.example:PORT does not speak TLS; "
        "is the URL's https right?"
    )


async def test_old_tls_is_refused(serving, authority, ca_file):
    """TLS 1.1 is not spoken."""
    context = speaking(authority.issue_cert("erp.example"))
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        context.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    async with serving(greet, context) as port:
        fault = await fault_of(port, ca_file)

    assert fault == (
        "GET https://erp.example:PORT/: no connection to erp.example:PORT: the other side closed it"
    )


async def test_handshake_that_hangs_runs_into_the_connect_timeout(serving, ca_file):
    """A server that never shakes hands costs the connect timeout, no more."""

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with serving(hang) as port:
        fault = await fault_of(port, ca_file)

    assert fault == "GET https://erp.example:PORT/: no connection to erp.example:PORT within 300ms"


@pytest.mark.parametrize(
    ("reset", "reason"),
    [(True, "connection reset by peer"), (False, "the other side closed it")],
)
async def test_handshake_that_breaks_is_told(serving, ca_file, reset, reason):
    """A connection that is closed or reset in the handshake is a connection that failed."""

    async def drop(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        if reset:
            linger = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        writer.transport.abort()

    async with serving(drop) as port:
        fault = await fault_of(port, ca_file)

    assert fault == (f"GET https://erp.example:PORT/: no connection to erp.example:PORT: {reason}")


async def test_refused_connection_is_told(serving, ca_file):
    """Nobody listens."""
    async with serving(greet) as port:
        pass

    assert await fault_of(port, ca_file) == (
        "GET https://erp.example:PORT/: erp.example:PORT refuses connections"
    )
