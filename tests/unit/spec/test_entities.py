"""Entities: what a stream's records become, for whom, and of which files."""

from integrationd.spec.build import build_bundle
from integrationd.spec.read import read_file
from integrationd.spec.read_settings import read_settings
from integrationd.spec.settings import Settings
from integrationd.spec.source import SourceFile

ENTITY = """\
entity: student
schema:
  required: [name]
  properties:
    name: {type: string}
    phone: {type: [string, "null"]}
    age: {type: [integer, "null"]}
custom_fields: true
"""
MAPPING = """\
mapping: school.student
entity: student
fields: {name: name, phone: {path: phone, clean: [phone]}}
"""
SCHOOL = """\
integration: school
tenant: acme
http: {base_url: https://school.test, paginate: none}
streams:
  students: {get: /students, key: id, mapping: school.student}
"""
TENANTS = "tenants: {acme: {region: EC, fields: {student: {house: {type: string}}}}}\n"


def build(tenants="", **files):
    """Build a bundle of files by name, with settings."""
    settings, problems = read_settings(tenants.encode(), "integrationd.yaml")
    assert problems == ()
    reads = [read_file(SourceFile(f"{name}.yaml", text.encode())) for name, text in files.items()]
    return build_bundle(reads, settings)


def shape(tenants="", **files):
    """Return what the students of the school become, where nothing is wrong."""
    bundle = build(tenants, **files)
    assert [str(problem) for problem in bundle.problems] == []
    return bundle.integrations["school"].shapes["students"]


def test_records_have_the_schema_of_their_entity():
    """The entity's file is found by the name that the mapping says."""
    found = shape(a=ENTITY, b=MAPPING, c=SCHOOL)

    assert found.entity == "student"
    assert found.schema.required == ("name",)


def test_an_entity_needs_no_file():
    """Without one records have no schema, whatever they are called."""
    assert shape(b=MAPPING, c=SCHOOL).schema is None


def test_an_integration_is_made_of_its_entities_files_too():
    """A changed entity is another integration, and is kept as last good with it."""
    bundle = build(a=ENTITY, b=MAPPING, c=SCHOOL)

    assert set(bundle.integrations["school"].files) == {"a.yaml", "b.yaml", "c.yaml"}


def test_fields_of_an_integration_are_laid_over_its_mapping():
    """One account reads a field from elsewhere, or adds one that the entity has."""
    school = SCHOOL.replace(
        "mapping: school.student", "mapping: school.student, fields: {age: a, name: b}"
    )

    found = shape(a=ENTITY, b=MAPPING, c=school)

    assert found.mapping.apply({"a": 5, "b": "Ana"}, {}) == {"name": "Ana", "phone": None, "age": 5}


def test_a_tenants_own_fields_stand_under_custom():
    """They are mapped by the integration, declared for its tenant, and part of the schema."""
    school = SCHOOL.replace(
        "mapping: school.student", "mapping: school.student, custom: {house: h}"
    )

    found = shape(TENANTS, a=ENTITY, b=MAPPING, c=school)

    record = found.mapping.apply({"name": "Ana", "h": "north"}, {})
    assert record == {"name": "Ana", "phone": None, "custom": {"house": "north"}}
    assert found.schema.properties["custom"] == {
        "type": "object",
        "properties": {"house": {"type": "string"}},
        "additionalProperties": False,
    }


def test_an_entity_without_a_file_takes_custom_fields():
    """What the tenant declared is checked, and nothing else."""
    school = SCHOOL.replace(
        "mapping: school.student", "mapping: school.student, custom: {house: h}"
    )

    found = shape(TENANTS, b=MAPPING, c=school)

    assert list(found.schema.properties) == ["custom"]


def test_fields_of_another_tenant_are_not_there():
    """What one tenant adds is neither known nor allowed to the next."""
    other = SCHOOL.replace("tenant: acme", "tenant: other")

    assert "custom" not in shape(TENANTS, a=ENTITY, b=MAPPING, c=other).schema.properties


def test_telephone_numbers_are_of_the_tenants_country():
    """A mapping that many share says ``phone``, and each tenant's region makes numbers whole."""
    record = {"name": "Ana", "phone": "099 123 4567"}
    here = shape(TENANTS, a=ENTITY, b=MAPPING, c=SCHOOL)
    nowhere = shape(a=ENTITY, b=MAPPING, c=SCHOOL)

    assert here.mapping.apply(record, {})["phone"] == "+593991234567"
    assert nowhere.mapping.apply(record, {})["phone"] == "099 123 4567"


def test_what_records_become_is_in_their_fingerprint():
    """A stream whose schema, fields or country changed is read anew; another one is not."""

    def shapes(tenants="", **files):
        integration = build(tenants, **files).integrations["school"]
        return integration.fingerprints["students"].shape

    plain = shapes(a=ENTITY, b=MAPPING, c=SCHOOL)
    region = shapes("tenants: {acme: {region: EC}}\n", a=ENTITY, b=MAPPING, c=SCHOOL)
    declared = shapes(TENANTS.replace("region: EC, ", ""), a=ENTITY, b=MAPPING, c=SCHOOL)
    laid = SCHOOL.replace("mapping: school.student", "mapping: school.student, fields: {age: a}")
    other = ENTITY.replace("required: [name]", "required: [name, age]")

    assert shapes(a=f"# words\n{ENTITY}title: Student\n", b=MAPPING, c=SCHOOL) == plain
    changed = [region, declared, shapes(a=ENTITY, b=MAPPING, c=laid)]
    changed.append(shapes(a=other, b=MAPPING.replace("name: name", "name: name, age: a"), c=SCHOOL))
    assert len({plain, *changed}) == 5


def test_a_broken_entity_refuses_only_what_depends_on_it():
    """Its integration waits with the last good files, another one goes on."""
    other = "integration: other\nhttp: {base_url: https://o.test, paginate: none}\nstreams: {}\n"

    bundle = build(a=ENTITY.replace("type: string", "type: text"), b=MAPPING, c=SCHOOL, d=other)

    assert set(bundle.refused) == {"school"}
    assert list(bundle.integrations) == ["other"]


def test_a_mapping_that_does_not_fit_refuses_its_integration():
    """A field that the entity lacks is found before a record is read."""
    bundle = build(a=ENTITY, b=MAPPING.replace("phone:", "phones:"), c=SCHOOL)

    assert set(bundle.refused) == {"school"}
    assert [str(problem) for problem in bundle.problems] == [
        "b.yaml:3:30: E303: field 'phones' is not in entity 'student'; did you mean 'phone'?"
    ]


def test_a_schema_may_leave_further_fields_open():
    """Where it says ``additionalProperties`` a mapping may give what it likes."""
    entity = ENTITY.replace("custom_fields: true", "").replace(
        "  required", "  additionalProperties: true\n  required"
    )

    found = shape(a=entity, b=MAPPING.replace("name: name", "name: name, nick: nick"), c=SCHOOL)

    assert "nick" in found.mapping.fields


def test_no_settings_are_needed():
    """A tenant that adds nothing stands nowhere."""
    assert Settings().tenants == {}
