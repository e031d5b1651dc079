"""Webhooks under SIGKILL: what was answered 2xx is stored, however the process ends."""

import hashlib
import hmac
import http.client
import json
import random
import threading
import time

import pytest

pytestmark = [pytest.mark.acceptance]

KILLS = 5
SENDERS = 4
SPEC = """\
integration: sender
secrets: {signing_key: {env: INTEGRATIOND_SECRET_KEY}}
streams:
  orders: {key: id}
webhooks:
  events:
    verify: {type: hmac, keys: ["{{ secrets.signing_key }}"], signature: {from: header.x-signature}}
    dedup: body.id
"""


class Sender(threading.Thread):
    """Posts one event after the other until it is stopped; keeps those that were answered 200."""

    def __init__(self, name: str, address: str, path: str, stop: threading.Event) -> None:
        super().__init__(name=name)
        self.address, self.path, self.stop = address, path, stop
        self.acknowledged: list[str] = []

    def run(self) -> None:
        """Post; a line that breaks ends it."""
        line = http.client.HTTPConnection(self.address, timeout=5)
        for number in range(100_000):
            if self.stop.is_set():
                break
            name = f"{self.name}-{number}"
            body = json.dumps({"id": name}).encode()
            signature = hmac.new(b"k3y", body, hashlib.sha256).hexdigest()
            try:
                line.request("POST", self.path, body, {"x-signature": signature})
                answer = line.getresponse()
                answer.read()
            except (OSError, http.client.HTTPException):
                break
            if answer.status == 200:
                self.acknowledged.append(name)
        line.close()


def test_acknowledged_events_survive_kills(installation):
    """After each SIGKILL under load, every event that was answered is stored, and once."""
    installation.env["INTEGRATIOND_SECRET_KEY"] = "k3y"
    installation.write("integrations/sender.yaml", SPEC)
    path = installation.run("webhook", "url", "sender/events", "--json").stdout
    token = json.loads(path)["path"]
    acknowledged: set[str] = set()
    for round_ in range(KILLS):
        process = installation.start("run")
        address = ""
        while not address:
            line = json.loads(process.stdout.readline())
            address = line["listen"] if line["event"] == "daemon.started" else ""
        stop = threading.Event()
        senders = [Sender(f"{round_}-{n}", address, token, stop) for n in range(SENDERS)]
        for sender in senders:
            sender.start()
        threading.Thread(target=process.stdout.read, daemon=True).start()
        time.sleep(random.uniform(0.3, 1.0))
        process.kill()
        process.wait()
        stop.set()
        for sender in senders:
            sender.join()
            acknowledged.update(sender.acknowledged)

    stored = [event["dedup"] for event in installation.lines("events", "list")]

    assert len(acknowledged) > 10 * KILLS
    assert acknowledged <= set(stored)
    assert len(stored) == len(set(stored))
