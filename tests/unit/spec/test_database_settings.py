"""The database in the settings: what is taken, what is refused, and that no password is shown."""

import pytest

from integrationd.spec.read_settings import read_settings
from integrationd.spec.settings import Settings

INSTEAD = (
    "write {url: postgresql://user@host/name, password: {file: PATH}} or leave it to libpq's "
    "password file"
)


def read(text):
    """Return the database and the problems as they are printed."""
    settings, problems = read_settings(text.encode(), "s.yaml")
    return settings.database, [str(problem) for problem in problems]


def test_the_default_is_the_embedded_one():
    """Nothing has to be written, and ``sqlite`` says the same."""
    assert read("database: sqlite\n") == (Settings().database, [])
    assert str(Settings().database) == "sqlite"


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://user@host/name",
        "postgres://host/name",
        "postgresql:///name",
        "postgresql://user@host:5433/name?sslmode=verify-full&sslrootcert=/etc/ca.pem",
        "postgresql://user@[::1]:5432/name",
        "postgresql://user@a.test:5432,b.test:5433/name?target_session_attrs=read-write",
        "postgresql://u%40site@/name?host=/run/postgresql",
        "postgresql://user@host/name?passfile=/etc/integrationd/pgpass",
    ],
)
def test_urls_of_libpq_are_taken(url):
    """What libpq reads is handed on as it is."""
    database, problems = read(f"database: '{url}'\n")

    assert problems == []
    assert (database.url, database.password) == (url, None)


def test_a_password_is_referred_to():
    """It stands where other secrets stand, and the file says where."""
    database, problems = read("database: {url: postgresql://u@h/n, password: {env: DB}}\n")

    assert problems == []
    assert (database.url, database.password.to_json()) == ("postgresql://u@h/n", {"env": "DB"})


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:hunter2@host/name",
        "postgresql://me:@host/name",
        "postgresql://host/name?password=hunter2",
        "postgresql://host/name?sslmode=require&sslpassword=hunter2",
        "postgresql://me:hunter2@one,two/name",
    ],
)
def test_a_password_as_text_is_refused_and_not_shown(url):
    """The settings' file is for many eyes."""
    assert read(f"database: '{url}'\n") == (
        Settings().database,
        [f"s.yaml:1:11: E401: database holds a password as text; {INSTEAD}"],
    )


@pytest.mark.parametrize(
    "text",
    [
        "mysql://me:hunter2@host/name",
        "'postgresql://me:hun/ter2@host/name'",
        "'postgresql://me:hun@ter2@host/name'",
        "'postgresql://host'",
        "'postgresql://host/'",
        "'postgresql://host/na me'",
        "hunter2",
        "[hunter2]",
    ],
)
def test_anything_else_is_refused_and_not_shown(text):
    """What is wrong may hold a password anywhere."""
    database, problems = read(f"database: {text}\n")

    assert database == Settings().database
    assert problems == [
        "s.yaml:1:11: E111: database is not a URL such as postgresql://user@host/name"
    ]


def test_the_encrypted_store_cannot_open_itself():
    """A password that lies in the database is of no use."""
    _, problems = read("database: {url: postgresql://u@h/n, password: {store: db}}\n")

    assert problems == [
        "s.yaml:1:47: E110: database.password refers to the encrypted store, which lies in there"
    ]


@pytest.mark.parametrize("name", ["web-1", "web1.example.org", "A_1"])
def test_a_node_has_a_name_as_hosts_have(name):
    """Letters, digits, dots, dashes and underscores."""
    settings, problems = read_settings(f"node: {name}\n".encode(), "s.yaml")

    assert (settings.node, problems) == (name, ())


def test_a_lease_that_a_busy_machine_would_lose_is_refused():
    """It is renewed three times, each of which may come late."""
    _, problems = read_settings(b"limits: {lease: 2900ms}\n", "s.yaml")

    assert [str(problem) for problem in problems] == [
        "s.yaml:1:17: E111: limits.lease is '2900ms', expected at least 3s"
    ]
