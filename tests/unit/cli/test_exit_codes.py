"""Exit codes, and the one line that says why."""

import os
import subprocess
import sys

import click
import pytest

from integrationd import __version__, errors
from integrationd.cli.main import COMMANDS, cli, run_command
from integrationd.daemon.lock import HeldError

CODES = {
    errors.UsageError: 2,
    errors.SettingsError: 78,
    errors.StoreError: 69,
    errors.StoreBusyError: 69,
    errors.StoreBrokenError: 69,
    errors.IntegrationError: 1,
    errors.SecretError: 1,
    errors.CredentialsError: 1,
    errors.LeaseLostError: 1,
    HeldError: 1,
}


def run(*words):
    """Run a command line in this process; returns the exit code."""
    return run_command(
        lambda: cli.main(list(words), prog_name="integrationd", standalone_mode=False)
    )


def raising(error):
    """Return a command that fails."""

    def command():
        raise error

    return command


@pytest.mark.parametrize(("kind", "code"), CODES.items(), ids=map(str, CODES))
def test_each_class_of_error_has_its_code(capsys, kind, code):
    """The message stands on stderr in one line, without a traceback; stdout stays empty."""
    assert run_command(raising(kind("orders: the reason; do this"))) == code

    told = capsys.readouterr()
    assert (told.out, told.err) == ("", "integrationd: orders: the reason; do this\n")


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (KeyboardInterrupt(), 130, ""),
        (click.Abort(), 130, ""),
        (click.exceptions.Exit(7), 7, ""),
        (click.ClickException("no such thing"), 2, "Error: no such thing\n"),
    ],
    ids=["ctrl-c", "abort", "exit", "click"],
)
def test_other_ends_have_their_codes(capsys, error, code, told):
    """Interrupted is 130, as a shell says it."""
    assert run_command(raising(error)) == code
    assert capsys.readouterr().err == told


@pytest.mark.parametrize(("result", "code"), [(None, 0), (0, 0), (1, 1), (78, 78), ("x", 0)])
def test_commands_say_their_code(result, code):
    """What a command returns is the code where it is a number."""
    assert run_command(lambda: result) == code


def test_fault_of_our_own_is_not_hidden():
    """What nobody planned for has its traceback."""
    with pytest.raises(ZeroDivisionError):
        run_command(lambda: 1 // 0)


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_has_its_help(capsys, name):
    """Every command of the list can be imported and says what it does."""
    assert run(name, "--help") == 0

    out = capsys.readouterr().out
    assert out.startswith(f"Usage: integrationd {name} ")
    assert "--help" in out


def test_list_of_commands_is_in_the_order_of_a_days_work(capsys):
    """The list names every command with its line."""
    assert run("--help") == 0

    out = capsys.readouterr().out
    places = [out.index(f"\n  {name} ") for name in COMMANDS]
    assert places == sorted(places)
    assert all(told in out for told in COMMANDS.values())


def test_version_is_told(capsys):
    """The installed version, on stdout."""
    assert run("--version") == 0
    assert capsys.readouterr().out == f"integrationd, version {__version__}\n"


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("snyc",), "No such command 'snyc'."),
        (("sync",), "Missing argument 'NAME[/STREAM]'."),
        (("runs", "list", "--limit", "0"), "Invalid value for '--limit': 0 is not in the range"),
        (("records", "--nope"), "No such option '--nope'."),
    ],
)
def test_wrong_words_are_wrong_usage(capsys, words, error):
    """Exit 2, with what was wrong."""
    assert run(*words) == 2

    told = capsys.readouterr()
    assert told.out == ""
    assert error in told.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ("records", "shop"),
            "'shop' names no stream, expected NAME/STREAM such as main-library/items",
        ),
        (
            ("records", "shop/"),
            "'shop/' names no stream, expected NAME/STREAM such as main-library/items",
        ),
        (
            ("webhook", "url", "shop"),
            "'shop' names no endpoint, expected NAME/ENDPOINT such as shop/events",
        ),
    ],
)
def test_names_without_their_second_half_are_wrong_usage(capsys, tmp_path, words, message):
    """Said before anything is opened."""
    assert run("--state", str(tmp_path / "none"), *words) == 2

    assert capsys.readouterr().err == f"integrationd: {message}\n"
    assert not (tmp_path / "none").exists()


PRINT = """\
import asyncio, sys
from integrationd.cli.main import run_command
from integrationd.cli.output import print_rows
async def rows():
    for number in range(int(sys.argv[2])):
        yield {"a": number}
def command():
    asyncio.run(print_rows(rows(), ["a"], style=sys.argv[1], as_json=False))
sys.exit(run_command(command))
"""


@pytest.mark.parametrize("count", [3, 30_000], ids=["few", "many"])
@pytest.mark.parametrize("style", ["table", "ndjson", "csv"])
def test_reader_that_has_read_enough_is_no_error(style, count):
    """``records … | head`` ends with 0 and says nothing, however much there was to print."""
    buffered = {name: os.environ[name] for name in os.environ if name != "PYTHONUNBUFFERED"}
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-c", PRINT, style, str(count)],
        env=buffered,
        stdout=write,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(write)

    assert (done.returncode, done.stderr) == (0, b"")
