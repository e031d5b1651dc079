"""Schemas ask nobody: a server that they name is not called, whatever they look like."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from integrationd.spec.build import build_bundle
from integrationd.spec.read import read_file
from integrationd.spec.settings import Settings
from integrationd.spec.source import SourceFile
from integrationd.transform.schema import engine


@pytest.fixture
def asked() -> Iterator[socket.socket]:
    """Listen where a schema points to; a call would wait to be accepted."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        yield server


def test_a_reference_to_a_server_is_told_and_not_followed(asked):
    """Reading, checking and building files with such references opens no connection."""
    url = f"http://127.0.0.1:{asked.getsockname()[1]}/x.json"
    entities = [
        f"{{properties: {{a: {{$ref: '{url}'}}}}}}",
        f"{{properties: {{a: {{}}}}, allOf: [{{$ref: '{url}#/$defs/a'}}]}}",
        f"{{properties: {{a: {{$dynamicRef: '{url}'}}}}}}",
        f"{{$id: '{url}', properties: {{a: {{$ref: '#/$defs/b'}}}}}}",
        f"{{$schema: '{url}', properties: {{a: {{}}}}}}",
        f"{{properties: {{a: {{$ref: '//127.0.0.1:{asked.getsockname()[1]}/'}}}}}}",
    ]

    reads = [
        read_file(SourceFile(f"{n}.yaml", f"entity: e{n}\nschema: {text}\n".encode()))
        for n, text in enumerate(entities)
    ]
    bundle = build_bundle(reads, Settings())

    assert {problem.code for problem in bundle.problems} == {"E116"}
    assert len({problem.position.file for problem in bundle.problems}) == len(entities)
    with pytest.raises(TimeoutError):
        asked.accept()


def test_the_engine_asks_nobody_either(asked):
    """The second line: a schema that was checked by nobody is refused without a call."""
    url = f"http://127.0.0.1:{asked.getsockname()[1]}/x.json"

    for schema in ({"$ref": url}, {"allOf": [{"$id": url, "$ref": "y.json"}]}):
        with pytest.raises(ValueError):
            engine.compile_schema(schema)

    with pytest.raises(TimeoutError):
        asked.accept()
