"""Parents and children under a schedule: who is read first, and when again."""

import pytest

from integrationd.engine.sync import RunWish
from integrationd.model.runs import RunStatus, Trigger
from integrationd.signals import RunSkipped, RunStarted
from tests.engine.test_conductor import MANUAL, conductor_of
from tests.support.fakes import Provider, answer
from tests.support.worlds import stage

pytestmark = pytest.mark.looptime(start=0)

SCHEDULED = RunWish(trigger=Trigger.SCHEDULE)
SCHOOL = """\
integration: school
http: {base_url: "https://api.test", retries: 0, paginate: none}
streams:
  people:
    for_each: {stream: courses, value: id, as: course}
    get: "/people/{{ each.course }}"
    key: id
    schedule: 1h
  courses: {get: /courses, key: id, schedule: %s}
"""


class Api(Provider):
    """One course with one person in it."""

    def __init__(self, *, status=200):
        super().__init__(lambda line, headers: answer([{"id": 5}], status=self.status))
        self.status = status

    def paths(self):
        """Return what was asked since last time."""
        asked = [line.removeprefix("GET https://api.test") for line in self.asked]
        self.asked.clear()
        return asked


async def test_parent_that_was_never_read_is_read_first():
    """Once; afterwards its own schedule is enough."""
    async with stage(api := Api()) as on:
        conductor = conductor_of(on, SCHOOL % "24h")
        first = await conductor.due("school", "people", SCHEDULED)
        assert (first.status, api.paths()) == (RunStatus.DONE, ["/courses", "/people/5"])
        triggers = [signal.trigger for signal in on.ear.of(RunStarted)]
        assert triggers == [Trigger.CHILD, Trigger.SCHEDULE]
        # Of a name that remembers where it was written no encoder knows what to make.
        assert {type(signal.stream) for signal in on.ear.of(RunStarted)} == {str}

        await conductor.due("school", "people", SCHEDULED)
        assert api.paths() == ["/people/5"]


async def test_parent_without_a_schedule_is_read_before_its_children():
    """Each time that the schedule reads them; a person who asks for the child gets just that."""
    async with stage(api := Api()) as on:
        conductor = conductor_of(on, SCHOOL % "manual")
        await conductor.due("school", "people", SCHEDULED)
        await conductor.due("school", "people", SCHEDULED)
        assert api.paths() == ["/courses", "/people/5"] * 2

        await conductor.sync("school", "people", MANUAL)
        assert api.paths() == ["/people/5"]


async def test_child_is_not_read_where_its_parent_cannot_be():
    """The reason names it; the next time both are tried again."""
    async with stage(api := Api(status=403)) as on:
        conductor = conductor_of(on, SCHOOL % "24h")
        outcome = await conductor.due("school", "people", SCHEDULED)

        assert outcome.status is RunStatus.FAILED
        assert outcome.error == (
            "it is read for each of school/courses, of which nothing is known: GET /courses "
            "answered 403; no credentials were sent, say under http.auth which ones this provider "
            "wants"
        )
        again = await conductor.due("school", "people", SCHEDULED)
        assert again.error == outcome.error
        assert [signal.stream for signal in on.ear.of(RunSkipped)] == ["people"] * 2
        api.status = 200
        assert (await conductor.due("school", "people", SCHEDULED)).status is RunStatus.DONE


async def test_parents_come_before_their_children():
    """Where all streams of an integration are read, whatever their order in the file."""
    async with stage(Api()) as on:
        conductor = conductor_of(on, SCHOOL % "24h")

        assert conductor.streams_of("school") == ["courses", "people"]
