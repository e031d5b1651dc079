"""A shop with fixed answers over real HTTP; commands run in this process on files that read it."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from integrationd.cli.main import cli, run_command
from tests.support.syncing import SETTINGS


@contextmanager
def serving(answers: Mapping[str, bytes]) -> Iterator[int]:
    """Answer each path with its body, and all else with 404; yields the port."""

    class Shop(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = answers.get(self.path, b"")
            self.send_response(200 if self.path in answers else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Shop) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def configure(root: Path, **files: str) -> Path:
    """Write settings that reach this machine, and files by their names, below a directory."""
    below = root / "config" / "integrations"
    below.mkdir(parents=True)
    (root / "config" / "integrationd.yaml").write_text(SETTINGS)
    for name, text in files.items():
        (below / f"{name}.yaml").write_text(text)
    return root


def execute(root: Path, *words: str) -> int:
    """Run a command on what :func:`configure` wrote; returns its exit code."""
    places = ["--config", str(root / "config"), "--state", str(root / "state")]
    return run_command(
        lambda: cli.main([*places, *words], prog_name="integrationd", standalone_mode=False)
    )
