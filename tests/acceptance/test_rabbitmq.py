"""RabbitMQ's management API, read with the shipped spec alone."""

from __future__ import annotations

import base64
import json
import os
import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest

pytestmark = [pytest.mark.acceptance, pytest.mark.needs("rabbitmq")]

COMPARED = ("name", "vhost", "type", "durable", "auto_delete", "exclusive", "arguments")


class Broker:
    """A virtual host of its own at the broker."""

    def __init__(self, api: Any, address: str, password: str) -> None:
        """Make the virtual host."""
        self.api, self.address, self.password = api, address, password
        self.vhost = f"integrationd-test-{secrets.token_hex(4)}"
        self.put(f"/vhosts/{self.vhost}", {})

    def put(self, path: str, body: object) -> None:
        """Create or replace something."""
        self.api.call("PUT", path, json.dumps(body).encode(), "application/json")

    def declare(self, number: int, **arguments: object) -> None:
        """Declare one queue."""
        body = {"durable": number % 2 == 0, "arguments": arguments}
        self.put(f"/queues/{self.vhost}/queue-{number:03d}", body)

    def delete(self, number: int) -> None:
        """Delete one queue."""
        self.api.call("DELETE", f"/queues/{self.vhost}/queue-{number:03d}")

    def queues(self) -> dict[str, Any]:
        """Return what the broker says it has, by the external id that our key gives."""
        columns = ",".join(COMPARED)
        listed = self.api.call("GET", f"/queues/{self.vhost}?columns={columns}")
        return {
            f"{queue['vhost']}/{queue['name']}": {name: queue[name] for name in COMPARED}
            for queue in listed
        }


@pytest.fixture
def broker(open_api: Any) -> Iterator[Broker]:
    """Provide a virtual host that is gone after the test."""
    url = urlsplit(os.environ["INTEGRATIOND_TEST_RABBITMQ"])
    user, password = url.username or "guest", url.password or "guest"
    address = f"{url.scheme}://{url.hostname}:{url.port}"
    credentials = base64.b64encode(f"{user}:{password}".encode()).decode()
    api = open_api(f"{address}/api", {"authorization": f"Basic {credentials}"})
    made = Broker(api, address, password)
    yield made
    api.call("DELETE", f"/vhosts/{made.vhost}")


def test_queues_equal_what_the_broker_says(installation, broker):
    """300 queues arrive in 3 pages; the next run writes 10 changed and 10 deleted ones alone."""
    with ThreadPoolExecutor(8) as pool:
        list(
            pool.map(
                lambda number: broker.declare(number, **{"x-max-length": number + 1}), range(300)
            )
        )
    installation.env["INTEGRATIOND_SECRET_BROKER__PASSWORD"] = broker.password
    installation.write(
        "integrations/broker.yaml",
        "integration: broker\n"
        "uses: rabbitmq\n"
        f"config: {{base_url: '{broker.address}'}}\n"
        f"streams: {{queues: {{get: /queues/{broker.vhost}}}}}\n",
    )

    first = installation.sync("broker/queues")
    rows = installation.rows("broker/queues")

    assert (first["added"], first["pages"], first["requests"]) == (300, 3, 3)
    assert rows == broker.queues()
    assert len(rows) == 300

    for number in range(10):
        broker.delete(number)
        broker.declare(number, **{"x-max-length": 10_000 + number})
    for number in range(290, 300):
        broker.delete(number)
    second = installation.sync("broker/queues")

    names = ("added", "changed", "unchanged", "deleted", "quarantined")
    assert [second[name] for name in names] == [0, 10, 280, 10, 0]
    assert installation.rows("broker/queues") == broker.queues()


def test_queue_is_declared_and_read_back_by_operations(installation, broker):
    """PUT declares it, GET reads it, and the broker has it as it was asked for."""
    installation.env["INTEGRATIOND_SECRET_BROKER__PASSWORD"] = broker.password
    installation.write(
        "integrations/broker.yaml",
        f"integration: broker\nuses: rabbitmq\nconfig: {{base_url: '{broker.address}'}}\n",
    )
    queue = ("broker", f"vhost={broker.vhost}", "name=by/operation")

    made = installation.run(
        "call", queue[0], "declare_queue", *queue[1:], 'arguments={"x-max-length": 5}'
    )
    read = installation.run("call", queue[0], "get_queue", *queue[1:])

    assert (made.returncode, read.returncode) == (0, 0), made.stderr + read.stderr
    assert json.loads(made.stdout) == {"created": True}
    assert json.loads(read.stdout) == {
        "name": "by/operation",
        "durable": True,
        "arguments": {"x-max-length": 5},
    }
    assert list(broker.queues()) == [f"{broker.vhost}/by/operation"]
