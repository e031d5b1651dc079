"""Look-ups of mappings: ids of other records, asked of the store once for each page."""

from dataclasses import dataclass, field, replace

import pytest

from integrationd.engine.plans import build_plan
from integrationd.engine.preview import preview_stream
from integrationd.engine.replay import replay_stream
from integrationd.engine.sync import RunWish
from integrationd.model.runs import Trigger
from integrationd.ports.quarantine import QuarantineQuery
from integrationd.spec.build import build_bundle
from integrationd.spec.memo import Memo
from integrationd.spec.read import read_file
from integrationd.spec.settings import Settings
from integrationd.spec.source import SourceFile
from tests.support.fakes import answer, script
from tests.support.worlds import bundle_of, plan_of, stage

pytestmark = pytest.mark.looptime(start=0)

CAMPUS = """\
integration: campus
http: {base_url: https://campus.test, paginate: none}
streams:
  courses: {get: /courses, key: id, mapping: course}
  enrolments: {get: /enrolments, key: id, mapping: enrolment}
"""
COURSE = "mapping: course\nentity: course\nfields: {name: name}\n"
ENROLMENT = """\
mapping: enrolment
entity: enrolment
lookups: {course: {entity: course, external_id: course_id%s}}
fields:
  course: var('lookups.course.id')
  code: var('lookups.course.external_id')
  name: var('lookups.course.data.name')
"""
COURSES = ("GET https://campus.test/courses", answer([{"id": 7, "name": "Latin"}]))
ENROLMENTS = "GET https://campus.test/enrolments"


def plans(required=""):
    """Compile both streams."""
    files = {"course": COURSE, "enrolment": ENROLMENT % required}
    return [plan_of(CAMPUS, name, **files) for name in ("courses", "enrolments")]


@dataclass
class Counting:
    """A store that notes what is looked up."""

    store: object
    asked: list = field(default_factory=list)

    def __getattr__(self, name):
        """Hand on everything else."""
        return getattr(self.store, name)

    async def find_records(self, tenant, **given):
        """Note a query."""
        self.asked.append((tenant, given))
        return await self.store.find_records(tenant, **given)


async def test_a_page_is_looked_up_at_once():
    """What is stored gives its internal id, its external id and its data; the rest is null."""
    rows = [{"id": n, "course_id": c} for n, c in enumerate([7, 8, None, 7, ""])]
    provider, used_up = script(COURSES, (ENROLMENTS, answer(rows)))
    courses, enrolments = plans()
    async with stage(provider) as on:
        await on.sync(courses)
        on.world = replace(on.world, store=(store := Counting(on.store)))
        await on.sync(enrolments)
        found = await on.rows(enrolments)
        (course,) = (
            await on.store.find_records(
                "default", integration="campus", entity="course", external_ids=["7"]
            )
        ).values()

    latin = {"course": course.id, "code": "7", "name": "Latin"}
    nothing = {"course": None, "code": None, "name": None}
    assert found == {"0": latin, "1": nothing, "2": nothing, "3": latin, "4": nothing}
    asked = {"integration": "campus", "entity": "course", "external_ids": ["7", "8"]}
    assert store.asked == [("default", asked)]
    used_up()


async def test_what_is_required_waits_in_quarantine_until_it_is_there():
    """The reason says which look-up found nothing; a replay looks again."""
    rows = [{"id": 1, "course_id": 7}, {"id": 2}, {"id": 3, "course_id": [7]}]
    provider, used_up = script((ENROLMENTS, answer(rows)), COURSES)
    courses, enrolments = plans(", required: true")
    async with stage(provider) as on:
        await on.sync(enrolments)
        query = QuarantineQuery(integration="campus", stream="enrolments", ids=())
        waiting = [(row.code, row.reason) async for row in on.store.quarantine("default", query)]
        await on.sync(courses)
        outcome = await replay_stream(on.world, enrolments)
        found = await on.rows(enrolments)

    assert waiting == [
        ("lookups", "lookups.course: expected a record of 'course', none is stored"),
        ("lookups", "lookups.course: expected a record of 'course', the record names none"),
        (
            "lookups",
            "lookups.course: found a list, expected text, a whole number or true or false",
        ),
    ]
    assert outcome.counts.quarantined == 2
    assert [(key, row["name"]) for key, row in found.items()] == [("1", "Latin")]
    used_up()


async def test_a_preview_looks_up_too():
    """It tells what a reading would store."""
    provider, used_up = script(COURSES, (ENROLMENTS, answer([{"id": 1, "course_id": 7}])))
    courses, enrolments = plans()
    async with stage(provider) as on:
        await on.sync(courses)
        wish = RunWish(trigger=Trigger.MANUAL)
        lines = preview_stream(on.world, enrolments, wish, settings=on.settings, budget=None)
        (added, _) = [line async for line in lines]

    assert (added["event"], added["data"]["name"]) == ("added", "Latin")
    used_up()


async def test_mappings_without_look_ups_ask_for_nothing():
    """The store is not asked for what nobody wants."""
    provider, used_up = script(COURSES)
    courses, _ = plans()
    async with stage(provider) as on:
        on.world = replace(on.world, store=(store := Counting(on.store)))
        await on.sync(courses)

    assert store.asked == []
    used_up()


OTHER = """\
integration: library
http: {base_url: https://library.test, paginate: none}
streams: {patrons: {get: /patrons, key: id}}
"""
TO_LIBRARY = """\
mapping: enrolment
entity: enrolment
lookups: {patron: {integration: library, entity: library.patrons, external_id: card}}
fields: {patron: var('lookups.patron.id')}
"""


async def test_records_of_another_integration_are_found():
    """Of the same tenant, by the entity that it gives them."""
    provider, used_up = script(
        ("GET https://library.test/patrons", answer([{"id": "c-1"}])),
        (ENROLMENTS, answer([{"id": 1, "card": "c-1"}, {"id": 2, "card": "c-2"}])),
    )
    bundle = bundle_of(campus=CAMPUS, library=OTHER, course=COURSE, enrolment=TO_LIBRARY)
    campus, library = (bundle.integrations[name] for name in ("campus", "library"))
    async with stage(provider) as on:
        await on.sync(build_plan(library, "patrons"))
        await on.sync(plan := build_plan(campus, "enrolments"))
        rows = await on.rows(plan)
        stored = await on.store.find_records(
            "default", integration="library", entity="library.patrons", external_ids=["c-1"]
        )

    assert rows == {"1": {"patron": stored["c-1"].id}, "2": {"patron": None}}
    assert sorted(campus.files) == [
        "campus.yaml",
        "course.yaml",
        "enrolment.yaml",
        "library.yaml",
    ]
    used_up()


def test_another_integration_that_goes_away_is_missed_at_the_next_load():
    """What was made before is not taken again unseen."""
    memo = Memo()
    files = {"campus": CAMPUS, "library": OTHER, "course": COURSE, "enrolment": TO_LIBRARY}
    reads = [read_file(SourceFile(f"{name}.yaml", text.encode())) for name, text in files.items()]
    before = build_bundle(reads, Settings(), memo)

    after = build_bundle([reads[0], *reads[2:]], Settings(), memo)

    assert sorted(before.integrations) == ["campus", "library"]
    (problem,) = map(str, after.problems)
    assert problem == (
        "enrolment.yaml:3:33: E308: look-up 'patron' reads integration 'library', which is in no "
        "file; known here: campus"
    )
    assert after.refused == {"campus"}


def test_a_template_cannot_use_a_mapping_with_look_ups():
    """It has no page; it would find nothing, in silence."""
    text = (
        CAMPUS
        + """\
operations:
  send: {post: /x, json: "{{ input.x | mapping('enrolment') }}", input: {x: {}}}
"""
    )
    files = {"campus": text, "course": COURSE, "enrolment": ENROLMENT % ""}
    reads = [read_file(SourceFile(f"{name}.yaml", text.encode())) for name, text in files.items()]

    bundle = build_bundle(reads, Settings())

    (problem,) = map(str, bundle.problems)
    assert problem == (
        "campus.yaml:7:26: E302: uses mapping 'enrolment', which has 'lookups'; those are for "
        "streams alone"
    )
