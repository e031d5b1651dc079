"""``call`` and ``check --connect`` as a person uses them, against a server on loopback."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from click.testing import CliRunner

from integrationd.cli.main import cli, run_command

CANARY = "canary-7f3a"
SPEC = """\
integration: library
secrets: {token: {env: INTEGRATIOND_SECRET_LIBRARY__TOKEN}}
http:
  base_url: http://127.0.0.1:%d/api
  auth: {type: bearer, token: "{{ secrets.token }}"}
probe: {get: /me}
operations:
  hold:
    input: {patron: {type: integer}, note: {type: [string, "null"], default: null}}
    post: /holds
    query: {key: "{{ secrets.token }}"}
    json: "{{ input }}"
    output: {id: body.id, got: body.got}
  lend:
    input: {card: {type: string}, site: {type: [string, "null"], default: null}}
    steps:
      - {name: patron, post: /holds, json: {card: "{{ input.card }}"}, output: body.id}
      - {name: visit, when: input.site, post: /visits, json: {site: "{{ input.site }}"}}
      - {name: loan, post: /holds, json: {patron: "{{ steps.patron }}"}, output: body.got}
"""


class Library(BaseHTTPRequestHandler):
    """Takes holds from whoever has the token."""

    def log_message(self, *_):
        """Say nothing."""

    def do_GET(self):
        """Answer the probe."""
        self._answer({})

    def do_POST(self):
        """Take a hold."""
        size = int(self.headers["content-length"])
        self._answer({"id": 7, "got": json.loads(self.rfile.read(size))})

    def _answer(self, value):
        self.server.seen.append(f"{self.command} {self.path}")
        good = self.headers["authorization"] == f"Bearer {CANARY}"
        data = json.dumps(value).encode()
        self.send_response(200 if good else 401)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@pytest.fixture
def library(tmp_path, monkeypatch):
    """Serve, and write an integration that uses it; yields what runs a command, and the server."""
    monkeypatch.setenv("INTEGRATIOND_SECRET_LIBRARY__TOKEN", CANARY)
    with ThreadingHTTPServer(("127.0.0.1", 0), Library) as server:
        server.seen = []
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        config = tmp_path / "etc"
        (config / "integrations").mkdir(parents=True)
        (config / "integrationd.yaml").write_text("egress: {allow: [127.0.0.0/8]}\n")
        spec = SPEC % server.server_port
        (config / "integrations" / "library.yaml").write_text(spec)
        places = ["--config", str(config), "--state", str(tmp_path / "state")]

        def run(*words):
            codes = []
            runner = CliRunner()
            with runner.isolation() as (out, err, _):
                codes.append(
                    run_command(lambda: cli.main([*places, *words], standalone_mode=False))
                )
                told = out.getvalue().decode(), err.getvalue().decode()
            return codes[0], *(text.replace(str(server.server_port), "PORT") for text in told)

        yield run, server
        server.shutdown()
        thread.join()


def test_call_prints_the_output_and_keeps_the_types(library):
    """A number that was typed arrives as one, a default as null."""
    run, server = library

    code, out, err = run("call", "library", "hold", "patron=12")

    assert (code, err) == (0, "library/hold: done\n")
    assert json.loads(out) == {"id": 7, "got": {"patron": 12, "note": None}}
    assert server.seen == [f"POST /api/holds?key={CANARY}"]


def test_dry_run_prints_the_request_and_sends_nothing(library):
    """Secrets are masked wherever they stand."""
    run, server = library

    code, out, err = run("call", "library", "hold", "patron=12", "--dry-run")

    assert (code, err, server.seen) == (0, "nothing was sent\n", [])
    assert out == (
        "POST http://127.0.0.1:PORT/api/holds?key=***\n"
        "authorization: Bearer ***\n"
        "content-type: application/json\n"
        "accept: application/json\n"
        '\n{"note":null,"patron":12}\n'
    )


def test_steps_are_made_one_after_the_other(library):
    """What the first gives is in the request of the next, with its type."""
    run, server = library

    code, out, err = run("call", "library", "lend", "card=c")

    assert (code, err) == (0, "library/lend: done\n")
    assert json.loads(out) == {"id": 7, "got": {"patron": 7}}
    assert server.seen == ["POST /api/holds"] * 2


def test_dry_run_prints_each_request_that_it_can(library):
    """Of the others it says why not."""
    run, server = library

    code, out, err = run("call", "library", "lend", "card=c", "--dry-run")

    assert (code, err, server.seen) == (0, "nothing was sent\n", [])
    assert out == (
        "# steps.patron\n"
        "POST http://127.0.0.1:PORT/api/holds\n"
        "authorization: Bearer ***\n"
        "content-type: application/json\n"
        "accept: application/json\n"
        '\n{"card":"c"}\n'
        "# steps.visit: its 'when' does not hold\n"
        "# steps.loan: it needs what patron gives\n"
    )


def test_steps_can_be_explained(library):
    """As they are written, each with its condition."""
    run, _ = library

    code, out, _ = run("explain", "library/lend")

    assert code == 0
    lines = out.splitlines()
    start = lines.index("patron: POST /holds")
    assert lines[start : start + 6] == [
        "patron: POST /holds",
        'json: {"card":"{{ input.card }}"}',
        "visit: POST /visits when input.site",
        'json: {"site":"{{ input.site }}"}',
        "loan: POST /holds",
        'json: {"patron":"{{ steps.patron }}"}',
    ]


def test_wrong_input_is_told_whole_before_anything_is_sent(library):
    """Each line names the operation; it is wrong usage."""
    run, server = library

    code, out, err = run("call", "library", "hold", "patrn=12", "note=x")

    assert (code, out, server.seen) == (2, "", [])
    assert err == (
        "integrationd: library/hold: input 'patron' is missing\n"
        "library/hold: unknown input 'patrn'; did you mean 'patron'?\n"
    )


def test_failed_call_exits_1_with_what_to_look_at(library, monkeypatch):
    """The secret is named, never shown."""
    monkeypatch.setenv("INTEGRATIOND_SECRET_LIBRARY__TOKEN", "wrong-token")
    run, _ = library

    code, out, err = run("call", "library", "hold", "patron=12")

    assert (code, out) == (1, "")
    assert err == (
        "library/hold: failed: POST /api/holds answered 401; the credentials are not accepted, "
        "look at secrets.token\n"
    )


def test_check_connect_makes_the_probe_and_the_status_active(library):
    """One request; the integration was testing before."""
    run, server = library

    code, out, _ = run("check", "--connect")
    status = json.loads(run("status", "--json")[1])

    assert (code, out.startswith("library: ok, "), server.seen) == (0, True, ["GET /api/me"])
    assert [item["status"] for item in status["integrations"]] == ["active"]


def test_check_connect_that_is_refused_is_an_error(library, monkeypatch):
    """The reason and what to look at are printed, and status repeats them."""
    monkeypatch.setenv("INTEGRATIOND_SECRET_LIBRARY__TOKEN", "wrong-token")
    run, _ = library
    message = "GET /api/me answered 401; the credentials are not accepted, look at secrets.token"

    code, out, _ = run("check", "--connect", "library")
    (item,) = json.loads(run("status", "--json")[1])["integrations"]

    assert (code, out) == (1, f"library: failed: {message}\n")
    assert (item["status"], item["last_error"]) == ("error", message)
