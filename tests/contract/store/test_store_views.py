"""Views: made, left alone, replaced and dropped, and never at anybody else's cost."""

import asyncio
import json
import shutil
import subprocess
from datetime import UTC, datetime

import pytest

from integrationd.ports.views import EntityShape, ViewsLaid
from integrationd.store import SqlStore
from integrationd.transform.convert import FieldType

STUDENT = EntityShape(
    entity="student", fields={"name": None, "age": FieldType.INTEGER, "email": FieldType.TEXT}
)
ITEMS = EntityShape(entity="main-library.items", fields=None)


async def lay(desk, *shapes):
    """Lay views."""
    return await desk.store.lay_views(shapes)


async def fill(desk, *upserts, **parts):
    """Store students in one run."""
    await desk.sync("run_0", *upserts, entity="student", **parts)


async def test_entity_has_its_view_of_living_records(desk):
    """Whose, which, every mapped field, and when it changed; what was deleted is not there."""
    await fill(desk, desk.put("7", name="Ada", age=36), desk.put("8", name="Bob", age=1, more=2))
    await desk.sync("run_1", entity="student", removals=[desk.gone("8")])

    laid = await lay(desk, STUDENT)

    assert laid == ViewsLaid(made=("student",))
    [row] = await desk.ask_sql("select * from student")
    [record] = await desk.records(deleted=False)
    assert row[:3] == ("default", "koha", "7")
    assert row[3] == record.id
    assert row[4:7] == ("Ada", 36, None)
    at = row[7] if isinstance(row[7], datetime) else datetime.fromisoformat(row[7])
    assert at == desk.now


async def test_columns_stand_in_order(desk):
    """Tenant, integration, external id, id, the fields as the mapping has them, changed at."""
    await lay(desk, STUDENT)

    names = await desk.columns("student")

    assert names == [
        *("tenant", "integration", "external_id", "id", "name", "age", "email", "changed_at")
    ]


async def test_records_without_a_mapping_are_one_column(desk):
    """Dots and hyphens become ``_``, and the record stands there whole."""
    await desk.sync("run_0", desk.put("1", a=[1]), entity="main-library.items")

    await lay(desk, ITEMS)

    [(external_id, data)] = await desk.ask_sql("select external_id, data from main_library_items")
    assert (external_id, json.loads(data) if isinstance(data, str) else data) == ("1", {"a": [1]})


async def test_every_tenant_and_integration_is_in_the_same_view(desk):
    """The administrator sees all of them, told apart by two columns."""
    await fill(desk, desk.put("1", name="Ada"))
    await fill(desk, desk.put("1", name="Bob"), tenant="other")
    await lay(desk, STUDENT)

    rows = await desk.ask_sql("select tenant, name from student order by tenant")

    assert rows == [("default", "Ada"), ("other", "Bob")]


async def test_view_that_is_as_it_should_be_is_left_alone(desk):
    """The same shapes change nothing; another field makes that one view anew."""
    await lay(desk, STUDENT, ITEMS)
    more = EntityShape(entity="student", fields={**STUDENT.fields, "phone": None})

    assert await lay(desk, ITEMS, STUDENT) == ViewsLaid()
    assert await lay(desk, ITEMS, more) == ViewsLaid(made=("student",))
    assert (await desk.columns("student"))[-2:] == ["phone", "changed_at"]


async def test_view_goes_with_its_entity(desk):
    """What no file gives any more has no view, and the records stay."""
    await fill(desk, desk.put("1"))
    await lay(desk, STUDENT, ITEMS)

    assert await lay(desk, ITEMS) == ViewsLaid(dropped=("student",))
    assert await desk.views() == ["main_library_items"]
    assert len(await desk.records()) == 1


async def test_view_that_somebody_dropped_is_made_again(desk):
    """The files say that it shall be there."""
    await lay(desk, STUDENT)
    await desk.run_sql("drop view student")

    assert await lay(desk, STUDENT) == ViewsLaid(made=("student",))
    assert await desk.views() == ["student"]


@pytest.mark.parametrize(
    "theirs", ["create table student (x integer)", "create view student as select 1 as x"]
)
async def test_what_somebody_else_made_is_told_and_left_alone(desk, theirs):
    """The others get their views, and the name is tried again when it is free."""
    await desk.run_sql(theirs)

    laid = await lay(desk, STUDENT, ITEMS)

    remark = "no view student for entity 'student': something else has that name; "
    remark += "rename it to have the view"
    assert laid == ViewsLaid(made=("main_library_items",), remarks=(remark,))
    assert await desk.columns("student") == ["x"]
    assert await lay(desk, STUDENT, ITEMS) == ViewsLaid(remarks=(remark,))
    await lay(desk)
    assert await desk.columns("student") == ["x"]
    await desk.run_sql(f"drop {theirs.split()[1]} student")
    assert await lay(desk, STUDENT) == ViewsLaid(made=("student",))


async def test_name_that_the_database_refuses_is_told(desk):
    """One bad name costs its own view only; an index of ours has it already."""
    shapes = [EntityShape(entity="runs_by_stream", fields={}), STUDENT]

    laid = await lay(desk, *shapes)

    [remark] = laid.remarks
    assert remark.startswith("view runs_by_stream stays as it is: ")
    assert laid.made == ("student",)
    assert await desk.views() == ["student"]


HOSTILE = [
    'x"; drop table records; --',
    "x'; drop table records; --",
    "a%b%(c)s:d?",
    "\u00e4\u0000\n;",
    "sqlite_master",
    "",
]


@pytest.mark.parametrize("name", HOSTILE)
async def test_no_name_can_say_anything_in_sql(desk, name):
    """Names become letters, digits and underscores; the entity's own is a quoted literal."""
    given = name.replace("\u0000", "")
    await desk.sync("run_0", desk.put("1", x=1), entity=given)

    await lay(desk, EntityShape(entity=given, fields={name: None, "x": None}))
    await lay(desk, EntityShape(entity=given, fields=None), STUDENT)

    assert len(await desk.records()) == 1
    assert "student" in await desk.views()
    for view in await desk.views():
        assert set(view) <= set("abcdefghijklmnopqrstuvwxyz0123456789_")
        found = await desk.ask_sql(f'select external_id from "{view}"')
        assert found == ([] if view == "student" else [("1",)])


async def test_read_only_store_lays_nothing(path):
    """A command that only looks finds the views as they are."""
    async with SqlStore(path) as store:
        await store.lay_views([STUDENT])
    async with SqlStore(path, read_only=True) as store:
        assert await store.lay_views([STUDENT]) == ViewsLaid()


@pytest.mark.needs("sqlite3")
async def test_administrators_own_program_reads_a_view(disk, path):
    """As the SQLite shell prints it, while the daemon has the database open."""
    await fill(disk, disk.put("7", name="Ada", age=36, email="a@b.example"))
    await lay(disk, STUDENT)
    program = shutil.which("sqlite3")
    assert program is not None

    done = await asyncio.to_thread(
        subprocess.run,
        [program, "-readonly", str(path), "select external_id, name, age, changed_at from student"],
        capture_output=True,
        text=True,
        check=True,
    )

    when = disk.now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    assert done.stdout == f"7|Ada|36|{when}\n"


async def test_milliseconds_are_kept(desk):
    """The time of the change, to the thousandth."""
    at = datetime(2026, 3, 1, 12, 0, 59, 999000, tzinfo=UTC)
    await fill(desk, desk.put("1"), at=at)
    await lay(desk, STUDENT)

    [(found,)] = await desk.ask_sql("select changed_at from student")

    assert (found if isinstance(found, datetime) else datetime.fromisoformat(found)) == at
