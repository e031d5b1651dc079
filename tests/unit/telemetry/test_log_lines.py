"""Log lines in each form; foreign text can neither act nor fake."""

from __future__ import annotations

import io
import json
import logging
import os

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from integrationd.spec.settings import LogFormat, LogLevel
from integrationd.telemetry import escaping, logs

HOSTILE = "a\x1b[2J\r\nERROR fake\u202e\u2028\x9b31m\x7f\ud800"
CANARY = "canary-7f3a"
SHOWN = r"a\x1b[2J\r\nERROR fake\u202e\u2028\x9b31m\x7f\ud800"


class Terminal(io.StringIO):
    """A stream that says it is one."""

    def isatty(self) -> bool:
        """Say so."""
        return True


@pytest.fixture(autouse=True)
def clean():
    """Leave logging as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def fail(message: str) -> None:
    """Raise from a frame that holds a secret."""
    secret = CANARY.upper()
    raise RuntimeError(f"{message} {len(secret)}")


def written(
    form: LogFormat,
    *,
    level: LogLevel = LogLevel.INFO,
    stream: io.StringIO | None = None,
    environ=None,
):
    """Configure logging; returns the logger and what reads what was written."""
    target = stream or io.StringIO()
    logs.configure(level=level, format=form, stream=target, environ=environ or {})
    return structlog.get_logger(), target.getvalue


def test_json_line_has_time_level_event_and_fields():
    """One object for each line, time first."""
    log, text = written(LogFormat.JSON)

    log.info("run.finished", integration="acme", read=5, names=("a", "é"))

    line = json.loads(text())
    assert list(line) == ["ts", "level", "event", "integration", "read", "names"]
    assert line["ts"].endswith("Z")
    assert "é" in text()
    assert (line["level"], line["event"], line["read"], line["names"]) == (
        *("info", "run.finished", 5),
        ["a", "é"],
    )


def test_journal_line_has_its_priority_and_no_time():
    """The journal knows the time; levels are its numbers."""
    log, text = written(LogFormat.JOURNAL, level=LogLevel.DEBUG)

    log.debug("a.b")
    log.info("run.finished", integration="acme", reason="two words", empty="", rows={"a": 1})
    log.warning("a.b", x="a=b")
    log.error("a.b", ok=True)

    assert text().splitlines() == [
        "<7>a.b",
        '<6>run.finished integration=acme reason="two words" empty="" rows={"a":1}',
        '<4>a.b x="a=b"',
        "<3>a.b ok=true",
    ]


def test_every_line_of_a_traceback_has_the_priority():
    """A record of many lines is one of the same priority throughout."""
    log, text = written(LogFormat.JOURNAL)
    try:
        fail("broken\x1b[0m\nfake")
    except RuntimeError:
        log.exception("loop.ended")

    lines = text().splitlines()
    assert lines[0] == "<3>loop.ended"
    assert lines[-2:] == [r"<3>RuntimeError: broken\x1b[0m", "<3>fake 11"]
    assert all(line.startswith("<3>") for line in lines)


def test_traceback_shows_no_variables():
    """What stands in a frame's variables may be secret."""
    for form in LogFormat:
        log, text = written(form, stream=Terminal())
        try:
            fail("broken")
        except RuntimeError:
            log.exception("loop.ended")
        assert "RuntimeError: broken 11" in text()
        assert CANARY.upper() not in text()


def test_console_is_coloured_only_on_a_terminal_that_wants_it():
    """Colours need a terminal, no NO_COLOR and no dumb TERM."""
    for stream, environ, coloured in [
        (Terminal(), {}, True),
        (Terminal(), {"NO_COLOR": "1"}, False),
        (Terminal(), {"NO_COLOR": ""}, True),
        (Terminal(), {"TERM": "dumb"}, False),
        (io.StringIO(), {}, False),
    ]:
        log, text = written(LogFormat.CONSOLE, stream=stream, environ=environ)
        log.warning("run.skipped", stream="orders")
        shown = "\x1b[33mwarning\x1b[0m" if coloured else "warning"
        assert text()[8:] == f" {shown} run.skipped        stream=orders\n"


@pytest.mark.parametrize("form", [LogFormat.CONSOLE, LogFormat.JOURNAL])
def test_foreign_text_is_escaped(form):
    """Escape sequences, line ends and direction marks are shown, not obeyed."""
    log, text = written(form)

    log.warning("library.logged", message=HOSTILE, other="\u202ex")
    log.warning(HOSTILE)

    lines = text().splitlines()
    assert len(lines) == 2
    assert r"other=\u202ex" in lines[0]
    assert SHOWN in lines[1]


def test_json_keeps_foreign_text_and_writes_it_harmless():
    """The bytes of the line hold no acting character; decoded, the text is the same."""
    log, text = written(LogFormat.JSON)

    log.warning("library.logged", message=HOSTILE)

    assert json.loads(text())["message"] == HOSTILE
    assert text().isprintable() is False
    assert text()[:-1].isprintable()


@given(st.text())
def test_escaped_text_never_acts(value):
    """Whatever the text, what is shown can be encoded and is one line."""
    shown = escaping.escape(value)

    assert escaping.escape(shown) == shown
    assert len(shown.splitlines()) <= 1
    assert json.loads(escaping.escape_json(json.dumps(value, ensure_ascii=False))) == value
    shown.encode()


def test_long_values_are_cut():
    """A value has at most 2,000 characters, a list 100 items, at any depth."""
    log, text = written(LogFormat.JSON)

    log.info("a.b", x="y" * 2001, z={"k": ["v" * 3000] * 101}, fits="y" * 2000)

    line = json.loads(text())
    assert line["x"] == "y" * 2000 + "… (2001 characters)"
    assert line["z"]["k"] == ["v" * 2000 + "… (3000 characters)"] * 100
    assert line["fits"] == "y" * 2000


def test_lines_below_the_level_are_not_written():
    """The level counts for our lines."""
    log, text = written(LogFormat.JOURNAL, level=LogLevel.WARNING)
    log.info("a.b")
    log.warning("c.d")

    assert text() == "<4>c.d\n"


@pytest.mark.parametrize("name", ["aiohttp.client", "apscheduler.scheduler", "asyncio"])
def test_other_libraries_are_heard_from_warning_on(name):
    """Their lines have our form; what is less than a warning is not told."""
    # pytest's own log handlers raise at a message whose arguments do not fit.
    logging.getLogger().handlers.clear()
    _, text = written(LogFormat.JOURNAL, level=LogLevel.DEBUG)
    library = logging.getLogger(name)
    library.setLevel(logging.NOTSET)

    library.info("noise")
    library.warning("slow: %s", "x\n<3>fake")
    library.error("bad %d", "no number")
    library.critical("worst")

    assert text().splitlines() == [
        rf'<4>library.logged logger={name} message="slow: x\n<3>fake"',
        f'<3>library.logged logger={name} message="bad %d"',
        f"<3>library.logged logger={name} message=worst",
    ]


def test_librarys_traceback_is_kept():
    """An exception that a library logs is shown with its traceback."""
    _, text = written(LogFormat.JSON)
    try:
        fail("broken")
    except RuntimeError:
        logging.getLogger("asyncio").exception("Task exception was never retrieved")

    assert json.loads(text())["exception"].endswith("RuntimeError: broken 11")


def test_configuring_again_replaces():
    """A second call does not double other libraries' lines."""
    written(LogFormat.JSON)
    _, text = written(LogFormat.JOURNAL)
    logging.getLogger("asyncio").warning("once")

    assert text() == "<4>library.logged logger=asyncio message=once\n"


def test_reader_that_is_gone_stops_nothing():
    """A closed stream loses lines, nothing else."""
    stream = io.StringIO()
    log, _ = written(LogFormat.JSON, stream=stream)
    stream.close()

    log.error("a.b")


def test_auto_takes_the_journal_the_terminal_or_json(tmp_path):
    """``auto`` compares JOURNAL_STREAM with the stream itself: it is inherited by children too."""
    with (tmp_path / "log").open("w+") as file:
        found = os.fstat(file.fileno())
        named = {"JOURNAL_STREAM": f"{found.st_dev}:{found.st_ino}"}
        for environ in (named, {"JOURNAL_STREAM": "8:1"}, {}):
            logs.configure(level=LogLevel.INFO, format=LogFormat.AUTO, stream=file, environ=environ)
            structlog.get_logger().info("a.b")
        file.seek(0)
        lines = file.read().splitlines()
    log, text = written(LogFormat.AUTO, stream=Terminal(), environ={"NO_COLOR": "1"})
    log.info("a.b")

    assert lines[0] == "<6>a.b"
    assert [json.loads(line)["event"] for line in lines[1:]] == ["a.b", "a.b"]
    assert text().endswith(" info    a.b\n")
