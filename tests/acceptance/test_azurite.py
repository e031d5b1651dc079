"""Azure's Blob Storage as Azurite plays it, with Shared Key verified."""

from __future__ import annotations

import os
import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from integrationd.wire.messages import JsonBody, Request
from tests.support.programs import wait_for
from tests.support.signers import attempt, sent

pytestmark = [pytest.mark.acceptance, pytest.mark.needs("azurite")]

ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""Azurite's own, the same everywhere."""
AUTH = f'{{type: shared_key, account: {ACCOUNT}, key: "{{{{ secrets.key }}}}"}}'
INTEGRATION = """\
integration: blobs
secrets: {{key: {{}}}}
http:
  base_url: http://127.0.0.1:{port}/devstoreaccount1
  auth: {{type: shared_key, account: devstoreaccount1, key: "{{{{ secrets.key }}}}"}}
streams:
  orders:
    get: "/box/of%20ä/a+b.json"
    query: {{timeout: 20, rscc: "no store, a/b+c"}}
    headers: {{X-Ms-Client-Request-Id: "a  b"}}
    key: id
"""


@pytest.fixture(scope="module")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Provide the program, and the port that it answers on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [
            os.environ["INTEGRATIOND_TEST_AZURITE"],
            *("--blobHost", "127.0.0.1", "--blobPort", str(port)),
            *("--inMemoryPersistence", "--silent", "--skipApiVersionCheck", "--disableTelemetry"),
        ],
        cwd=tmp_path_factory.mktemp("azurite"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(port, process, "azurite")
        yield port
    finally:
        process.kill()
        process.wait()


def call(port: int, method: str, path: str, key: str = KEY, **more) -> tuple[int, bytes]:
    """Sign a call and send it byte for byte."""
    request = Request(method=method, url=f"http://127.0.0.1:{port}/{ACCOUNT}{path}", **more)
    out = sent(AUTH, request, attempt(datetime.now(UTC)), key=key)
    asked = urllib.request.Request(
        out.url, data=out.body, headers=dict(out.headers), method=out.method
    )
    try:
        with urllib.request.urlopen(asked, timeout=30) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.read()


def test_right_key_is_taken_and_a_wrong_one_is_not(installation, azurite):
    """A container, a blob in it and its list; 403 for another key, also through the daemon."""
    blob = {"x-ms-blob-type": "BlockBlob", "if-none-match": "*"}
    body = JsonBody([{"id": 1, "name": "ä"}, {"id": 2, "name": "b"}])

    made = call(azurite, "PUT", "/box?restype=container")
    put = call(azurite, "PUT", "/box/of%20ä/a+b.json", headers=blob, body=body)
    listed = call(azurite, "GET", "/box?restype=container&comp=list&prefix=of+&delimiter=/")
    wrong = call(azurite, "GET", "/box?restype=container&comp=list", key="d3Jvbmc=")

    assert [made[0], put[0], listed[0], wrong[0]] == [201, 201, 200, 403]
    assert "<Name>of ä/</Name>" in listed[1].decode()
    assert b"AuthorizationFailure" in wrong[1]
    installation.env["INTEGRATIOND_SECRET_BLOBS__KEY"] = KEY
    installation.write("integrations/blobs.yaml", INTEGRATION.format(port=azurite))
    counts = installation.sync("blobs/orders")
    assert (counts["added"], counts["requests"]) == (2, 1)
    installation.env["INTEGRATIOND_SECRET_BLOBS__KEY"] = "d3Jvbmc="
    refused = installation.run("sync", "blobs/orders")
    assert refused.returncode == 1
    assert "answered 403" in refused.stdout + refused.stderr
