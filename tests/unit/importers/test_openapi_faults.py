"""Documents with mistakes in them: each is told with its place, and what can be read is."""

import pytest

from integrationd.importers.openapi.document import DocumentError
from tests.unit.importers.openapi_samples import Made, document, listing, query


def told(text):
    """Return every line of the report on a document of these lines."""
    return [str(each) for each in Made(text.encode(), file="a.yaml").imported.findings]


HEAD = """\
openapi: 3.0.3
info: {title: A, version: "1"}
servers: [{url: "https://a.test"}]
"""


def test_names_that_nothing_reads_are_told():
    """With the nearest name, or with the kind of object that has such a name."""
    text = HEAD + (
        "securty: []\n"
        "paths:\n"
        "  /a:\n"
        "    post:\n"
        "      paramaters: []\n"
        "      schema: {}\n"
        "      x-mine: 1\n"
        "      responses: {}\n"
        "components:\n"
        "  securitySchemes: {k: {type: apiKey, in: query, name: k, scopes: {}}}\n"
    )

    assert told(text) == [
        (
            "a.yaml:4:1: note: #: 'securty' is no field of the document; nothing reads it; was "
            "'security' meant?"
        ),
        (
            "a.yaml:8:7: note: #/paths/~1a/post: 'paramaters' is no field of an operation; nothing "
            "reads it; was 'parameters' meant?"
        ),
        (
            "a.yaml:9:7: note: #/paths/~1a/post: 'schema' is no field of an operation; nothing "
            "reads it; it is one of a parameter, a media type, a header"
        ),
        (
            "a.yaml:13:59: note: #/components/securitySchemes/k: 'scopes' is no field of a "
            "security scheme; nothing reads it; it is one of a flow"
        ),
    ]


def test_what_is_missing_or_of_another_kind_is_told():
    """Parts that have to be there, lists in the place of objects, ids that stand twice."""
    text = (
        'openapi: 3.0.3\ninfo: {title: A}\nservers: [{url: "https://a.test"}]\n'
        "security: []\n"
        "paths:\n"
        "  /a/{id}:\n"
        "    parameters: {id: {}}\n"
        "    post: {operationId: one, responses: []}\n"
        "    put: {operationId: one, responses: {}}\n"
        "    head: {responses: {}}\n"
    )
    untold = "the path has {id}, and no parameter says what it is; taken as text"

    assert told(text) == [
        "a.yaml:1:1: note: #: no credentials are said; say 'auth' under 'http' where it wants some",
        "a.yaml:2:7: note: #/info: an info has no 'version'",
        "a.yaml:7:17: note: #/paths/~1a~1{id}/parameters: expected a list",
        f"a.yaml:8:11: note: #/paths/~1a~1{{id}}/post: {untold}",
        "a.yaml:8:41: note: #/paths/~1a~1{id}/post/responses: expected an object of names",
        f"a.yaml:9:10: note: #/paths/~1a~1{{id}}/put: {untold}",
        "a.yaml:9:11: note: #/paths/~1a~1{id}/put: has the operationId of #/paths/~1a~1{id}/post",
        "a.yaml:10:11: note: #/paths/~1a~1{id}/head: HEAD is nothing that is asked here",
    ]


def test_references_that_lead_nowhere_are_told():
    """A parameter or an answer is lost with it, a schema only loses its type."""
    schema = {"type": "object", "properties": {"id": {"$ref": "#/components/schemas/Gone"}}}
    call = listing({"type": "array", "items": schema}, [{"$ref": "other.yaml#/page"}])
    made = Made(
        document(
            {
                "/a": {"get": call},
                "/b": {"get": {"responses": {"200": {"$ref": "#/components/responses/R"}}}},
            },
            components={"responses": {"R": {"$ref": "#/components/responses/R"}}},
        )
    )

    assert made.errors == ()
    assert made.losses == [
        (
            "#/paths/~1a/get/parameters/0: 'other.yaml#/page' is in another document, which is not "
            "fetched; put all into one"
        ),
        "#/components/responses/R: the reference leads back to itself",
    ]
    gone = "/items/properties/id: refers to '#/components/schemas/Gone', which is not there"
    assert any(note.endswith(gone) for note in made.notes)
    assert made.mapping("shop.a") == {"id": "id"}


def test_references_lead_through_paths():
    """A pointer escapes strokes and tildes, and may be percent-encoded."""
    call = listing(parameters=[query("page")])
    twin = {"get": {"$ref": "#/paths/~1a~1b~0c/get"}}
    made = Made(document({"/a/b~c": {"get": call}, "/twin": twin}))
    spaced = Made(document({"/a b": {"get": call}, "/t": {"get": {"$ref": "#/paths/~1a%20b/get"}}}))

    assert (made.losses, made.spec["streams"]["twin"]["paginate"]["type"]) == ([], "page")
    assert spaced.spec["streams"]["t"]["paginate"]["type"] == "page"


def test_children_go_with_their_parent():
    """A stream that our own reader refuses takes those along that are read for each of it."""
    paths = {
        "/a{{b}}/items": {"get": listing()},
        "/a{{b}}/items/{id}/parts": {"get": listing()},
        "/c": {"get": listing()},
    }
    made = Made(document(paths))

    assert (made.errors, list(made.imported.streams)) == ((), ["c"])
    assert any("'items_parts' is left out: it needs 'items'" in x for x in made.losses)


def test_what_stands_beside_a_reference():
    """Of version 3.1 it counts, before that it is told."""
    item = {"type": "object", "properties": {"id": {"type": "integer"}}}
    schema = {"$ref": "#/components/schemas/List", "properties": {"total": {"type": "integer"}}}
    listed = {"type": "object", "properties": {"data": {"type": "array", "items": item}}}
    source = document(
        {"/a": {"get": listing(schema, [query("page")])}}, components={"schemas": {"List": listed}}
    )

    old = Made(source)
    new = Made({**source, "openapi": "3.1.0"})

    assert any("'properties' beside '$ref' is not read in this version" in n for n in old.notes)
    assert "total" not in old.spec["streams"]["a"]["paginate"]
    assert not any("beside" in note for note in new.notes)


def test_provider_that_posts_is_told():
    """Webhooks are for a person to write."""
    made = Made({**document({"/a": {"get": listing()}}), "openapi": "3.1.0", "webhooks": {"n": {}}})

    assert made.losses == [
        "#/webhooks: what the provider posts is not read; write 'webhooks' by hand"
    ]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param(
            b"openapi: [",
            "a.yaml:2:1: E105: not valid YAML: a value was expected here; ",
            id="no-yaml",
        ),
        pytest.param(
            b"hello",
            "a.yaml: expected an OpenAPI document, which begins with 'openapi' or 'swagger'",
            id="text",
        ),
        pytest.param(
            b"provider: a",
            "a.yaml: expected an OpenAPI document, which begins with 'openapi' or 'swagger', of "
            "version 2.0 or 3.x",
            id="something-else",
        ),
        pytest.param(
            b"openapi: 4.0.0",
            "a.yaml: expected an OpenAPI document, which begins with 'openapi' or 'swagger', of "
            "version 2.0 or 3.x, found version '4.0.0'",
            id="another-version",
        ),
    ],
)
def test_what_is_no_document_is_refused(data, message):
    """With what was expected."""
    with pytest.raises(DocumentError) as caught:
        Made(data, file="a.yaml")

    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("version", ["3.1", "2.0", 2.0, 3.0])
def test_version_may_be_a_number(version):
    """YAML reads one without quotes as such."""
    key = "swagger" if str(version).startswith("2") else "openapi"
    text = f"{key}: {version}\ninfo: {{title: A, version: 1}}\npaths: {{}}\nhost: a.test\n"

    assert Made(text.encode()).errors == ()


def test_json_with_signs_beyond_the_first_plane():
    """JSON writes them as two halves, which YAML does not know."""
    info = b'{"title":"A \\ud83d\\ude00 \\\\ud83d","version":"1"}'
    source = b'{"openapi":"3.0.0","info":%s,"paths":{}}' % info

    assert Made(source).spec["title"] == "A 😀 \\ud83d"


def test_marks_of_templates_are_no_templates():
    """A path that looks like one is left out and told, the rest is there."""
    source = document({"/a{{b}}": {"post": {"responses": {}}}, "/c": {"get": listing()}})
    made = Made(source)

    assert (made.errors, list(made.imported.streams)) == ((), ["c"])
    assert made.losses[0].startswith("POST /a{{b}}, line 14: 'post_aby_by_b' is left out: ")
