"""``play NAME``: a provider played from its spec, to try the daemon without an account."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import click
import msgspec
from typing_extensions import override

from integrationd.cli.options import Common, common
from integrationd.config.units import Rate, parse_duration, parse_rate
from integrationd.errors import UsageError
from integrationd.model.json import Json
from integrationd.ports.outside import Http, HttpPolicy

if TYPE_CHECKING:
    from integrationd.testing.options import PlayOptions
    from integrationd.testing.play import Habits

PORT_DEFAULT: Final = 8480
POST_TIMEOUT: Final = timedelta(seconds=10)


class DurationType(click.ParamType[float]):
    """``5s`` or ``1m30s``, as seconds."""

    name = "duration"

    @override
    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Read a duration."""
        found = parse_duration(str(value))
        if found is None or not found:
            self.fail(f"{value!r} is no duration, expected one such as 5s", param, ctx)
        return found.total_seconds()


class RateType(click.ParamType[Rate]):
    """``20/s`` or ``100/min``."""

    name = "rate"

    @override
    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Rate:
        """Read a rate."""
        found = parse_rate(str(value))
        if found is None:
            self.fail(f"{value!r} is no rate, expected one such as 20/s", param, ctx)
        return found


@click.command("play")
@click.argument("name")
@click.option("--port", default=PORT_DEFAULT, show_default=True, help="0 takes any free one.")
@click.option("--records", default=2000, show_default=True, type=click.IntRange(min=1))
@click.option("--bad", default=3, show_default=True, type=click.IntRange(min=0))
@click.option("--seed", default=1, show_default=True, help="Another one tells another story.")
@click.option("--rate", type=RateType(), help="Refuse more calls than this, such as 20/s.")
@click.option("--token-lifetime", metavar="SPAN", type=DurationType(), default="1h")
@click.option("--rotate-tokens", is_flag=True, help="Give a new refresh token with each use.")
@click.option("--changes", metavar="EVERY", type=DurationType(), help="Change some records, 5s.")
@click.option("--webhook", metavar="URL", help="Post signed events there.")
@click.option("--webhook-every", metavar="EVERY", type=DurationType(), default="10s")
@common
def command(said: Common, name: str, **options: Json) -> int:
    """Play the provider NAME, or the one of the integration NAME, on the loopback."""
    from integrationd.testing.options import PlayOptions  # noqa: PLC0415 - only this needs it
    from integrationd.testing.play import Habits  # noqa: PLC0415

    play_options = PlayOptions(
        records=options["records"],
        bad=options["bad"],
        seed=options["seed"],
        rate=options["rate"],
        token_lifetime_s=options["token_lifetime"],
        rotate_tokens=options["rotate_tokens"],
    )
    habits = Habits(
        changes_every_s=options["changes"],
        webhook_url=options["webhook"],
        webhook_every_s=options["webhook_every"],
    )
    asyncio.run(_play(said, name, options["port"], play_options, habits))
    return 0


async def _play(said: Common, name: str, port: int, options: PlayOptions, habits: Habits) -> None:
    from integrationd.bundles.scan import (  # noqa: PLC0415 - see above
        Scanner,
        find_config_roots,
        find_shipped_roots,
    )
    from integrationd.bundles.shipped import shipped_dirs  # noqa: PLC0415
    from integrationd.daemon.settings import load_settings  # noqa: PLC0415
    from integrationd.testing.play import lines_of, play  # noqa: PLC0415
    from integrationd.testing.serving import bind, origin_of  # noqa: PLC0415
    from integrationd.testing.stage import stage  # noqa: PLC0415

    def tell(told: Mapping[str, Json]) -> None:
        if said.json:
            click.echo(msgspec.json.encode(told))
            return
        for line in lines_of(told):
            click.echo(line)

    roots = (*find_shipped_roots(shipped_dirs()), *find_config_roots(said.paths.config))
    sources = [found.source for found in Scanner(roots).scan().files.values()]
    try:
        listening = bind(port)
    except OSError as taken:
        why = os.strerror(taken.errno or 0).lower()
        raise UsageError(f"port {port} cannot be used: {why}; choose one: --port") from None
    integration = stage(sources, name, load_settings(said.paths), origin_of(listening))
    async with _posting(habits.webhook_url) as http:
        await play(integration, options, habits, listening=listening, http=http, tell=tell)


@asynccontextmanager
async def _posting(url: str | None) -> AsyncIterator[Http | None]:
    """Open what posts the events; a person chose the address, so any network will do."""
    host = None if url is None else urlsplit(url).hostname
    if host is None:
        if url is not None:
            raise UsageError(
                f"--webhook is {url!r}, expected an address such as http://127.0.0.1:8471"
            )
        yield None
        return
    from ipaddress import ip_network  # noqa: PLC0415

    from integrationd.transport.egress import EgressPolicy  # noqa: PLC0415
    from integrationd.transport.http import AiohttpOpener  # noqa: PLC0415 - loads aiohttp

    policy = HttpPolicy(
        hosts=frozenset({host.lower()}),
        connect_timeout=POST_TIMEOUT,
        read_timeout=POST_TIMEOUT,
        total_timeout=POST_TIMEOUT,
        response_max_bytes=1_000_000,
    )
    anywhere = EgressPolicy(allow=(ip_network("0.0.0.0/0"), ip_network("::/0")))
    async with AiohttpOpener(anywhere).open(policy) as http:
        yield http
