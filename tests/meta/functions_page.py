"""docs/reference/functions.md, from the docstrings of the functions; their examples are tests."""

from __future__ import annotations

from jmespath import functions as standard

from integrationd.transform.functions import GROUPS, Function
from integrationd.transform.functions.examples import examples_of, text_of
from tests.meta.repository import ROOT

PAGE = ROOT / "docs" / "reference" / "functions.md"
HEAD = """\
# Functions

Written by `make reference` from the functions themselves; every example is a test.

An expression calls them, `lower(email)`; a template pipes into the same ones, `{{ input.email |
lower }}`, the value being the first argument. Expressions also have the functions that come with
[JMESPath](https://jmespath.org/specification.html#built-in-functions): %s; and `var('config.x')`,
which reads a variable.

- A function that is given null where a text, a number, a list or an object is asked for gives
  null, as in SQL. `not_null(a, b)` takes the first that is not null, `a || b` the first that is
  not empty either.
- What else does not fit, such as a number where text is asked for, sets the record aside;
  `to_string(x)` makes text. A template makes text of single values itself.
- Patterns, regions and the like stand in quotes, and are looked at when the file is read.
- Arguments with `?` may be left out. What a function makes is bounded: a text has at most a
  million characters, a list at most 200,000 fields.
- There is no clock and no chance in them: the same record always gives the same.

In the examples a value in backticks is JSON, as JMESPath writes it.
"""


def page() -> str:
    """Return the page."""
    known = ", ".join(f"`{name}`" for name in sorted(standard.Functions.FUNCTION_TABLE))
    parts = [HEAD % known]
    for title, functions in GROUPS.items():
        rows = "\n".join(_row(each) for each in functions)
        parts.append(f"## {title}\n\n| function | gives | for example |\n|---|---|---|\n{rows}\n")
    return "\n".join(parts)


def _row(function: Function) -> str:
    text = text_of(function).replace("``", "`")
    first, _, rest = text.partition(" ")
    assert first in ("Return", "Tell")
    text = rest if first == "Return" else text
    examples = "<br>".join(
        f"{_code(written)} → {_code(found)}" for written, found in examples_of(function)
    )
    cells = (_code(function.usage), text[0].upper() + text[1:], examples)
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _code(text: str) -> str:
    """Fence code that may have backticks of its own."""
    return f"`` {text} ``" if "`" in text else f"`{text}`"


def main() -> None:
    """Write it."""
    PAGE.write_text(page(), encoding="utf-8")
