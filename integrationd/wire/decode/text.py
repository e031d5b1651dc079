"""The whole body as one text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar, Final

from typing_extensions import override

from integrationd.wire import charsets
from integrationd.wire.decode.unpacking import TextualDecoder
from integrationd.wire.messages import Answer
from integrationd.wire.pieces import Steps

_LINE_END: Final = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class TextDecoder(TextualDecoder):
    """Read the whole body as one text, a page of HTML too; ``body`` is that text.

    For what has no kind of its own. With ``lines: true`` it is the list of the lines that are not
    empty, of which ``records: "body[].{email: @}"`` makes records.
    """

    kind: ClassVar[str] = "text"

    lines: bool = False
    """Whether each line is a text of its own."""

    @override
    def read(self, answer: Answer) -> Steps:
        """Return the text or its lines, None where there are none."""
        yield from ()
        text = charsets.to_text(answer, self.encoding)
        if not self.lines:
            return text or None
        # Not splitlines(), to which a form feed inside of a line ends it.
        return [line for line in _LINE_END.split(text) if line.strip()] or None
