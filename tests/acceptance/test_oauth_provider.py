"""OAuth2 against Django OAuth Toolkit: another's reading of the RFCs, with rotation."""

from __future__ import annotations

import base64
import importlib.util
import json
import os
import subprocess
import sys
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

# A development dependency, not a program on the path: where it is installed, its tests run.
if importlib.util.find_spec("oauth2_provider") is not None:
    os.environ.setdefault("INTEGRATIOND_TEST_DJANGO_OAUTH_TOOLKIT", "1")

pytestmark = [pytest.mark.acceptance, pytest.mark.needs("django-oauth-toolkit")]

SECRET = "s3cret: a+b/c%41=ä"
MASTER_KEY = base64.b64encode(bytes(range(32))).decode()
# The toolkit answers 403 where RFC 6750 section 3.1 has 401: what `errors` is for.
HEAD = """\
integration: {name}
secrets: {{client_secret: {{}}, refresh_token: {{}}}}
http:
  base_url: "http://127.0.0.1:{port}/api"
  paginate: {{type: cursor, next: body.next, into: query.start}}
  errors: [{{when: "status == `403`", then: reauthenticate}}]
  auth:
    type: oauth2
    token_url: "http://127.0.0.1:{port}/o/token/"
    client_secret: "{{{{ secrets.client_secret }}}}"
"""
STREAMS = """\
streams:
  orders: {get: /orders, records: body.data, key: id}
"""
MACHINE = "    grant: client_credentials\n    client_id: machine\n    scopes: [read]\n"
PERSON = (
    "    grant: refresh_token\n    client_id: person\n"
    '    refresh_token: "{{ secrets.refresh_token }}"\n'
)


@dataclass(frozen=True)
class Provider:
    """The server, as a test sees it."""

    port: int

    def call(self, path: str, form: dict[str, str] | None = None) -> dict:
        """Make one call."""
        data = None if form is None else urllib.parse.urlencode(form).encode()
        url = f"http://127.0.0.1:{self.port}{path}"
        with urllib.request.urlopen(url, data, timeout=30) as answer:
            return json.loads(answer.read())

    def asked(self) -> list[str]:
        """Return the grants that were asked for so far."""
        return self.call("/admin/asked")["asked"]

    def consent(self) -> str:
        """Let a person give consent; return the refresh token."""
        form = {
            "grant_type": "password",
            "username": "ann",
            "password": "pw",
            "scope": "read",
            "client_id": "person",
            "client_secret": SECRET,
        }
        return self.call("/o/token/", form)["refresh_token"]


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    """Provide the server, started for this module."""
    place = tmp_path_factory.mktemp("provider")
    program = Path(__file__).with_name("oauth_provider.py")
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", program, place],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    try:
        yield Provider(int(process.stdout.readline()))
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.fixture
def shop(installation, provider):
    """Provide an installation with a master key and one integration of each grant."""
    secrets = {"CLIENT_SECRET": SECRET, "REFRESH_TOKEN": "unused"}
    for name, grant in (("machine", MACHINE), ("person", PERSON)):
        text = HEAD.format(name=name, port=provider.port) + grant + STREAMS
        installation.write(f"integrations/{name}.yaml", text)
        for secret, value in secrets.items():
            installation.env[f"INTEGRATIOND_SECRET_{name.upper()}__{secret}"] = value
    installation.env["INTEGRATIOND_MASTER_KEY"] = MASTER_KEY
    return installation


def fails(installation, name: str) -> str:
    """Sync where that must fail; return the error."""
    done = installation.run("sync", name, "--json")
    assert done.returncode == 1, done.stderr
    last = json.loads(done.stdout.splitlines()[-1])
    assert last["kind"] == "auth"
    return last["error"]


def test_client_credentials_are_read_by_another_program(shop, provider):
    """A secret with a colon, a percent sign and an umlaut arrives, by header and by form."""
    assert shop.sync("machine/orders")["read"] == 250

    path = shop.config / "integrations" / "machine.yaml"
    path.write_text(path.read_text().replace("    scopes:", "    client_auth: post\n    scopes:"))

    assert shop.sync("machine/orders", "--full")["read"] == 250


def test_next_process_uses_the_token_of_the_last_one(shop, provider):
    """Three commands, one token request: the encrypted store carries it over."""
    before = len(provider.asked())

    for _ in range(3):
        shop.sync("machine/orders")

    assert len(provider.asked()) - before == 1


def test_rotated_refresh_token_is_carried_from_process_to_process(shop, provider):
    """Five commands, each with a token that has ended; the configured one was used once."""
    shop.env["INTEGRATIOND_SECRET_PERSON__REFRESH_TOKEN"] = provider.consent()
    before = len(provider.asked())

    for _ in range(5):
        assert shop.sync("person/orders")["read"] == 250
        provider.call("/admin/expire")

    assert provider.asked()[before:] == ["refresh_token"] * 5


def test_voided_consent_is_told_and_a_new_one_is_taken_up(shop, provider):
    """The run fails as a matter of credentials; with a new refresh token it goes on."""
    shop.env["INTEGRATIOND_SECRET_PERSON__REFRESH_TOKEN"] = provider.consent()
    shop.sync("person/orders")
    provider.call("/admin/void")
    provider.call("/admin/expire")

    assert fails(shop, "person") == (
        "POST /o/token/ answered 400 invalid_grant; a person has to give consent again; then "
        "store the new refresh token: integrationd secret set person refresh_token"
    )

    shop.env["INTEGRATIOND_SECRET_PERSON__REFRESH_TOKEN"] = provider.consent()

    assert shop.sync("person/orders")["read"] == 250


def test_wrong_client_secret_is_told(shop, provider):
    """The server's word and ours; neither holds the secret."""
    shop.env["INTEGRATIOND_SECRET_MACHINE__CLIENT_SECRET"] = "wrong-canary"

    assert fails(shop, "machine") == (
        "POST /o/token/ answered 401 invalid_client; check client_id and client_secret, and "
        "whether they go into the header or, with 'client_auth: post', into the form"
    )


def test_without_a_master_key_a_refresh_token_is_not_risked(shop, provider):
    """Nothing is asked, so nothing is lost: the same refresh token works once there is a key."""
    shop.env["INTEGRATIOND_SECRET_PERSON__REFRESH_TOKEN"] = provider.consent()
    key = shop.env.pop("INTEGRATIOND_MASTER_KEY")
    before = len(provider.asked())

    error = fails(shop, "person")

    assert "the encrypted store has no master key" in error
    assert len(provider.asked()) == before

    shop.env["INTEGRATIOND_MASTER_KEY"] = key

    assert shop.sync("person/orders")["read"] == 250


def test_no_token_lies_in_the_state_directory(shop, provider):
    """Sealed or not at all: neither the consent's token nor those that came of it."""
    shop.env["INTEGRATIOND_SECRET_PERSON__REFRESH_TOKEN"] = provider.consent()
    shop.sync("person/orders")
    shop.sync("machine/orders")

    stored = b"".join(path.read_bytes() for path in shop.state.rglob("*") if path.is_file())

    tokens = provider.call("/admin/tokens")["tokens"]
    assert len(tokens) > 4
    assert [token for token in tokens if token.encode() in stored] == []
