"""Documents for the tests of the importer, and what came of them."""

from __future__ import annotations

import json

from integrationd.config.nodes import to_json
from integrationd.config.problems import Problems
from integrationd.config.yaml import parse_yaml
from integrationd.importers.openapi.provider import import_openapi
from tests.importers.documents import check_files

ITEM = {"type": "object", "properties": {"id": {"type": "integer"}, "name": {"type": "string"}}}


def answer(schema, **more):
    """Return the answers of a call that gives this."""
    said = {"description": "ok", "content": {"application/json": {"schema": schema}}, **more}
    return {"200": said}


def listing(schema=None, parameters=(), **more):
    """Return a call that gives a list."""
    schema = schema or {"type": "array", "items": ITEM}
    return {"parameters": list(parameters), "responses": answer(schema, **more)}


def query(name, schema=None, **more):
    """Return a parameter of the query."""
    return {"name": name, "in": "query", "schema": schema or {"type": "integer"}, **more}


def at(name):
    """Return a parameter of the path."""
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def document(paths, **more):
    """Return a document of version 3.0."""
    return {
        "openapi": "3.0.3",
        "info": {"title": "Shop", "version": "1"},
        "servers": [{"url": "https://a.test/v1"}],
        "paths": paths,
        **more,
    }


class Made:
    """What came of a document."""

    def __init__(self, source, file="shop.yaml"):
        data = source if isinstance(source, bytes) else json.dumps(source, indent=1).encode()
        self.imported = import_openapi(data, file=file)
        self.text = next(text for path, text in self.imported.files.items() if "specs/" in path)
        self.spec = to_json(parse_yaml(self.text.encode(), file="x", problems=Problems()))
        self.errors = check_files(self.imported.files)

    @property
    def losses(self):
        """Return what could not be said, without places."""
        return [finding.message for finding in self.imported.losses]

    @property
    def notes(self):
        """Return what was told besides."""
        return [each.message for each in self.imported.findings if not each.is_loss]

    def mapping(self, name):
        """Return the fields of a mapping."""
        text = self.imported.files[f"mappings/{name}.yaml"]
        return to_json(parse_yaml(text.encode(), file="x", problems=Problems()))["fields"]


def make(paths, **more):
    """Import a document in which nothing is wrong; returns the provider's file as a value."""
    made = Made(document(paths, **more))
    assert (made.losses, made.errors) == ([], ())
    return made.spec
