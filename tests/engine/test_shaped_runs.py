"""What mapping does to a run's records shows in its counts, its records and its quarantine."""

import pytest

from integrationd.engine.asking import Manner
from integrationd.engine.call import call_operation
from integrationd.signals import RunFinished
from integrationd.spec.settings import Settings
from tests.support.fakes import Provider, answer, script
from tests.support.worlds import bundle_of, plan_of, stage

pytestmark = pytest.mark.looptime(start=0)

SCHOOL = """\
integration: school
tenant: acme
http: {base_url: https://api.test, paginate: none}
streams:
  students: {get: /students, key: id, mapping: school.student}
"""
MAPPING = """\
mapping: school.student
entity: student
fields: {name: {path: name, clean: [spaces, empty]}, email: {path: email, clean: [email]}}
required: [name]
"""
URL = "GET https://api.test/students"


async def test_cleaned_and_dropped_values_are_counted():
    """The run, its row in the store and its signal say how many values were not as they came."""
    records = [
        {"id": 1, "name": "Ana  Q", "email": "ana@Example.org"},
        {"id": 2, "name": "Leo", "email": "n/a"},
        {"id": 3, "name": " ", "email": None},
    ]
    provider, used_up = script((URL, answer(records)))
    async with stage(provider) as on:
        outcome = await on.sync(plan := plan_of(SCHOOL, "students", mapping=MAPPING))
        rows = await on.rows(plan)
        (run,) = [run async for run in on.store.runs(plan.tenant)]

    assert rows == {
        "1": {"name": "Ana Q", "email": "ana@example.org"},
        "2": {"name": "Leo", "email": None},
    }
    counts = outcome.counts
    assert (counts.added, counts.quarantined, counts.cleaned, counts.dropped) == (2, 1, 3, 1)
    assert run.counts == counts
    (finished,) = on.ear.of(RunFinished)
    assert finished.counts == counts
    used_up()


ENTITY = """\
entity: student
schema:
  properties: {name: {type: string}, email: {type: [string, "null"], maxLength: 12}}
"""


async def test_a_record_that_breaks_its_schema_waits_in_quarantine():
    """The others are stored, and the reason names the field and what was expected."""
    records = [
        {"id": 1, "name": "Ana", "email": "ana@a.org"},
        {"id": 2, "name": "Leo", "email": "leopold@example.org"},
    ]
    provider, used_up = script((URL, answer(records)))
    async with stage(provider) as on:
        plan = plan_of(SCHOOL, "students", mapping=MAPPING, entity=ENTITY)
        outcome = await on.sync(plan)
        rows = await on.rows(plan)
        (aside,) = [row async for row in on.store.quarantine(plan.tenant)]

    assert list(rows) == ["1"]
    assert outcome.counts.quarantined == 1
    assert (aside.code, aside.field) == ("schema", "email")
    assert aside.reason == "field 'email': expected at most 12 characters"
    used_up()


async def test_what_a_call_sends_is_mapped_by_a_file():
    """The other way round: ours to the provider's, with what the integration is configured with."""
    shop = """\
integration: shop
config: {site: north}
http: {base_url: https://api.test, paginate: none}
operations:
  order:
    input: {lines: {type: array}}
    post: /orders
    json: {lines: "{{ input.lines | mapping('shop.line') }}"}
"""
    line = "mapping: shop.line\nfields: {id: menu_id, site: \"var('config.site')\"}\n"
    bodies = []

    class Shop(Provider):
        async def send(self, request):
            bodies.append(request.body.value)
            return answer({})

    integration = bundle_of(shop=shop, line=line).integrations["shop"]
    async with stage(Shop(None)) as on:
        manner = Manner(settings=Settings(), budget=None, may_repeat=False)
        given = {"lines": [{"menu_id": 7}]}
        outcome = await call_operation(on.world, integration, "order", given, manner)

    assert outcome.error == ""
    assert bodies == [{"lines": [{"id": 7, "site": "north"}]}]
