"""1,000 integrations of 10 providers: how soon they are ready, and what they cost at rest.

The marks are: ready in 5 s, a changed file taken up in 1 s, 120 MB at rest. Printed, never judged.
Once with accounts that only use their provider, and once where each changes a schedule of it. The
first start of a checkout also compiles Python's own files.
"""

import os
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

PROVIDERS, STREAMS, INTEGRATIONS = 10, 3, 1000
PORT = 18471
PATIENCE_S = 120
PROVIDER = """\
provider: p{number}
config: {{site: {{type: string}}}}
secrets: {{token: {{}}}}
http:
  base_url: "https://{{{{ config.site }}}}.invalid/api"
  auth: {{type: bearer, token: "{{{{ secrets.token }}}}"}}
  limits: {{rate: 10/s}}
  paginate: {{type: page, into: query.page, size: {{into: query.per_page, value: 100}}}}
streams:
"""
STREAM = """\
  s{stream}:
    get: /s{stream}
    records: body.data
    key: id
    incremental: {{field: updated_at, into: query.since}}
    mapping: p{number}.e{stream}
    schedule: {{at: "03:00"}}
"""
MAPPING = """\
mapping: p{number}.e{stream}
entity: e{stream}
required: [f0]
fields:
  total: {{path: total, type: decimal}}
  at: {{path: updated_at, type: datetime}}
"""


def lay_out(top: Path, laid: str) -> None:
    """Write the files; calendars, so that nothing is read while it is measured.

    Each integration lays the same over its provider.
    """
    for folder in ("specs", "integrations", "mappings"):
        (top / folder).mkdir(parents=True)
    (top / "integrationd.yaml").write_text(f"listen: 127.0.0.1:{PORT}\n")
    for number in range(PROVIDERS):
        streams = [STREAM.format(number=number, stream=stream) for stream in range(STREAMS)]
        text = PROVIDER.format(number=number) + "".join(streams)
        (top / "specs" / f"p{number}.yaml").write_text(text)
        for stream in range(STREAMS):
            fields = "".join(f"  f{field}: a.f{field}\n" for field in range(14))
            text = MAPPING.format(number=number, stream=stream) + fields
            (top / "mappings" / f"p{number}.e{stream}.yaml").write_text(text)
    for number in range(INTEGRATIONS):
        (top / "integrations" / f"i{number}.yaml").write_text(integration(number, "a") + laid)


def integration(number: int, site: str) -> str:
    """Return one integration's file."""
    return (
        f"integration: i{number}\nuses: p{number % PROVIDERS}\nconfig: {{site: {site}{number}}}\n"
        "secrets: {token: {env: INTEGRATIOND_SECRET_BENCH}}\n"
    )


def get(path: str) -> str:
    """Ask the daemon; an empty text where it does not answer with 200."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{PORT}{path}", timeout=2) as answer:
            return answer.read().decode()
    except OSError:
        return ""


def wait_for(happened) -> float:
    """Wait until something is so; returns the seconds it took."""
    began_s = time.monotonic()
    while not happened():
        assert time.monotonic() - began_s < PATIENCE_S
        time.sleep(0.02)
    return time.monotonic() - began_s


def facts(pid: int) -> tuple[float, float]:
    """Return the CPU seconds and the resident megabytes of a process."""
    ticks = sum(map(int, Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[11:13]))
    status = Path(f"/proc/{pid}/status").read_text()
    kib = int(status.split("VmRSS:")[1].split()[0])
    return ticks / os.sysconf("SC_CLK_TCK"), kib / 1024


def told() -> str:
    """Return when files were taken up last, as the metrics have it."""
    lines = get("/metrics").splitlines()
    return next((line for line in lines if line.startswith("integrationd_reload_timestamp")), "")


@pytest.mark.bench
@pytest.mark.parametrize(
    "laid", ["", 'streams: {s0: {schedule: {at: "04:00"}}}\n'], ids=["bare", "laid"]
)
def test_thousand_integrations(tmp_path, laid):
    """Ready, again ready with warm files, a changed file, and ten seconds of rest."""
    lay_out(tmp_path / "config", laid)
    places = ["--config", str(tmp_path / "config"), "--state", str(tmp_path / "state")]
    (tmp_path / "state").mkdir()
    command = [sys.executable, "-m", "integrationd", *places, "run"]
    environ = {**os.environ, "INTEGRATIOND_SECRET_BENCH": "x"}
    environ.pop("PYTHONDONTWRITEBYTECODE", None)
    for how in ("first start", "second start"):
        with (tmp_path / "log").open("w") as log:
            daemon = subprocess.Popen(command, env=environ, stdout=log, stderr=log)
            try:
                ready_s = wait_for(lambda: get("/readyz"))
                print(f"\n{how}: ready in {ready_s:.1f} s, {facts(daemon.pid)[0]:.1f} s of CPU")
                time.sleep(5)
                if how == "second start":
                    measure_rest(daemon.pid, tmp_path / "config" / "integrations" / "i5.yaml")
            finally:
                daemon.terminate()
                daemon.wait(60)


def measure_rest(pid: int, file: Path) -> None:
    """Print what it costs at rest, and how soon a changed file is taken up."""
    cpu_s, rss_mb = facts(pid)
    time.sleep(10)
    print(f"at rest: {(facts(pid)[0] - cpu_s) * 10:.1f} % of a core, {rss_mb:.0f} MB")
    before, (cpu_s, _) = told(), facts(pid)
    file.write_text(integration(5, "b"))
    took_s = wait_for(lambda: told() not in ("", before))
    cpu_s = facts(pid)[0] - cpu_s
    print(f"a changed file: taken up in {took_s:.2f} s, {cpu_s:.2f} s of CPU")
