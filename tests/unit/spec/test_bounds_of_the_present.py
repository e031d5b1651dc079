"""Where reading begins or ends may hang on the present time."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from integrationd.config.nodes import Position, Scalar
from integrationd.config.problems import Problems
from integrationd.config.sites import Site
from integrationd.spec.bounds import BOUNDED, Start, bounding

NOW = datetime(2026, 3, 4, 5, 6, 7, 890_000, tzinfo=UTC)
PLACE = Position("specs/acme.yaml", 1, 1)


def start(text, config):
    """Return where a first reading begins."""
    problems = Problems()
    said = Start.decode_node(Scalar(text, PLACE), Site(problems, "start").noted(BOUNDED))
    assert not problems.found
    assert isinstance(said, Start)
    return said.find(config, NOW)


@pytest.mark.parametrize(
    ("since", "found"), [(None, "2026-02-25T05:06:07Z"), ("2026-01-01", "2026-01-01")]
)
def test_beginning_is_what_is_configured_or_some_days_ago(since, found):
    """The provider's file says both in one template."""
    text = "{{ config.since or (now | shift_time('-7d')) }}"

    assert start(text, {"since": since}) == found


def test_beginning_of_a_day_is_said_with_it():
    """A span alone would begin in the middle of one."""
    assert start("{{ now | shift_time('-1d') | format_time('date') }}", {}) == "2026-03-03"


def test_present_time_is_in_utc_and_whole_seconds():
    """As in requests, whatever the clock shows."""
    local = NOW.astimezone(timezone(timedelta(hours=5)))

    assert bounding({}, local)["now"] == "2026-03-04T05:06:07Z"
