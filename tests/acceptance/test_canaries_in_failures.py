"""Secrets where something breaks: a database that refuses, an exception that nobody foresaw."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.support.canary_field import Field
from tests.support.canary_files import ASKED, INTEGRATION
from tests.support.echoing import echoing

pytestmark = [pytest.mark.acceptance]

OPENING = (
    *(
        ("run",),
        ("status",),
        ("doctor",),
        ("sync", "asked"),
        ("secret", "list"),
        ("check", "--env"),
    ),
    *(("call", "asked", "path", "--dry-run"), ("check", "--connect"), ("db", "upgrade")),
)
"""Commands that open the store, each in its own way."""
CRASH = """\
import sys
import integrationd.{module} as broken
from integrationd.model import secret

def fail(*given, **named):
    shown = [value.reveal() for value in secret_values()]
    raise {error}("odd: " + " ".join(shown))

def secret_values():
    import gc
    return [each for each in gc.get_objects() if isinstance(each, secret.Secret)] or {known}

broken.{name} = fail
from integrationd.cli.main import main
main()
"""


@pytest.fixture
def field(installation) -> Iterator[Field]:
    """Give an installation whose provider repeats all that it is sent."""
    with echoing() as port:
        yield Field(installation, port)


def refusing_urls() -> dict[str, str]:
    """Return PostgreSQL URLs that lead nowhere, and into a refusal where there is a server."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    urls = {"unreachable": f"postgresql://me@127.0.0.1:{port}/none?connect_timeout=2"}
    server = os.environ.get("INTEGRATIOND_TEST_POSTGRES")
    if server:
        urls["refusing"] = f"{server.rpartition('/')[0]}/there_is_no_such_database"
    return urls


@pytest.mark.parametrize(
    ("place", "way"),
    [
        ("env", "unreachable"),
        pytest.param("file", "refusing", marks=pytest.mark.needs("postgres")),
    ],
)
def test_password_of_a_database_that_is_not_there(field, place, way):
    """No command shows it, however it fails, and no log line."""
    urls = refusing_urls()
    if way not in urls:
        pytest.skip("needs postgres: set INTEGRATIOND_TEST_POSTGRES, as .ci/run does")
    told = field.hide("database", "password", place)
    field.database = f'database: {{url: "{urls[way]}", password: {told}}}\n'
    field.settings("json")
    field.installation.write(
        "integrations/asked.yaml", ASKED % (field.hide("asked", "a", "env"), field.port)
    )

    field.run_all(OPENING)

    assert field.canaries.found_in(field.outputs) == []
    assert b"no connection" in field.outputs["stderr of run"]
    assert b"no connection" in field.outputs["stderr of sync asked"]


@pytest.mark.parametrize(
    "written",
    [
        "postgresql://me:%s@127.0.0.1/x",
        "{url: 'postgresql://me@127.0.0.1/x?password=%s'}",
        "{url: 'postgresql://me@127.0.0.1/x', pass: %s}",
    ],
)
def test_password_of_the_database_as_text(field, written):
    """What refuses it does not repeat it."""
    field.database = f"database: {written % field.canaries.make('password', special=False)}\n"
    field.settings("json")

    field.run_all((("run",), ("doctor",), ("check",)))

    assert field.canaries.found_in(field.outputs) == []
    assert b"integrationd.yaml:5:" in field.outputs["stderr of run"]


@pytest.mark.parametrize(
    ("words", "module", "name", "error"),
    [
        (("sync", "crash"), "transport.http", "AiohttpHttp.send", "RuntimeError"),
        (("sync", "crash"), "wire.auth.bearer", "BearerAuth.apply", "KeyError"),
        (("check", "--connect"), "wire.auth.bearer", "BearerAuth.apply", "ValueError"),
        (("call", "crash", "ask"), "transport.http", "AiohttpHttp.send", "OSError"),
        (("preview", "crash/ok"), "transport.http", "AiohttpHttp.send", "RuntimeError"),
    ],
)
def test_exception_that_nobody_foresaw(field, module, name, error, words):
    """A traceback masks the secrets that were looked up, in the log and on stderr."""
    value = field.hide("crash", "t", "env")
    field.settings("json")
    text = INTEGRATION.format(
        name="crash",
        secrets=f"t: {value}",
        port=field.port,
        auth='{type: bearer, token: "{{ secrets.t }}"}',
        streams="  ok: {get: /ok, records: body.data, key: id}",
    )
    field.installation.write(
        "integrations/crash.yaml", f"{text}probe: {{get: /ok}}\noperations: {{ask: {{get: /ok}}}}\n"
    )
    known = f"[secret.Secret({field.canaries.values['crash-t']!r})]"
    script = CRASH.format(module=module, name=name, error=error, known=known)

    done = subprocess.run(
        [sys.executable, "-c", script, *field.installation.command(*words)[3:]],
        env=field.installation.environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode != 0
    assert "odd" in done.stderr + done.stdout
    assert field.canaries.found_in({"out": done.stdout.encode(), "err": done.stderr.encode()}) == []
