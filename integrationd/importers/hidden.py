"""What in others' texts is a secret, so that none of it reaches a file or a message.

Rather too much than too little: what is taken for one by mistake has to be supplied, what is missed
stands in a file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from integrationd.config.hiding import names_secret
from integrationd.config.nodes import Position
from integrationd.importers.literals import to_template
from integrationd.importers.naming import distinct, to_word
from integrationd.importers.report import Report
from integrationd.model.json import Json

_WORDS: Final = re.compile(
    r"auth|token|secret|passw|pwd|passphrase|session|csrf|xsrf|signature|credential|private"
    r"|api.?key|app.?key|access.?key|client.?key|subscription.?key|functions.?key|cookie|nonce"
    r"|\bkey\b|\bsig\b|\bpin\b|\bsid\b|\bjwt\b|\bhmac\b|\bcode\b|\bpass\b",
    re.IGNORECASE,
)
"""In the name of a header, a parameter or a member."""
_KNOWN: Final = re.compile(
    r"(?:sk|pk|rk|whsec|ghp|gho|ghs|ghu|glpat|shpat|shpca|xox[a-z]|key|pat|lin_api|dop_v1|npm)[_-]"
    r"\S{6,}|AKIA[0-9A-Z]{12,}|eyJ[\w-]{6,}|SG\.\S{10,}|ya29\.\S+|AIza\S{20,}|github_pat_\S+"
    r"|(?:Bearer|Basic|Token)\s+\S+"
)
_TOKEN: Final = re.compile(r"[\w+/=.~-]{16,}", re.ASCII)
_WORDLIKE: Final = re.compile(
    r"(?:[a-z]{2,}|[A-Z][a-z]+|[A-Z]{2,}|\d{1,4})(?:[-_./+]+(?:[a-z]+|[A-Z][a-z]+|[A-Z]+|\d{1,4}))*"
)
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d(?:T\S*)?")
_NAMED: Final = re.compile(
    r"""([\w-]{2,40})("?\s*[:=]\s*"?|>|"?\s*:\s*\\?")([^\s"'<>&,;{}\\]+)""", re.ASCII
)
_IN_TEXT: Final = re.compile(r"[\w+/=.~-]{20,}", re.ASCII)


def looks_secret(value: str) -> bool:
    """Tell whether a value is one that no person would choose."""
    if _KNOWN.search(value):
        return True
    if not _TOKEN.fullmatch(value) or _DATE.fullmatch(value) or _WORDLIKE.fullmatch(value):
        return False
    return bool(re.search(r"\d", value)) or bool(re.search(r"[a-z][A-Z].*[a-z][A-Z]", value))


def is_secret_name(name: str) -> bool:
    """Tell whether what is called so is a secret."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name).replace("_", " ").replace("-", " ")
    return names_secret(name) or _WORDS.search(spaced) is not None


@dataclass(slots=True)
class Hidden:
    """The secrets of one source, by the names under which they are to be supplied."""

    report: Report
    named: dict[str, Json] = field(default_factory=dict)
    _values: dict[str, str] = field(default_factory=dict, repr=False)

    def hide(self, name: str, value: str, place: str, position: Position) -> str:
        """Return the template that stands for a secret; the same value has the same name."""
        known = self._values.get(value)
        if known is None:
            known = distinct(to_word(name, "secret"), self.named)
            self.named[known] = {"description": place}
            self._values[value] = known
            message = f"{place} is a secret; set {known!r}"
            self.report.note(position, message)
        return f"{{{{ secrets.{known} }}}}"

    def template(self, name: str, value: str, place: str, position: Position) -> str:
        """Return the template of a value, which is hidden where it is or looks like a secret."""
        if value and (is_secret_name(name) or looks_secret(value)):
            return self.hide(name, value, place, position)
        return to_template(value)

    def text(self, value: str, position: Position) -> str:
        """Return the template of a text of any form, with what looks like a secret in it hidden."""
        spans: dict[int, tuple[int, str]] = {}
        for found in _NAMED.finditer(value):
            if is_secret_name(found.group(1)) or looks_secret(found.group(3)):
                spans[found.start(3)] = (found.end(3), found.group(1))
        for found in _IN_TEXT.finditer(value):
            if looks_secret(found.group()) and not _overlaps(spans, found.span()):
                spans[found.start()] = (found.end(), "token")
        for found in _KNOWN.finditer(value):
            if not _overlaps(spans, found.span()):
                spans[found.start()] = (found.end(), "token")
        parts: list[str] = []
        at = 0
        for begin in sorted(spans):
            end, name = spans[begin]
            parts.append(to_template(value[at:begin]))
            parts.append(self.hide(name, value[begin:end], f"{name!r} in the body", position))
            at = end
        return "".join([*parts, to_template(value[at:])])

    def body(self, value: Json, name: str, position: Position) -> Json:
        """Return a JSON body's template."""
        match value:
            case dict():
                return {
                    key: self.body(item, f"{name}.{key}" if name else key, position)
                    for key, item in value.items()
                }
            case list():
                return [self.body(item, name, position) for item in value]
            case str():
                last = name.rpartition(".")[2]
                return self.template(last, value, f"{name!r} of the body", position)
            case _ if (
                value is not None
                and not isinstance(value, bool)
                and is_secret_name(name.rpartition(".")[2])
            ):
                message = f"{name!r} of the body is sent as text, as secrets are"
                self.report.lose(position, message)
                last = name.rpartition(".")[2]
                return self.hide(last, str(value), f"{name!r} of the body", position)
            case _:
                return value


def _overlaps(spans: dict[int, tuple[int, str]], other: tuple[int, int]) -> bool:
    return any(begin < other[1] and other[0] < end for begin, (end, _) in spans.items())
