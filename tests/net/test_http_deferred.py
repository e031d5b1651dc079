"""A file that a server on loopback makes first: waited for, had without credentials, bounded."""

from __future__ import annotations

import asyncio
import json
from ipaddress import ip_network

import pytest

from integrationd.model.runs import RunStatus
from integrationd.transport.egress import EgressPolicy
from integrationd.transport.http import AiohttpOpener
from tests.support.worlds import plan_of, stage

LOOPBACK = EgressPolicy(allow=(ip_network("127.0.0.0/8"),))
SPEC = """\
integration: shop
secrets: {token: {}}
http:
  base_url: http://127.0.0.1:%d
  auth: {type: bearer, token: "{{ secrets.token }}"}
  query: {version: "2"}
streams:
  orders:
    deferred:
      create: {post: /exports, json: {table: orders}, id: body.id}
      poll: {get: "/exports/{{ job.id }}", every: 100ms, done: body.url}
      download: {get: "{{ poll.body.url }}", decode: csv, sign: false}
    key: id
"""


async def look_up(host: str) -> tuple[str, ...]:
    """Find every name on loopback."""
    return ("127.0.0.1",)


@pytest.fixture
def exporting(serving):
    """Return what reads the stream from a server whose file is at a host."""

    async def read(host: str):
        seen: list[tuple[str, bool]] = []

        async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            line = head.split("\r\n", 1)[0].removesuffix(" HTTP/1.1")
            if line.startswith("POST"):
                await reader.readexactly(len('{"table":"orders"}'))
            seen.append((line, "authorization: bearer canary" in head.lower()))
            polls = sum("GET /exports" in one for one, _ in seen)
            url = f"http://{host}:{port}/7.csv?sig=a%2Fb" if polls > 1 else None
            body = b"id,n\n1,a\n" if ".csv" in line else json.dumps({"id": 7, "url": url}).encode()
            kind = "text/csv" if ".csv" in line else "application/json"
            lines = ["HTTP/1.1 200 OK", f"Content-Type: {kind}", f"Content-Length: {len(body)}"]
            writer.write("\r\n".join([*lines, "Connection: close", "", ""]).encode() + body)

        async with (
            serving(meet) as port,
            stage(AiohttpOpener(LOOPBACK, look_up), token="canary") as on,
        ):
            plan = plan_of(SPEC % port, "orders")
            outcome = await on.sync(plan)
            rows = await on.rows(plan)
        return outcome, rows, seen

    return read


async def test_file_is_waited_for_and_had(exporting):
    """Its address is used as it came, with neither credentials nor what all calls have."""
    outcome, rows, seen = await exporting("127.0.0.1")

    assert (outcome.error, rows) == ("", {"1": {"id": "1", "n": "a"}})
    assert seen == [
        ("POST /exports?version=2", True),
        ("GET /exports/7?version=2", True),
        ("GET /exports/7?version=2", True),
        ("GET /7.csv?sig=a%2Fb", False),
    ]


async def test_file_elsewhere_is_not_asked_for(exporting):
    """A host that the file does not name is not called, whatever the provider says."""
    outcome, rows, seen = await exporting("elsewhere.test")

    assert (outcome.status, rows, len(seen)) == (RunStatus.FAILED, {}, 3)
    assert "elsewhere.test" in outcome.error
