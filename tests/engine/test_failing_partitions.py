"""Partitions that fail: the others are read, nothing is deleted, and no one is starved."""

import pytest

from integrationd.errors import UnavailableError
from integrationd.model.runs import RunStatus
from tests.support.fakes import Provider, answer
from tests.support.school import BY_COURSE, School, people, school, two_courses
from tests.support.worlds import stage

pytestmark = pytest.mark.looptime(start=0)

FAILED = RunStatus.FAILED


async def test_one_that_fails_leaves_the_others_and_blocks_the_sweep():
    """The run says which one failed and why; nothing is deleted."""
    api = two_courses()
    courses, enrolments = school()
    async with stage(Provider(api)) as on:
        await on.sync(courses)
        await on.sync(enrolments)
        api.wrong["5"] = 404
        api.people["7"] = people(2)
        outcome = await on.sync(enrolments)

        assert outcome.status is FAILED
        assert outcome.error == (
            "1 of 2 parts failed: course_id=5: GET /courses/5/people answered 404; there is no "
            "such thing, or the path or http.base_url is wrong"
        )
        assert sorted(await on.rows(enrolments)) == ["5/1", "5/2", "5/3", "7/1", "7/2"]

        api.wrong = {}
        after = await on.sync(enrolments)
        assert (after.status, sorted(await on.rows(enrolments))) == (
            RunStatus.DONE,
            ["5/1", "5/2", "5/3", "7/2"],
        )


async def test_round_that_broke_off_goes_on_where_it_was():
    """What was done stays done; what comes after the broken partition goes first."""
    api = two_courses()
    api.courses.append({"id": 9})
    courses, enrolments = school()
    async with stage(Provider(api)) as on:
        await on.sync(courses)
        api.wrong["7"] = 429
        broken = await on.sync(enrolments)
        api.wrong, api.asked = {}, []
        outcome = await on.sync(enrolments)

        assert (broken.status, broken.error) == (
            FAILED,
            "course_id=7: GET /courses/7/people answered 429; 1 of 3 parts were not tried",
        )
        assert (outcome.status, api.people_asked()) == (RunStatus.DONE, ["9", "7"])
        runs = [run async for run in on.store.runs("default", key=enrolments.key)]
        assert [run.resumed for run in runs] == [True, False]
        assert sorted(await on.rows(enrolments)) == ["5/1", "5/2", "5/3", "7/1"]


@pytest.mark.parametrize(
    ("failure", "kind"), [(403, "auth"), (500, "temporary"), (404, "permanent")]
)
async def test_partition_that_always_fails_starves_nobody(failure, kind):
    """Neither those after it nor, in the next round, those before it."""
    api = two_courses()
    api.courses.append({"id": 9})
    api.wrong["7"] = failure
    courses, enrolments = school()
    async with stage(Provider(api)) as on:
        await on.sync(courses)
        for number in range(3):
            api.asked, api.people["9"] = [], people(*range(number + 1))
            outcome = await on.sync(enrolments)

            assert (outcome.status, outcome.kind) == (FAILED, kind)
            assert outcome.error.startswith("1 of 3 parts failed: course_id=7: GET /courses/7")
            assert {"5", "7", "9"} == set(api.people_asked())
            assert len(await on.rows(enrolments)) == 3 + number + 1


async def test_many_that_fail_for_good_starve_nobody():
    """Thirty old courses are gone; the new ones are read all the same."""
    api = School(courses=[{"id": number} for number in range(35)])
    api.wrong = {str(number): 404 for number in range(30)}
    courses, enrolments = school()
    async with stage(Provider(api)) as on:
        await on.sync(courses)
        first = await on.sync(enrolments)
        assert first.error.endswith("; 10 of 35 parts were not tried")
        for _ in range(2):
            api.asked = []
            await on.sync(enrolments)
        assert {"30", "34"} <= set(api.people_asked())


async def test_outage_ends_the_run_and_not_the_round():
    """After five in a row; what was read before stays read."""
    api = School(courses=[{"id": number} for number in range(10)])
    courses, enrolments = school()
    async with stage(Provider(api)) as on:
        await on.sync(courses)
        api.wrong = {str(number): UnavailableError("gone") for number in range(3, 10)}
        outcome = await on.sync(enrolments)
        assert outcome.error == "course_id=7: gone; 2 of 10 parts were not tried"
        api.wrong, api.asked = {}, []
        outcome = await on.sync(enrolments)

        assert outcome.status is RunStatus.DONE
        assert api.people_asked() == ["8", "9", "3", "4", "5", "6", "7"]


async def test_too_many_partitions_are_refused():
    """Before anything is made of them."""
    many = "[" + ", ".join(map(str, range(300))) + "]"
    for_each = f"[{{list: {many}, as: course_id}}, {{list: {many}, as: kind}}]"
    _, enrolments = school(for_each=for_each)
    async with stage(Provider(School())) as on:
        outcome = await on.sync(enrolments)

    assert outcome.error == (
        "for_each gives 90,000 partitions, and at most 50,000 are read; use 'batch', 'when' or "
        "fewer values"
    )


async def test_full_round_that_broke_off_takes_all_parents_of_changed_ones_too():
    """What is resumed is the round that was begun, and not what changed since the one before."""
    api = two_courses()
    courses, enrolments = school(for_each=BY_COURSE.replace("as:", "changed: true, as:"))
    async with stage(Provider(api)) as on:
        await on.sync(courses)
        await on.sync(enrolments)
        api.wrong["7"] = 429
        await on.sync(enrolments, full=True)
        api.wrong, api.asked = {}, []
        outcome = await on.sync(enrolments)

        assert (outcome.status, api.people_asked()) == (RunStatus.DONE, ["7"])
        assert set(await on.store.load_partitions("default", enrolments.key)) == {"", "5", "7"}
        await on.sync(enrolments)
        assert set(await on.store.load_partitions("default", enrolments.key)) == {"", "5", "7"}


async def test_sorted_partition_that_broke_off_is_not_taken_for_done():
    """Its cursor moves with each page; what lies behind is read by the run that goes on."""
    api = two_courses()
    api.people["5"] = [{"id": key, "at": key} for key in (1, 2, 3)]
    fails = True

    def respond(line, headers):
        if fails and "after=" in line:
            return answer({}, status=429)
        return api(line, headers)

    more = "incremental: {field: at, into: query.since, type: number, sorted: true}"
    courses, enrolments = school(more=more)
    async with stage(Provider(respond)) as on:
        await on.sync(courses)
        await on.sync(enrolments)
        assert sorted(await on.rows(enrolments)) == ["5/1", "5/2"]
        fails = False
        outcome = await on.sync(enrolments)

        assert outcome.status is RunStatus.DONE
        assert sorted(await on.rows(enrolments)) == ["5/1", "5/2", "5/3", "7/1"]
