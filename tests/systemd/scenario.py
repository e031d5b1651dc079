"""What an administrator does with the unit, run inside a booted machine of its own.

Only the standard library: it runs under the system's Python. Each step's facts go into one report,
which is looked at from outside.
"""

from __future__ import annotations

import json
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

UNIT = "integrationd.service"
COMMAND = "/opt/integrationd/venv/bin/integrationd"
FILES = Path("/etc/integrationd/integrations")
REPORT = Path("/out/report.json")
TOKEN = "canary-3f9a"
SHOP = """\
integration: shop
http:
  base_url: http://127.0.0.1:9000
  auth: {type: bearer, token: "{{ secrets.token }}"}
secrets: {token: {credential: shop.token}}
streams:
  items: {get: /items, paginate: none, key: id, schedule: 5m}
"""
SETTINGS = "egress: {allow: [127.0.0.1/32]}\n"
DATABASE = Path("/var/lib/private/integrationd/integrationd.db")
TRIES = 6
"""More than the five that systemd allows by default."""
DROP_IN = """\
[Service]
LoadCredential=shop.token:/run/shop.token
WatchdogSec=3s
RestartSec=200ms
RestartSteps=0
Environment=PYTHONPATH=/opt/hang
"""
HANG = """\
import signal
signal.signal(signal.SIGUSR1, lambda *_: [None for _ in iter(int, 1)])
"""
PATIENCE_S = 60.0


class Shop(BaseHTTPRequestHandler):
    """A provider that wants its token."""

    def do_GET(self):
        """Answer two items, or 401."""
        known = self.headers.get("authorization") == f"Bearer {TOKEN}"
        body = json.dumps([{"id": 1}, {"id": 2}] if known else {}).encode()
        self.send_response(200 if known else 401)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Say nothing."""


def run(*words: str) -> dict[str, object]:
    """Run a command; returns its exit code and what it printed."""
    began_s = time.monotonic()
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=120)
    took_s = round(time.monotonic() - began_s, 2)
    return {"code": done.returncode, "out": done.stdout, "err": done.stderr, "took_s": took_s}


def show() -> dict[str, str]:
    """Return what systemd says of the unit."""
    names = "ActiveState,SubState,Result,MainPID,NRestarts,StatusText,ExecMainStatus"
    lines = str(run("systemctl", "show", UNIT, "-p", names)["out"]).splitlines()
    return dict(line.split("=", 1) for line in lines)


def wait_until(restarts: str) -> dict[str, str]:
    """Wait until the unit is active again after another restart, or patience ends."""
    end_s = time.monotonic() + PATIENCE_S
    found = show()
    while time.monotonic() < end_s:
        found = show()
        if found["NRestarts"] != restarts and found["SubState"] == "running":
            break
        time.sleep(0.2)
    return found


def wait_for_restarts(number: int) -> dict[str, str]:
    """Wait until the unit was started again so often, or patience ends."""
    end_s = time.monotonic() + PATIENCE_S
    found = show()
    while time.monotonic() < end_s and int(found["NRestarts"]) < number:
        time.sleep(0.2)
        found = show()
    return found


def inside(pid: str, *words: str) -> dict[str, object]:
    """Run a command in the mounts of the daemon."""
    return run("nsenter", "-t", pid, "-m", "--", *words)


def lay_out() -> None:
    """Write the files that an administrator would."""
    FILES.mkdir(parents=True)
    (FILES / "shop.yaml").write_text(SHOP)
    (FILES.parent / "integrationd.yaml").write_text(SETTINGS)
    Path("/run/shop.token").write_text(TOKEN)
    Path("/run/shop.token").chmod(0o600)
    Path("/opt/hang").mkdir()
    Path("/opt/hang/sitecustomize.py").write_text(HANG)
    drop_ins = Path(f"/etc/systemd/system/{UNIT}.d")
    drop_ins.mkdir()
    (drop_ins / "test.conf").write_text(DROP_IN)


def process(pid: str) -> dict[str, str]:
    """Return what the kernel says of the daemon."""
    status = Path(f"/proc/{pid}/status").read_text().splitlines()
    facts = dict(line.split(":", 1) for line in status)
    return {name: facts[name].strip() for name in ("Uid", "CapEff", "NoNewPrivs", "Seccomp")}


def play() -> dict[str, object]:
    """Go through it; returns the report."""
    told: dict[str, object] = {}
    told["start"] = run("systemctl", "start", UNIT)
    told["started"] = started = show()
    pid = started["MainPID"]
    facts = process(pid)
    told["process"] = facts
    told["environ"] = Path(f"/proc/{pid}/environ").read_text()
    told["etc"] = inside(pid, "touch", "/etc/mine")
    told["home"] = inside(pid, "ls", "/root")
    user = facts["Uid"].split()[0]
    told["own_files"] = inside(pid, "setpriv", f"--reuid={user}", "touch", "/etc/integrationd/mine")
    told["sync"] = run(COMMAND, "sync", "shop", "--json")
    told["records"] = run(COMMAND, "records", "shop/items", "--format", "ndjson")
    (FILES / "more.yaml").write_text(SHOP.replace("integration: shop", "integration: more"))
    told["reload"] = run("systemctl", "reload", UNIT)
    told["reloaded"] = show()
    (FILES / "more.yaml").write_text("integration: more\nstraems: {}\n")
    told["refused"] = run("systemctl", "reload", UNIT)
    told["kept"] = show()
    (FILES / "more.yaml").unlink()
    run("kill", "-USR1", pid)
    told["watchdog"] = wait_until("0")
    run("kill", "-KILL", show()["MainPID"])
    told["killed"] = wait_until("1")
    told["again"] = run(COMMAND, "records", "shop/items", "--format", "ndjson")
    kept = DATABASE.rename(DATABASE.with_suffix(".kept"))
    DATABASE.mkdir()  # which no database can be opened in
    run("kill", "-KILL", show()["MainPID"])
    told["away"] = wait_for_restarts(2 + TRIES)
    DATABASE.rmdir()
    kept.rename(DATABASE)
    told["back"] = wait_until(show()["NRestarts"])
    told["stop"] = run("systemctl", "stop", UNIT)
    told["stopped"] = show()
    (FILES.parent / "integrationd.yaml").write_text("listn: nowhere\n")
    told["misconfigured"] = run("systemctl", "start", UNIT)
    time.sleep(3)
    told["given_up"] = show()
    told["journal"] = run("journalctl", "-u", UNIT, "-o", "json", "--no-pager")
    return told


def main() -> None:
    """Serve the provider, play, report."""
    server = ThreadingHTTPServer(("127.0.0.1", 9000), Shop)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    lay_out()
    subprocess.run(["systemctl", "daemon-reload"], check=True)
    REPORT.write_text(json.dumps(play()))


if __name__ == "__main__":
    main()
