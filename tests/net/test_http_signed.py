"""What is signed is what arrives: signatures are made again from the bytes that the server read."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import re
from datetime import timedelta
from ipaddress import ip_network
from urllib.parse import parse_qsl

import pytest

from integrationd.model.secret import Secret
from integrationd.ports.outside import HttpPolicy
from integrationd.transport.egress import EgressPolicy
from integrationd.transport.http import AiohttpOpener
from integrationd.wire.messages import FormBody, JsonBody, MultipartBody, Request, TextBody
from tests.support.signers import NONCE, attempt, signer

EGRESS = EgressPolicy(allow=(ip_network("127.0.0.1/32"),))
WHOLE = """
type: signed
text: "{{ method }} {{ path }}{{ '?' if query else '' }}{{ query }}\\n{{ host }}\\n{{ body }}"
algorithm: hmac-sha256
key: "{{ secrets.key }}"
into: header.x-signature
"""
SIGV4 = '{type: sigv4, service: s3, region: r, access_key: id, secret_key: "{{ secrets.key }}"}'
DIGEST = '{type: digest, username: ann, password: "{{ secrets.key }}"}'
CALLS = [
    pytest.param({"method": "GET"}, id="plain"),
    pytest.param({"method": "GET", "path": "/a%20b//./c%2Fd/ä e"}, id="path"),
    pytest.param({"method": "GET", "path": "/x?b=1&a=+%20%2b&c&=&ä=ö/:@"}, id="query-of-the-url"),
    pytest.param({"method": "GET", "query": (("a b", "ä/+&="), ("a b", "~"))}, id="query"),
    pytest.param({"method": "PUT", "body": JsonBody({"a": "ä\n", "b": 10**24})}, id="json"),
    pytest.param({"method": "POST", "body": FormBody((("a", "b c+ä"), ("a", "")))}, id="form"),
    pytest.param({"method": "POST", "body": MultipartBody((("a", "b\r\nc"),))}, id="multipart"),
    pytest.param({"method": "POST", "body": TextBody("<a>ä</a>", "text/xml")}, id="text"),
    pytest.param({"method": "DELETE"}, id="no-body"),
    pytest.param({"method": "POST", "headers": {"content-type": "a/b; c=d"}}, id="type-alone"),
]


class Arrived:
    """One call as the server read it, before anything was decoded."""

    def __init__(self, head: bytes, body: bytes) -> None:
        line, *lines = head.decode().split("\r\n")
        self.method, self.target, _ = line.split(" ")
        pairs = [part.partition(":") for part in lines if part]
        self.headers = {name.lower(): value.strip() for name, _, value in pairs}
        self.body = body


async def arrive(serving, text: str, call: dict, challenge: str = "") -> Arrived:
    """Sign a call, send it with the real client, and return what came."""
    heard: list[Arrived] = []

    async def read(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        size = re.search(rb"\r\ncontent-length: (\d+)", head, re.IGNORECASE)
        heard.append(Arrived(head, await reader.readexactly(int(size[1]) if size else 0)))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    policy = HttpPolicy(
        hosts=frozenset({"127.0.0.1"}),
        connect_timeout=timedelta(seconds=2),
        read_timeout=timedelta(seconds=2),
        total_timeout=timedelta(seconds=4),
        response_max_bytes=1000,
    )
    async with serving(read) as port, AiohttpOpener(EGRESS).open(policy) as http:
        given = dict(call)
        path = given.pop("path", "/")
        request = Request(url=f"http://127.0.0.1:{port}{path}", **given)
        variables = {"config": {}, "secrets": {"key": Secret("k3y")}}
        moment = attempt(challenge=challenge, count=1)
        await http.send(signer(text).sign(request, variables, moment))
    (one,) = heard
    return one


@pytest.mark.parametrize("call", CALLS)
async def test_whole_request_is_signed_as_it_arrives(serving, call):
    """Method, path, query, host and body."""
    came = await arrive(serving, WHOLE, call)

    text = f"{came.method} {came.target}\n{came.headers['host']}\n".encode() + came.body
    assert came.headers["x-signature"] == hmac.digest(b"k3y", text, "sha256").hex()


@pytest.mark.parametrize("call", CALLS)
async def test_sigv4_covers_what_arrives(serving, call):
    """The signature that a server makes of what it read, by AWS's manual, is the one sent."""
    came = await arrive(serving, SIGV4, call)

    line = came.headers["authorization"]
    names = re.search("SignedHeaders=([^,]+)", line)[1]
    path, _, query = came.target.partition("?")
    canonical = "\n".join(
        [
            came.method,
            path,
            "&".join(f"{n}={v}" for n, _, v in sorted(p.partition("=") for p in query.split("&")))
            if query
            else "",
            *(f"{name}:{came.headers[name]}" for name in names.split(";")),
            "",
            names,
            hashlib.sha256(came.body).hexdigest(),
        ]
    )
    scope = "20261121/r/s3/aws4_request"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    text = f"AWS4-HMAC-SHA256\n20261121T080000Z\n{scope}\n{digest}"
    key = b"AWS4k3y"
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    assert line.rpartition("=")[2] == hmac.digest(key, text.encode(), "sha256").hex()
    assert {"host", "x-amz-date", "x-amz-content-sha256"} <= set(names.split(";"))
    assert ("content-type" in names) is ("content-type" in came.headers)


@pytest.mark.parametrize("call", CALLS)
async def test_digest_names_the_target_that_arrives(serving, call):
    """A server compares ``uri`` with the request line, character for character."""
    offered = 'Digest realm="r", nonce="n", qop="auth", algorithm=MD5'

    came = await arrive(serving, DIGEST, call, offered)

    assert re.search('uri="([^"]*)"', came.headers["authorization"])[1] == came.target
    secret, covered = (
        hashlib.md5(text.encode()).hexdigest()
        for text in ("ann:r:k3y", f"{came.method}:{came.target}")
    )
    text = f"{secret}:n:00000001:{NONCE}:auth:{covered}"
    response = hashlib.md5(text.encode()).hexdigest()
    assert f'response="{response}"' in came.headers["authorization"]


async def test_query_means_what_it_meant(serving):
    """Written anew for Signature Version 4, it decodes to the same parameters."""
    came = await arrive(serving, SIGV4, {"method": "GET", "path": "/?a=+b%2b&c&ä=ö/"})

    query = came.target.partition("?")[2]
    assert parse_qsl(query, keep_blank_values=True) == [("a", " b+"), ("c", ""), ("ä", "ö/")]
