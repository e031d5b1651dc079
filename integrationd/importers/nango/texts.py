"""Texts with ``${…}`` in them, as templates of ours."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from typing_extensions import override

from integrationd.config.hiding import names_secret
from integrationd.importers.literals import to_template
from integrationd.importers.naming import to_word
from integrationd.importers.nango.block import Block
from integrationd.importers.openapi.shapes import to_line
from integrationd.model.json import Json

ACCESS: Final = "accessToken"
"""Stands where the token goes that a login or a consent gives."""
_NAME: Final = re.compile(r"[A-Za-z_][\w.-]*")
_CALL: Final = re.compile(r"(\w+)\((.*)\)", re.DOTALL)
_PLAIN: Final = frozenset(
    {"username", "host", "domain", "subdomain", "email", "accountId", "region"}
)
"""Credentials that are no secret."""
_BARE: Final = frozenset(
    {"apiKey", "username", "password", "clientId", "clientSecret", "privateKey"}
)
"""Credentials that are named without saying so."""
_CONFIG_ROOTS: Final = ("connectionConfig.params.", "connectionConfig.", "metadata.")
_WORDS: Final = ("type", "pattern", "format", "enum")
_FORMATS: Final = frozenset({"hostname", "uri", "uuid", "email"})


class UnsayableError(Exception):
    """A text that a template cannot say."""


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable of ours."""

    root: str
    name: str

    @override
    def __str__(self) -> str:
        """Print it as a template has it."""
        return f"{self.root}.{self.name}"


@dataclass(frozen=True, slots=True)
class Encoded:
    """A text in base64."""

    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Token:
    """Where the token of a login goes."""


Part: TypeAlias = str | Variable | Encoded | Token


@dataclass(slots=True)
class Names:
    """What an integration has to supply, by names of ours."""

    block: Block
    config: dict[str, Json] = field(default_factory=dict)
    secrets: dict[str, Json] = field(default_factory=dict)
    reads: frozenset[str] = frozenset()
    """What earlier steps of a login give."""

    def declare_all(self) -> None:
        """Declare what the block lists, with what it says of each."""
        for section in ("connection_config", "credentials"):
            for name in self.block.children(section):
                self._declare(f"{section}.{name}", name, is_config=section == "connection_config")
                self.block.used.add(f"{section}.{name}")
        for name in self.block.listed("connection_configuration"):
            self.config.setdefault(to_word(name), {"type": "string"})

    def _declare(self, path: str, name: str, *, is_config: bool) -> None:
        block, word = self.block, to_word(name)
        said = self._read_words(path)
        line = to_line(block.text(f"{path}.description")) or block.text(f"{path}.title")
        example = block.text(f"{path}.example")
        if block.flag(f"{path}.secret") or not (is_config or _is_plain(name)):
            self.secrets[word] = {"description": line} if line else {}
            return
        if example:
            line = f"{line}, such as {example}".lstrip(", ")
        if line:
            said["description"] = line
        default = block.text(f"{path}.default_value")
        if default:
            said["default"] = default
        elif block.flag(f"{path}.optional"):
            said = {**said, "type": ["string", "null"], "default": None}
        self.config[word] = said
        if block.flag(f"{path}.automated"):
            block.note(path, f"found out by Nango itself; supply it as 'config.{word}'")

    def _read_words(self, path: str) -> dict[str, Json]:
        said: dict[str, Json] = {}
        for key in _WORDS:
            value = self.block.value(f"{path}.{key}")
            if value is not None and (key != "format" or value in _FORMATS):
                said[key] = value
        return said

    def variable(self, name: str) -> Part:
        """Return our variable for one of Nango's.

        Raises:
            UnsayableError: There is none.
        """
        if name.removeprefix("credentials.") == ACCESS:
            return Token()
        for root in _CONFIG_ROOTS:
            if name.startswith(root):
                word = to_word(name.removeprefix(root))
                if word in self.secrets:
                    return Variable("secrets", word)
                self.config.setdefault(word, {"type": "string"})
                return Variable("config", word)
        bare = name.removeprefix("credentials.").removeprefix("basic.")
        is_known = bare != name or bare in _BARE or bare in self.block.children("credentials")
        if "." in bare or not (is_known or bare in self.reads):
            raise UnsayableError(f"the variable {name!r} is not known here")
        word = to_word(bare)
        if word in self.reads:
            return Variable("read", word)
        if word in self.config or (_is_plain(bare) and word not in self.secrets):
            self.config.setdefault(word, {"type": "string"})
            return Variable("config", word)
        self.secrets.setdefault(word, {})
        return Variable("secrets", word)

    def parts(self, text: str) -> tuple[Part, ...]:
        """Return what a text consists of.

        Raises:
            UnsayableError: A template cannot say it.
        """
        return tuple(self._parts(text))

    def _parts(self, text: str) -> Iterator[Part]:
        at = 0
        while at < len(text):
            begin = text.find("${", at)
            if begin < 0:
                yield text[at:]
                return
            if begin > at:
                yield text[at:begin]
            end = _closing(text, begin + 2)
            yield self._read(text[begin + 2 : end].strip())
            at = end + 1

    def _read(self, inside: str) -> Part:
        call = _CALL.fullmatch(inside)
        if call is not None and call.group(1) == "base64":
            return Encoded(self.parts(call.group(2)))
        if call is not None or not _NAME.fullmatch(inside):
            what = call.group(1) if call is not None else "such an expression"
            raise UnsayableError(f"{what} inside a text is not known here")
        return self.variable(inside)

    def template(self, text: str) -> str:
        """Return the template of a text.

        Raises:
            UnsayableError: A template cannot say it.
        """
        first, bars, other = text.partition("||")
        if not bars:
            return write(self.parts(text))
        parts, otherwise = self.parts(first.strip()), self.parts(other.strip())
        asked = [part for part in parts if isinstance(part, Variable) and part.root == "config"]
        if not asked:
            return write(parts)
        for part in asked:
            said = self.config[part.name]
            if "default" not in said:
                self.config[part.name] = {**said, "type": ["string", "null"], "default": None}
        test = " and ".join(f"{part} is not none" for part in asked)
        return f"{{{{ ({_joined(parts)}) if {test} else ({_joined(otherwise)}) }}}}"


def write(parts: tuple[Part, ...]) -> str:
    """Write a template."""
    return "".join(_write(part) for part in parts)


def _write(part: Part) -> str:
    match part:
        case str():
            return to_template(part)
        case Variable():
            return f"{{{{ {part} }}}}"
        case Encoded():
            return f"{{{{ ({_joined(part.parts)}) | b64encode }}}}"
        case Token():
            raise UnsayableError("the token goes into one header alone")


def _joined(parts: tuple[Part, ...]) -> str:
    """Write parts as one expression inside a template."""
    written: list[str] = []
    for part in parts:
        match part:
            case str():
                escaped = part.replace("\\", "\\\\").replace("'", "\\'")
                written.append(f"'{escaped}'")
            case Variable():
                written.append(str(part))
            case Encoded():
                written.append(f"(({_joined(part.parts)}) | b64encode)")
            case Token():
                raise UnsayableError("the token goes into one header alone")
    return " ~ ".join(written) or "''"


def _closing(text: str, begin: int) -> int:
    """Return where the brace ends that was opened before a place."""
    depth = 1
    for at in range(begin, len(text)):
        depth += {"{": 1, "}": -1}.get(text[at], 0)
        if depth == 0:
            return at
    raise UnsayableError("a '${' that has no end")


def _is_plain(name: str) -> bool:
    return name in _PLAIN and not names_secret(name)
