"""The command: words to commands, errors to exit codes; commands are imported when used."""

from __future__ import annotations

import importlib
import keyword
import os
import sys
from collections.abc import Callable
from typing import Final

import click
from typing_extensions import override

from integrationd import __version__
from integrationd.daemon import garbage
from integrationd.errors import IntegrationError, SettingsError, StoreError, UsageError

EXIT_FAILED: Final = 1
EXIT_USAGE: Final = 2
EXIT_STORE: Final = 69
EXIT_CONFIG: Final = 78
EXIT_INTERRUPTED: Final = 130

COMMANDS: Final = {
    "run": "The daemon, in the foreground.",
    "check": "All problems in all files.",
    "sync": "Read streams now.",
    "preview": "What the next reading would change.",
    "explain": "What the next reading would ask.",
    "call": "One operation.",
    "records": "What is stored.",
    "runs": "What was read, when, and how it ended.",
    "quarantine": "Records that could not be mapped.",
    "status": "How everything stands.",
    "pause": "Stop schedules and deliveries.",
    "resume": "Let what is paused go on.",
    "enable": "Have a disabled integration read again.",
    "disable": "Have an integration read no more.",
    "reload": "Have the daemon read its files again.",
    "auth": "Consent of a person, where a provider wants one.",
    "secret": "Credentials that the daemon keeps, sealed.",
    "webhook": "Where a sender posts to.",
    "events": "Inbound calls.",
    "doctor": "What is wrong with the installation, and what to do about it.",
    "db": "The database's schema.",
    "test": "Run the cases of specs, offline.",
    "play": "Play a provider, to try a spec without an account.",
    "new": "Write a first file, with comments.",
    "import": "Others' descriptions as files of ours.",
    "schema": "What editors need to help with files.",
}
"""Each command, which lies in the module of its name, and what the list of commands says of it."""


class LazyGroup(click.Group):
    """A group whose commands are imported one by one, so that ``check`` stays quick."""

    @override
    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of a day's work."""
        return list(COMMANDS)

    @override
    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"integrationd.cli.{module_name(cmd_name)}")
        command = module.command
        assert isinstance(command, click.Command)
        return command

    @override
    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list without importing anything."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


def module_name(command: str) -> str:
    """Return the name of a command's module; a word of Python's own has a stroke behind it."""
    return f"{command}_" if keyword.iskeyword(command) else command


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--config", metavar="DIR", help="The directory of files; /etc/integrationd by default."
)
@click.option(
    "--state", metavar="DIR", help="The directory of data; /var/lib/integrationd by default."
)
@click.version_option(__version__, prog_name="integrationd")
@click.pass_context
def cli(ctx: click.Context, config: str | None, state: str | None) -> None:
    """Connect a site's systems to everybody else's; a new one is a YAML file."""
    ctx.obj = {"config": config, "state": state}


def main() -> None:
    """Run the command line and exit."""
    garbage.look_seldom()
    sys.exit(run_command(lambda: cli.main(prog_name="integrationd", standalone_mode=False)))


def run_command(command: Callable[[], object]) -> int:
    """Run something and return its exit code; what went wrong is told on stderr in one line."""
    try:
        result = command()
    except click.exceptions.Exit as exiting:
        return exiting.exit_code
    except click.ClickException as wrong:
        wrong.show()
        return EXIT_USAGE
    except (click.Abort, KeyboardInterrupt):
        return EXIT_INTERRUPTED
    except OSError as failed:
        return _give_up_output(failed)
    except IntegrationError as failed:
        click.echo(f"integrationd: {failed}", err=True)
        return _exit_code(failed)
    return result if isinstance(result, int) else 0


def _give_up_output(failed: OSError) -> int:
    """End where output cannot be written any more."""
    # Keep the interpreter's last flush from complaining.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if isinstance(failed, BrokenPipeError):
        return 0  # whoever read it has read enough
    click.echo(f"integrationd: output: {failed.strerror}", err=True)
    return EXIT_FAILED


def _exit_code(failed: IntegrationError) -> int:
    match failed:
        case UsageError():
            return EXIT_USAGE
        case SettingsError():
            return EXIT_CONFIG
        case StoreError():
            return EXIT_STORE
        case _:
            return EXIT_FAILED
