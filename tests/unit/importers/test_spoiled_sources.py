"""Whatever stands in a source, an importer ends with files that are loadable, or with a message."""

import contextlib
import copy
import json
import string

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from integrationd.errors import IntegrationError
from integrationd.importers.curl.provider import import_curl
from integrationd.importers.nango.provider import import_nango
from integrationd.importers.openapi.provider import import_openapi
from integrationd.spec.read import read_file
from integrationd.spec.source import SourceFile
from tests.unit.importers.openapi_samples import at, document, listing, query

BODY = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Item"}}}}
WHOLE = document(
    {
        "/items": {
            "get": listing(
                {
                    "type": "object",
                    "properties": {
                        "data": {"type": "array", "items": {"$ref": "#/components/schemas/Item"}},
                        "next_cursor": {"type": "string"},
                    },
                },
                [query("cursor", {"type": "string"}), query("limit")],
                headers={"X-Total-Count": {"schema": {"type": "integer"}}},
            ),
            "post": {"operationId": "make", "requestBody": BODY, "responses": {"201": BODY}},
        },
        "/items/{item_id}/parts": {"get": listing(parameters=[at("item_id"), query("page")])},
    },
    components={
        "schemas": {
            "Item": {
                "type": "object",
                "required": ["id"],
                "properties": {
                    "id": {"type": "integer", "minimum": 1},
                    "name": {"type": "string", "enum": ["a", "b"], "pattern": "^.$"},
                    "updated_at": {"type": "string", "format": "date-time"},
                },
            }
        },
        "securitySchemes": {
            "key": {"type": "apiKey", "in": "header", "name": "X-Key"},
            "oauth": {
                "type": "oauth2",
                "flows": {
                    "clientCredentials": {"tokenUrl": "https://a.test/t", "scopes": {"a": ""}}
                },
            },
        },
    },
    security=[{"key": []}, {"oauth": ["a"]}],
)
OLD = {
    "swagger": "2.0",
    "info": {"title": "Shop", "version": "1"},
    "host": "a.test",
    "schemes": ["https"],
    "paths": {
        "/items": {
            "get": {
                "parameters": [
                    {"in": "query", "name": "tags", "type": "array", "items": {"type": "string"}}
                ],
                "responses": {
                    "200": {
                        "description": "",
                        "schema": {
                            "type": "array",
                            "items": {"type": "object", "properties": {"id": {"type": "string"}}},
                        },
                    }
                },
            },
            "put": {
                "consumes": ["application/x-www-form-urlencoded"],
                "parameters": [{"in": "formData", "name": "a", "type": "string", "required": True}],
                "responses": {},
            },
        }
    },
    "securityDefinitions": {"b": {"type": "basic"}},
    "security": [{"b": []}],
}
BLOCK = {
    "desk": {
        "auth_mode": "OAUTH2",
        "authorization_url": "https://${connectionConfig.sub}.a.test/authorize",
        "token_url": "https://a.test/token",
        "authorization_params": {"response_type": "code"},
        "default_scopes": ["a"],
        "proxy": {
            "base_url": "https://${connectionConfig.sub}.a.test",
            "headers": {"authorization": "Key ${accessToken}", "v": "${connectionConfig.v} || 1"},
            "retry": {"at": "x-reset", "error_code": 403},
            "paginate": {
                "type": "offset",
                "offset_name_in_request": "o",
                "limit_name_in_request": "l",
            },
            "verification": {"method": "GET", "endpoints": ["/me"]},
        },
        "connection_config": {"sub": {"type": "string", "description": "Where"}},
    }
}
ODD = st.sampled_from(
    [
        *(None, True, 0, -1, 1.5, "", " ", "a", "{{ x }}", "${", "{", "{a}", "é\n", "$ref"),
        *([], {}, [1], {"a": 1}, {"$ref": "#"}, {"$ref": "#/paths"}, {"$ref": 1}),
        *({"type": ["null", 3]}, ["a", ["b"]], "x" * 300),
    ]
)


@st.composite
def spoiled(draw, whole):
    """Draw a source in which a few values are others, gone, or called otherwise."""
    made = copy.deepcopy(whole)
    for _ in range(draw(st.integers(1, 4))):
        here = made
        for _depth in range(draw(st.integers(0, 9))):
            inside = here[draw(st.sampled_from(places(here)))] if places(here) else None
            if not places(inside):
                break
            here = inside
        key = draw(st.sampled_from(places(here)))
        change = draw(st.sampled_from(["put", "put", "drop", "rename"]))
        if change == "put" or isinstance(here, list):
            here[key] = copy.deepcopy(draw(ODD))
        else:
            value = here.pop(key)
            if change == "rename":
                here[draw(st.text(string.printable, max_size=6))] = value
        if not places(made):
            break
    return made


def places(value):
    """Return where something stands in an object or a list."""
    if isinstance(value, dict):
        return list(value)
    return list(range(len(value))) if isinstance(value, list) else []


def check(importer, data):
    """Import something; what comes of it is read without an error."""
    made = None
    with contextlib.suppress(IntegrationError):
        made = importer(data, file="source")
    if made is None:
        return
    for path, text in made.files.items():
        problems = read_file(SourceFile(path, text.encode())).problems
        told = [each for each in problems if each.is_error]
        assert told == [] or any("the file has an error" in str(each) for each in made.losses), told


@settings(suppress_health_check=list(HealthCheck))
@given(source=st.sampled_from([WHOLE, OLD]).flatmap(spoiled))
def test_spoiled_documents(source):
    """OpenAPI of both kinds."""
    check(import_openapi, json.dumps(source).encode())


@settings(suppress_health_check=list(HealthCheck))
@given(source=spoiled(BLOCK))
def test_spoiled_blocks(source):
    """Blocks of providers.yaml."""
    check(import_nango, json.dumps(source).encode())


@given(
    words=st.lists(
        st.sampled_from(
            ["-X", "POST", "-d", "a=b", "-H", "A: b", "https://a.test/x?y=z", "-u", "me"]
        )
        | st.sampled_from(["-F", "--json", "{}", "-G", "\\\n", "'", '"', "$'", "`", "$(", "|", "^"])
        | st.text(max_size=8),
        max_size=12,
    )
)
def test_any_command(words):
    """Command lines of any words."""
    check(import_curl, f"curl {' '.join(words)}".encode(errors="replace"))


@pytest.mark.parametrize("importer", [import_openapi, import_nango, import_curl])
@given(data=st.binary(max_size=60))
def test_any_bytes(importer, data):
    """What is no text at all."""
    check(importer, data)
