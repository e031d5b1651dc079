"""What the objects of a document hold, by their version: names and what stands under them.

``Kind`` stands for an object of that kind, ``[Kind]`` for a list of them, ``{Kind}`` for an object
of names, and nothing for what is not looked into.

Source:
    OpenAPI Specification 2.0, 3.0.4 and 3.1.1, "Schema"; a name that begins with ``x-`` is free.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

Kinds: TypeAlias = Mapping[str, Mapping[str, str]]


def _plain(names: str) -> dict[str, str]:
    return dict.fromkeys(names.split(), "")


_INFO: Final = _plain("title description termsOfService contact license version")
_OUTSIDE: Final = _plain("description url")
_XML: Final = _plain("name namespace prefix attribute wrapped nodeType")
_SCHEMA: Final = {
    **_plain("title multipleOf maximum exclusiveMaximum minimum exclusiveMinimum maxLength"),
    **_plain("minLength pattern maxItems minItems uniqueItems maxProperties minProperties"),
    **_plain("required enum type format default description readOnly example discriminator"),
    "allOf": "[Schema]",
    "items": "Schema",
    "properties": "{Schema}",
    "additionalProperties": "Schema",
    "externalDocs": "ExternalDocs",
    "xml": "Xml",
}
_SCHEMA_3: Final = {
    **_SCHEMA,
    **_plain("nullable writeOnly deprecated"),
    "oneOf": "[Schema]",
    "anyOf": "[Schema]",
    "not": "Schema",
}
_METHODS_2: Final = dict.fromkeys(
    ("get", "put", "post", "delete", "options", "head", "patch"), "Operation"
)
_ITEMS_2: Final = {
    **_plain("type format collectionFormat default maximum exclusiveMaximum minimum"),
    **_plain("exclusiveMinimum maxLength minLength pattern maxItems minItems uniqueItems enum"),
    **_plain("multipleOf"),
    "items": "Items",
}

VERSION_2: Final[Kinds] = {
    "Document": {
        **_plain("swagger host basePath schemes consumes produces security tags"),
        "info": "Info",
        "paths": "{PathItem}",
        "definitions": "{Schema}",
        "parameters": "{Parameter}",
        "responses": "{Response}",
        "securityDefinitions": "{SecurityScheme}",
        "externalDocs": "ExternalDocs",
    },
    "Info": _INFO,
    "ExternalDocs": _OUTSIDE,
    "PathItem": {"$ref": "", **_METHODS_2, "parameters": "[Parameter]"},
    "Operation": {
        **_plain("tags summary description operationId consumes produces schemes deprecated"),
        **_plain("security"),
        "externalDocs": "ExternalDocs",
        "parameters": "[Parameter]",
        "responses": "{Response}",
    },
    "Parameter": {
        **_ITEMS_2,
        **_plain("name in description required allowEmptyValue"),
        "schema": "Schema",
    },
    "Items": _ITEMS_2,
    "Response": {"description": "", "schema": "Schema", "headers": "{Header}", "examples": ""},
    "Header": {**_ITEMS_2, "description": ""},
    "Schema": _SCHEMA,
    "Xml": _XML,
    "SecurityScheme": _plain("type description name in flow authorizationUrl tokenUrl scopes"),
}

VERSION_3: Final[Kinds] = {
    "Document": {
        **_plain("openapi security jsonSchemaDialect $self"),
        "info": "Info",
        "servers": "[Server]",
        "paths": "{PathItem}",
        "tags": "[Tag]",
        "components": "Components",
        "externalDocs": "ExternalDocs",
        "webhooks": "{PathItem}",
    },
    "Info": {**_INFO, "summary": ""},
    "ExternalDocs": _OUTSIDE,
    "Tag": {**_plain("name description summary parent kind"), "externalDocs": "ExternalDocs"},
    "Server": {**_plain("url description name"), "variables": "{ServerVariable}"},
    "ServerVariable": _plain("enum default description"),
    "Components": {
        "schemas": "{Schema}",
        "responses": "{Response}",
        "parameters": "{Parameter}",
        "requestBodies": "{RequestBody}",
        "headers": "{Header}",
        "examples": "",
        "links": "",
        "securitySchemes": "{SecurityScheme}",
        "callbacks": "",
        "pathItems": "{PathItem}",
        "mediaTypes": "",
    },
    "PathItem": {
        **_METHODS_2,
        "$ref": "",
        "summary": "",
        "description": "",
        "trace": "Operation",
        "parameters": "[Parameter]",
        "servers": "[Server]",
        "query": "Operation",
        "additionalOperations": "",
    },
    "Operation": {
        **_plain("tags summary description operationId deprecated security callbacks"),
        "externalDocs": "ExternalDocs",
        "parameters": "[Parameter]",
        "servers": "[Server]",
        "requestBody": "RequestBody",
        "responses": "{Response}",
    },
    "Parameter": {
        **_plain("name in description required deprecated allowEmptyValue style explode"),
        **_plain("allowReserved example examples"),
        "schema": "Schema",
        "content": "{MediaType}",
    },
    "RequestBody": {**_plain("description required"), "content": "{MediaType}"},
    "Response": {
        "description": "",
        "summary": "",
        "headers": "{Header}",
        "content": "{MediaType}",
        "links": "",
    },
    "MediaType": {
        "schema": "Schema",
        "example": "",
        "examples": "",
        "encoding": "{Encoding}",
        **_plain("itemSchema itemEncoding prefixEncoding"),
    },
    "Encoding": {
        **_plain("contentType style explode allowReserved encoding"),
        "headers": "{Header}",
    },
    "Header": {
        **_plain("description required deprecated style explode example examples"),
        "schema": "Schema",
        "content": "{MediaType}",
    },
    "Schema": _SCHEMA_3,
    "Xml": _XML,
    "SecurityScheme": {
        **_plain("type description name in scheme bearerFormat openIdConnectUrl deprecated"),
        **_plain("oauth2MetadataUrl"),
        "flows": "Flows",
    },
    "Flows": {
        "implicit": "Flow",
        "password": "Flow",
        "clientCredentials": "Flow",
        "authorizationCode": "Flow",
        "deviceAuthorization": "Flow",
    },
    "Flow": _plain("authorizationUrl tokenUrl refreshUrl scopes deviceAuthorizationUrl"),
}

OPEN: Final = frozenset({"Schema"})
"""Kinds that may hold any name since version 3.1, which takes the rules of JSON Schema."""
REQUIRED: Final[Mapping[str, tuple[str, ...]]] = {
    "Document": ("info",),
    "Info": ("title", "version"),
    "Parameter": ("name", "in"),
    "Operation": ("responses",),
    "SecurityScheme": ("type",),
    "Server": ("url",),
}
"""What has to be there."""
NAMES: Final[Mapping[str, str]] = {
    "Document": "the document",
    "PathItem": "a path",
    "ExternalDocs": "externalDocs",
    "RequestBody": "a request body",
    "MediaType": "a media type",
    "SecurityScheme": "a security scheme",
    "ServerVariable": "a server's variable",
}
"""As people are told them; else the word itself."""
