"""The schemas that editors use, beside the parser: with another YAML and another JSON Schema.

ruamel.yaml reads the files and a validator written in Rust judges them, so that neither shares a
line with what ``check`` does.
"""

import io
import re
from functools import cache
from pathlib import Path

import jsonschema_rs
import pytest
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from integrationd.bundles.shipped import shipped_dirs
from integrationd.config.nodes import Fields, to_json
from integrationd.config.problems import Problems
from integrationd.config.yaml import parse_yaml
from integrationd.spec.files import FILES, build_schema
from integrationd.spec.firsts import first_integration, first_mapping, first_provider
from tests.meta.repository import ROOT
from tests.unit.bundles.test_corpus import BAD, COVERED, EXAMPLES, GOOD

VISIBLE = frozenset({"E101", "E102", "E103", "E109", "E110", "E112"})
"""What a schema can see; the others are about expressions, other files and single words."""
BLIND = {
    "E102-operation-without-request": "that one of five methods is needed is not said there",
    "E102-oauth2-client": "what a grant needs is a rule between two fields",
    "E102-oauth2-grant": "the same",
    "E102-oauth2-password": "the same",
    "E102-oauth2-consent": "the same",
    "E102-cursors-not-sent": "what is sent may stand in any template",
    "E102-feed": "what a feed needs is a rule between two fields",
    "E102-login": "what is read and what is sent are two fields",
    "E102-hosts-of-a-token": "that a template needs another field is not said there",
    "E102-requests-without-http": "whether http comes from elsewhere is not known in a file",
    "E102-half-of-tls": "that one field needs another is not said there",
    "E102-signed-without-key": "what an algorithm needs is a rule between two fields",
    "E110-choice-of-login": "what a configuration value gives is not known to a schema",
    "E110-database-password-in-the-store": "a reference is described once for all places",
    "E112-empty": "an editor shows nothing of an empty file",
    "E112-unknown-kind": "a schema knows no order of keys",
}


@cache
def validator(kind):
    """Compile the schema of one kind."""
    return jsonschema_rs.Draft7Validator(build_schema(kind))


def read(text):
    """Read with the second parser, keys as text, as editors do; None where it refuses."""
    yaml = YAML(typ="safe", pure=True)
    try:
        return with_text_keys(yaml.load(io.StringIO(text)))
    except YAMLError:
        return None


def with_text_keys(value):
    """Return a value whose keys are the texts that stand in the file."""
    if isinstance(value, list):
        return [with_text_keys(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        str(key).lower() if isinstance(key, bool) else str(key): with_text_keys(item)
        for key, item in value.items()
    }


def kind_of(path, value):
    """Return which schema an editor would use."""
    if path.stem == "integrationd":
        return "settings"
    return next((kind for kind in FILES if isinstance(value, dict) and kind in value), None)


def faults(path):
    """Return what an editor would mark in a file."""
    value = read(path.read_text())
    kind = kind_of(path, value)
    if kind is None:
        return ["not one of our files"]
    return [
        f"{error.instance_path}: {error.message}" for error in validator(kind).iter_errors(value)
    ]


def good_files():
    """Return every file that `check` takes."""
    places = [*GOOD.iterdir(), *shipped_dirs().values(), ROOT / "cases"]
    found = [path for place in places for path in sorted(place.rglob("*.yaml"))]
    here = pytest.mark.skipif(not EXAMPLES.is_dir(), reason="the examples are not here")
    return [*found, *(pytest.param(EXAMPLES / name, marks=here) for name in COVERED)]


@pytest.mark.parametrize("path", good_files(), ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_what_check_takes_no_editor_marks(path):
    """A schema that is stricter than the parser would teach people to look away."""
    assert faults(path) == []


@pytest.mark.parametrize("path", good_files(), ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_another_parser_reads_the_same_values(path):
    """Nothing in a file depends on how we read YAML."""
    problems = Problems()
    node = parse_yaml(path.read_bytes(), file=path.name, problems=problems)

    assert node is not None
    assert to_json(node) == read(path.read_text())


def bad_files():
    """Return the files whose faults a schema can see."""
    return [
        path
        for path in sorted(BAD.rglob("*.yaml"))
        if (code := re.match(r"[EW]\d{3}", path.relative_to(BAD).parts[0])) is not None
        and code[0] in VISIBLE
        and path.relative_to(BAD).parts[0].removesuffix(".yaml") not in BLIND
        and f"{path.name}:" in _told(path)
    ]


def _told(path: Path) -> str:
    expected = path.with_suffix(".txt")
    top = BAD / path.relative_to(BAD).parts[0]
    text = expected if expected.exists() else top / "expected.txt"
    return text.read_text()


@pytest.mark.parametrize("path", bad_files(), ids=lambda path: path.stem)
def test_what_check_refuses_an_editor_marks(path):
    """As far as a schema can see it, which is the shape of a file."""
    assert faults(path) != []


@pytest.mark.parametrize("kind", FILES)
def test_schema_is_itself_valid(kind):
    """Editors take it without a word, and nothing in it leads out of it."""
    schema = build_schema(kind)

    jsonschema_rs.meta.validate(schema)
    assert re.findall(r'"\$ref": "(?!#)', str(schema).replace("'", '"')) == []


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("provider", first_provider("acme-erp")),
        ("integration", first_integration("acme", None)),
        ("mapping", first_mapping("acme.item")),
    ],
)
def test_first_files_are_taken(kind, text):
    """What ``new`` writes is right as it stands, and so is what its comments say."""
    problems = Problems()
    node = parse_yaml(text.encode(), file="x.yaml", problems=problems)

    assert problems.found == []
    assert isinstance(node, Fields)
    assert list(validator(kind).iter_errors(read(text))) == []


def test_integration_over_a_provider_says_only_what_differs():
    """With ``uses`` nothing else is required, and null removes; a typo is marked all the same."""
    check = validator("integration")

    assert check.is_valid(
        {"integration": "a", "uses": "b", "http": {"limits": None}, "streams": {"s": {"get": "/"}}}
    )
    assert not check.is_valid({"integration": "a", "uses": "b", "streams": {"s": {"gett": "/"}}})
    assert not check.is_valid({"integration": "a", "streams": {"s": {"get": "/"}}})
