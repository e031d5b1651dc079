"""``for_each``: a stream read once for each value, with progress of its own for each."""

import pytest

from integrationd.model.runs import Mode, RunStatus
from tests.support.fakes import Provider
from tests.support.school import BY_COURSE, SCHOOL, School, people, school, two_courses
from tests.support.worlds import plan_of, stage

pytestmark = pytest.mark.looptime(start=0)

FAILED = RunStatus.FAILED


@pytest.mark.parametrize("concurrency", [1, 4])
async def test_child_reads_each_course_and_never_its_parent(concurrency):
    """Values and carried fields come from what was kept when the courses were read."""
    api = two_courses()
    courses, enrolments = school(concurrency=concurrency)
    async with stage(Provider(api)) as on:
        await on.sync(courses)
        outcome = await on.sync(enrolments)

        assert (outcome.status, outcome.counts.added) == (RunStatus.DONE, 4)
        assert await on.rows(enrolments) == {
            "5/1": {"id": 1, "at": 1, "course_id": 5},
            "5/2": {"id": 2, "at": 1, "course_id": 5},
            "5/3": {"id": 3, "at": 1, "course_id": 5},
            "7/1": {"id": 1, "at": 1, "course_id": 7},
        }
    assert sorted(api.people_asked()) == ["5", "5", "7"]
    assert api.asked.count("/courses") == 1


async def test_value_of_a_list_goes_into_its_records():
    """What a stream is read for each of is known where its records are found."""
    found = "\"body.data[*].merge(@, {course_id: var('each.course_id')})\""
    text = SCHOOL.replace("records: body.data\n    key", f"records: {found}\n    key")
    words = {"for_each": "{list: [5, 7], as: course_id}", "more": "sweep: true", "concurrency": 1}
    enrolments = plan_of(text % words, "enrolments")
    async with stage(Provider(two_courses())) as on:
        await on.sync(enrolments)

        assert list(await on.rows(enrolments)) == ["5/1", "5/2", "5/3", "7/1"]


async def test_course_that_is_gone_takes_its_people_with_it():
    """A complete round sweeps what no partition has any more; its progress is forgotten."""
    api = two_courses()
    courses, enrolments = school()
    async with stage(Provider(api)) as on:
        await on.sync(courses)
        await on.sync(enrolments)
        del api.courses[0]
        await on.sync(courses)
        outcome = await on.sync(enrolments)

        assert (outcome.counts.deleted, list(await on.rows(enrolments))) == (3, ["7/1"])
        assert set(await on.store.load_partitions("default", enrolments.key)) == {"", "7"}


async def test_parent_that_comes_back_brings_its_children_back():
    """Though it gives what it gave before."""
    api = two_courses()
    courses, enrolments = school(for_each=BY_COURSE.replace("as:", "changed: true, as:"))
    async with stage(Provider(api)) as on:
        for rows in (api.courses[:], api.courses[1:]):
            api.courses, kept = rows, api.courses
            await on.sync(courses)
            await on.sync(enrolments, full=True)
        assert list(await on.rows(enrolments)) == ["7/1"]
        api.courses = kept
        await on.sync(courses)
        await on.sync(enrolments)

        assert len(await on.rows(enrolments)) == 4


async def test_values_of_another_parent_are_not_taken_for_those_of_this_one():
    """What was kept for the old one is no longer asked for."""
    api = two_courses()
    text = SCHOOL % {"for_each": BY_COURSE, "more": "schedule: manual", "concurrency": 1}
    text += "  terms: {get: /courses, records: 'body.data[1:]', key: id}\n"
    other = text.replace("stream: courses", "stream: terms")
    async with stage(Provider(api)) as on:
        await on.sync(plan_of(text, "courses"))
        await on.sync(plan_of(text, "enrolments"))
        await on.sync(plan_of(other, "terms"))
        api.asked = []
        await on.sync(plan_of(other, "enrolments"))

    assert api.people_asked() == ["7"]


async def test_empty_values_are_none():
    """Nothing can be asked with them."""
    api = School()
    _, enrolments = school(for_each='{list: ["", x, null], as: course_id}')
    async with stage(Provider(api)) as on:
        outcome = await on.sync(enrolments)

    assert (outcome.status, api.people_asked()) == (RunStatus.DONE, ["x"])


async def test_each_course_has_its_own_cursor():
    """A new course is read from its beginning, the others from where they were."""
    api = two_courses()
    more = "incremental: {field: at, into: query.since, type: number}"
    courses, enrolments = school(more=more)
    async with stage(Provider(api)) as on:
        await on.sync(courses)
        await on.sync(enrolments)
        api.people["5"] = people(1, 2, 3) + people(4, at=9)
        api.people["8"] = people(6, at=2)
        api.courses.append({"id": 8})
        await on.sync(courses)
        api.asked = []
        outcome = await on.sync(enrolments)

        assert (outcome.counts.added, outcome.counts.deleted) == (2, 0)
        assert api.asked[0] == "/courses/5/people?since=1"
        assert api.asked[-1] == "/courses/8/people"
        states = await on.store.load_partitions("default", enrolments.key)
        assert {name: state.cursor for name, state in states.items()} == {
            "": None,
            "5": 1,
            "7": 1,
            "8": 2,
        }
        runs = [run async for run in on.store.runs("default", key=enrolments.key)]
        assert runs[0].mode == Mode.INCREMENTAL


@pytest.mark.parametrize(
    ("for_each", "asked"),
    [
        ("{list: [5, 7], as: course_id}", ["5", "7"]),
        ('{list: "{{ config.kinds }}", as: course_id}', ["exam", "quiz"]),
        ("{stream: courses, value: id, as: course_id, when: title == 'Law'}", ["7"]),
        ("{stream: courses, value: '[id, title]', as: course_id}", ["5", "Art", "7", "Law"]),
        ("{stream: courses, value: nothing, as: course_id}", []),
        (
            "[{stream: courses, value: id, as: course_id}, {list: [a, b], as: kind}]",
            ["5", "5", "7", "7"],
        ),
    ],
)
async def test_values_come_from_lists_items_conditions_and_products(for_each, asked):
    """Equal values are read once."""
    law = {"id": 7, "title": "Law"}
    api = School(courses=[{"id": 5, "title": "Art"}, law, {**law, "x": 1}])
    courses, enrolments = school(for_each=for_each)
    async with stage(Provider(api)) as on:
        await on.sync(courses)
        outcome = await on.sync(enrolments)

    assert outcome.error == ""
    assert api.people_asked() == asked


async def test_batches_hold_several_values():
    """They are a list in the template."""
    api = School(courses=[{"id": number} for number in range(5)])
    for_each = "{stream: courses, value: id, as: ids, batch: 2}"
    text = SCHOOL % {"for_each": for_each, "more": "schedule: manual", "concurrency": 1}
    text = text.replace("{{ each.course_id }}", "{{ each.ids | join(',') }}")
    async with stage(Provider(api)) as on:
        await on.sync(plan_of(text, "courses"))
        await on.sync(plan_of(text, "enrolments"))

    assert api.people_asked() == ["0%2C1", "2%2C3", "4"]


async def test_changed_only_follows_the_parents_that_changed():
    """After the first round; a full one takes all of them."""
    api = two_courses()
    courses, enrolments = school(for_each=BY_COURSE.replace("as:", "changed: true, as:"))
    async with stage(Provider(api)) as on:
        await on.sync(courses)
        await on.sync(enrolments)
        api.asked = []
        await on.sync(enrolments)
        api.courses[1] = {"id": 7, "title": "Laws"}
        await on.sync(courses)
        await on.sync(enrolments)
        assert api.people_asked() == ["7"]
        await on.sync(enrolments, full=True)
        assert api.people_asked() == ["7", "5", "5", "7"]
        assert len(await on.rows(enrolments)) == 4


async def test_parent_is_read_anew_when_a_child_asks_for_something_else():
    """What is kept for a child is of the spec as it was; another child, another full reading."""
    first = school()[0]
    other = school(for_each=BY_COURSE.replace("value: id", "value: title"))[0]

    assert first.prints.identity == other.prints.identity
    assert first.prints.shape != other.prints.shape


async def test_grandchildren_have_the_values_of_both():
    """A child's own records give values too; what they were read for stands beside them."""
    text = SCHOOL % {"for_each": BY_COURSE, "more": "schedule: manual", "concurrency": 1}
    text += """\
  marks:
    for_each: {stream: enrolments, value: id, as: person, carry: {course: course_id}}
    get: "/marks/{{ each.course_id }}/{{ each.person }}"
    records: body.data
    key: [course, id]
"""
    api = two_courses()
    async with stage(Provider(api)) as on:
        for name in ("courses", "enrolments", "marks"):
            outcome = await on.sync(plan_of(text, name))
            assert outcome.error == ""

    marks = [line for line in api.asked if line.startswith("/marks") and "?" not in line]
    assert marks == ["/marks/5/1", "/marks/5/2", "/marks/5/3", "/marks/7/1"]


async def test_records_that_wait_in_quarantine_keep_what_they_carry():
    """The key is read with the carried field, so the good version finds it."""
    api = two_courses()
    api.people["7"] = [{"id": None, "at": 1}]
    courses, enrolments = school()
    async with stage(Provider(api)) as on:
        await on.sync(courses)
        outcome = await on.sync(enrolments)
        waiting = [row.source async for row in on.store.quarantine(None)]

    assert outcome.counts.quarantined == 1
    assert waiting == [{"id": None, "at": 1, "course_id": 7}]
