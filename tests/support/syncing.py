"""A configuration that reads the page server, and commands measured as whole processes."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SUPPORT = Path(__file__).parent

SETTINGS = """\
listen: 127.0.0.1:0
egress: {allow: [127.0.0.0/8]}
"""
INTEGRATION = """\
integration: bench
http:
  base_url: "http://127.0.0.1:%d"
  query: {limit: 500}
  paginate: {type: cursor, next: body.next_cursor, into: query.cursor}
streams:
  customers: {get: /records, records: body.data, key: id, mapping: bench.customer}
"""
MAPPING = """\
mapping: bench.customer
entity: customer
fields:
  name: full_name
  email: email
  status: status
  created_at: created_at
  updated_at: updated_at
  balance: balance
  currency: currency
  street: address.street
  city: address.city
  postcode: address.postcode
  country: address.country
  company_id: company.id
  company: company.name
  score: meta.score
  owner: meta.owner.email
  tag: tags[0]
"""


@dataclass(frozen=True)
class Measured:
    """What one process cost."""

    exit_code: int
    cpu_s: float
    rss_mb: float
    output: str


def write_config(root: Path, port: int) -> list[str]:
    """Write the files below ``root`` and return the options that point there."""
    for folder in ("integrations", "mappings"):
        (root / "config" / folder).mkdir(parents=True, exist_ok=True)
    (root / "config" / "integrationd.yaml").write_text(SETTINGS)
    (root / "config" / "integrations" / "bench.yaml").write_text(INTEGRATION % port)
    (root / "config" / "mappings" / "bench.customer.yaml").write_text(MAPPING)
    return ["--config", str(root / "config"), "--state", str(root / "state")]


@contextmanager
def page_server(records: int, latency_ms: float = 0) -> Iterator[int]:
    """Run the page server; yields its port."""
    command = [sys.executable, str(SUPPORT / "pageserver.py"), "--records", str(records)]
    command += ["--latency-ms", str(latency_ms)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield int(server.stdout.readline())
        finally:
            server.terminate()


def measure(command: Sequence[str]) -> Measured:
    """Run a command to its end and read what the kernel counted for it alone."""
    with tempfile.TemporaryDirectory() as place:
        report = Path(place) / "report.json"
        launched = [sys.executable, "-S", str(SUPPORT / "launcher.py"), str(report), *command]
        done = subprocess.run(
            launched, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True
        )
        return Measured(output=done.stdout, **json.loads(report.read_text()))


def integrationd(*words: str) -> list[str]:
    """Return a command line of the installed program."""
    return [sys.executable, "-m", "integrationd", *words]
