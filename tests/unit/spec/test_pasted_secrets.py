"""A secret pasted into a wrong line: the message says what is wrong there and never shows it.

In every good file each value below ``secrets``, ``auth``, ``verify`` and ``database`` is replaced,
one at a time, by a canary in each way in which somebody could have written one.
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from integrationd.config.nodes import to_json
from integrationd.config.printing import print_yaml
from integrationd.config.problems import Problems
from integrationd.config.yaml import parse_yaml
from integrationd.spec.build import build_bundle
from integrationd.spec.read import read_file
from integrationd.spec.read_settings import read_settings
from integrationd.spec.settings import Settings
from integrationd.spec.source import SourceFile

GOOD = Path(__file__).parents[2] / "good"
NEAR_SECRETS = ("secrets", "auth", "verify", "database")
SETTINGS = b"""\
database: {url: postgresql://me@host/name, password: {file: /etc/integrationd/db-password}}
secrets:
  env_prefix: [INTEGRATIOND_SECRET_]
  dirs: [/etc/integrationd/secrets]
  master_key: {file: /etc/integrationd/master-key}
"""
MARK = "CANARYMARK"
WAYS = (
    *("%s", "'%s'", "!%s", "!%s x", "*%s", "&%s x", "&%s", "@%s", "%%%s", "0%s", "[%s]", "{%s: 1}"),
    *("'{{ %s }}'", "'{{ secrets.x | %s }}'", "'{{ ''%s'' ~ config.x }}'", "'{%% %s %%}'"),
    *("{env: %s}", "{env: '%s !'}", "{file: %s}", "{file: /%s}", "{credential: '%s/'}"),
    *("{store: '%s A'}", "{%s: x}", "{type: %s}", "{url: 'postgresql://me:%s@host/name'}"),
    *("postgresql://me:%s@host/name", "'https://me:%s@host/'", "'https://me:%s@/'", "|\n    %s"),
)
"""``%s`` is the secret."""


def load(data):
    """Return a file as JSON."""
    problems = Problems()
    node = parse_yaml(data, file="x.yaml", problems=problems)
    assert node is not None
    assert problems.found == []
    return to_json(node)


def leaves(value, way=(), *, is_near=False):
    """Yield the way to each single value near secrets, and to the objects and lists there."""
    if is_near:
        yield way
    if isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(item, (*way, key), is_near=is_near or key in NEAR_SECRETS)
    if isinstance(value, list):
        for at, item in enumerate(value):
            yield from leaves(item, (*way, at), is_near=is_near)


def planted(value, way, leaf):
    """Return a tree with another leaf."""
    if not way:
        return leaf
    copy = value.copy()
    copy[way[0]] = planted(value[way[0]], way[1:], leaf)
    return copy


FILES = {
    str(path.relative_to(GOOD)): path.read_bytes()
    for path in sorted(GOOD.rglob("*.yaml"))
    if path.name != "integrationd.yaml"
}
PLACES = [(path, way) for path, data in FILES.items() for way in leaves(load(data))]
SETTINGS_PLACES = list(leaves(load(SETTINGS)))


def write(data, way, text):
    """Return a file in which a text stands at a place, as it is."""
    return print_yaml(planted(load(data), way, MARK)).replace(MARK, text).encode()


def told_of_files(path, data):
    """Return all that is told of a configuration in which one file is another one."""
    top = path.partition("/")[0]
    beside = {other: text for other, text in FILES.items() if other.startswith(f"{top}/")}
    files = {**beside, path: data}
    read = [read_file(SourceFile(name, text)) for name, text in files.items()]
    return [*build_bundle(read, Settings()).problems, *(p for each in read for p in each.problems)]


def shows(problems, canary):
    """Return the messages that hold a canary, in any form that is printed."""
    return [
        problem
        for problem in problems
        if canary in f"{problem}{problem!r}{json.dumps(dataclasses.asdict(problem))}"
    ]


canaries = st.from_regex(r"[a-zA-Z][a-z0-9]{6}[A-Z][a-z0-9]{4}", fullmatch=True) | st.from_regex(
    r"[1-9][0-9]{9,20}", fullmatch=True
)


@given(place=st.sampled_from(PLACES), way=st.sampled_from(WAYS), canary=canaries)
@example(place=PLACES[0], way="%s", canary="hunter2RealPassword")
def test_no_message_about_a_file_shows_what_was_pasted(place, way, canary):
    """Whatever is wrong with it, in provider and integration."""
    path, steps = place
    # What stands there as a name is taken for a secret's name, which is shown.
    assume(steps[-1] != "secrets" or not way.startswith("{%s"))

    problems = told_of_files(path, write(FILES[path], steps, way % canary))

    assert shows(problems, canary) == []


@given(steps=st.sampled_from(SETTINGS_PLACES), way=st.sampled_from(WAYS), canary=canaries)
def test_no_message_about_the_settings_shows_what_was_pasted(steps, way, canary):
    """The database's password, and the master key."""
    _, problems = read_settings(write(SETTINGS, steps, way % canary), "integrationd.yaml")

    assert shows(problems, canary) == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "{password: hunter2-real-password}",
            (
                "x.yaml:2:21: E401: secrets.password holds a secret as text; write {env: NAME}, "
                "{file: PATH}, {credential: NAME} or {store: NAME}"
            ),
        ),
        (
            '{password: {env: "hunter2 real"}}',
            (
                "x.yaml:2:27: E111: secrets.password.env is text, expected the name of an "
                "environment variable"
            ),
        ),
        (
            "{password: 0123456}",
            (
                "x.yaml:2:21: E107: secrets.password may be read as a number, expected text in "
                "quotes, and never a secret itself\n"
                "x.yaml:2:21: E401: secrets.password holds a secret as text; write {env: NAME}, "
                "{file: PATH}, {credential: NAME} or {store: NAME}"
            ),
        ),
        (
            "{password: {env: hunter2_real}}",
            (
                "x.yaml:2:21: E402: secrets.password names a variable that is out of reach, "
                "expected one that begins with INTEGRATIOND_SECRET_; open further prefixes in the "
                "settings under secrets.env_prefix"
            ),
        ),
    ],
)
def test_what_is_told_of_a_pasted_password(text, told):
    """Where, what, what was expected and what to do, and not the password."""
    read = read_file(SourceFile("x.yaml", f"integration: shop\nsecrets: {text}\n".encode()))

    problems = sorted({*read.problems, *build_bundle([read], Settings()).problems})

    assert "\n".join(map(str, problems)) == told


def test_there_are_places_to_plant_at():
    """Every kind of auth, a signature's keys, and references of each kind."""
    named = {step for _, way in PLACES for step in way}

    assert {"token", "password", "client_secret", "keys", "env", "file", "credential"} <= named
    assert len(PLACES) > 50
