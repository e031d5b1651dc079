"""One login as a person at a terminal sees it: an address, a browser that comes back, the end."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
import webbrowser
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import timedelta
from urllib.parse import urlsplit

import click
import msgspec

from integrationd.cli import pasting
from integrationd.config.units import format_duration
from integrationd.errors import IntegrationError, UsageError
from integrationd.model.json import Json
from integrationd.model.secret import Secret
from integrationd.ports.consent import LoginActions, LoginWish
from integrationd.web.callback import Shown, awaiting_browser, bind_loopback

_CLOSE = "You can close this page."


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How a login is done."""

    as_json: bool
    listens: bool
    """Whether a browser can come back to this machine."""
    opens: bool
    """Whether a browser is started here."""
    patience_s: float


@dataclass(slots=True)
class Login:
    """One login."""

    actions: LoginActions
    wish: LoginWish
    manner: Manner
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    """One answer at a time: a browser may ask twice."""
    _ended: asyncio.Event = field(default_factory=asyncio.Event)
    _last: Json = None
    _broken: IntegrationError | None = None
    """What kept an answer from being handed in."""
    _redirect: str = ""

    async def perform(self) -> bool:
        """Log in; tells whether that was done."""
        async with AsyncExitStack() as stack:
            sockets = bind_loopback(0) if self.manner.listens else []
            for each in sockets:
                stack.callback(each.close)
            port = sockets[0].getsockname()[1] if sockets else None
            began_s = time.monotonic()
            lines = self.actions.login(replace(self.wish, port=port))
            async for line in lines:
                if line["event"] != "open":
                    self._show(line)
                if line["event"] == "open":
                    await self._wait_for_browser(line, sockets, stack)
                elif line["event"] == "finished":
                    self._last = line
                elif line["event"] == "code":
                    self._open(line["whole_address"] or line["address"])
                elif time.monotonic() - began_s > self.manner.patience_s:
                    await _close(lines)
                    raise self._late()
        return self._finish()

    async def _wait_for_browser(
        self, line: Json, sockets: list[socket.socket], stack: AsyncExitStack
    ) -> None:
        """Wait until a browser comes back, or what it shows is pasted."""
        self._redirect = line["redirect"]
        where = urlsplit(self._redirect)
        hears = self.manner.listens and where.scheme == "http"
        if hears and where.port != sockets[0].getsockname()[1]:
            for each in sockets:
                each.close()
            sockets = bind_loopback(where.port or 80)
        if hears:
            await stack.enter_async_context(
                awaiting_browser(sockets, where.path or "/", self._take)
            )
        # Not before: a browser may come back at once, where consent was given already.
        self._show(line)
        self._open(line["address"])
        self._ask_for(hears=hears)
        reading = pasting.start(self._paste, waits=not hears)
        try:
            async with asyncio.timeout(self.manner.patience_s):
                await self._wait(reading)
        except TimeoutError:
            raise self._late() from None
        finally:
            pasting.stop(reading)

    async def _wait(self, reading: pasting.Reading | None) -> None:
        """Wait for the end, or, where nothing can come from elsewhere, for that of what is pasted.

        Raises:
            UsageError: Nothing that was pasted was an answer.
        """
        ended = asyncio.create_task(self._ended.wait())
        tasks = [ended] if reading is None else [ended, reading.task]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if not self._ended.is_set() and reading is not None:
                reading.task.result()
                if reading.is_all:
                    raise UsageError("nothing was pasted that answers this login; begin again")
                await ended
        finally:
            ended.cancel()

    async def _take(self, query: str) -> Shown:
        """Take what a browser brought, and say what it is shown."""
        name = self.wish.integration
        try:
            done = await self._answer(f"{self._redirect}?{query}")
        except UsageError as wrong:
            self._talk(f"a browser came with no answer to this login: {wrong}")
            return Shown("This is no answer to the login", f"{wrong}.", 400)
        except IntegrationError as failed:
            self._broken = failed
            self._ended.set()
            return Shown("The login failed", f"{failed}. {_CLOSE}", 500)
        if done["status"] == "done":
            return Shown("Logged in", f"integrationd may now ask for {name}. {_CLOSE}")
        return Shown("The login failed", f"{done['error']}. {_CLOSE}", 400)

    async def _paste(self, text: str) -> None:
        try:
            await self._answer(text)
        except UsageError as wrong:
            self._talk(str(wrong))

    async def _answer(self, address: str) -> Json:
        """Hand in an answer, once; who comes later is told what came of it."""
        async with self._lock:
            if self._last is None:
                wish = replace(self.wish, answer=Secret(address))
                async for line in self.actions.login(wish):
                    self._last = line
                self._show(self._last)
                self._ended.set()
            return self._last

    def _finish(self) -> bool:
        """Tell how it ended; raises IntegrationError where it failed."""
        last = self._last
        if self._broken is not None:
            raise self._broken
        assert last is not None
        if last["status"] != "done":
            if self.manner.as_json:
                return False
            raise IntegrationError(last["error"])
        if not self.manner.as_json:
            click.echo(f"logged in: {self.wish.integration}")
        if last["missing_scopes"]:
            self._talk(f"not granted: {', '.join(last['missing_scopes'])}")
        if last["remark"]:
            self._talk(last["remark"])
        return True

    def _late(self) -> IntegrationError:
        span = format_duration(_span(self.manner.patience_s))
        message = f"{self.wish.integration}: nobody gave consent within {span}; begin again"
        return IntegrationError(message)

    def _show(self, line: Json) -> None:
        if self.manner.as_json:
            click.echo(msgspec.json.encode(line))
        elif line["event"] == "open":
            self._talk("open this address in a browser and give consent there:")
            click.echo(line["address"])
        elif line["event"] == "code":
            self._talk("open this address in any browser and type the code in there:")
            click.echo(f"{line['address']}  {line['user_code']}")
            if line["whole_address"]:
                self._talk(f"or open: {line['whole_address']}")
            span = format_duration(_span(line["expires_in_s"]))
            self._talk(f"the code is good for {span}; waiting")

    def _open(self, address: str) -> None:
        """Start a browser where that is wanted; some do not return before they are closed."""

        def work() -> None:
            if not webbrowser.open(address):
                self._talk("no browser could be started here")

        if self.manner.opens:
            threading.Thread(target=work, name="browser", daemon=True).start()

    def _ask_for(self, *, hears: bool) -> None:
        span = format_duration(_span(self.manner.patience_s))
        if hears:
            self._talk(f"waiting for it on {self._redirect}, for {span}")
        if hears and pasting.is_terminal():
            self._talk(
                "where the browser runs on another machine it ends at a page that cannot be "
                "reached: paste the address of that page here (it is not shown)"
            )
        elif not hears:
            self._talk(
                f"in the end the browser is sent to {self._redirect}: paste the address that it "
                "shows then here" + (" (it is not shown)" if pasting.is_terminal() else "")
            )

    def _talk(self, text: str) -> None:
        click.echo(text, err=True)


async def _close(lines: AsyncIterator[Json]) -> None:
    if isinstance(lines, AsyncGenerator):
        await lines.aclose()


def _span(seconds: float) -> timedelta:
    return timedelta(seconds=max(1, int(seconds)))
