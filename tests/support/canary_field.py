"""An installation full of secrets, and all that was ever printed there."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql

from tests.support.canaries import Canaries
from tests.support.postgres import schema_url

MARK = "=== the next command ==="
ALL_COMMANDS = """
import sys
from integrationd.cli.main import main
given = sys.argv[1:]
for words in {commands}:
    for stream in (sys.stdout, sys.stderr):
        print({mark!r}, file=stream, flush=True)
    sys.argv[1:] = [*given, *words]
    try:
        main()
    except SystemExit:
        pass
"""


class Field:
    """An installation full of secrets, and all that was ever printed there."""

    def __init__(self, installation: Any, port: int) -> None:
        self.installation, self.port = installation, port
        self.canaries = Canaries()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.listen = free.getsockname()[1]
        self.database = ""
        self.outputs: dict[str, bytes] = {}
        self.own = installation.root / "secrets"
        self.credentials = installation.root / "credentials"
        for directory in (self.own, self.credentials):
            directory.mkdir(mode=0o700)
        installation.env["CREDENTIALS_DIRECTORY"] = str(self.credentials)
        self.later: dict[tuple[str, str], str] = {}

    def settings(self, form: str) -> None:
        """Write the settings: everything is said, in one form."""
        self.installation.write(
            "integrationd.yaml",
            f"listen: 127.0.0.1:{self.listen}\negress: {{allow: [127.0.0.0/8]}}\n"
            f"secrets: {{dirs: [{self.own}]}}\n"
            f"log: {{level: debug, format: {form}}}\n{self.database}",
        )

    @contextmanager
    def on_postgres(self) -> Iterator[None]:
        """Keep all in an empty schema for a while, and in the end note every row of it."""
        if not os.environ.get("INTEGRATIOND_TEST_POSTGRES"):
            yield
            return
        with schema_url() as url:
            password = self.hide("database", "password", "env")
            self.database = f"database: {{url: {json.dumps(url)}, password: {password}}}\n"
            yield
            for table, rows in dump(url):
                assert table
                self.note(f"table {table}", rows)
            self.database = ""

    def hide(self, integration: str, name: str, place: str) -> str:
        """Put a new canary into a place; returns what the file says of it."""
        value = self.canaries.make(f"{integration}-{name}")
        if place == "env":
            variable = f"INTEGRATIOND_SECRET_{integration}_{name}".upper()
            self.installation.env[variable] = value
            return f"{{env: {variable}}}"
        if place == "file":
            kept = self.own / f"{integration}-{name}"
            kept.write_text(value + "\n")
            kept.chmod(0o600)
            return f"{{file: {self.own}/{integration}-{name}}}"
        if place == "credential":
            (self.credentials / f"{integration}.{name}").write_text(value)
        if place == "store":
            self.later[integration, name] = value
        return "{}"

    def note(self, what: str, text: str | bytes) -> None:
        """Keep what was printed."""
        data = text.encode() if isinstance(text, str) else text
        self.outputs[what] = self.outputs.get(what, b"") + data

    def run(self, *words: str, given: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command and keep what it prints."""
        done = subprocess.run(
            self.installation.command(*words),
            env=self.installation.environment(),
            input=given,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        self.note(f"stdout of {' '.join(words)}", done.stdout)
        self.note(f"stderr of {' '.join(words)}", done.stderr)
        return done

    def run_all(self, commands: Sequence[tuple[str, ...]]) -> None:
        """Run commands in one process, which saves its start, and keep what each prints."""
        script = ALL_COMMANDS.format(commands=list(commands), mark=MARK)
        done = subprocess.run(
            [sys.executable, "-c", script, *self.installation.command()[3:]],
            env=self.installation.environment(),
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        for stream, text in (("stdout", done.stdout), ("stderr", done.stderr)):
            parts = text.split(MARK)
            assert len(parts) == len(commands) + 1, text[-2000:]
            for words, part in zip(commands, parts[1:], strict=True):
                self.note(f"{stream} of {' '.join(words)}", part)


def dump(url: str) -> Iterator[tuple[str, str]]:
    """Yield each table and view of a schema with all its rows as text, as a dump has them."""
    with psycopg.connect(url) as conn:
        found = conn.execute(
            "select table_name from information_schema.tables where table_schema = current_schema()"
        )
        for (name,) in found.fetchall():
            rows = conn.execute(
                sql.SQL("select (shown.*)::text from {} as shown").format(sql.Identifier(name))
            )
            yield name, "\n".join(row for (row,) in rows)
