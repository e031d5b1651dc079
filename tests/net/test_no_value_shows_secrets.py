"""A process in which secrets are in use, printed object by object: none of them shows one."""

import asyncio
import gc
import json
import types

import pytest

from integrationd.daemon.actions import LocalActions
from integrationd.daemon.broadcast import Broadcast
from integrationd.daemon.composition import compose
from integrationd.daemon.paths import Paths
from integrationd.model.secret import Secret
from integrationd.ports.actions import SyncWish
from integrationd.spec.read_settings import read_settings
from tests.support.canaries import Canaries
from tests.support.echoing import Echo, echoing

FILE = """\
integration: acme
secrets: {client: {}, refresh: {}, header: {env: INTEGRATIOND_SECRET_HEADER}, file: {}}
http:
  base_url: "http://127.0.0.1:%(port)d"
  headers: {x-header: "{{ secrets.header }}", x-file: "{{ secrets.file }}"}
  auth:
    type: oauth2
    grant: refresh_token
    token_url: "http://127.0.0.1:%(port)d/token"
    client_id: cid
    client_secret: "{{ secrets.client }}"
    refresh_token: "{{ secrets.refresh }}"
  paginate: {type: none}
  retries: 0
streams:
  ok: {get: /ok, records: body.data, key: id}
  status: {get: /status, records: body.data, key: id}
"""
OURS = "integrationd."
SETTINGS = b"egress: {allow: [127.0.0.0/8]}\n"


@pytest.fixture
def canaries(tmp_path, monkeypatch):
    """Hide canaries in the environment and among the credentials; the others are set later."""
    made = Canaries()
    key = bytes(range(200, 232))
    monkeypatch.setenv("INTEGRATIOND_MASTER_KEY", made.add("master", key.hex()))
    made.add("raw master", repr(key)[2:-1])
    monkeypatch.setenv("INTEGRATIOND_SECRET_HEADER", made.make("header"))
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    (tmp_path / "acme.file").write_text(made.make("file"))
    for token in ("access_token", "refresh_token"):
        Echo.granted[token] = made.make(token, special=False)
    return made


def printed() -> dict[str, bytes]:
    """Print every object of ours that is alive, and every exception."""
    shown: dict[str, bytes] = {}
    for one in gc.get_objects():
        kind = type(one)
        if isinstance(one, types.ModuleType | type):
            continue
        if kind.__module__.startswith(OURS) or isinstance(one, BaseException):
            text = f"{one!r} {one}".encode("utf-8", "surrogatepass")
            shown[kind.__qualname__] = shown.get(kind.__qualname__, b"") + text
    return shown


async def test_no_object_shows_a_secret(tmp_path, canaries):
    """Values, errors and the rooms themselves, while runs are going on and after them."""
    paths = Paths(tmp_path / "config", tmp_path / "state")
    paths.state.mkdir()
    (paths.config / "integrations").mkdir(parents=True)
    settings, _ = read_settings(SETTINGS, "x")
    seen: dict[str, bytes] = {}
    with echoing() as port:
        (paths.config / "integrations" / "acme.yaml").write_text(FILE % {"port": port})
        async with compose(
            paths, settings, Broadcast(), learn=lambda *_: seen.update(printed())
        ) as parts:
            await parts.load()
            actions = LocalActions(parts)
            for name in ("client", "refresh"):
                value = Secret(canaries.make(name))
                await actions.secrets.put("acme", name, value)
            wish = SyncWish(integration="acme")
            told = [line async for line in actions.sync(wish)]
            await asyncio.sleep(0)
            seen.update(printed())

    endings = [line for line in told if line["event"] == "finished"]
    assert [line["status"] for line in endings] == ["done", "failed"]
    assert {"SealedVault", "Integration", "World", "Secret", "Ring", "MasterKey"} <= seen.keys()
    seen["told"] = json.dumps(told).encode()
    found = canaries.found_in(seen)
    assert found == [], "\n".join(found)
