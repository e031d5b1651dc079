"""What the files say of each entity, and what is told of its views."""

from dataclasses import replace

from integrationd.engine.shapes import entity_shapes, lay_views
from integrationd.errors import StoreError
from integrationd.ports.views import ViewsLaid
from integrationd.signals import ViewAdvised, ViewsChanged
from integrationd.spec.build import build_bundle
from integrationd.spec.read import read_file
from integrationd.spec.settings import Settings, Tenant
from integrationd.spec.source import SourceFile
from integrationd.transform.convert import FieldType
from integrationd.transform.schema.record import FieldSchema
from tests.support.fakes import Provider
from tests.support.worlds import bundle_of, stage

HEAD = """\
integration: %s
http: {base_url: "https://api.test", paginate: {type: none}}
streams:
"""
KOHA = (
    HEAD % "koha"
    + """\
  patrons: {get: /patrons, records: body, key: id, mapping: koha.patron}
  staff: {get: /staff, records: body, key: id, mapping: koha.staff}
  raw: {get: /raw, records: body, key: id}
  own: {get: /own, records: body, key: id, mapping: koha.own}
"""
)
SIERRA = (
    HEAD % "sierra"
    + """\
  people: {get: /people, records: body, key: id, mapping: sierra.person}
"""
)
PATRON = """\
mapping: koha.patron
entity: student
fields:
  name: called
  age: {path: age, type: integer}
  fee: {path: fee, type: decimal}
  day: {path: day, type: date}
"""
STAFF = """\
mapping: koha.staff
entity: staff
fields: {name: called}
"""
PERSON = """\
mapping: sierra.person
entity: student
fields:
  email: mail
  name: {path: called, type: text}
  age: {path: age, type: integer}
  fee: {path: fee, type: number}
  day: {path: day, type: datetime}
"""
OWN = """\
mapping: koha.own
fields: {x: {path: x, type: boolean}}
"""
FILES = {"a": KOHA, "b": SIERRA, "c": PATRON, "d": STAFF, "e": PERSON, "f": OWN}


def test_entity_has_the_fields_of_all_its_mappings():
    """In the order of the mappings' names; types that differ are a number or anything."""
    shapes = {shape.entity: shape.fields for shape in entity_shapes(bundle_of(**FILES))}

    assert list(shapes) == ["koha.own", "student", "staff", "koha.raw"]
    assert list(shapes["student"].items()) == [
        ("name", None),
        ("age", FieldType.INTEGER),
        ("fee", FieldType.NUMBER),
        ("day", None),
        ("email", None),
    ]
    assert shapes["staff"] == {"name": None}
    assert shapes["koha.own"] == {"x": FieldType.BOOLEAN}
    assert shapes["koha.raw"] is None


def test_order_of_files_changes_nothing():
    """Views would be made anew by every reload otherwise."""
    turned = dict(reversed(FILES.items()))

    assert entity_shapes(bundle_of(**turned)) == entity_shapes(bundle_of(**FILES))


def test_fields_of_tenants_share_one_column():
    """A view is of all tenants; what one of them added is in the column ``custom``."""
    tenant = Tenant(fields={"staff": {"desk": FieldSchema({"type": "string"})}})
    files = {
        **FILES,
        "a": KOHA.replace("koha.staff}", "koha.staff, fields: {room: r}, custom: {desk: d}}"),
    }
    reads = [read_file(SourceFile(f"{name}.yaml", text.encode())) for name, text in files.items()]
    bundle = build_bundle(reads, Settings(tenants={"default": tenant}))

    shapes = {shape.entity: shape.fields for shape in entity_shapes(bundle)}

    assert bundle.errors == ()
    assert shapes["staff"] == {"name": None, "room": None, "custom": None}


class Laying:
    """A store that answers what it is told to."""

    def __init__(self, *answers):
        self._answers = list(answers)
        self.asked = []

    async def lay_views(self, shapes):
        """Answer or refuse."""
        self.asked.append(shapes)
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


async def test_each_remark_is_told_once():
    """What holds on is not said again; what is over and comes back is."""
    store = Laying(
        ViewsLaid(made=("student",), remarks=("no view item",)),
        ViewsLaid(remarks=("no view item", "no view order")),
        ViewsLaid(dropped=("student",)),
        ViewsLaid(remarks=("no view item",)),
    )
    bundle = bundle_of(**FILES)
    async with stage(Provider(None)) as on:
        world, told = replace(on.world, store=store), frozenset()
        for _ in range(4):
            told = await lay_views(world, bundle, told)

    assert store.asked == [entity_shapes(bundle)] * 4
    assert [signal.advice for signal in on.ear.of(ViewAdvised)] == [
        "no view item",
        "no view order",
        "no view item",
    ]
    assert on.ear.of(ViewsChanged) == [
        ViewsChanged(made=("student",), dropped=()),
        ViewsChanged(made=(), dropped=("student",)),
    ]


async def test_store_that_refuses_is_told_and_that_is_all():
    """Files are taken up all the same: nothing depends on a view."""
    store = Laying(StoreError("disk full"), StoreError("disk full"))
    async with stage(Provider(None)) as on:
        world = replace(on.world, store=store)
        told = await lay_views(world, bundle_of(**FILES), frozenset())
        await lay_views(world, bundle_of(**FILES), told)

    assert [signal.advice for signal in on.ear.of(ViewAdvised)] == ["disk full"]
