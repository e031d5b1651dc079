"""Views on PostgreSQL: typed columns, words that it reserves, and no cast that fails."""

import json
import os
import secrets
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine, insert, text

from integrationd.ports.views import EntityShape
from integrationd.store import views
from integrationd.store.tables import METADATA, records
from integrationd.store.viewnames import RESERVED
from integrationd.transform.convert import FieldType

pytestmark = pytest.mark.needs("postgres")


@pytest.fixture(scope="module")
def conn():
    """Connect with a schema of its own that has the tables."""
    url = os.environ.get("INTEGRATIOND_TEST_POSTGRES", "")
    if not url:
        pytest.skip("needs postgres: set INTEGRATIOND_TEST_POSTGRES, as .ci/run does")
    schema = f"views_{secrets.token_hex(6)}"
    options = {"options": f"-csearch_path={schema}"}
    engine = create_engine(url.replace(":", "+psycopg:", 1), connect_args=options)
    with engine.connect() as conn:
        conn.execute(text(f"create schema {schema}"))
        METADATA.create_all(conn)
        conn.commit()
        yield conn
        conn.rollback()
        conn.execute(text(f"drop schema {schema} cascade"))
        conn.commit()
    engine.dispose()


def lay(conn, *shapes):
    """Lay views; returns what was done."""
    return views._do(conn, work=views._look(conn, shapes=shapes))


def put(conn, entity, external_id, data):
    """Store one record."""
    row = {
        "tenant": "default",
        "integration": "koha",
        "entity": entity,
        "external_id": external_id,
        "id": secrets.token_bytes(16),
        "stream": "s",
        "seq": 1,
        "changed_at": 1772366459999,
        "data": data if isinstance(data, str) else json.dumps(data),
    }
    conn.execute(insert(records).values(row))


TYPED = EntityShape(
    entity="thing",
    fields={
        "t": FieldType.TEXT,
        "i": FieldType.INTEGER,
        "n": FieldType.NUMBER,
        "d": FieldType.DECIMAL,
        "b": FieldType.BOOLEAN,
        "day": FieldType.DATE,
        "at": FieldType.DATETIME,
        "any": None,
    },
)


@pytest.fixture
def ask(conn):
    """Return what stores one record of the entity and gives its row in the view."""
    conn.rollback()
    conn.execute(text("set time zone 'Asia/Tokyo'"))
    lay(conn, TYPED)

    def ask(data):
        conn.execute(records.delete())
        put(conn, "thing", "1", data)
        return conn.execute(text('select t, i, n, d, b, day, at, "any_" from thing')).one()

    yield ask
    conn.rollback()


def test_values_come_out_typed(ask):
    """Numbers to the last digit, days, moments, true and false; anything else as text."""
    row = ask(
        '{"t": "x", "i": 123456789012345678901234, "n": 1.5e3, "d": "12.50", "b": true, '
        '"day": "2024-02-29", "at": "2026-01-31T12:00:00.5Z", "any": {"a": [1]}}'
    )

    assert tuple(row) == (
        "x",
        Decimal(123456789012345678901234),
        Decimal(1500),
        Decimal("12.50"),
        True,
        date(2024, 2, 29),
        datetime(2026, 1, 31, 12, 0, 0, 500000, tzinfo=UTC),
        '{"a": [1]}',
    )


def test_moment_without_a_zone_is_taken_for_utc(ask):
    """Not for the zone of whoever asks."""
    row = ask({"at": "2026-01-31T12:00:00"})

    assert row.at == datetime(2026, 1, 31, 12, tzinfo=UTC)


def test_what_does_not_have_the_form_is_null(ask):
    """What an older mapping left does not fail the whole table."""
    row = ask(
        {
            "t": 5,
            "i": "many",
            "n": [1],
            "d": "1" * 200_000,
            "b": "perhaps",
            "day": "2026-02-29",
            "at": "2026-01-31T24:00:00Z",
        }
    )

    assert tuple(row) == ("5", None, None, None, None, None, None, None)


@pytest.mark.parametrize("data", ["null", "[]", '"text"', "5", '{"t": null}', "{}"])
def test_record_that_is_no_object_has_no_fields(ask, data):
    """A mapping of an odd kind is no error either."""
    assert set(ask(data)) == {None}


def test_nul_is_shown_as_a_replacement(ask):
    """PostgreSQL's JSON cannot hold it; one such record must not hide all the others."""
    assert ask(r'{"t": "a\u0000b"}')[0] == "a\ufffdb"


TEXTS = (
    st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=20)
    | st.from_regex(
        r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,10})?"
        r"(Z|[+-][0-9]{2}:[0-9]{2})?)?",
        fullmatch=True,
    )
    | st.from_regex(r"[+-]?[0-9]{1,5}(\.[0-9]{0,3})?([eE][+-]?[0-9]{1,4})?", fullmatch=True)
    | st.sampled_from(
        [
            "0000-01-01",
            "0004-02-29",
            "1900-02-29",
            "2000-02-29",
            "9999-12-31T23:59:59+14:59",
            "infinity",
            "NaN",
            "today",
        ]
    )
)
VALUES = (
    TEXTS
    | st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
)


def test_no_value_fails_the_whole_table(ask):
    """Any text, number or shape in any column: the row is there."""

    @given(st.dictionaries(st.sampled_from(list(TYPED.fields)), VALUES))
    def any_record(data):
        row = ask(data)
        assert len(row) == 8
        if isinstance(data.get("i"), int) and not isinstance(data["i"], bool):
            assert row.i == data["i"]

    any_record()


def test_moment_of_a_change_and_ids_have_their_usual_form(ask, conn):
    """A moment with its thousandths, and a UUID as text."""
    ask({})

    row = conn.execute(text("select id, changed_at from thing")).one()

    assert row.changed_at == datetime(2026, 3, 1, 12, 0, 59, 999000, tzinfo=UTC)
    assert [len(part) for part in row.id.split("-")] == [8, 4, 4, 4, 12]


def test_one_record_is_found_by_the_index(ask, conn):
    """Where the administrator says which one, nothing else is parsed."""
    ask({})
    conn.execute(
        text(
            "insert into records (tenant, integration, entity, external_id, id, stream, seq, "
            "changed_at, data) select 'default', 'koha', 'thing', 'x' || n, "
            "decode(md5(n::text), 'hex'), 's', n, 0, '{}' from generate_series(1, 5000) as n"
        )
    )
    conn.execute(text("analyze records"))

    plan = conn.execute(
        text(
            "explain select * from thing where tenant = 'default' and integration = 'koha' "
            "and external_id = '1'"
        )
    ).scalars()

    lines = [line.strip() for line in plan]
    assert any(line.startswith("Index Cond: ") and "external_id = '1'" in line for line in lines)


@pytest.mark.parametrize("word", [*sorted(RESERVED), "student", "date", "name", "pg_class"])
def test_view_and_column_of_any_word_need_no_quotes(conn, word):
    """What PostgreSQL reserves has ``_`` at its end, and only that."""
    conn.rollback()
    put(conn, word, "1", {word: "x"})
    [name] = lay(conn, EntityShape(entity=word, fields={word: None})).made
    column = word if word not in RESERVED and word != "pg_class" else f"{word}_"

    found = conn.execute(
        text(f"select {column}, {name}.{column} from {name} where {column} = 'x'")
    ).all()
    conn.rollback()

    assert found == [("x", "x")]


def test_view_that_others_depend_on_stays(conn):
    """What the administrator built on a view is not torn down; it is told, the others follow."""
    conn.rollback()
    student = EntityShape(entity="student", fields={"a": None})
    lay(conn, student)
    conn.execute(text("create view mine as select a from student"))

    laid = lay(conn, EntityShape(entity="student", fields={"b": None}), TYPED)
    still = conn.execute(text("select a from mine")).all()
    conn.rollback()

    assert laid.made == ("thing",)
    assert laid.remarks == (
        "view student stays as it is: cannot drop view student because other objects depend on it",
    )
    assert still == []
