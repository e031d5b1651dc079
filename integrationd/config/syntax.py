"""What keeps a text from being YAML, in words that say what to change."""

from __future__ import annotations

import codecs
import re
from typing import Any, Final, Self

import yaml


class Unreadable(Exception):  # noqa: N818 - never leaves this package
    """Where reading ends, and why."""

    def __init__(
        self, line: int, column: int, code: str, message: str, *, keeps_tree: bool = False
    ) -> None:
        """Keep the place, counted from 1."""
        super().__init__(message)
        self.line = line
        self.column = column
        self.code = code
        self.message = message
        self.keeps_tree = keeps_tree
        """Whether what was read so far is a whole document."""

    @classmethod
    def at(cls, mark: Any, code: str, message: str, *, keeps_tree: bool = False) -> Self:  # noqa: ANN401
        """Build it from a mark of PyYAML's, which counts from 0."""
        return cls(mark.line + 1, mark.column + 1, code, message, keeps_tree=keeps_tree)


UNQUOTED_TEMPLATE: Final = 'not valid YAML: a template stands in quotes, as in "{{ config.x }}"'

# The characters YAML allows, less three line ends that only YAML 1.1 knows (U+0085, U+2028,
# U+2029): 1.2 keeps them as text, libyaml folds them into a space.
UNPRINTABLE: Final = re.compile(
    "[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
_TAG_DIRECTIVE = re.compile(r"^%TAG", re.MULTILINE)
_LINE_END = re.compile(r"\r\n|\r|\n")
_TEMPLATE = re.compile(r"(?:^|[:,\[{-])\s+(\{\{)|^(\{\{)")

_MESSAGES: Final = {
    "mapping values are not allowed in this context": (
        "': ' cannot stand here; put the text in quotes, or check the indentation"
    ),
    "could not find expected ':'": "a name without ':'; write 'name: value', or indent it as text",
    "found unexpected end of stream": "the quotes that open here are not closed",
    "did not find expected key": "a name was expected here; check the indentation and the quotes",
    "did not find expected '-' indicator": "'- ' was expected here; check the indentation",
    "did not find expected node content": "a value was expected here; add it or put it in quotes",
    "block sequence entries are not allowed in this context": (
        "'- ' cannot stand here; put the list on lines of its own, or the text in quotes"
    ),
    "did not find expected alphabetic or numeric character": (
        "'*' and '&' begin an alias or an anchor; put the text in quotes"
    ),
    "did not find expected comment or line break": (
        "the text after '|' or '>' begins on the next line; put this text in quotes"
    ),
    "found unknown escape character": (
        "an unknown escape in double quotes; write the backslash twice, or use single quotes"
    ),
    "did not find expected <document start>": (
        "the document has ended before this; check the indentation and the quotes"
    ),
}


def read_text(data: bytes, *, bytes_max: int) -> str:
    """Return the text of a file without its byte order mark.

    Raises:
        Unreadable: It is too large, not UTF-8, or holds characters that YAML does not allow.
    """
    if len(data) > bytes_max:
        message = f"the file has {len(data)} bytes, expected at most {bytes_max}; split it"
        raise Unreadable(1, 1, "E106", message)
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise Unreadable(1, 1, "E113", "the file is UTF-16, expected UTF-8; save it as UTF-8")
    body = data.removeprefix(codecs.BOM_UTF8)
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        line, column = _find_place(body[: error.start].decode())
        message = f"byte 0x{body[error.start]:02x} is not UTF-8; save the file as UTF-8"
        raise Unreadable(line, column, "E113", message) from error
    _refuse_characters(text)
    return text


def _refuse_characters(text: str) -> None:
    found = UNPRINTABLE.search(text)
    if found is not None:
        escape = escape_character(found.group())
        message = (
            f"character U+{ord(found.group()):04X} cannot stand in a file; remove it, or write "
            f"{escape} in double quotes"
        )
        raise Unreadable(*_find_place(text[: found.start()]), "E113", message)
    found = _TAG_DIRECTIVE.search(text)
    if found is not None:
        # Also because libyaml compares each with all others: a file of them takes minutes.
        message = "a %TAG line, expected none as tags are not allowed; remove it"
        raise Unreadable(*_find_place(text[: found.start()]), "E108", message)


def escape_character(character: str) -> str:
    """Write a character that cannot stand in a file as double quotes hold it."""
    return f"\\u{ord(character):04x}"


def is_template_at(text: str, line: int, column: int) -> bool:
    """Tell whether ``{{`` begins at a place, counted from 1."""
    return _line(text, line)[column - 1 : column + 1] == "{{"


def explain(error: yaml.YAMLError, text: str) -> Unreadable:
    """Put what PyYAML found into one line, at the place where its author should look."""
    mark = getattr(error, "problem_mark", None)
    if mark is None:
        return Unreadable(1, 1, "E105", f"not valid YAML: {error}".splitlines()[0])
    context = getattr(error, "context_mark", None) or mark
    for place in (context, mark):
        template = _TEMPLATE.search(_line(text, place.line + 1))
        if template is not None:
            column = template.start(template.lastindex or 0) + 1
            return Unreadable(place.line + 1, column, "E105", UNQUOTED_TEMPLATE)
    problem = str(getattr(error, "problem", None))
    if problem in ("could not find expected ':'", "found unexpected end of stream"):
        # The end of the file says little; what was never finished begins here.
        mark = context
    return Unreadable.at(mark, "E105", f"not valid YAML: {_reword(problem, error, mark, text)}")


def _reword(problem: str, error: yaml.YAMLError, mark: Any, text: str) -> str:  # noqa: ANN401
    began = getattr(getattr(error, "context_mark", None), "line", mark.line) + 1
    if problem in ("did not find expected ',' or ']'", "did not find expected ',' or '}'"):
        bracket = "[" if problem.endswith("']'") else "{"
        return f"'{bracket}' of line {began} is not closed, or ',' is missing before this"
    if "tab character" in problem or "cannot start any token" in problem:
        return _reword_character(_line(text, mark.line + 1)[mark.column : mark.column + 1])
    return _MESSAGES.get(problem, problem)


def _reword_character(character: str) -> str:
    if character == "\t":
        return "a tab cannot stand here; indent with spaces"
    return f"{character!r} cannot begin a value; put it in quotes"


def _line(text: str, line: int) -> str:
    lines = _LINE_END.split(text)
    return lines[line - 1] if line <= len(lines) else ""


def _find_place(before: str) -> tuple[int, int]:
    """Return line and column of what follows a text, both counted from 1."""
    lines = _LINE_END.split(before)
    return len(lines), len(lines[-1]) + 1
