"""Secrets in every place that takes one, through the real daemon and commands: they show nowhere.

What a provider puts into *records* is data: it is stored and shown, also where it repeats a secret
there. That limit has a test of its own, at the end.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import hmac
import json
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from integrationd.cli.remote import RemoteActions, is_running
from integrationd.model.secret import Secret
from integrationd.wire import auth
from tests.support.canaries import Canaries, files_below, forms_of
from tests.support.canary_field import Field
from tests.support.canary_files import (
    ASKED,
    AUTHS,
    BROKEN_WAYS,
    EVERYWHERE,
    FEW,
    HOOKS,
    INTEGRATION,
    LITERALS,
    PAGED,
    SHORT,
    SPOILED,
    STREAMS,
)
from tests.support.echoing import Echo, echoing

pytestmark = [pytest.mark.acceptance]


@pytest.fixture
def field(installation) -> Iterator[Field]:
    """Give an installation whose provider repeats all that it is sent."""
    with echoing() as port:
        yield Field(installation, port)


COMMANDS = (
    *(("status",), ("doctor",), ("runs", "list"), ("events", "list"), ("quarantine", "list")),
    *(("secret", "list"), ("secret", "list", "--format", "csv"), ("check",), ("check", "-v")),
    *(("check", "--env"), ("check", "--connect"), ("reload", "--wait"), ("schema",)),
    *(("secret", "rotate"), ("secret", "remove", "basic", "nothing")),
    *(("sync", "bearer"), ("sync", "everywhere"), ("records", "bearer/ok")),
    *(("preview", "bearer/told"), ("preview", "apikey/next"), ("preview", "oauth2/ok")),
    *(("explain", name) for name in ("asked", "bearer/ok", "basic", "oauth2", "signed", "jwt")),
    *(("explain", name) for name in ("digest", "oauth1", "sigv4", "sharedkey")),
    *(("call", "asked", way, "--dry-run") for way in ("status", "told", "path")),
    *(("call", "asked", way) for way in ("status", "told", "forbidden", "shape", "path", "close")),
    *(("pause", "asked"), ("resume", "asked"), ("disable", "asked"), ("enable", "asked")),
)


def plant(field: Field) -> None:
    """Write all files, with a canary in each place that takes a secret."""
    master = base64.b64encode(hashlib.sha256(b"master").digest()).decode()
    field.installation.env["INTEGRATIOND_MASTER_KEY"] = field.canaries.add("master", master)
    places = ["env", "file", "credential", "store"]
    for number, (kind, (text, names)) in enumerate(sorted(AUTHS.items())):
        name = kind.replace("_", "")
        hidden = [
            f"{secret}: {field.hide(name, secret, places[(number + at) % 4])}"
            for at, secret in enumerate(names)
        ]
        streams = FEW if kind in SHORT else f"{STREAMS}\n{PAGED}"
        body = {"name": name, "secrets": ", ".join(hidden), "port": field.port}
        body["auth"] = text.replace("PORT", str(field.port))
        field.installation.write(
            f"integrations/{name}.yaml", INTEGRATION.format(**body, streams=streams)
        )
    for token in ("access_token", "refresh_token"):
        Echo.granted[token] = field.canaries.make(f"granted-{token}", special=False)
    hidden = field.hide("asked", "a", "env")
    field.installation.write("integrations/asked.yaml", ASKED % (hidden, field.port))
    for secret in "abcde":
        field.hide("everywhere", secret, "store")
    field.installation.write("integrations/everywhere.yaml", EVERYWHERE % field.port)
    plant_broken(field)


def plant_broken(field: Field) -> None:
    """Write what fails: calls that never arrive, secrets that cannot be used, secrets as text."""
    field.hide("tls", "t", "store")
    field.hide("tls", "proxy", "store")
    field.hide("nowhere", "n", "store")
    plain = field.canaries.make("proxied-password", special=False)
    field.later["proxied", "proxy"] = f"http://user:{plain}@127.0.0.1:{field.port}"
    files = (BROKEN_WAYS % (field.port, field.port)).split("---\n")
    for number, text in enumerate(files):
        field.installation.write(f"integrations/broken{number}.yaml", text)
    field.hide("sender", "signing", "store")
    (field.own / "too-large").write_text(field.canaries.make("sender-large") * 5000)
    field.installation.write("integrations/hooks.yaml", HOOKS)
    field.installation.write("integrations/spoiled.yaml", SPOILED % field.own)
    literal = field.canaries.make("literal", special=False)
    for number, text in enumerate((LITERALS % {"text": literal}).split("---\n")):
        field.installation.write(f"integrations/literal{number}.yaml", text)


def drive(field: Field, form: str) -> None:
    """Run the daemon until every stream was read, and ask it everything."""
    field.settings(form)
    # Into a file: a pipe that nobody empties would hold the daemon up.
    log = field.installation.root / f"log-{form}"
    with log.open("wb") as stream:
        daemon = subprocess.Popen(
            field.installation.command("run"),
            env=field.installation.environment(),
            stdout=stream,
            stderr=stream,
            text=True,
        )
    field.installation.started.append(daemon)
    control = field.installation.state / "control.sock"
    end_s = time.monotonic() + 60
    while not is_running(control):
        assert daemon.poll() is None, log.read_text()
        assert time.monotonic() < end_s
        time.sleep(0.05)
    daemons = RemoteActions(control)
    for (integration, name), value in field.later.items():
        told = asyncio.run(daemons.secrets.put(integration, name, Secret(value)))
        field.note("answers", json.dumps(told))
    settle(field, daemons)
    call_hook(field)
    if form == "json":
        ask(field)
    field.note("cmdline", Path(f"/proc/{daemon.pid}/cmdline").read_bytes())
    daemon.send_signal(signal.SIGTERM)
    assert daemon.wait(timeout=60) == 0
    field.note(f"log as {form}", log.read_bytes())


def settle(field: Field, daemons: RemoteActions) -> None:
    """Wait until every stream has ended a run, retries included."""
    end_s = time.monotonic() + 120
    while True:
        status = asyncio.run(daemons.status())
        field.note("answers", json.dumps(status))
        runs = [
            stream["last_run"]
            for integration in status["integrations"]
            for stream in integration["streams"]
            if stream["schedule"] != "webhook"
        ]
        if all(run is not None and run["status"] != "running" for run in runs):
            return
        assert time.monotonic() < end_s, [run for run in runs if not run or not run["ended_at"]]
        time.sleep(0.5)


def call_hook(field: Field) -> None:
    """Post to the endpoint, signed well and badly."""
    url = field.run("webhook", "url", "sender/events").stdout.strip()
    key = field.canaries.values["sender-signing"]
    body = b'{"id": "e1"}'
    good = hmac.new(key.encode(), body, hashlib.sha256).hexdigest()
    for signature in (good, "00", "\u00e9", good[:-1]):
        request = urllib.request.Request(
            url, data=body, headers={"X-Signature": signature.encode().decode("latin-1")}
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                field.note("hook", answer.read())
        except urllib.error.HTTPError as refused:
            field.note("hook", refused.read() + str(refused.headers).encode())


def ask(field: Field) -> None:
    """Let every command tell what it knows, for people and as JSON."""
    field.run_all([(*words, *form) for words in COMMANDS for form in ((), ("--json",))])
    given = field.canaries.make("given")
    field.run("secret", "set", "bearer", "nothing", given=given)
    field.run("secret", "set", "tls", "proxy", given=given)
    listed = field.run("runs", "list", "--json").stdout.splitlines()[:3]
    ids = [json.loads(line)["id"] for line in listed]
    ways = (("show",), ("show", "--json"), ("revert", "--dry-run"))
    field.run_all([("runs", way, each, *more) for each in ids for way, *more in ways])
    url = field.run("webhook", "url", "sender/events").stdout.strip()
    for page in ("", "metrics", "readyz", "healthz", "status", "nothing"):
        try:
            with urllib.request.urlopen(
                f"{url.partition('/hooks/')[0]}/{page}", timeout=10
            ) as told:
                field.note(f"page /{page}", told.read() + str(told.headers).encode())
        except urllib.error.HTTPError as refused:
            field.note(f"page /{page}", refused.read() + str(refused.headers).encode())


def test_no_secret_shows_up_anywhere(field):
    """Not in a log of any form, an answer, a metric, a command's output or a file of the state.

    The last time everything is kept on PostgreSQL, where there is one.
    """
    plant(field)
    for number, form in enumerate(("json", "console", "journal")):
        field.installation.state_name = f"state{number}"
        with field.on_postgres() if form == "journal" else contextlib.nullcontext():
            drive(field, form)
        for name, data in files_below(field.installation.state):
            field.note(f"{form}: {name}", data)

    found = field.canaries.found_in(field.outputs)
    assert found == [], "\n".join(found)
    sent = " ".join(Echo.heard)
    used = {name for name, value in field.canaries.values.items() if value in sent}
    assert used >= {
        *("oauth2-client", "oauth2-refresh", "granted-access_token"),
        *("basic-user", "basic-password", "bearer-token", "apikey-key", "proxied-password"),
        *(f"everywhere-{name}" for name in "abcde"),
    }


def test_every_kind_of_authentication_has_its_canary():
    """A new kind needs a new line above."""
    assert {kind.kind for kind in auth.KINDS} == set(AUTHS)


def test_every_form_is_found():
    """What looks for canaries finds one in each form that it may take."""
    canaries = Canaries()
    secret = canaries.make("a")

    for form, needle in forms_of(secret).items():
        assert any(f"({form})" in line for line in canaries.found_in({"x": b"-" + needle})), form
    wrapped = base64.b64encode(b"user:" + secret.encode() + b"!")
    assert canaries.found_in({"x": wrapped}) != []


def test_what_a_provider_puts_into_records_is_data(field):
    """The limit: a secret that comes back inside a record is stored and shown, and never logged."""
    field.hide("data", "t", "env")
    field.settings("json")
    field.installation.write(
        "integrations/data.yaml",
        INTEGRATION.format(
            name="data",
            secrets="t: {env: INTEGRATIOND_SECRET_DATA_T}",
            port=field.port,
            auth='{type: bearer, token: "{{ secrets.t }}"}',
            streams="  kept: {get: /kept, records: body.data, key: id}",
        ),
    )

    done = field.run("sync", "data")
    records = json.loads(field.run("records", "data/kept").stdout)

    assert field.canaries.values["data-t"] in records["data"]["echo"]
    assert "data" not in "".join(field.canaries.found_in({"sync": done.stderr.encode()}))
