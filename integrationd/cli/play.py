"""``play NAME``: a provider played from its spec, to try the daemon without an account."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final, NamedTuple
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
    from integrationd.testing.faults import Faults
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


class FaultsType(click.ParamType["Faults"]):
    """``5%`` or ``500:5%,cut:1%``."""

    name = "faults"

    @override
    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Faults:
        """Read what goes wrong."""
        from integrationd.testing.faults import Fault, Faults  # noqa: PLC0415 - see below

        found = Faults.parse(str(value))
        if found is None:
            known = ", ".join(Fault)
            self.fail(
                f"{value!r} is none, expected shares of all calls such as 5% or 500:5%,html:1%; "
                f"known are {known}",
                param,
                ctx,
            )
        return found


class Changes(NamedTuple):
    """How often something happens to the records."""

    every_s: float
    singly: bool
    """To one record at a time."""


class ChangesType(click.ParamType[Changes]):
    """``5s``: some records each time; ``10/min``: one after the other."""

    name = "changes"

    @override
    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Changes:
        """Read a duration or a rate."""
        found = parse_duration(str(value))
        if found:
            return Changes(found.total_seconds(), singly=False)
        rate = parse_rate(str(value))
        if rate is None:
            message = f"{value!r} is no duration, expected one such as 5s, or a rate such as 10/min"
            self.fail(message, param, ctx)
        return Changes(rate.per.total_seconds() / rate.count, singly=True)


@click.command("play")
@click.argument("name")
@click.option("--port", default=PORT_DEFAULT, show_default=True, help="0 takes any free one.")
@click.option("--records", default=2000, show_default=True, type=click.IntRange(min=1))
@click.option("--bad", default=3, show_default=True, type=click.IntRange(min=0))
@click.option("--seed", default=1, show_default=True, help="Another one tells another story.")
@click.option("--rate", type=RateType(), help="Refuse more calls than this, such as 20/s.")
@click.option("--token-lifetime", metavar="SPAN", type=DurationType(), default="1h")
@click.option("--rotate-tokens", is_flag=True, help="Give a new refresh token with each use.")
@click.option(
    "--refuse-consent", is_flag=True, help="Say no where the spec wants a person's consent."
)
@click.option("--limits/--no-limits", default=True, help="Hold callers to the spec's own limits.")
@click.option("--faults", type=FaultsType(), help="What goes wrong: 5%, or 500:5%,html:1%,cut:1%.")
@click.option(
    "--changes", metavar="HOW-OFTEN", type=ChangesType(), help="Change records: 5s, or 10/min."
)
@click.option("--webhook", metavar="URL", help="Post signed events there.")
@click.option("--webhook-every", metavar="EVERY", type=DurationType(), default="10s")
@click.option(
    "--webhook-fault",
    type=click.Choice(["signature", "replay"]),
    multiple=True,
    help="Sign some events wrongly, or send them again.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen.")
@click.option("--exposed", is_flag=True, help="Listen also where other machines can reach it.")
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
        refuse_consent=options["refuse_consent"],
        limits=options["limits"],
        **({} if options["faults"] is None else {"faults": options["faults"]}),
    )
    changes = options["changes"]
    habits = Habits(
        changes_every_s=None if changes is None else changes.every_s,
        changes_singly=changes is not None and changes.singly,
        webhook_url=options["webhook"],
        webhook_every_s=options["webhook_every"],
        webhook_faults=frozenset(options["webhook_fault"]),
    )
    if not options["exposed"] and not _is_loopback(options["host"]):
        raise UsageError(
            f"--host is {options['host']!r}, which other machines may reach; a played provider "
            "knows no real secrets and guards nothing: say --exposed too if that is meant"
        )
    address = (options["host"], options["port"])
    asyncio.run(_play(said, name, address, play_options, habits))
    return 0


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


async def _play(
    said: Common, name: str, address: tuple[str, int], options: PlayOptions, habits: Habits
) -> None:
    from integrationd.bundles.scan import (  # noqa: PLC0415 - see above
        Scanner,
        find_config_roots,
        find_shipped_roots,
    )
    from integrationd.bundles.shipped import shipped_dirs  # noqa: PLC0415
    from integrationd.daemon.settings import load_settings  # noqa: PLC0415
    from integrationd.testing.play import play  # noqa: PLC0415
    from integrationd.testing.serving import bind, origin_of  # noqa: PLC0415
    from integrationd.testing.stage import stage  # noqa: PLC0415
    from integrationd.testing.telling import lines_of  # noqa: PLC0415

    def tell(told: Mapping[str, Json]) -> None:
        if said.json:
            click.echo(msgspec.json.encode(told))
            return
        for line in lines_of(told):
            click.echo(line)

    roots = (*find_shipped_roots(shipped_dirs()), *find_config_roots(said.paths.config))
    sources = [found.source for found in Scanner(roots).scan().files.values()]
    host, port = address
    try:
        listening = bind(port, host)
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
