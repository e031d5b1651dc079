"""What a record costs between its page and the store: mapped, cleaned, held against a schema."""

import time

import pytest

from integrationd.transform.shape import Shaped
from tests.support.worlds import plan_of

RECORDS = 20_000
SCHOOL = """\
integration: school
http: {base_url: https://api.test, paginate: none}
streams:
  students: {get: /students, key: id, mapping: school.student}
"""
FIELDS = {
    "first": "[html, control, nfc, spaces, empty]",
    "last": "[trim, {max_length: 80}]",
    "mail": "[email]",
    "phone": "[{phone: EC}]",
    "isbn": "[isbn]",
    "status": "[trim]",
    "born": "[trim]",
    "note": "[html, spaces]",
}
ENTITY = """\
entity: student
schema:
  type: object
  required: [last]
  properties:
    first: {type: [string, "null"], maxLength: 80}
    last: {type: string, minLength: 1, maxLength: 80}
    mail: {type: [string, "null"], format: email}
    phone: {type: [string, "null"], pattern: "^[+][0-9]{7,15}$"}
    isbn: {type: [string, "null"], pattern: "^97[89][0-9]{10}$"}
    status: {enum: [enrolled, left]}
    born: {type: string, format: date}
    note: {type: [string, "null"]}
"""
RECORD = {
    "first": "María  José",
    "last": "Núñez ",
    "mail": "maria@Example.ORG",
    "phone": "+593 99 123 4567",
    "isbn": "978-0-13-110362-7",
    "status": "enrolled",
    "born": "2011-04-05",
    "note": "<p>Reads &amp; writes</p>",
}
CLEAN = {
    **RECORD,
    "first": "María José",
    "last": "Núñez",
    "phone": "+593991234567",
    "isbn": "9780131103627",
    "mail": "maria@example.org",
    "note": "Reads and writes",
}


def cost_us(mapping, record, **files):
    """Return microseconds of CPU for each record, the best of five."""
    plan = plan_of(SCHOOL, "students", mapping=mapping, **files)
    records = [{**record, "id": number} for number in range(RECORDS)]
    spent = []
    for _ in range(5):
        shaped = Shaped()
        began = time.process_time()
        plan.shaper.shape(records, {"config": {}}, shaped)
        spent.append(time.process_time() - began)
        assert len(shaped.upserts) == RECORDS
    return min(spent) / RECORDS * 1e6


@pytest.mark.bench
def test_shaping_of_a_record(capsys):
    """Print what each step adds to mapping eight fields."""
    head = "mapping: school.student\nentity: student\nfields:\n"
    plain = head + "".join(f"  {name}: {name}\n" for name in FIELDS)
    cleaned = head + "".join(f"  {n}: {{path: {n}, clean: {c}}}\n" for n, c in FIELDS.items())

    base = cost_us(plain, CLEAN)
    with capsys.disabled():
        print(f"\nmapped           {base:5.1f} us/record")
        print(f"with a schema    {cost_us(plain, CLEAN, entity=ENTITY) - base:+5.1f}")
        print(f"cleaned, clean   {cost_us(cleaned, CLEAN) - base:+5.1f}")
        print(f"cleaned, changed {cost_us(cleaned, RECORD) - base:+5.1f}")
