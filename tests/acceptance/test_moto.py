"""AWS as moto plays it, with signatures verified; and every signature beside botocore's own.

moto verifies a URL that Werkzeug has unescaped in part, so what it is sent has no ``%2F`` in the
query and ASCII alone; botocore gets everything.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrationd.wire.encoding import EncodedRequest
from integrationd.wire.messages import JsonBody, Request
from tests.support.programs import wait_for
from tests.support.signers import attempt, sent

if (found := shutil.which("moto_server")) is not None:
    os.environ.setdefault("INTEGRATIOND_TEST_MOTO", found)

pytestmark = [pytest.mark.acceptance, pytest.mark.needs("moto")]

POLICY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
}
UNSIGNED_CALLS = 4
"""Free of charge at its start: a user, the user's policy, a key for the user, a bucket."""
AUTH = (
    '{{type: sigv4, service: {service}, region: us-east-1, access_key: "{{{{ secrets.id }}}}", '
    'secret_key: "{{{{ secrets.key }}}}"}}'
)
INTEGRATION = """\
integration: cloud
secrets: {{access_key: {{}}, secret_key: {{}}}}
http:
  base_url: http://127.0.0.1:{port}
  auth:
    type: sigv4
    service: s3
    region: us-east-1
    access_key: "{{{{ secrets.access_key }}}}"
    secret_key: "{{{{ secrets.secret_key }}}}"
streams:
  orders: {{get: "/box/list%20of/a-b.json", query: {{response-cache-control: "no store"}}, key: id}}
"""


def program() -> Path:
    """Return where moto's server is."""
    return Path(os.environ["INTEGRATIOND_TEST_MOTO"])


@dataclass(frozen=True)
class Cloud:
    """The server, and a key that it knows."""

    port: int
    access_key: str
    secret_key: str

    def send(self, request: EncodedRequest) -> tuple[int, bytes]:
        """Send what was signed, byte for byte."""
        return send(request.method, request.url, request.headers, request.body)


def send(method: str, url: str, headers: dict[str, str], body: bytes | None) -> tuple[int, bytes]:
    """Make one call."""
    asked = urllib.request.Request(url, data=body, headers=headers, method=method)
    try:
        with urllib.request.urlopen(asked, timeout=30) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.read()


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    """Provide the server with one user, one key and one bucket."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [program(), "-H", "127.0.0.1", "-p", str(port)],
        env={**os.environ, "INITIAL_NO_AUTH_ACTION_COUNT": str(UNSIGNED_CALLS)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(port, process, "moto_server")
        yield prepare(port)
    finally:
        process.kill()
        process.wait()


def prepare(port: int) -> Cloud:
    """Make the user, the key and the bucket, by calls that are not signed."""
    call_iam(port, Action="CreateUser", UserName="reader")
    call_iam(
        port,
        Action="PutUserPolicy",
        UserName="reader",
        PolicyName="all",
        PolicyDocument=json.dumps(POLICY),
    )
    made = call_iam(port, Action="CreateAccessKey", UserName="reader")
    pair = [
        re.search(rf"<{name}>([^<]+)</{name}>", made)[1]
        for name in ("AccessKeyId", "SecretAccessKey")
    ]
    scope = {"authorization": "AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/s3/aws4_request"}
    status, text = send("PUT", f"http://127.0.0.1:{port}/box", scope, None)
    assert status == 200, text
    return Cloud(port, *pair)


def call_iam(port: int, **form: str) -> str:
    """Make one unsigned call of IAM."""
    data = urllib.parse.urlencode({**form, "Version": "2010-05-08"}).encode()
    scope = {"authorization": "AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/iam/aws4_request"}
    status, text = send("POST", f"http://127.0.0.1:{port}/", scope, data)
    assert status == 200, text
    return text.decode()


def signed(cloud: Cloud, request: Request, service: str = "s3", **keys: str) -> EncodedRequest:
    """Sign a call for now."""
    pair = {"id": cloud.access_key, "key": cloud.secret_key, **keys}
    return sent(AUTH.format(service=service), request, attempt(datetime.now(UTC)), **pair)


def put(cloud: Cloud, path: str, value: object) -> None:
    """Put an object into the bucket."""
    url = f"http://127.0.0.1:{cloud.port}/box/{path}"
    status, text = cloud.send(signed(cloud, Request(method="PUT", url=url, body=JsonBody(value))))
    assert status == 200, text


def test_right_key_lists_a_bucket_and_a_wrong_one_does_not(cloud):
    """200 with what lies there; 403 for another secret, and for a key that nobody has."""
    put(cloud, "a%20b.json", [])
    url = f"http://127.0.0.1:{cloud.port}/box?list-type=2&prefix=a+b&max-keys=9"
    listing = Request(method="GET", url=url)

    status, text = cloud.send(signed(cloud, listing))
    wrong = cloud.send(signed(cloud, listing, key="x" * 40))
    unknown = cloud.send(signed(cloud, listing, id="AKIANOBODY"))

    assert status == 200
    assert b"<Key>a b.json</Key>" in text
    assert wrong[0] == 403
    assert b"SignatureDoesNotMatch" in wrong[1]
    assert unknown[0] == 403
    assert b"InvalidAccessKeyId" in unknown[1]


def test_other_services_verify_as_well(cloud):
    """A service of JSON, whose target is a header that is signed."""
    url = f"http://127.0.0.1:{cloud.port}/"
    target = {"x-amz-target": "secretsmanager.ListSecrets"}
    ask = Request(method="POST", url=url, headers=target, body=JsonBody({}))

    good = cloud.send(signed(cloud, ask, "secretsmanager"))
    bad = cloud.send(signed(cloud, ask, "secretsmanager", key="wrong"))

    assert (good[0], json.loads(good[1])["SecretList"]) == (200, [])
    assert (bad[0], b"SignatureDoesNotMatch" in bad[1]) == (403, True)


def test_daemon_reads_an_object(installation, cloud):
    """The installed command, through its own client: path and query reach S3 as they are signed."""
    put(cloud, "list%20of/a-b.json", [{"id": 1}, {"id": 2}])
    installation.env["INTEGRATIOND_SECRET_CLOUD__ACCESS_KEY"] = cloud.access_key
    installation.env["INTEGRATIOND_SECRET_CLOUD__SECRET_KEY"] = cloud.secret_key
    installation.write("integrations/cloud.yaml", INTEGRATION.format(port=cloud.port))

    counts = installation.sync("cloud/orders")

    assert (counts["added"], counts["requests"]) == (2, 1)
    installation.env["INTEGRATIOND_SECRET_CLOUD__SECRET_KEY"] = "y" * 40
    refused = installation.run("sync", "cloud/orders")
    assert refused.returncode == 1
    assert "answered 403" in refused.stdout + refused.stderr
    assert cloud.access_key not in refused.stdout + refused.stderr


@pytest.fixture(scope="module")
def botocore() -> Iterator[subprocess.Popen[str]]:
    """Provide botocore's signer, in moto's environment."""
    script = Path(__file__).with_name("botocore_signer.py")
    with subprocess.Popen(
        [program().with_name("python"), script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield process
        process.stdin.close()


@given(
    path=st.text(st.sampled_from("ab /ä+%2F~.=&:@'()*!,$;"), max_size=10),
    query=st.dictionaries(
        st.text("ab-ä=& ", min_size=1, max_size=3), st.text("ab /ä+%~", max_size=5), max_size=4
    ),
    body=st.none() | st.dictionaries(st.text(max_size=3), st.text("aä\n", max_size=5)),
    service=st.sampled_from(["s3", "sns", "execute-api"]),
)
@settings(max_examples=200)
def test_every_signature_is_botocores(botocore, path, query, body, service):
    """Whatever path, query and body hold, the same request has the same signature there."""
    request = Request(
        method="GET" if body is None else "POST",
        url=f"https://b.test/{path}",
        query=tuple(query.items()),
        headers={"x-amz-target": "t  u"},
        body=None if body is None else JsonBody(body),
    )
    moment = attempt(datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC))

    out = sent(AUTH.format(service=service), request, moment, id="AKID", key="s3cret")

    mine = out.headers["authorization"]
    headers = {
        name: value
        for name, value in out.headers.items()
        if name in re.search("SignedHeaders=([^,]+)", mine)[1].split(";")
        and name not in ("x-amz-date", "x-amz-content-sha256")
    }
    asked = {
        "method": out.method,
        "url": out.url,
        "headers": headers,
        "body": (out.body or b"").decode(),
        "service": service,
        "region": "us-east-1",
        "access_key": "AKID",
        "secret_key": "s3cret",
        "at": moment.at.isoformat(),
    }
    botocore.stdin.write(json.dumps(asked) + "\n")
    botocore.stdin.flush()
    assert json.loads(botocore.stdout.readline()) == mine, urlsplit(out.url)
