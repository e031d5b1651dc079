"""Log lines: on a terminal, for journald, or as JSON; other libraries' lines look the same."""

from __future__ import annotations

import contextlib
import json
import logging
import os
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any, Final, TextIO, TypeAlias

import structlog
from typing_extensions import override

from integrationd.spec.settings import LogFormat, LogLevel
from integrationd.telemetry.escaping import escape, escape_json, escape_lines, shorten

_LEVELS: Final = {"debug": 7, "info": 6, "warning": 4, "error": 3, "critical": 3}
"""Priorities. Source: sd-daemon(3), SD_DEBUG to SD_ERR."""
_COLOURS: Final = {"debug": "2", "info": "32", "warning": "33", "error": "31", "critical": "31"}
_TRACEBACK_CHARACTERS_MAX: Final = 20_000
_EVENT_WIDTH: Final = 18
_LOUD: Final = frozenset({"warning", "error", "critical"})
Mask: TypeAlias = Callable[[str], str]
_QUIET: Final = logging.WARNING
"""What other libraries must reach to be heard."""


def configure(
    *,
    level: LogLevel,
    format: LogFormat,  # noqa: A002 - the word of the settings
    stream: TextIO,
    environ: Mapping[str, str],
    mask: Mask = str,
) -> None:
    """Make everything that is logged from now on go to one stream in one form.

    Args:
        level: The least important line that is written.
        format: ``auto`` is console on a terminal, journal under systemd, else JSON.
        stream: Standard error, as a rule.
        environ: ``JOURNAL_STREAM``, ``NO_COLOR`` and ``TERM`` are read.
        mask: Takes secrets out of a text; applied to warnings, errors and tracebacks, where texts
            of others come in.
    """
    chosen = _choose(stream, environ) if format is LogFormat.AUTO else format
    processors: list[structlog.typing.Processor] = [structlog.processors.add_log_level]
    if chosen is not LogFormat.JOURNAL:
        processors.append(structlog.processors.TimeStamper(fmt="iso", utc=True))
    # Never structlog's own console traceback: it prints the variables of every frame.
    processors.append(structlog.processors.format_exc_info)
    processors.append(_Masking(mask))
    processors.append(_render(chosen, stream, environ))
    structlog.configure(
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(level.value),
        logger_factory=lambda *_: _Writer(stream),
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    for old in root.handlers[:]:
        if isinstance(old, _Guest):
            root.removeHandler(old)
    root.addHandler(_Guest(_QUIET))
    root.setLevel(_QUIET)


@dataclass(frozen=True, slots=True)
class _Masking:
    """Masks what is said loudly; the quiet lines are ours alone, and many."""

    mask: Mask

    def __call__(
        self, _: object, __: str, fields: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        """Mask every text."""
        if fields["level"] in _LOUD or "exception" in fields:
            for name, value in fields.items():
                fields[name] = self._mask(value)
        return fields

    def _mask(self, value: Any) -> Any:  # noqa: ANN401 - whatever is logged
        match value:
            case str():
                return self.mask(value)
            case list() | tuple():
                return [self._mask(item) for item in value]
            case dict():
                return {key: self._mask(item) for key, item in value.items()}
            case None | bool() | int() | float():
                return value
            case _:
                return self.mask(str(value))


def is_journal(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Return whether a stream is connected to journald.

    Source:
        systemd.exec(5), ``$JOURNAL_STREAM``: device and inode of the stream, with a colon between.
    """
    try:
        found = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return environ.get("JOURNAL_STREAM") == f"{found.st_dev}:{found.st_ino}"


def _choose(stream: TextIO, environ: Mapping[str, str]) -> LogFormat:
    if is_journal(stream, environ):
        return LogFormat.JOURNAL
    return LogFormat.CONSOLE if stream.isatty() else LogFormat.JSON


def _render(
    chosen: LogFormat, stream: TextIO, environ: Mapping[str, str]
) -> structlog.typing.Processor:
    if chosen is LogFormat.JSON:
        return _render_json
    if chosen is LogFormat.JOURNAL:
        return _render_journal
    plain = environ.get("NO_COLOR") or environ.get("TERM") == "dumb" or not stream.isatty()
    return _Console(colours=not plain)


def _render_json(_: object, __: str, fields: MutableMapping[str, Any]) -> str:
    line = {"ts": fields.pop("timestamp"), "level": fields.pop("level"), **_take(fields)}
    return escape_json(json.dumps(line, ensure_ascii=False, separators=(",", ":")))


def _render_journal(_: object, __: str, fields: MutableMapping[str, Any]) -> str:
    prefix = f"<{_LEVELS[fields.pop('level')]}>"
    # journald takes each line by itself: one without a prefix would get another priority.
    return "\n".join(f"{prefix}{line}" for line in _text(_take(fields)).split("\n"))


@dataclass(frozen=True, slots=True)
class _Console:
    """Lines for eyes."""

    colours: bool

    def __call__(self, _: object, __: str, fields: MutableMapping[str, Any]) -> str:
        """Write the time of day in UTC, level, event and fields."""
        clock = fields.pop("timestamp")[11:19]
        level = fields.pop("level")
        shown = f"{level:<7}"
        if self.colours:
            shown = f"\x1b[{_COLOURS[level]}m{shown}\x1b[0m"
        return f"{clock} {shown} {_text(_take(fields), _EVENT_WIDTH)}"


def _take(fields: MutableMapping[str, Any]) -> dict[str, Any]:
    """Return event, fields and at last the traceback, each cut to size."""
    event = fields.pop("event")
    traceback = fields.pop("exception", None)
    taken: dict[str, Any] = {"event": shorten(event)}
    taken |= {name: shorten(value) for name, value in fields.items()}
    if traceback:
        taken["exception"] = shorten(traceback, _TRACEBACK_CHARACTERS_MAX)
    return taken


def _text(taken: dict[str, Any], width: int = 0) -> str:
    traceback = taken.pop("exception", None)
    event = escape(str(taken.pop("event")))
    pairs = [f"{name}={_word(value)}" for name, value in taken.items()]
    line = " ".join([f"{event:<{width}}" if pairs else event, *pairs])
    return f"{line}\n{escape_lines(traceback)}" if traceback else line


def _word(value: object) -> str:
    if not isinstance(value, str):
        return escape(json.dumps(value, ensure_ascii=False, separators=(",", ":")))
    plain = value and not any(sign in value for sign in ' "=')
    return escape(value if plain else json.dumps(value, ensure_ascii=False))


@dataclass(frozen=True, slots=True)
class _Writer:
    """Writes whole lines; a reader that is gone must not stop the daemon."""

    stream: TextIO

    def msg(self, line: str) -> None:
        """Write one record."""
        with contextlib.suppress(OSError, ValueError):
            self.stream.write(f"{line}\n")
            self.stream.flush()

    debug = info = warning = error = critical = msg


class _Guest(logging.Handler):
    """Brings what other libraries log into our form."""

    @override
    def emit(self, record: logging.LogRecord) -> None:
        try:
            message = record.getMessage()
        except (TypeError, ValueError):
            # Arguments that do not fit are the library's fault, and no reason to lose the line.
            message = str(record.msg)
        level = "error" if record.levelno >= logging.ERROR else "warning"
        exc_info = record.exc_info if record.exc_info and record.exc_info[0] else None
        fields = {"exc_info": exc_info} if exc_info else {}
        log = structlog.get_logger()
        getattr(log, level)("library.logged", logger=record.name, message=message, **fields)
