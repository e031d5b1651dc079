"""How long one step holds the event loop while a stream is read; the promise is 50 ms."""

import sys
from pathlib import Path

import pytest

from tests.support.syncing import measure, page_server, write_config

LAG = Path(__file__).parent / "lag.py"
RECORDS = 72_000


@pytest.mark.bench
@pytest.mark.parametrize(
    "limit",
    [
        pytest.param(500, id="pages of 500"),
        pytest.param(5_000, id="pages of 5,000"),
        pytest.param(32_000, id="answers of 15 MB"),
    ],
)
def test_lag_of_the_loop_while_reading(tmp_path, capsys, limit):
    """Print the longest steps."""
    with page_server(RECORDS) as port:
        write_config(tmp_path, port)
        spec = tmp_path / "config" / "integrations" / "bench.yaml"
        spec.write_text(spec.read_text().replace("limit: 500", f"limit: {limit}"))
        run = measure([sys.executable, str(LAG), str(tmp_path / "config"), str(tmp_path / "state")])

    assert run.exit_code == 0, run.output
    with capsys.disabled():
        print(f"\nlongest steps with {limit} records a page, ms: {' '.join(run.output.split())}")
