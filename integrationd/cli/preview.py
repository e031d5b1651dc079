"""``preview NAME/STREAM``: what the next reading would change, with nothing written."""

from __future__ import annotations

import asyncio
from typing import Final

import click
import msgspec

from integrationd.cli.acting import acting
from integrationd.cli.main import EXIT_FAILED
from integrationd.cli.options import Common, common, narrowing, read_values
from integrationd.errors import UsageError
from integrationd.model.json import Json
from integrationd.ports.actions import SyncWish

VALUE_CHARS: Final = 60
"""Of a value in a line for people; ``--json`` has all of it."""


@click.command("preview")
@click.argument("name", metavar="NAME/STREAM")
@click.option("--full", is_flag=True, help="As a reading of everything, not only what changed.")
@click.option(
    "--limit", type=click.IntRange(min=0), help="Tell at most so many records; all by default."
)
@narrowing
@common
def command(
    said: Common, name: str, *, full: bool, limit: int | None, values: tuple[str, ...]
) -> int:
    """Read a stream and tell what storing it would change; exits 1 where reading failed.

    Nothing is written: no record, no run, no cursor.
    """
    integration, slash, stream = name.partition("/")
    if not slash:
        raise UsageError(f"{name!r} names no stream; write NAME/STREAM, as in shop/orders")
    texts = read_values(values, "since=2026-01-01")
    wish = SyncWish(integration=integration, streams=(stream,), full=full, texts=texts)
    return asyncio.run(_preview(said, wish, limit))


async def _preview(said: Common, wish: SyncWish, limit: int | None) -> int:
    left = limit
    async with acting(said.paths) as actions:
        async for line in actions.preview(wish):
            if line["event"] == "finished":
                _show_end(said, line)
                return 0 if line["status"] == "done" else EXIT_FAILED
            if left == 0:
                continue
            left = None if left is None else left - 1
            click.echo(msgspec.json.encode(line) if said.json else _print_line(line))
    return EXIT_FAILED


def _show_end(said: Common, line: Json) -> None:
    if said.json:
        click.echo(msgspec.json.encode(line))
        return
    counts, where = line["counts"], f"{line['integration']}/{line['stream']}"
    known = ""
    if line["status"] != "done":
        click.echo(f"{where}: {line['status']}: {line['error']}", err=True)
        if not counts["pages"]:
            return
        known = "of what could be read it "
    deleted = counts["deleted"] + counts["filtered"]
    click.echo(
        f"{where}: {known}would add {counts['added']}, change {counts['changed']}, "
        f"delete {deleted} and quarantine {counts['quarantined']}; "
        f"{counts['unchanged']} stay as they are",
        err=True,
    )
    if line["held"]:
        held = line["held"]
        click.echo(f"{where}: {held} more deletions would be held for a person", err=True)
    click.echo(f"{where}: {_cursor(line['cursor'])}; nothing was written", err=True)


def _cursor(cursor: dict[str, Json]) -> str:
    before, after = cursor["before"], cursor["after"]
    if before == after:
        return "no cursor" if after is None else f"the cursor would stay at {_short(after)}"
    if before is None:
        return f"the cursor would begin at {_short(after)}"
    return f"the cursor would move from {_short(before)} to {_short(after)}"


def _print_line(line: Json) -> str:
    """Print one record for people: + added, ~ changed, - deleted, ! quarantined."""
    match line["event"]:
        case "added":
            return f"+ {line['external_id']} {_short(line['data'])}"
        case "changed":
            parts = [f"{name}: {_change(sides)}" for name, sides in line["fields"].items()]
            return f"~ {line['external_id']} {', '.join(parts)}"
        case "deleted":
            return f"- {line['external_id']} ({line['reason']})"
        case _:
            who = line["external_id"] or "(no key)"
            return f"! {who} {line['reason']}"


def _change(sides: dict[str, Json]) -> str:
    old = _short(sides["old"]) if "old" in sides else "(nothing)"
    new = _short(sides["new"]) if "new" in sides else "(nothing)"
    return f"{old} → {new}"


def _short(value: Json) -> str:
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= VALUE_CHARS else f"{text[: VALUE_CHARS - 1]}…"
