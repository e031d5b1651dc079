"""``play`` as a user starts it, and ``sync`` reading it beside it."""

from __future__ import annotations

import json
import time

import pytest

from tests.support.browsers import Browser
from tests.support.logins import start

pytestmark = pytest.mark.acceptance
LISTENER = "http://127.0.0.1:8471"


def test_played_provider_is_read_by_the_installed_command(installation):
    """A page, a key, a rate and bad records: what play says it has is what sync stores."""
    playing = installation.start(
        "play", "demo-library", "--json", "--port", "0", "--records", "250"
    )
    told = json.loads(playing.stdout.readline())
    for name, secret in told["secrets"].items():
        installation.env[f"INTEGRATIOND_SECRET_TRY__{name.upper()}"] = secret
    config = json.dumps(told["config"])
    installation.write(
        "integrations/try.yaml", f"integration: try\nuses: {told['provider']}\nconfig: {config}\n"
    )

    counts = installation.sync("try/items")

    assert told["streams"][0]["records"] == 250
    assert [counts[name] for name in ("read", "added", "quarantined", "pages")] == [250, 247, 3, 3]
    assert len(installation.rows("try/items")) == 247


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["play", "demo-libary", "--port", "0"],
            "integrationd: nothing to play is called 'demo-libary'; did you mean 'demo-library'?",
        ),
        (
            ["play", "stripe", "--port", "0", "--webhook", "nowhere"],
            f"integrationd: --webhook is 'nowhere', expected an address such as {LISTENER}",
        ),
        (
            ["play", "stripe", "--rate", "fast"],
            "Error: Invalid value for '--rate': 'fast' is no rate, expected one such as 20/s",
        ),
        (
            ["play", "stripe", "--changes", "often"],
            (
                "Error: Invalid value for '--changes': 'often' is no duration, expected one such "
                "as 5s, or a rate such as 10/min"
            ),
        ),
        (
            ["play", "stripe", "--faults", "often"],
            (
                "Error: Invalid value for '--faults': 'often' is none, expected shares of all "
                "calls such as 5% or 500:5%,html:1%; known are 500, 503, 429, cut, hang, 401, "
                "html, empty, item, 410"
            ),
        ),
        (
            ["play", "stripe", "--port", "0", "--host", "0.0.0.0"],
            (
                "integrationd: --host is '0.0.0.0', which other machines may reach; a played "
                "provider knows no real secrets and guards nothing: say --exposed too if that is "
                "meant"
            ),
        ),
    ],
)
def test_wrong_use_of_play_is_told_and_exits_2(installation, arguments, message):
    """A name that nothing has, and values that cannot be read, are one line on stderr."""
    done = installation.run(*arguments)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-1] == message


def test_taken_port_is_told(installation):
    """A port that somebody listens on is an error that says what to do."""
    playing = installation.start("play", "rabbitmq", "--json", "--port", "0", "--records", "5")
    address = json.loads(playing.stdout.readline())["config"]["base_url"]
    port = address.rpartition(":")[2]

    done = installation.run("play", "stripe", "--port", port)

    assert done.returncode == 2
    assert done.stderr == (
        f"integrationd: port {port} cannot be used: address already in use; choose one: --port\n"
    )


CONSENT = """\
provider: library
config: {base_url: {type: string, format: uri}}
secrets: {client_secret: {}}
http:
  base_url: "{{ config.base_url }}/api"
  auth:
    type: oauth2
    grant: authorization_code
    authorize: {url: "{{ config.base_url }}/authorize"}
    token_url: "{{ config.base_url }}/token"
    client_id: cid
    client_secret: "{{ secrets.client_secret }}"
  paginate: {type: page, into: query.page}
streams: {items: {get: /items, key: id}}
"""


def test_consent_is_given_by_the_player(installation):
    """A spec that wants a person: log in, read, and read again when the token has ended."""
    installation.env["INTEGRATIOND_MASTER_KEY"] = bytes(range(32)).hex()
    installation.write("specs/library.yaml", CONSENT)
    playing = installation.start(
        *("play", "library", "--json", "--port", "0", "--records", "150"),
        *("--rotate-tokens", "--token-lifetime", "1s"),
    )
    told = json.loads(playing.stdout.readline())
    installation.env["INTEGRATIOND_SECRET_ACME__CLIENT_SECRET"] = told["secrets"]["client_secret"]
    config = json.dumps(told["config"])
    installation.write(
        "integrations/acme.yaml", f"integration: acme\nuses: library\nconfig: {config}\n"
    )

    login = start(installation)
    assert login.address, login.end()
    seen = Browser().open(login.address)
    code, out, _ = login.end()

    assert told["consent"] is True
    assert (seen.status, code, out) == (200, 0, "logged in: acme\n")
    assert installation.sync("acme/items")["added"] == 147
    time.sleep(1.1)
    assert installation.sync("acme/items")["unchanged"] == 147
