"""Asking a running daemon over its control socket."""

from __future__ import annotations

import http.client
import socket
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path
from urllib.parse import quote

import msgspec
from typing_extensions import override

from integrationd.cli.remote_calls import RemoteCalls
from integrationd.cli.remote_secrets import RemoteSecrets
from integrationd.errors import (
    HistoryError,
    IntegrationError,
    SettingsError,
    StoreError,
    UsageError,
)
from integrationd.model.json import Json
from integrationd.model.switches import Switch
from integrationd.ports.actions import QuarantineWish, RevertWish, SwitchWish, SyncWish
from integrationd.ports.consent import LoginWish


class _SocketLine(http.client.HTTPConnection):
    """HTTP over a socket in the file system."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost")
        self._path = path

    @override
    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.connect(str(self._path))


def is_running(control: Path) -> bool:
    """Tell whether a daemon answers on the control socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        try:
            sock.connect(str(control))
        except OSError:
            return False
    return True


class _Problem(msgspec.Struct):
    """What of an error's answer is printed."""

    detail: str


_ERRORS: Mapping[int, type[IntegrationError]] = {
    404: UsageError,
    409: SettingsError,
    410: HistoryError,
    422: UsageError,
    503: StoreError,
}


class RemoteActions:
    """The actions of a daemon, asked for over its socket; it runs one call at a time."""

    def __init__(self, control: Path) -> None:
        """Take the socket's path."""
        self._control = control
        self.calls = RemoteCalls(self._ask)
        self.secrets = RemoteSecrets(self._ask)

    async def sync(self, wish: SyncWish) -> AsyncIterator[Json]:
        """Read streams, telling what happens."""
        body = {
            "streams": list(wish.streams),
            "full": wish.full,
            "confirmed": wish.confirmed,
            **_narrowed(wish),
        }
        path = f"/api/v1/integrations/{quote(wish.integration, safe='')}/sync"
        for line in self._ask_lines(path, body):
            yield line

    async def revert(self, wish: RevertWish) -> AsyncIterator[Json]:
        """Undo a run, telling what happens."""
        path = f"/api/v1/runs/{quote(wish.run, safe='')}/revert"
        for line in self._ask_lines(path, {"dry_run": wish.dry_run}):
            yield line

    async def preview(self, wish: SyncWish) -> AsyncIterator[Json]:
        """Tell what the next reading of one stream would change."""
        name, stream = quote(wish.integration, safe=""), quote(wish.streams[0], safe="")
        path = f"/api/v1/integrations/{name}/streams/{stream}/preview"
        for line in self._ask_lines(path, {"full": wish.full, **_narrowed(wish)}):
            yield line

    async def replay(self, wish: QuarantineWish) -> AsyncIterator[Json]:
        """Map again what waits in quarantine."""
        for line in self._ask_lines("/api/v1/quarantine/replay", asdict(wish)):
            yield line

    async def drop(self, wish: QuarantineWish) -> Json:
        """Forget what waits."""
        return self._ask("POST", "/api/v1/quarantine/drop", asdict(wish))

    async def throw(self, wish: SwitchWish) -> Json:
        """Switch an integration or everything off in a way, or no longer."""
        off = {Switch.PAUSED: "pause", Switch.DISABLED: "disable"}
        back = {Switch.PAUSED: "resume", Switch.DISABLED: "enable"}
        name = wish.integration
        where = "" if name is None else f"/integrations/{quote(name, safe='')}"
        return self._ask("POST", f"/api/v1{where}/{(off if wish.on else back)[wish.switch]}")

    async def login(self, wish: LoginWish) -> AsyncIterator[Json]:
        """Begin a login where a provider wants a person, or end one that waits."""
        answer = None if wish.answer is None else wish.answer.reveal()
        body = {"tenant": wish.tenant, "port": wish.port, "answer": answer}
        path = f"/api/v1/integrations/{quote(wish.integration, safe='')}/login"
        for line in self._ask_lines(path, body):
            yield line

    async def reload(self) -> Json:
        """Read the files again."""
        return self._ask("POST", "/api/v1/reload")

    async def status(self) -> Json:
        """Tell how everything stands."""
        return self._ask("GET", "/api/v1/status")

    async def webhook_url(self, integration: str, endpoint: str) -> Json:
        """Tell where a sender posts to."""
        name, hook = quote(integration, safe=""), quote(endpoint, safe="")
        path = f"/api/v1/integrations/{name}/webhooks/{hook}"
        return self._ask("GET", path)

    def _ask_lines(self, path: str, body: Json) -> Iterator[Json]:
        with self._asking("POST", path, body) as answer:
            for line in _lines(answer):
                value = msgspec.json.decode(line)
                if value.get("event") == "failed":
                    raise StoreError(value["error"])
                yield value

    def _ask(self, method: str, path: str, body: Json = None) -> Json:
        with self._asking(method, path, body) as answer:
            return msgspec.json.decode(answer.read())

    @contextmanager
    def _asking(
        self, method: str, path: str, body: Json = None
    ) -> Iterator[http.client.HTTPResponse]:
        with closing(_SocketLine(self._control)) as line:
            try:
                line.request(method, path, None if body is None else msgspec.json.encode(body))
                answer = line.getresponse()
            except (OSError, http.client.HTTPException) as gone:
                reason = getattr(gone, "strerror", None) or gone
                message = f"the daemon does not answer on {self._control}: {reason}"
                raise IntegrationError(message) from gone
            if answer.status >= 400:  # noqa: PLR2004 - HTTP
                raise _error(answer)
            try:
                yield answer
            except (ConnectionError, http.client.HTTPException) as gone:
                message = "the daemon went away before the end; what it had stored is kept"
                raise IntegrationError(message) from gone


def _narrowed(wish: SyncWish) -> Mapping[str, Json]:
    return {"input": dict(wish.input), "texts": dict(wish.texts)} if wish.is_narrowed else {}


def _lines(answer: http.client.HTTPResponse) -> Iterator[bytes]:
    """Yield lines as they come; unlike iterating it, this notices an answer that is cut off."""
    begun = b""
    while piece := answer.read1():
        *whole, begun = (begun + piece).split(b"\n")
        yield from whole


def _error(answer: http.client.HTTPResponse) -> IntegrationError:
    try:
        detail = msgspec.json.decode(answer.read(), type=_Problem).detail
    except msgspec.MsgspecError:
        return IntegrationError(f"the daemon answered {answer.status}; see its log")
    return _ERRORS.get(answer.status, IntegrationError)(detail)
