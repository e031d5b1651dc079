"""Options that every command has, and the values made of them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import click

from integrationd.daemon.paths import Paths

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Common:
    """What was said about directories and output."""

    paths: Paths
    json: bool


def common(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--config``, ``--state`` and ``--json``; the command gets a :class:`Common` first."""

    @click.option("--config", metavar="DIR", help="The directory of files.")
    @click.option("--state", metavar="DIR", help="The directory of data.")
    @click.option("--json", "as_json", is_flag=True, help="Print JSON.")
    @click.pass_context
    @functools.wraps(command)
    def wrapped(
        ctx: click.Context,
        /,
        *,
        config: str | None,
        state: str | None,
        as_json: bool,
        **rest: Any,  # noqa: ANN401 - handed on
    ) -> Any:  # noqa: ANN401 - the exit code, or None
        group = ctx.find_root().obj or {}
        paths = Paths.find(config or group.get("config"), state or group.get("state"))
        return command(Common(paths, as_json), **rest)

    return wrapped


def listing(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--format`` and ``--limit``, for commands that print rows."""
    with_format = click.option(
        "--format",
        "style",
        type=click.Choice(["table", "ndjson", "csv"]),
        help="A table on a terminal, NDJSON elsewhere, by default.",
    )
    with_limit = click.option(
        "--limit", type=click.IntRange(min=1), help="At most so many rows; all by default."
    )
    return with_format(with_limit(command))
