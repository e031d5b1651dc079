"""HTML to the text in it. One pass over the text, whatever it holds."""

from __future__ import annotations

import html
import re
import unicodedata
from dataclasses import dataclass, field
from typing import ClassVar, Final

from integrationd.transform.clean.cleaner import UnfitError
from integrationd.transform.clean.text import remove_control

_ROUNDS_MAX: Final = 4
"""How often over a text may have been escaped."""
# Of bounded length, and only with a semicolon: "AT&T" and "?a=1&copy=2" stay as they are. The
# Greek question mark is the same character as the semicolon once the text is in NFC.
_ENTITY: Final = re.compile(
    "&(#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31})[;\u037e]"
)
_OPENING: Final = re.compile(r"<(?:!--|[!?]|/?([A-Za-z][A-Za-z0-9]{0,31})|/)")
_CLOSING: Final = {
    name: re.compile(f"</{name}", re.IGNORECASE | re.ASCII)
    for name in ("script", "style", "template", "title", "textarea", "noscript", "iframe")
}
"""Elements whose contents are not part of what a page says."""
_LINES: Final = frozenset(
    {"address", "article", "blockquote", "br", "dd", "div", "dl", "dt", "figure", "footer", "form"}
    | {"h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "p", "pre"}
    | {"section", "table", "tr", "ul"}
)
_CELLS: Final = frozenset({"td", "th"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Html:
    """Removes tags, comments and scripts, and writes entities as the characters they stand for.

    What was escaped twice is treated in the same way, so that no tag is in the result; a text that
    was escaped more than four times over becomes null. The result has no control characters and is
    in NFC. Where an element begins a new line, so does the text.
    """

    kind: ClassVar[str] = "html"
    form: ClassVar[str] = "text that was escaped at most four times over"

    def clean(self, text: str) -> str:
        """Return the text without markup.

        Raises:
            UnfitError: It was escaped too often.
        """
        if "<" not in text and "&" not in text:
            return _settle(text)
        for _ in range(_ROUNDS_MAX + 1):
            before, text = text, _settle(_unescape(_Stripper(_settle(text)).strip()))
            if text == before or ("<" not in text and "&" not in text):
                return text
        raise UnfitError(f"expected {self.form}")


def _settle(text: str) -> str:
    text = remove_control(text)
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def _unescape(text: str) -> str:
    return _ENTITY.sub(lambda found: html.unescape(f"&{found[1]};"), text)


@dataclass(slots=True)
class _Stripper:
    """One pass over a text. Whatever is looked for and not found is never looked for again."""

    text: str
    parts: list[str] = field(default_factory=list)
    lost: set[str] = field(default_factory=set)
    """What does not come again in the rest of the text."""

    def strip(self) -> str:
        """Return the text without tags."""
        at = 0
        while at < len(self.text):
            found = _OPENING.search(self.text, at)
            if found is None:
                break
            self.parts.append(self.text[at : found.start()])
            at = self._skip(found)
        self.parts.append(self.text[at:])
        return "".join(self.parts)

    def _skip(self, found: re.Match[str]) -> int:
        """Return where the text goes on after a tag, a comment or an element that is no text."""
        if found[0] == "<!--":
            end = self._find("-->", found.end())
            return len(self.text) if end is None else end + 3
        end = self._end_of_tag(found.end())
        if end is None:
            # Not closed to the end: the sign goes, so that nothing later can close it.
            return found.start() + 1
        name = (found[1] or "").lower()
        if name in _CLOSING and found[0][1] != "/":
            return self._skip_contents(name, end)
        self.parts.append("\n" if name in _LINES else " " if name in _CELLS else "")
        return end

    def _skip_contents(self, name: str, at: int) -> int:
        if name in self.lost:
            return at
        found = _CLOSING[name].search(self.text, at)
        if found is None:
            self.lost.add(name)
            return at
        return self._end_of_tag(found.end()) or found.end()

    def _end_of_tag(self, at: int) -> int | None:
        """Return the place behind the next ``>`` that is not inside quotes, if there is one."""
        if "quoted >" not in self.lost:
            end = self._end_outside_quotes(at)
            if end is not None:
                return end
            self.lost.add("quoted >")
        end = self._find(">", at)
        return None if end is None else end + 1

    def _end_outside_quotes(self, at: int) -> int | None:
        while found := _MARK.search(self.text, at):
            if found[0] == ">":
                return found.end()
            closing = self._find(found[0], found.end())
            at = found.end() if closing is None else closing + 1
        return None

    def _find(self, what: str, at: int) -> int | None:
        if what in self.lost:
            return None
        found = self.text.find(what, at)
        if found < 0:
            self.lost.add(what)
            return None
        return found


_MARK: Final = re.compile("[>\"']")
