"""Examples in OpenAPI documents become cases, which hold when they are run."""

import json

import pytest

from integrationd.config.nodes import to_json
from integrationd.config.problems import Problems
from integrationd.config.yaml import parse_yaml
from tests.unit.importers.openapi_samples import ITEM, Made, document, listing, query
from tests.unit.importers.serving import run

TEXT = {"type": "string"}
NUMBER = {"type": "integer"}
NEXT = {"type": "object", "properties": {"next": TEXT}}
ROWS = [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}]


def exampled(example, *parameters, properties=None, item=ITEM, **more):
    """Return a document of one list with an example."""
    schema = {"type": "array", "items": item}
    if properties is not None:
        schema = {"type": "object", "properties": {"data": schema, **properties}}
    call = listing(schema, parameters, **more)
    call["responses"]["200"]["content"]["application/json"]["example"] = example
    return document({"/items": {"get": call}})


def cases(source):
    """Return the cases that came of a document."""
    made = Made(source)
    assert made.errors == ()
    text = made.imported.files.get("cases/shop.yaml", "streams: []")
    return to_json(parse_yaml(text.encode(), file="x", problems=Problems()))["streams"]


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(exampled(ROWS), id="one-page"),
        pytest.param(exampled(ROWS, query("page")), id="numbers"),
        pytest.param(exampled(ROWS, query("offset"), query("limit")), id="offsets"),
        pytest.param(
            exampled({"data": ROWS, "total": 99}, query("page"), properties={"total": NUMBER}),
            id="total",
        ),
        pytest.param(
            exampled(ROWS, query("page"), headers={"X-Total-Count": {"schema": NUMBER}}),
            id="total-in-a-header",
        ),
        pytest.param(
            exampled(
                {"data": ROWS, "next_cursor": "abc"},
                query("cursor", TEXT),
                properties={"next_cursor": TEXT},
            ),
            id="cursor",
        ),
        pytest.param(
            exampled(
                {"data": ROWS, "has_more": True},
                query("starting_after", TEXT),
                properties={"has_more": {"type": "boolean"}},
            ),
            id="more",
        ),
        pytest.param(
            exampled(
                {"data": ROWS, "links": {"next": "https://a.test/2"}}, properties={"links": NEXT}
            ),
            id="urls",
        ),
        pytest.param(exampled(json.dumps(ROWS)), id="as-text"),
    ],
)
def test_case_of_an_example_holds(tmp_path, capsys, source):
    """However the list is walked, the example is its only page."""
    path = tmp_path / "shop.json"
    path.write_text(json.dumps(source))

    run("import", "openapi", path, "-o", tmp_path / "conf")
    capsys.readouterr()

    code = run("--config", tmp_path / "conf", "test")
    assert (code, "1 case, 1 passed, 0 failed" in "".join(capsys.readouterr())) == (0, True)


def test_case_holds_no_secret():
    """What is called so or looks so is made up, the same for the same."""
    token = "eyJhbGciOiJIUzI1NiJ9.hunter2canary"
    rows = [{"id": token, "name": "a"}, {"id": "b", "name": token, "password": "hunter2canary"}]
    item = {"type": "object", "properties": {"id": TEXT, "name": TEXT, "password": TEXT}}
    text = json.dumps(cases(exampled(rows, item=item)))

    assert "hunter2canary" not in text
    assert text.count("made-up-1") == 2


def test_example_that_contradicts_its_schema_is_told():
    """No case is made that could not hold, nor one without keys."""
    made = Made(exampled([{"id": "many", "name": "a"}]))

    assert "cases/shop.yaml" not in made.imported.files
    assert any("its example does not fit its own schema" in note for note in made.notes)
    assert cases(exampled([{"name": "a"}])) == []
    assert cases(exampled([{"id": 1}, {"id": 1}])) == []
