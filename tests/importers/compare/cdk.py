"""The other side: a manifest read by airbyte-cdk, in an environment of its own.

    .venv-airbyte/bin/python cdk.py MANIFEST

A configuration comes as a line of JSON on stdin; the manifest with its references followed is the
answer. Then a list of names is read from stdin, and one of these streams after the other is read;
``http://compare.test/NAME`` is asked before each, and a line of JSON is printed of each. Requests
go wherever ``HTTPS_PROXY`` says, and carry the name of the stream that asks, which is a parent
while another one is read. Nothing but the name is added, and nothing is changed.
"""

# ruff: noqa: BLE001, PLC0415 - whatever goes wrong there is told, and only there it is installed
import json
import logging
import sys
from pathlib import Path

TAG = "x-compare-stream"


def main() -> None:
    """Do as the command line says."""
    (manifest,) = sys.argv[1:]
    config = json.loads(sys.stdin.readline())
    import yaml

    source_config = _without_code(yaml.safe_load(Path(manifest).read_text(encoding="utf-8")))
    source_config.pop("api_budget", None)  # it makes a reading slow, and asks the same
    try:
        resolved = _source(source_config, config).resolved_manifest
    except Exception as refused:
        print(json.dumps({"refused": f"{type(refused).__name__}: {refused}"[:500]}))
        return
    print(json.dumps(resolved, default=str), flush=True)
    _tag_requests()
    for name in json.loads(sys.stdin.readline() or "[]"):
        print(json.dumps({"stream": name, "error": _read(source_config, config, name)}), flush=True)


def _without_code(manifest):
    """Follow references, and leave out the streams that need Python of their own."""
    from airbyte_cdk.sources.declarative.parsers.manifest_reference_resolver import (
        ManifestReferenceResolver,
    )

    resolved = ManifestReferenceResolver().preprocess_manifest(manifest)
    kept = [each for each in resolved.get("streams") or [] if not _has_code(each)]
    return {**resolved, "streams": kept}


def _has_code(node):
    if isinstance(node, dict):
        return "class_name" in node or any(map(_has_code, node.values()))
    return isinstance(node, list) and any(map(_has_code, node))


def _source(source_config, config, name=None):
    from airbyte_cdk.models import (
        AirbyteStream,
        ConfiguredAirbyteCatalog,
        DestinationSyncMode,
        SyncMode,
    )
    from airbyte_cdk.models import ConfiguredAirbyteStream as Configured
    from airbyte_cdk.sources.declarative.concurrent_declarative_source import (
        ConcurrentDeclarativeSource,
    )

    catalog = None
    if name is not None:
        modes = [SyncMode.full_refresh, SyncMode.incremental]
        stream = AirbyteStream(name=name, json_schema={}, supported_sync_modes=modes)
        chosen = Configured(
            stream=stream,
            sync_mode=SyncMode.incremental,
            destination_sync_mode=DestinationSyncMode.append,
        )
        catalog = ConfiguredAirbyteCatalog(streams=[chosen])
    source = ConcurrentDeclarativeSource(
        catalog=catalog, config=config, state=[], source_config=source_config
    )
    source.catalog = catalog
    return source


def _tag_requests():
    """Say of each request which stream asks."""
    from airbyte_cdk.sources.streams.http.http_client import HttpClient

    prepare = HttpClient._create_prepared_request

    def prepare_tagged(self, *args, **kwargs):
        request = prepare(self, *args, **kwargs)
        request.headers[TAG] = self._name
        return request

    HttpClient._create_prepared_request = prepare_tagged


def _read(source_config, config, name):
    """Read one stream; return why it could not be, or an empty text."""
    from urllib.parse import quote

    import requests

    requests.get(f"http://compare.test/{quote(name)}", timeout=30)
    errors = []
    try:
        # Alone, so that one that cannot be made does not stop the others.
        chosen = [each for each in source_config["streams"] if each.get("name") == name]
        only = {**source_config, "streams": chosen or source_config["streams"]}
        source = _source(only, config, name)
        for message in source.read(logging.getLogger("compare"), config, source.catalog):
            trace = message.trace
            if trace is not None and trace.error is not None:
                told = trace.error.internal_message or trace.error.message
                errors.append(str(told))
    except BaseException as failed:
        errors.append(f"{type(failed).__name__}: {failed}")
    return (errors or [""])[0][:500]


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    main()
