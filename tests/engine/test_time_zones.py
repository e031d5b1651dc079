"""The zone of times that name none: said for a field, a stream, or a provider as a whole."""

import pytest

from tests.support.fakes import answer, script
from tests.support.worlds import plan_of, stage

pytestmark = pytest.mark.looptime(start=0)

SCHOOL = """\
integration: school
http: {base_url: https://api.test, paginate: none%s}
streams:
  lessons:
    get: /lessons
    key: id
    mapping: lesson
    incremental: {field: at, type: time, into: query.since, format: iso%s}
%s
"""
LESSON = """\
mapping: lesson
entity: lesson
fields:
  begins: {path: at, type: datetime}
  ends: {path: end, type: datetime, timezone: UTC}
  day: {path: at, type: date}
"""
URL = "GET https://api.test/lessons"
ROW = {"id": 1, "at": "2025-07-01T10:00:00", "end": "2025-07-01T11:00:00"}
STREAM = "    timezone: America/Guayaquil"


def plan(http="", rule="", stream=""):
    """Compile the stream."""
    return plan_of(SCHOOL % (http, rule, stream), "lessons", lesson=LESSON)


@pytest.mark.parametrize(
    ("said", "begins", "since"),
    [
        ({}, "2025-07-01T10:00:00", "2025-07-01T10:00:00"),
        (
            {"http": ", timezone: Europe/Berlin"},
            "2025-07-01T08:00:00Z",
            "2025-07-01T08:00:00Z",
        ),
        ({"stream": STREAM}, "2025-07-01T15:00:00Z", "2025-07-01T15:00:00Z"),
        (
            {"http": ", timezone: Europe/Berlin", "stream": STREAM},
            "2025-07-01T15:00:00Z",
            "2025-07-01T15:00:00Z",
        ),
        (
            {"http": ", timezone: Europe/Berlin", "rule": ", timezone: UTC"},
            "2025-07-01T08:00:00Z",
            "2025-07-01T10:00:00Z",
        ),
    ],
)
async def test_what_is_nearer_has_the_last_word(said, begins, since):
    """A field before its stream, the stream before its provider; a day is as it is written."""
    provider, used_up = script(
        (URL, answer([ROW])), (f"{URL}?since={since.replace(':', '%3A')}", answer([]))
    )
    async with stage(provider) as on:
        await on.sync(plan(**said))
        rows = await on.rows(plan(**said))
        await on.sync(plan(**said))

    assert rows["1"]["begins"] == begins
    assert rows["1"]["ends"] == "2025-07-01T11:00:00Z"
    assert rows["1"]["day"] == "2025-07-01"
    used_up()


def test_another_zone_is_another_shape_and_another_reading():
    """What is stored, and what is asked for next, were made with the old one."""
    one = plan(http=", timezone: Europe/Berlin").prints
    other = plan(http=", timezone: Europe/Lisbon").prints

    assert one.identity == other.identity
    assert one.shape != other.shape
    assert one.reading != other.reading
