"""``auth login`` against oidc-provider, which is certified: forms, PKCE, devices, and rotation."""

from __future__ import annotations

import base64
import json
import os
import pty
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.browsers import Browser
from tests.support.canaries import Canaries, files_below
from tests.support.daemons import Running
from tests.support.logins import FIXED, NATIVE, TELEVISION, Server, read_until, start
from tests.support.postgres import schema_url

pytestmark = [pytest.mark.acceptance, pytest.mark.needs("oidc-provider")]

SECRET = "s3cret: a+b/c%41="
MASTER_KEY = base64.b64encode(bytes(range(32))).decode()
NONE_YET = (
    "integration acme has no consent yet; a person gives it with: integrationd auth login acme"
)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """Provide the server, started for this module."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        redirect = probe.getsockname()[1]
    process = subprocess.Popen(
        [
            "node",
            str(Path(__file__).with_name("oidc_provider.mjs")),
            os.environ["INTEGRATIOND_TEST_OIDC_PROVIDER"],
            '{"keys": []}',
            str(redirect),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    try:
        yield Server(int(process.stdout.readline()), redirect)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.fixture
def acme(installation, server):
    """Provide an installation with a master key and one integration."""
    installation.write("integrations/acme.yaml", server.spec(NATIVE))
    installation.env["INTEGRATIOND_MASTER_KEY"] = MASTER_KEY
    installation.env["INTEGRATIOND_SECRET_CS"] = SECRET
    return installation


def read(installation) -> int:
    """Read everything; returns how many records came."""
    return installation.sync("acme/orders", "--full")["read"]


@pytest.mark.parametrize("grant", [NATIVE, FIXED], ids=["free-port", "fixed-port"])
def test_browser_comes_back_and_the_integration_works(acme, server, grant):
    """Forms, consent, redirect, code, tokens; then processes renew and rotate without anybody."""
    acme.write("integrations/acme.yaml", server.spec(grant))
    assert NONE_YET in acme.run("sync", "acme").stdout
    before = acme.run("check", "--env")

    started = start(acme)
    seen = Browser().consent(started.address)
    code, out, err = started.end()

    assert (before.returncode, before.stdout) == (78, f"integrations/acme.yaml: {NONE_YET}\n")
    assert (code, out) == (0, "logged in: acme\n")
    assert "waiting for it on http://" in err
    assert seen.status == 200
    assert "<h1>Logged in</h1>" in seen.text
    assert acme.run("check", "--env").returncode == 0
    for _ in range(3):
        assert read(acme) == 2
        server.call("/admin/expire")
    assert read(acme) == 2
    assert server.call("/admin/asked")[-3:] == [["refresh_token", 200]] * 3


def test_server_insists_on_the_challenge(acme, server):
    """Without PKCE it refuses, and says so to the browser and to us."""
    acme.write("integrations/acme.yaml", server.spec(NATIVE, **{"query:": "pkce: false, query:"}))
    started = start(acme)

    seen = Browser().consent(started.address)
    code, _, err = started.end()

    assert code == 1
    assert err.splitlines()[-1] == (
        "integrationd: acme: the provider says invalid_request (Authorization Server policy "
        "requires PKCE to be used for this request); see what else it wants, under "
        "http.auth.authorize.query"
    )
    assert seen.status == 400
    assert "<h1>The login failed</h1>" in seen.text


def test_person_can_say_no(acme, server):
    """`access_denied` ends it; nothing is kept."""
    started = start(acme)
    browser = Browser()
    seen = browser.open(started.address)

    abort = seen.url.split("/interaction/")[1].split("?")[0]
    seen = browser.open(f"http://127.0.0.1:{server.port}/interaction/{abort}/abort")
    code, _, err = started.end()

    assert code == 1
    assert err.splitlines()[-1] == (
        "integrationd: acme: the provider says access_denied (End-User aborted interaction); "
        "nobody has given consent there"
    )
    assert "<h1>The login failed</h1>" in seen.text
    assert [line["found"] for line in acme.lines("secret", "list")] == [
        "env INTEGRATIOND_SECRET_CS"
    ]


def test_junk_does_not_end_a_login(acme):
    """A favicon, another's state, a code alone: the login waits on for the right answer."""
    started = start(acme)
    redirect = (
        dict(part.split("=") for part in started.address.partition("?")[2].split("&"))[
            "redirect_uri"
        ]
        .replace("%3A", ":")
        .replace("%2F", "/")
    )
    other = Browser()

    junk = [
        other.open(redirect.replace("/callback", path)).status
        for path in ("/favicon.ico", "/", "/callback?code=x", "/callback?code=x&state=y")
    ]
    Browser().consent(started.address)
    code, out, err = started.end()

    assert junk == [404, 404, 400, 400]
    assert (code, out) == (0, "logged in: acme\n")
    assert err.count("a browser came with no answer to this login: ") == 2


@pytest.mark.parametrize("words", [("--no-listen",), ("--no-listen", "--json")])
def test_address_is_pasted_where_no_browser_can_come_back(acme, words):
    """From another machine: the whole address of the page that could not be reached."""
    started = start(acme, *words, stdin=subprocess.PIPE)
    as_json = "--json" in words
    address = json.loads(started.address)["address"] if as_json else started.address
    ended = Browser(stops_at="http://127.0.0.1/callback").consent(address)

    out, err = started.process.communicate(f"junk\n{ended.url}\n", timeout=60)

    assert started.process.returncode == 0
    assert "that is no answer of a provider" in err
    if as_json:
        assert json.loads(out)["status"] == "done"
    else:
        assert out == "logged in: acme\n"
    assert read(acme) == 2


def test_end_of_what_is_pasted_ends_the_login(acme):
    """A script that has nothing to say does not wait for ten minutes."""
    started = start(acme, "--no-listen")

    code, _, err = started.end()

    assert code == 2
    assert err.splitlines()[-1] == (
        "integrationd: nothing was pasted that answers this login; begin again"
    )


def test_pasting_on_a_terminal_shows_nothing(acme):
    """The address holds a code; the listener waits beside it."""
    child, terminal = pty.fork()
    if child == 0:
        command = acme.command("auth", "login", "acme")
        os.execve(command[0], command, acme.environment())
    shown = read_until(terminal, "(it is not shown)")
    address = next(line for line in shown.split() if line.startswith("http://127.0.0.1:"))
    stop = address.partition("redirect_uri=")[2].partition("&")[0]
    stop = stop.replace("%3A", ":").replace("%2F", "/")
    ended = Browser(stops_at=stop).consent(address)
    code = dict(part.split("=") for part in ended.url.partition("?")[2].split("&"))["code"]

    os.write(terminal, f"{ended.url}\n".encode())
    shown += read_until(terminal, "logged in: acme")
    _, status = os.waitpid(child, 0)
    os.close(terminal)

    assert os.waitstatus_to_exitcode(status) == 0
    assert code not in shown


def test_nobody_comes(acme):
    """Bounded in time, and Ctrl-C ends it at once; the next login is free to begin."""
    late = acme.run("auth", "login", "acme", "--timeout", "1s")
    started = start(acme)
    started.process.send_signal(signal.SIGINT)
    code, _, _ = started.end()

    assert late.returncode == 1
    assert late.stderr.splitlines()[-1] == (
        "integrationd: acme: nobody gave consent within 1s; begin again"
    )
    assert code == 130


def approve(server, line: str, *, agrees: bool = True) -> None:
    """Type the code in on another device, and agree or not."""
    browser = Browser()
    address, code = line.split()
    seen = browser.send(browser.open(address), user_code=code)
    if not agrees:
        browser.send(seen, abort="yes")
        return
    seen = browser.send(seen, confirm="yes")
    for _ in range(5):
        if "<form" not in seen.text:
            return
        asks_name = 'name="login"' in seen.text
        seen = browser.send(seen, **({"login": "ann", "password": "pw"} if asks_name else {}))


def test_consent_on_another_device(acme, server):
    """The code is typed in there; asked every five seconds, the command hears of it."""
    acme.write("integrations/acme.yaml", server.spec(TELEVISION))

    started = start(acme)
    approve(server, started.address)
    code, out, err = started.end()

    assert (code, out) == (0, "logged in: acme\n")
    assert "type the code in there" in err
    for _ in range(2):
        assert read(acme) == 2
        server.call("/admin/expire")


def test_device_can_be_refused(acme, server):
    """A person says no there."""
    acme.write("integrations/acme.yaml", server.spec(TELEVISION))

    started = start(acme)
    approve(server, started.address, agrees=False)
    code, _, err = started.end()

    assert code == 1
    assert "the provider says access_denied" in err.splitlines()[-1]


@pytest.mark.parametrize(
    "store", ["sqlite", pytest.param("postgres", marks=pytest.mark.needs("postgres"))]
)
def test_running_daemon_goes_on_by_itself(acme, server, store):
    """The reading that failed begins again; a withdrawn consent is told, and a new one taken up."""
    if store == "postgres":
        with schema_url() as url:
            settings = (acme.config / "integrationd.yaml").read_text()
            acme.write("integrationd.yaml", f"{settings}database: {{url: '{url}'}}\n")
            acme.env["PGPASSWORD"] = os.environ.get("PGPASSWORD", "")
            go_on_by_itself(acme, server)
    else:
        go_on_by_itself(acme, server)


def go_on_by_itself(acme, server) -> None:
    """Log in beside a daemon, twice."""
    canaries = Canaries()
    given = len(server.call("/admin/handed"))
    daemon = Running(acme)
    failed = daemon.wait("run.finished", status="failed")
    key = acme.env.pop("INTEGRATIOND_MASTER_KEY")  # only the daemon has it
    problem = json.loads(acme.run("status", "--json").stdout)["integrations"][0]

    started = start(acme)
    Browser().consent(started.address)
    first = started.end()
    daemon.wait("consent.given")
    done = daemon.wait("run.finished", status="done")

    assert (failed["kind"], failed["error"]) == ("auth", NONE_YET)
    assert (problem["status"], problem["consent"]["problem"]) == ("error", NONE_YET)
    assert first[:2] == (0, "logged in: acme\n")
    assert done["added"] == 2
    assert acme.run("check", "--env").returncode == 0
    after = json.loads(acme.run("status", "--json").stdout)["integrations"][0]
    assert (after["status"], after["last_error"]) == ("active", "")
    for number, value in enumerate(server.call("/admin/handed")[given:]):
        canaries.add(f"handed{number}", value)
    acme.env["INTEGRATIOND_MASTER_KEY"] = key
    assert daemon.stop() == 0
    seen = {
        "log": json.dumps(daemon.lines).encode(),
        "login": "".join(map(str, (started.address, *first))).encode(),
        "status": json.dumps(after).encode(),
        **dict(files_below(acme.state)),
    }
    assert len(canaries.values) >= 4
    assert canaries.found_in(seen) == []
