"""``python -m tests.meta.commands_page`` writes docs/reference/commands.md from the commands."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import click

from integrationd.cli.main import COMMANDS, cli
from tests.meta.repository import ROOT

PAGE = ROOT / "docs" / "reference" / "commands.md"
HEAD = """\
# Commands

Written by `make reference` from the commands themselves. Data goes to stdout, talk to stderr. Exit
codes: 0 done, 1 it ran and failed, 2 wrong usage, 69 store unusable, 78 configuration. Each command
has `--config DIR` and `--state DIR` (else `INTEGRATIOND_CONFIG` and `INTEGRATIOND_STATE`) and
`--json`.
"""
COMMON = frozenset({"--config", "--state", "--json", "--help"})


def page() -> str:
    """Return the page, in the order in which ``--help`` lists the commands."""
    context = click.Context(cli, info_name="integrationd")
    parts = [HEAD]
    for name in COMMANDS:
        command = cli.get_command(context, name)
        assert command is not None
        parts += _describe(command, click.Context(command, parent=context, info_name=name))
    return "\n".join(parts)


def _describe(command: click.Command, context: click.Context) -> Iterator[str]:
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            yield from _describe(inner, click.Context(inner, parent=context, info_name=name))
        return
    words = context.command_path.split(maxsplit=1)[1]
    pieces = " ".join(command.collect_usage_pieces(context))
    yield f"## {words}\n"
    yield f"`integrationd {words} {pieces}`\n"
    yield f"{_text(command.help or '')}\n"
    rows = [record for record in map(_option, _options(command)) if record is not None]
    if rows:
        yield "| option | |\n|---|---|"
        yield "\n".join(rows) + "\n"


def _options(command: click.Command) -> Iterator[click.Option]:
    for parameter in command.params:
        if isinstance(parameter, click.Option) and not COMMON & set(parameter.opts):
            yield parameter


def _option(option: click.Option) -> str | None:
    context = click.Context(click.Command("x"))
    record = option.get_help_record(context)
    if record is None:
        return None
    written, text = (part.replace("|", "\\|") for part in record)
    return f"| `{written}` | {_text(text)} |"


def _text(text: str) -> str:
    """Return a help text as a page shows it: paragraphs, each on one line."""
    paragraphs = inspect.cleandoc(text).split("\n\n")
    return "\n\n".join(" ".join(each.split()) for each in paragraphs).replace("``", "`")


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
