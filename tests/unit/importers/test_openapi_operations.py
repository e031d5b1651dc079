"""Other calls of OpenAPI documents, as operations: input, request, answer."""

import pytest

from tests.unit.importers.openapi_samples import Made, answer, at, document, make, query

TEXT = {"type": "string"}
NUMBER = {"type": "integer"}
OPTIONAL = {"type": ["string", "null"], "default": None}
DONE = {"204": {"description": "done"}}


def body(schema, kind="application/json", *, required=True, **more):
    """Return a request's body."""
    return {"required": required, "content": {kind: {"schema": schema, **more}}}


def operation(call, *, method="post", path="/items"):
    """Return the one operation that came of a call."""
    made = make({path: {method: {"operationId": "doIt", "responses": DONE, **call}}})
    assert list(made["operations"]) == ["do_it"]
    return made["operations"]["do_it"]


def objects(*required, **properties):
    """Return the schema of an object."""
    return {"type": "object", "properties": properties, "required": list(required)}


def test_members_of_a_body_are_inputs():
    """What may be left out is null by default, and not sent; what only answers hold is none."""
    made = {**NUMBER, "readOnly": True}
    schema = objects("name", name=TEXT, note=TEXT, id=made, tag=objects(a=TEXT, b=made))
    tag = {"type": ["object", "null"], "properties": {"a": TEXT}, "default": None}

    assert operation({"summary": "Make <b>one</b>.", "requestBody": body(schema)}) == {
        "description": "Make one .",
        "input": {"name": TEXT, "note": OPTIONAL, "tag": tag},
        "post": "/items",
        "json": {
            "name": "{{ input.name }}",
            "note": "{{ input.note }}",
            "tag": "{{ input.tag }}",
        },
        "encode": {"nulls": "omit"},
    }


@pytest.mark.parametrize(
    "schema",
    [
        pytest.param({"type": "array", "items": TEXT}, id="a-list"),
        pytest.param({"type": "object", "additionalProperties": TEXT}, id="any-names"),
        pytest.param({**objects(a=TEXT), "additionalProperties": True}, id="further-names"),
    ],
)
def test_other_bodies_are_one_input(schema):
    """A list, or an object of any names, is handed in as a whole and has to be there."""
    made = operation({"requestBody": body(schema, required=False)})

    assert (list(made["input"]), made["json"]) == (["body"], "{{ input.body }}")
    assert "default" not in made["input"]["body"]


def test_parameters_are_inputs_by_their_place():
    """In path, query, headers and cookies; names of ours, and the values that are allowed."""
    parameters = [
        at("itemId"),
        query("dry-run", {"type": "boolean", "default": False}),
        {
            "name": "X-Mode",
            "in": "header",
            "required": True,
            "schema": {**TEXT, "enum": ["a", "b"]},
        },
        {"name": "sid", "in": "cookie", "required": True, "schema": TEXT},
        {"name": "Accept", "in": "header", "schema": TEXT},
    ]

    assert operation({"parameters": parameters}, method="put", path="/items/{itemId}") == {
        "input": {
            "item_id": TEXT,
            "dry_run": {"type": ["boolean", "null"], "default": None},
            "x_mode": {"type": "string", "enum": ["a", "b"]},
            "sid": TEXT,
        },
        "put": "/items/{{ input.item_id }}",
        "query": {"dry-run": "{{ input.dry_run }}"},
        "headers": {"X-Mode": "{{ input.x_mode }}", "cookie": "sid={{ input.sid }}"},
    }


def test_names_that_stand_twice_are_told_apart():
    """A parameter and a member of the body may have one name."""
    made = operation(
        {"parameters": [at("id")], "requestBody": body(objects("id", id=NUMBER))},
        path="/items/{id}",
    )

    assert made["input"] == {"id": TEXT, "body_id": NUMBER}
    assert made["json"] == {"id": "{{ input.body_id }}"}


@pytest.mark.parametrize(
    ("parameter", "written", "encode"),
    [
        pytest.param({}, "{{ input.tags }}", None, id="repeated"),
        pytest.param(
            {"explode": False},
            "{{ input.tags | join(',') if input.tags is not none else none }}",
            None,
            id="commas",
        ),
        pytest.param(
            {"style": "pipeDelimited", "explode": False},
            "{{ input.tags | join('|') if input.tags is not none else none }}",
            None,
            id="pipes",
        ),
        pytest.param(
            {"style": "deepObject"},
            "{{ input.tags }}",
            {"objects": "brackets", "lists": "indexed"},
            id="brackets",
        ),
    ],
)
def test_lists_are_written_as_their_style_says(parameter, written, encode):
    """Of version 3; a separator of its own is a template."""
    tags = query("tags", {"type": "array", "items": TEXT}, **parameter)
    made = operation({"parameters": [tags]}, method="delete")

    assert (made["query"]["tags"], made.get("encode")) == (written, encode)


def test_forms_and_texts_are_bodies():
    """A form with objects in brackets, a form in parts, and a text as it is."""
    form = operation(
        {
            "requestBody": body(
                objects("a", a=TEXT, b=objects(c=TEXT)),
                "application/x-www-form-urlencoded",
                encoding={"b": {"style": "deepObject", "explode": True}},
            )
        }
    )
    parts = operation({"requestBody": body(objects("a", a=TEXT), "multipart/form-data")})
    text = operation({"requestBody": body(TEXT, "text/csv")})

    assert form["form"] == {"a": "{{ input.a }}", "b": "{{ input.b }}"}
    assert form["encode"] == {"objects": "brackets", "lists": "indexed"}
    assert parts["multipart"] == {"a": "{{ input.a }}"}
    assert text["raw"] == {"text": "{{ input.body }}", "content_type": "text/csv"}


def test_other_json_says_its_kind():
    """A media type of the provider's own is sent as it is."""
    made = operation({"requestBody": body(objects("a", a=TEXT), "application/merge-patch+json")})

    assert made["headers"] == {"content-type": "application/merge-patch+json"}


@pytest.mark.parametrize(
    ("kind", "decode"),
    [
        pytest.param("application/problem+json", None, id="json"),
        pytest.param("text/csv", {"type": "csv"}, id="csv"),
        pytest.param("application/xml", {"type": "xml"}, id="xml"),
        pytest.param("application/x-ndjson", {"type": "ndjson"}, id="ndjson"),
        pytest.param("text/plain", {"type": "text"}, id="text"),
    ],
)
def test_answer_is_read_by_its_kind(kind, decode):
    """Where an answer may be JSON, it is."""
    responses = {"200": {"description": "ok", "content": {kind: {"schema": TEXT}}}}

    assert operation({"responses": responses}).get("decode") == decode


def test_what_cannot_be_sent_is_told():
    """Files, bodies and answers of unknown kinds: each with its place and above the operation."""
    made = Made(
        document(
            {
                "/files": {
                    "post": {
                        "requestBody": body(
                            objects(file={"type": "string", "format": "binary"}, name=TEXT),
                            "multipart/form-data",
                        ),
                        "responses": {"200": {"description": "", "content": {"image/png": {}}}},
                    },
                    "put": {"requestBody": body(TEXT, "image/png"), "responses": DONE},
                }
            }
        )
    )

    post, put = "#/paths/~1files/post", "#/paths/~1files/put"
    told = [
        (
            f"{post}/requestBody/content/multipart~1form-data/schema/properties/file: the file "
            "'file' is not sent; the language has no files yet"
        ),
        f"{post}/responses/200: an answer of image/png is not read",
        f"{put}/requestBody: a body of image/png is not sent",
    ]
    assert made.losses == told
    above = " ".join(line.strip(" #") for line in made.text.splitlines() if "  # " in line)
    assert all(each.partition(": ")[2] in above for each in told)


def test_input_of_version_2():
    """A body, a form, and lists in their older styles."""
    made = Made(
        {
            "swagger": "2.0",
            "info": {"title": "Shop", "version": "1"},
            "host": "a.test",
            "basePath": "/v1",
            "schemes": ["http", "https"],
            "consumes": ["application/json"],
            "paths": {
                "/items": {
                    "post": {
                        "operationId": "make",
                        "parameters": [
                            {"in": "body", "name": "it", "schema": objects("a", a=TEXT)},
                            {"in": "query", "name": "t", "type": "array", "items": TEXT},
                            {
                                "in": "query",
                                "name": "u",
                                "type": "array",
                                "items": TEXT,
                                "collectionFormat": "multi",
                                "required": True,
                            },
                        ],
                        "responses": DONE,
                    },
                    "put": {
                        "operationId": "fill",
                        "consumes": ["application/x-www-form-urlencoded"],
                        "parameters": [
                            {"in": "formData", "name": "f", "type": "string", "required": True}
                        ],
                        "responses": DONE,
                    },
                }
            },
        }
    )

    assert (made.losses, made.errors) == ([], ())
    assert made.spec["http"]["base_url"] == "https://a.test/v1"
    assert made.spec["operations"]["make"]["json"] == {"a": "{{ input.a }}"}
    assert made.spec["operations"]["make"]["query"] == {
        "t": "{{ input.t | join(',') if input.t is not none else none }}",
        "u": "{{ input.u }}",
    }
    assert made.spec["operations"]["fill"]["form"] == {"f": "{{ input.f }}"}


def test_large_documents_keep_within_one_file():
    """Schemas are cut short first; operations that are too many for one file are told."""
    wide = objects(
        **{f"m{at}": objects(**{f"n{it}": TEXT for it in range(20)}) for at in range(20)}
    )
    paths = {
        f"/p{at}": {"post": {"requestBody": body(wide), "responses": answer({})}}
        for at in range(60)
    }
    many = {f"/p{at}": {"post": {"responses": DONE}} for at in range(9000)}

    made, cut = Made(document(paths)), Made(document(many))

    flat = objects(**{f"m{at}": {**TEXT, "description": "What it is"} for at in range(30)})
    plain = {
        f"/p{at}": {"post": {"requestBody": body(flat), "responses": DONE}} for at in range(90)
    }
    tight = Made(document(plain))

    assert (made.losses, made.errors, len(made.imported.operations)) == ([], (), 60)
    assert (tight.losses, tight.errors, len(tight.imported.operations)) == ([], (), 90)
    assert tight.spec["operations"]["post_p0"]["input"]["m0"] == {"default": None}
    assert "#: schemas of inputs are cut short, so that all fits into one file" in made.notes
    assert (cut.errors, 3000 < len(cut.imported.operations) < 9000) == ((), True)
    assert cut.losses[-1] == (
        "POST /p8999, line 81005: left out, as one file holds at most 19000 values"
    )
