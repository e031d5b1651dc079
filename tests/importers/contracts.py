"""Requests of imported operations and streams, held against the document that they came from.

The checker is the one beside this checkout (``shared/tools/contract_check.py``).
"""

from __future__ import annotations

import importlib.util
import json
import re
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import yaml

from integrationd.bundles.checking import check_paths
from integrationd.bundles.shipped import shipped_dirs
from integrationd.config.nodes import to_json
from integrationd.config.problems import Problems
from integrationd.config.schema import value_problems
from integrationd.config.yaml import parse_yaml
from integrationd.importers.openapi.provider import import_openapi
from integrationd.wire.call import BaseCall, build_request
from integrationd.wire.encoding import encode
from tests.importers.documents import SUFFIXES

TEXTS = (
    *("abc", "1", "12", "12345", "A", "US", "EUR", "PEN", "12.50", "2024-01-01", "en-US", "true"),
    *("2024-01-01T00:00:00Z", "1be6a1f0-6b4c-4f0e-9a59-3a1d4b8d8a11", "a@example.org", "01", "a1"),
    *("https://example.org/a", "ABCDEFGHIJKLMNOPQRSTUVWXYZ12345678", "+51999888777", "MM01"),
    *(
        "SM0123456789abcdef0123456789abcdef",
        "AC0123456789abcdef0123456789abcdef",
        "ME0123456789abcdef0123456789abcdef",
        "2024-01",
    ),
)


class NoSampleError(Exception):
    """No value is known that fits."""


def load_checker(shared: Path):
    """Return the class that holds requests against a document."""
    spec = importlib.util.spec_from_file_location(
        "contract_check", shared / "tools/contract_check.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Contract


def load_document(path):
    """Return a document as the checker takes it; it would leave the file open itself."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".json":
        return json.loads(text)
    return json.loads(json.dumps(yaml.load(text, Loader=yaml.CSafeLoader), default=str))


def sample(schema):
    """Return a value that a JSON Schema allows, the same each time; only what is required."""
    if not isinstance(schema, dict) or not schema:
        return "abc"
    if schema.get("enum"):
        return schema["enum"][0]
    kinds = schema.get("type", "object" if "properties" in schema else "string")
    kind = kinds if isinstance(kinds, str) else next(each for each in kinds if each != "null")
    if kind == "object":
        return {name: sample(schema["properties"][name]) for name in schema.get("required", [])}
    if kind == "array":
        return [sample(schema.get("items", {}))] * max(1, schema.get("minItems", 1))
    return _first_that_fits(schema, kind)


def _first_that_fits(schema, kind):
    numbers = [1, 10, 100, 0, schema.get("minimum"), schema.get("maximum")]
    low, high = schema.get("minLength", 0), schema.get("maxLength", 1000)
    texts = [*TEXTS, "a" * low, "1" * low, "A" * high]
    for each in {"boolean": [True], "string": texts}.get(kind, numbers):
        if each is not None and not value_problems(schema, each, "value"):
            return each
    raise NoSampleError(str(schema)[:80])


def build(files, provider, base_url, extra=""):
    """Return the integration that uses an imported provider."""
    head = next(text for name, text in files.items() if name.startswith("specs/"))
    with tempfile.TemporaryDirectory() as place:
        for name, text in files.items():
            target = Path(place, name)
            target.parent.mkdir(exist_ok=True)
            target.write_text(text)
        Path(place, "integrations").mkdir()
        config = _config(head, base_url)
        lines = f"integration: me\nuses: {provider}\nconfig: {json.dumps(config)}\n{extra}"
        Path(place, "integrations/me.yaml").write_text(lines)
        report = check_paths(Path(place), shipped=shipped_dirs())
    errors = [each for each in report.problems if each.is_error]
    assert not errors, "\n".join(map(str, errors))
    return report.built[0]


def _config(text, base_url):
    tree = to_json(parse_yaml(text.encode(), file="x", problems=Problems()))
    made = {}
    for name, schema in tree.get("config", {}).items():
        if name in ("address", "base_url"):
            made[name] = base_url
        elif "default" not in schema:
            made[name] = sample(schema)
    return made


def requests_of(integration):
    """Yield the first request of each stream and operation, and which inputs had no sample."""
    secrets = dict.fromkeys(integration.secrets, "abcd1234")
    variables = {"config": integration.config, "secrets": secrets}
    base = BaseCall(
        base_url=integration.http.base_url.render_text(variables),
        headers={
            name: text
            for name, each in integration.http.headers.items()
            if "secrets" not in each.text and (text := each.render_text(variables)) is not None
        },
        encode=integration.http.encode,
    )
    for name, stream in integration.streams.items():
        values = {"each": {}}
        for dimension in stream.for_each.dimensions if stream.for_each else ():
            values["each"][dimension.as_] = "12345"
        parent = stream.for_each
        while parent is not None:
            above = integration.streams[parent.dimensions[0].stream]
            parent = above.for_each
            for dimension in parent.dimensions if parent else ():
                values["each"][dimension.as_] = "12345"
        request = build_request(stream, base=base, variables={**variables, **values})
        yield f"stream {name}", stream.paginate.apply(request, None)
    for name, operation in integration.operations.items():
        try:
            given = {
                key: sample(schema)
                for key, schema in operation.input.schemas.items()
                if "default" not in schema
            }
        except NoSampleError as why:
            yield f"operation {name}", why
            continue
        values = {"input": operation.input.read(given, {})}
        yield (
            f"operation {name}",
            build_request(operation, base=base, variables={**variables, **values}),
        )


@dataclass(frozen=True)
class Held:
    """What the checker says of the requests of one document."""

    found: tuple[str, ...]
    looked: int
    skipped: tuple[str, ...]
    """Those for which no value is known that fits."""


def hold(path, contract_class, extra=()):
    """Import a document and hold each first request against it, with a parameter more if given."""
    imported = import_openapi(path.read_bytes(), file=path.name, name="p")
    contract = contract_class(load_document(path))
    has_path = "address:" not in imported.files["specs/p.yaml"].partition("http:")[0]
    base_url = f"https://api.example.org{contract.base if has_path else ''}"
    found, looked, skipped = [], 0, []
    for name, request in requests_of(build(imported.files, "p", base_url)):
        if isinstance(request, NoSampleError):
            skipped.append(f"{name}: {request}")
        else:
            looked += 1
            sent = request.with_query(*extra) if extra else request
            found += [f"{name}: {each}" for each in check_request(contract, sent)]
    return Held(tuple(found), looked, tuple(skipped))


def check_request(contract, request):
    """Return what the checker says of one request, credentials given."""
    sent = encode(request)
    address = urlsplit(sent.url)
    headers = {**sent.headers, "authorization": "Bearer x"}
    said = contract.check(
        sent.method,
        address.path,
        query=parse_qsl(address.query, keep_blank_values=True),
        headers=headers,
        body=sent.body or b"",
        content_type=sent.headers.get("content-type", ""),
    )
    return [each for each in said if not each.startswith("security:")]


def find_documents(shared):
    """Return the OpenAPI documents beside this checkout."""
    marks = re.compile(rb'"?(openapi|swagger)"?: ?"?[23]')
    return [
        path
        for path in sorted((shared / "data/openapi").glob("*"))
        if path.suffix in SUFFIXES and marks.search(path.read_bytes()[:3000])
    ]


def main(words):
    """Print what the checker says of all documents."""
    shared = Path(words[0])
    contract_class = load_checker(shared)
    for path in find_documents(shared):
        held = hold(path, contract_class)
        counts = f"{held.looked:3} looked at, {len(held.skipped)} without a sample"
        print(f"{path.name:40} {counts}, {len(held.found)} violations")
        for each in (*held.found, *held.skipped):
            print("    ", each[:220])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
