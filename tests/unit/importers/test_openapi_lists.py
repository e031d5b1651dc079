"""Lists of OpenAPI documents: which calls are one, what their records are, how they are walked."""

import pytest

from tests.unit.importers.openapi_samples import (
    ITEM,
    Made,
    answer,
    at,
    document,
    listing,
    make,
    query,
)

TEXT = {"type": "string"}
NUMBER = {"type": "integer"}
LIST = {"type": "array", "items": ITEM}


def wrapped(name="data", **more):
    """Return an answer that holds the list under a name."""
    return {"type": "object", "properties": {name: LIST, **more}}


def paging(schema, *parameters, **more):
    """Return how a list is walked."""
    made = make({"/items": {"get": listing(schema, parameters, **more)}})
    return made["streams"]["items"]["paginate"]


@pytest.mark.parametrize(
    ("schema", "records"),
    [
        pytest.param(LIST, None, id="the-body"),
        pytest.param(wrapped(), "body.data", id="a-usual-name"),
        pytest.param(wrapped("items", errors=LIST), "body.items", id="errors-aside"),
        pytest.param(wrapped("item"), "body.item", id="named-as-the-path"),
        pytest.param(
            {"type": "object", "properties": {"data": wrapped("items")}},
            "body.data.items",
            id="two-deep",
        ),
        pytest.param(wrapped("odd-name"), 'body."odd-name"', id="the-only-list"),
    ],
)
def test_records_are_found(schema, records):
    """The list of objects whose name fits best, and its place as an expression."""
    made = make({"/items": {"get": listing(schema)}})

    assert made["streams"]["items"].get("records") == records


@pytest.mark.parametrize(
    ("path", "schema"),
    [
        pytest.param("/items/{id}", LIST, id="a-path-of-one"),
        pytest.param("/me", {**ITEM, "properties": {**ITEM["properties"], "tags": LIST}}, id="one"),
        pytest.param("/words", {"type": "array", "items": TEXT}, id="a-list-of-texts"),
        pytest.param("/items", {"type": "object"}, id="nothing-said"),
    ],
)
def test_what_is_no_list_is_an_operation(path, schema):
    """A value at the end of the path, an object with an id, texts instead of objects."""
    made = make({path: {"get": {**listing(schema), "parameters": [at("id")][: "{" in path]}}})

    assert ("streams" in made, len(made["operations"])) == (False, 1)


@pytest.mark.parametrize(
    ("schema", "parameters", "said"),
    [
        pytest.param(LIST, [], "none", id="nothing"),
        pytest.param(
            LIST,
            [query("page"), query("per_page", {**NUMBER, "maximum": 50})],
            {"type": "page", "into": "query.page", "size": {"into": "query.per_page", "value": 50}},
            id="page",
        ),
        pytest.param(
            wrapped(total_pages=NUMBER),
            [query("pageNumber", {**NUMBER, "default": 0})],
            {
                "type": "page",
                "into": "query.pageNumber",
                "start": 0,
                "total_pages": "body.total_pages",
            },
            id="pages-from-0",
        ),
        pytest.param(
            wrapped(meta={"type": "object", "properties": {"total": NUMBER}}),
            [query("offset"), query("limit")],
            {
                "type": "offset",
                "into": "query.offset",
                "size": {"into": "query.limit", "value": 100},
                "total": "body.meta.total",
            },
            id="offset",
        ),
        pytest.param(
            wrapped(next_cursor=TEXT),
            [query("cursor", TEXT), query("limit", {**NUMBER, "default": 20})],
            {
                "type": "cursor",
                "next": "body.next_cursor",
                "into": "query.cursor",
                "size": {"into": "query.limit", "value": 20},
            },
            id="cursor",
        ),
        pytest.param(
            wrapped(has_more={"type": "boolean"}),
            [query("starting_after", TEXT)],
            {
                "type": "cursor",
                "next": "body.data[-1].id",
                "into": "query.starting_after",
                "has_more": "body.has_more",
            },
            id="the-last-id",
        ),
        pytest.param(
            wrapped(next_page_uri=TEXT, page=NUMBER),
            [query("page")],
            {"type": "next_url", "next": "body.next_page_uri"},
            id="a-url-goes-before-a-number",
        ),
        pytest.param(
            wrapped(links={"type": "object", "properties": {"next": TEXT}}),
            [],
            {"type": "next_url", "next": "body.links.next"},
            id="links-next",
        ),
        pytest.param(
            wrapped(
                links={
                    "type": "array",
                    "items": {"type": "object", "properties": {"href": TEXT, "rel": TEXT}},
                }
            ),
            [],
            {"type": "next_url", "next": "body.links[?rel=='next'].href | [0]"},
            id="links-by-relation",
        ),
    ],
)
def test_paging_is_told_by_names(schema, parameters, said):
    """What an answer says itself goes before a parameter's name."""
    assert paging(schema, *parameters) == said


def test_link_header_goes_before_a_url():
    """What has a meaning of its own goes before what is called so."""
    link = {"headers": {"Link": {"schema": TEXT}}}

    assert paging(wrapped(next_page_uri=TEXT), **link) == {"type": "link"}


def test_headers_tell_paging():
    """A documented Link header is followed; a total is taken from where it stands."""
    link = {"headers": {"Link": {"schema": TEXT}}}
    total = {"headers": {"X-Total-Count": {"schema": NUMBER}}}

    assert paging(LIST, query("page"), **link) == {"type": "link"}
    assert paging(LIST, query("page"), **total) == {
        "type": "page",
        "into": "query.page",
        "total": 'headers."X-Total-Count"'.lower(),
    }


@pytest.mark.parametrize(
    ("properties", "below", "key"),
    [
        pytest.param({"id": NUMBER, "code": TEXT}, None, "id", id="id"),
        pytest.param({"itemId": TEXT, "name": TEXT}, None, "itemId", id="its-own-name"),
        pytest.param({"code": TEXT, "name": TEXT}, "{code}", "code", id="the-path-of-one"),
        pytest.param({"id": NUMBER, "slug": TEXT}, "{slug}", "slug", id="the-path-goes-first"),
        pytest.param({"name": TEXT}, None, "sha256(to_string(@))", id="none"),
    ],
)
def test_key_is_what_paths_use(properties, below, key):
    """The value in the path of one record, else what is called id; else a digest, which is told."""
    item = {"type": "object", "properties": properties}
    paths = {"/items": {"get": listing({"type": "array", "items": item})}}
    if below is not None:
        paths[f"/items/{below}"] = {
            "get": {"parameters": [at(below.strip("{}"))], "responses": answer(item)}
        }

    assert make(paths)["streams"]["items"]["key"] == key


def test_children_are_read_for_each_parent():
    """To any depth; a value goes down with its records, and a key has those above it."""
    made = make(
        {
            "/shops": {"get": listing()},
            "/shops/{shop_id}/orders": {"get": listing(parameters=[at("shop_id")])},
            "/shops/{shop_id}/orders/{id}/lines": {
                "get": listing(parameters=[at("shop_id"), at("id")])
            },
        }
    )["streams"]

    assert made["shops_orders"] == {
        "get": "/shops/{{ each.shop_id }}/orders",
        "paginate": "none",
        "key": ["shop_id", "id"],
        "mapping": "shop.shops_orders",
        "for_each": {
            "stream": "shops",
            "value": "id",
            "as": "shop_id",
            "carry": {"shop_id": "id"},
        },
    }
    assert made["shops_orders_lines"] == {
        "get": "/shops/{{ each.shop_id }}/orders/{{ each.order_id }}/lines",
        "paginate": "none",
        "key": ["shop_id", "order_id", "id"],
        "mapping": "shop.shops_orders_lines",
        "for_each": {
            "stream": "shops_orders",
            "value": "id",
            "as": "order_id",
            "carry": {"order_id": "id", "shop_id": "shop_id"},
        },
    }


def test_value_without_a_parent_is_supplied():
    """So is a parameter that has to be there; what only filters is told and left out."""
    parameters = [
        at("site"),
        query("kind", {"type": "string", "enum": ["a", "b"]}, required=True),
        query("color", TEXT),
    ]
    made = Made(document({"/sites/{site}/items": {"get": listing(parameters=parameters)}}))

    assert made.spec["config"] == {
        "site": {"type": "string"},
        "kind": {"type": "string", "enum": ["a", "b"]},
    }
    assert made.spec["streams"]["sites_items"]["get"] == "/sites/{{ config.site }}/items"
    assert made.spec["streams"]["sites_items"]["query"] == {"kind": "{{ config.kind }}"}
    assert "#/paths/~1sites~1{site}~1items/get: is asked without color" in made.notes


@pytest.mark.parametrize(
    ("parameter", "field", "said"),
    [
        pytest.param(
            query("updated_since", {"type": "string", "format": "date-time"}),
            {"type": "string", "format": "date-time"},
            {"field": "updated_at", "into": "query.updated_since"},
            id="times",
        ),
        pytest.param(
            query("modifiedAfter", {"type": "string", "format": "date"}),
            {"type": "string", "format": "date-time"},
            {"field": "updated_at", "into": "query.modifiedAfter", "format": "date"},
            id="a-day-for-a-time",
        ),
        pytest.param(
            query("updated_at_min"),
            NUMBER,
            {"field": "updated_at", "into": "query.updated_at_min", "type": "number"},
            id="numbers",
        ),
        pytest.param(query("updated_since"), TEXT, None, id="a-number-for-a-text"),
        pytest.param(query("since", TEXT), TEXT, None, id="since-alone"),
        pytest.param(query("updated_since", TEXT), None, None, id="no-field"),
    ],
)
def test_incremental_only_where_plain(parameter, field, said):
    """A bound by name, and a time of the record that is called so."""
    item = {"type": "object", "properties": {"id": NUMBER}}
    item["properties"].update({"updated_at": field} if field is not None else {})
    made = make({"/items": {"get": listing({"type": "array", "items": item}, [parameter])}})

    assert made["streams"]["items"].get("incremental") == said


def test_mapping_has_names_types_and_values():
    """Our names, the types that we know, and the values of an enumeration as a comment."""
    item = {
        "type": "object",
        "properties": {
            "id": NUMBER,
            "firstName": TEXT,
            "born": {"type": "string", "format": "date"},
            "seen": {"type": "string", "format": "date-time", "nullable": True},
            "price": {"type": "number"},
            "open": {"type": "boolean"},
            "tags": {"type": "array", "items": TEXT},
            "state": {"type": "string", "enum": ["new", "old"]},
            "pin": {"type": "string", "writeOnly": True},
        },
    }
    made = Made(document({"/people": {"get": listing({"type": "array", "items": item})}}))

    assert made.mapping("shop.people") == {
        "id": {"path": "id", "type": "integer"},
        "first_name": {"path": "firstName", "type": "text"},
        "born": {"path": "born", "type": "date"},
        "seen": {"path": "seen", "type": "datetime"},
        "price": {"path": "price", "type": "decimal"},
        "open": {"path": "open", "type": "boolean"},
        "tags": "tags",
        "state": {"path": "state", "type": "text"},
    }
    assert "# state is one of new, old\n" in made.imported.files["mappings/shop.people.yaml"]


def test_schemas_of_parts_are_laid_together():
    """What all parts say counts, of alternatives too; a circle has an end."""
    components = {
        "schemas": {
            "Base": {"type": "object", "properties": {"id": NUMBER}},
            "Item": {
                "allOf": [
                    {"$ref": "#/components/schemas/Base"},
                    {"properties": {"parent": {"$ref": "#/components/schemas/Item"}}},
                    {"oneOf": [{"properties": {"a": TEXT}}, {"properties": {"b": TEXT}}]},
                ]
            },
        }
    }
    schema = {"type": "array", "items": {"$ref": "#/components/schemas/Item"}}
    made = Made(document({"/items": {"get": listing(schema)}}, components=components))

    assert (made.losses, made.errors) == ([], ())
    assert list(made.mapping("shop.items")) == ["id", "parent", "a", "b"]
