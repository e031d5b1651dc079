"""What the engine sends for an imported command is what curl itself sends."""

import json
import os
import subprocess
from email.parser import BytesParser
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings

from integrationd.config.nodes import to_json
from integrationd.config.problems import Problems
from integrationd.config.yaml import parse_yaml
from integrationd.importers.curl.provider import import_curl
from tests.unit.importers.commands import commands
from tests.unit.importers.serving import SETTINGS, run, serving

COMPARED = ("authorization", "cookie", "x-api-key", "x-trace", "accept-language", "x-mode")
pytestmark = [pytest.mark.needs("curl")]


def normalise(asked):
    """Return what counts of a request."""
    method, target, headers, body = asked
    lowered = {name.lower(): value for name, value in headers.items()}
    if "cookie" in lowered:  # some versions of curl put no space between two
        lowered["cookie"] = lowered["cookie"].replace("; ", ";")
    kind, _, rest = lowered.get("content-type", "").partition(";")
    address = urlsplit(target)
    return {
        "method": method,
        "path": unquote(address.path),
        "query": sorted(parse_qsl(address.query, keep_blank_values=True)),
        "headers": {name: lowered[name] for name in COMPARED if name in lowered},
        "content-type": kind if body else "",
        "body": read_body(kind, rest, body),
    }


def read_body(kind, rest, body):
    """Return what a body says."""
    if kind == "application/json":
        return json.loads(body)
    if kind == "application/x-www-form-urlencoded":
        return parse_qsl(body.decode(), keep_blank_values=True)
    if kind == "multipart/form-data":
        head = f"content-type: {kind};{rest}\r\n\r\n".encode()
        parts = BytesParser().parsebytes(head + body).get_payload()
        return [
            (each.get_param("name", header="content-disposition"), each.get_payload(decode=True))
            for each in parts
        ]
    return body


def supply(place, made, command, monkeypatch):
    """Write the files and an integration with all that it wants; returns the words to run it."""
    (path, text), *_ = made.files.items()
    (place / path).parent.mkdir(exist_ok=True, parents=True)
    (place / path).write_text(text)
    spec = to_json(parse_yaml(text.encode(), file="x", problems=Problems()))
    secrets, lines = {}, []
    for name, said in spec.get("secrets", {}).items():
        variable = f"INTEGRATIOND_SECRET_{name.upper()}"
        monkeypatch.setitem(os.environ, variable, command.secrets[said["description"]])
        secrets[name] = {"env": variable}
    config = dict(zip(spec.get("config", {}), command.ids, strict=False))
    lines = ["integration: me", f"uses: {spec['provider']}"]
    lines += [f"config: {json.dumps(config)}"] if config else []
    lines += [f"secrets: {json.dumps(secrets)}"] if secrets else []
    (place / "integrations").mkdir(exist_ok=True)
    (place / "integrations" / "me.yaml").write_text("\n".join(lines) + "\n")
    (place / "integrationd.yaml").write_text(SETTINGS)
    for name in spec.get("streams", {}):
        return ["sync", f"me/{name}", "--full"]
    ((name, said),) = spec["operations"].items()
    given = zip(said.get("input", {}), command.ids, strict=True)
    return ["call", "me", name, *[f"{word}={value}" for word, value in given]]


@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(command=commands())
def test_engine_sends_what_curl_sends(command, tmp_path_factory, capfd):
    """Method, path, query, headers and body are the same, and no file or line has a secret."""
    place = tmp_path_factory.mktemp("curl")
    with (
        serving(lambda _path, _query: []) as (address, asked),
        pytest.MonkeyPatch.context() as patch,
    ):
        words = [word.replace("BASE", address) for word in command.words]
        subprocess.run(
            [*words[:1], "-q", "--noproxy", "*", *words[1:]], check=True, capture_output=True
        )

        made = import_curl(command.text.replace("BASE", address).encode(), file="c.sh")
        asking = supply(place, made, command, patch)
        code = run("--config", place, "--state", place / "state", *asking)
        told = capfd.readouterr()

    assert (made.losses, code) == ((), 0), (made.findings, told)
    by_curl, *by_us = map(normalise, asked)
    assert by_us[0] == by_curl
    everything = "\n".join([*made.files.values(), *map(str, made.findings), told.out, told.err])
    assert "canary9" not in everything
