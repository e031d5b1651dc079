"""Options that every command has, and the values made of them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import click

from integrationd.daemon.paths import Paths
from integrationd.errors import UsageError

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


def split_name(name: str) -> tuple[str, str]:
    """Return integration and stream of ``NAME/STREAM``.

    Raises:
        UsageError: One of them is missing.
    """
    integration, _, stream = name.partition("/")
    if not integration or not stream:
        raise UsageError(
            f"{name!r} names no stream, expected NAME/STREAM such as main-library/items"
        )
    return integration, stream


def read_values(values: tuple[str, ...], example: str = "barcode=123") -> dict[str, str]:
    """Read ``KEY=VALUE`` as it was typed.

    Raises:
        UsageError: It is something else, or a key is there twice.
    """
    texts: dict[str, str] = {}
    for value in values:
        key, equals, text = value.partition("=")
        if not equals or not key:
            raise UsageError(f"{value!r} is no input, expected KEY=VALUE such as {example}")
        if key in texts:
            raise UsageError(f"input {key!r} is given twice")
        texts[key] = text
    return texts


narrowing = click.option(
    "--input",
    "values",
    metavar="NAME=VALUE",
    multiple=True,
    help="Read only that, and leave the cursor alone: since=2026-01-01, id=42; may be repeated.",
)
