"""OAuth2 against oidc-provider, which is certified: signed clients, and strict rotation."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from jwcrypto.jwk import JWK

from tests.support.signers import RSA, RSA_PEM, pem, public_pem

pytestmark = [pytest.mark.acceptance, pytest.mark.needs("oidc-provider")]

SECRET = "s3cret: a+b/c%41="
MASTER_KEY = base64.b64encode(bytes(range(32))).decode()
HEAD = """\
integration: {name}
secrets: {{client_secret: {{}}, refresh_token: {{}}, key: {{}}}}
http:
  base_url: "http://127.0.0.1:{port}/api"
  auth:
    type: oauth2
    token_url: "http://127.0.0.1:{port}/token"
{grant}
streams:
  orders: {{get: /orders, paginate: none, key: id}}
"""
GRANTS = {
    "machine": """\
    grant: client_credentials
    client_id: machine
    client_secret: "{{ secrets.client_secret }}"
""",
    "signer": """\
    grant: client_credentials
    client_id: signer
    client_auth: private_key_jwt
    client_assertion: {key: "{{ secrets.key }}", claims: {aud: "http://127.0.0.1:PORT"}}
""",
    "person": """\
    grant: refresh_token
    client_id: person
    client_secret: "{{ secrets.client_secret }}"
    client_auth: post
    refresh_token: "{{ secrets.refresh_token }}"
""",
}


@dataclass(frozen=True)
class Server:
    """The server, as a test sees it."""

    port: int

    def call(self, path: str) -> object:
        """Make one call."""
        url = f"http://127.0.0.1:{self.port}{path}"
        with urllib.request.urlopen(url, timeout=30) as answer:
            return json.loads(answer.read())


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """Provide the server, started for this module."""
    public = JWK.from_pem(public_pem(RSA)).export_public(as_dict=True)
    keys = {"keys": [{**public, "use": "sig", "alg": "RS256"}]}
    process = subprocess.Popen(
        [
            "node",
            str(Path(__file__).with_name("oidc_provider.mjs")),
            os.environ["INTEGRATIOND_TEST_OIDC_PROVIDER"],
            json.dumps(keys),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    try:
        yield Server(int(process.stdout.readline()))
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.fixture
def shop(installation, server):
    """Provide an installation with a master key and one integration of each grant."""
    secrets = {"CLIENT_SECRET": SECRET, "REFRESH_TOKEN": "unused", "KEY": RSA_PEM}
    for name, grant in GRANTS.items():
        text = HEAD.format(name=name, port=server.port, grant=grant)
        installation.write(f"integrations/{name}.yaml", text.replace("PORT", str(server.port)))
        for secret, value in secrets.items():
            installation.env[f"INTEGRATIOND_SECRET_{name.upper()}__{secret}"] = value
    installation.env["INTEGRATIOND_MASTER_KEY"] = MASTER_KEY
    return installation


@pytest.mark.parametrize("name", ["machine", "signer"])
def test_client_is_known(shop, server, name):
    """By its secret in the header, and by a token that its private key has signed."""
    assert shop.sync(f"{name}/orders")["read"] == 2

    assert server.call("/admin/asked")[-1] == ["client_credentials", 200]


def test_signed_client_is_known_again(shop, server):
    """A server takes an assertion once: each request has one of its own."""
    for _ in range(3):
        assert shop.sync("signer/orders", "--full")["read"] == 2
        server.call("/admin/expire")

    assert server.call("/admin/asked")[-2:] == [["client_credentials", 200]] * 2


def test_key_that_is_not_registered_is_refused(shop):
    """The server's word and ours."""
    shop.env["INTEGRATIOND_SECRET_SIGNER__KEY"] = pem(rsa.generate_private_key(65537, 2048))

    done = shop.run("sync", "signer", "--json")

    assert done.returncode == 1
    last = json.loads(done.stdout.splitlines()[-1])
    assert (last["kind"], "invalid_client" in last["error"]) == ("auth", True)


def test_refresh_token_rotates_from_process_to_process(shop, server):
    """One that was used before would void the consent; three commands go on."""
    shop.env["INTEGRATIOND_SECRET_PERSON__REFRESH_TOKEN"] = server.call("/admin/consent")

    for _ in range(3):
        assert shop.sync("person/orders", "--full")["read"] == 2
        server.call("/admin/expire")

    assert server.call("/admin/asked")[-3:] == [["refresh_token", 200]] * 3
