"""A command line to a provider with one stream or one operation."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any, Final
from urllib.parse import urlsplit

from integrationd.config.nodes import Position
from integrationd.importers.curl.address import read_address
from integrationd.importers.curl.asked import Asked
from integrationd.importers.curl.bodies import FORM, add, write_body
from integrationd.importers.curl.options import read_options
from integrationd.importers.curl.transport import write_transport
from integrationd.importers.curl.words import Command, CommandError, find_variables, split_command
from integrationd.importers.draft import Draft, Piece
from integrationd.importers.guessing import OFFSETS, PAGES, SIZES, find_named
from integrationd.importers.hidden import Hidden, is_secret_name
from integrationd.importers.naming import to_system, to_word
from integrationd.importers.report import Imported, Report
from integrationd.model.json import Json
from integrationd.wire.call import HEADER_NAMES
from integrationd.wire.places import Place

_BYTES_MAX: Final = 1024 * 1024
_METHODS: Final = ("get", "post", "put", "patch", "delete")
_BROWSERS: Final = re.compile(r"sec-.*|accept-encoding|dnt|priority|upgrade-insecure-requests")
_FRAMING: Final = frozenset(
    {"host", "content-length", "connection", "transfer-encoding", "te", "upgrade", "trailer"}
)
_SUFFIXES: Final = frozenset({"com", "org", "net", "io", "co", "dev", "app", "api", "www", "test"})
_PUBLIC: Final = frozenset({"accept", "content-type", "user-agent", "accept-language", "referer"})
"""Headers whose values are long and no secret."""


def import_curl(data: bytes, *, file: str, name: str | None = None) -> Imported:
    """Translate a command line.

    Args:
        data: The text as it is.
        file: How the report calls it.
        name: Of the provider; made of the host's by default.

    Raises:
        CommandError: It is no command line of curl.
    """
    report = Report()
    command = split_command(_decode(data, file), file=file)
    _drop_prompt(command)
    words = command.words
    if not words or not re.fullmatch(r"(?:.*[/\\])?curl(?:\.exe)?", words[0].text):
        raise CommandError(f"{file}: expected a command that begins with 'curl'")
    _tell_shell(command, report)
    asked = Asked(report, words[0].position)
    for said in read_options(words[1:]):
        asked.take(said)
        if said.name == "next":
            break
    return _Writer(asked, name).write()


def _decode(data: bytes, file: str) -> str:
    if len(data) > _BYTES_MAX:
        raise CommandError(f"{file} has more than 1 MB, which no command line has")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise CommandError(f"{file}: not UTF-8 text") from None
    if "\0" in text:
        raise CommandError(f"{file}: not a text")
    return text


def _drop_prompt(command: Command) -> None:
    """Take out ``$`` and names of values that stand before the command."""
    while command.words and re.fullmatch(r"[$%>]|\w+=.*", command.words[0].text, re.DOTALL):
        del command.words[0]


def _tell_shell(command: Command, report: Report) -> None:
    for position in command.substitutions:
        report.lose(position, "a command inside the command is not run; put its value there")
    if command.rest is not None:
        message = "what follows the command is not done"
        report.lose(command.rest.position, message)
    for word in command.words:
        for variable in find_variables(word.text):
            report.note(word.position, f"the shell's variable {variable!r} is not looked up")


class _Writer:
    """Writes one request."""

    def __init__(self, asked: Asked, name: str | None) -> None:
        self._asked = asked
        self._report = asked.report
        self._hidden = Hidden(asked.report)
        self._address = read_address(asked, self._hidden)
        self._draft = Draft(
            name=to_system(name or _guess_name(self._address.origin)),
            report=asked.report,
            position=asked.position,
            about=["Made of a command line of curl; no secret of it stands here."],
            secrets=self._hidden.named,
        )
        self._said: dict[str, Any] = {}
        self._headers: dict[str, str] = {}

    def write(self) -> Imported:
        draft, asked = self._draft, self._asked
        draft.http["base_url"] = self._address.origin
        self._write_login()
        self._write_query()
        for header, value, position in asked.headers:
            self._write_header(header, value, position)
        if asked.cookies:
            cookie = "; ".join(asked.cookies)
            self._headers["cookie"] = self._hidden.hide(
                "cookie", cookie, "the header 'cookie'", asked.position
            )
        self._said.update(write_body(asked, self._hidden))
        if self._headers:
            self._said["headers"] = self._headers
        write_transport(asked, draft)
        self._add_piece()
        return draft.finish()

    def _write_login(self) -> None:
        asked, user = self._asked, self._asked.user
        if asked.bearer is not None:
            token = self._hide("token", asked.bearer, "the value of --oauth2-bearer")
            self._draft.http["auth"] = {"type": "bearer", "token": token}
            return
        user = self._address.user if user is None else user
        if user is None:
            return
        name, _, password = user.partition(":")
        if asked.signs:
            self._write_signing(name, password)
            return
        username = self._hide("username", name, "the user name")
        shown = self._hide("password", password, "the password") if ":" in user else ""
        if not shown and ":" not in user:
            self._draft.secrets["password"] = {"description": "the password, which curl asks for"}
            shown = "{{ secrets.password }}"
        self._draft.http["auth"] = {
            "type": asked.login,
            "username": username,
            "password": shown,
        }

    def _write_signing(self, name: str, password: str) -> None:
        parts = [*self._asked.signs.split(":"), "", "", ""]
        host = (urlsplit(self._address.origin).hostname or "").split(".")
        self._draft.http["auth"] = {
            "type": "sigv4",
            "service": parts[3] or host[0],
            "region": parts[2] or (host[1] if host[3:] else "us-east-1"),
            "access_key": self._hide("access_key", name, "the key's id"),
            "secret_key": self._hide("secret_key", password, "the key"),
        }

    def _hide(self, name: str, value: str, place: str) -> str:
        if not value:
            return ""
        return self._hidden.hide(name, value, place, self._asked.position)

    def _write_header(self, header: str, value: str, position: Position) -> None:
        word = header.lower()
        place = f"the header {word!r}"
        if word == "authorization" and "auth" not in self._draft.http:
            self._write_authorization(value, position)
        elif word in _FRAMING or _BROWSERS.fullmatch(word):
            self._report.note(position, f"{place} is not sent, or is set by itself")
        elif re.fullmatch(HEADER_NAMES.pattern, header) is None:
            self._report.lose(position, "a header with such a name is not sent")
        elif word == "content-type" and (self._asked.parts or self._is_plain_body(value)):
            return
        elif word in _PUBLIC:
            self._headers[header] = self._hidden.text(value, position)
        elif is_secret_name(word) and "auth" not in self._draft.http and word != "cookie":
            key = self._hidden.hide(word, value, place, position)
            self._draft.http["auth"] = {"type": "api_key", "into": f"header.{word}", "value": key}
        else:
            self._headers[header] = self._hidden.template(word, value, place, position)

    def _write_authorization(self, value: str, position: Position) -> None:
        scheme, _, rest = value.partition(" ")
        place = "the header 'authorization'"
        if scheme.lower() == "bearer" and rest:
            token = self._hidden.hide("token", rest.strip(), place, position)
            self._draft.http["auth"] = {"type": "bearer", "token": token}
            if scheme != "Bearer":
                self._report.note(position, "the scheme is written as 'Bearer'")
            return
        if scheme.lower() == "basic" and (pair := _decode_basic(rest)) is not None:
            name, password = pair
            auth = {"type": "basic", "username": self._hide("username", name, "the user name")}
            auth["password"] = self._hide("password", password, "the password")
            self._draft.http["auth"] = auth
            return
        auth = {"type": "api_key", "into": "header.authorization"}
        known = rest and re.fullmatch(r"[A-Za-z][\w-]{1,30}", scheme) and "=" not in rest
        auth["value"] = self._hidden.hide("key", rest if known else value, place, position)
        self._draft.http["auth"] = {**auth, **({"prefix": f"{scheme} "} if known else {})}

    def _is_plain_body(self, kind: str) -> bool:
        """Tell whether a content type is the one that the body has by itself."""
        plain = kind.lower().replace(" ", "")
        asked = self._asked
        return asked.body is not None and plain in ("application/json", FORM)

    def _write_query(self) -> None:
        address = self._address
        position = self._asked.url_position or self._asked.position
        if address.literal:
            hidden = self._hidden.text(address.literal, position)
            address.path += f"?{hidden}"
            return
        query: dict[str, Any] = {}
        for name, value in address.query:
            place = f"the parameter {name!r}"
            into = Place.parse(f"query.{name}")
            if is_secret_name(name) and "auth" not in self._draft.http and into and value:
                key = self._hidden.hide(name, value, place, position)
                self._draft.http["auth"] = {"type": "api_key", "into": str(into), "value": key}
                continue
            add(query, name, self._hidden.template(name, value, place, position))
        if query:
            self._said["query"] = query

    def _add_piece(self) -> None:
        asked, address = self._asked, self._address
        method = asked.sent_method.lower()
        if method not in _METHODS:
            message = f"{asked.position}: the method is none of {', '.join(_METHODS)}"
            raise CommandError(message)
        has_body = asked.body is not None or bool(asked.parts)
        is_list = method == "get" and not has_body and not address.ends_with_id
        is_list = is_list and (address.resource.endswith("s") or self._page() is not None)
        word = to_word(address.resource or "call", "call")
        name = word if is_list else to_word(f"{method}_{word}")
        origin = f"{method.upper()} {re.sub(r'[{][{].*?[}][}]', '…', address.path)}"
        said = self._stream(name) if is_list else self._operation(method)
        piece = Piece(name=name, said=said, origin=origin, position=asked.position)
        (self._draft.streams if is_list else self._draft.operations)[name] = piece

    def _operation(self, method: str) -> dict[str, Any]:
        address = self._address
        path = address.path.replace("{{ IDS.", "{{ input.")
        head = {"input": address.inputs} if address.inputs else {}
        return {**head, method: path, **self._said}

    def _page(self) -> tuple[str, str] | None:
        """Return the kind of paging that the query shows, and its parameter."""
        query = self._said.get("query", {})
        for kind, words in (("page", PAGES), ("offset", OFFSETS)):
            name = find_named(query, words)
            if name is not None and re.fullmatch(r"\d{1,9}", str(query[name])):
                return kind, name
        return None

    def _stream(self, name: str) -> dict[str, Any]:
        address, said = self._address, dict(self._said)
        for word, schema in address.inputs.items():
            self._draft.config[word] = schema
        path = address.path.replace("{{ IDS.", "{{ config.")
        query = dict(said.pop("query", {}))
        paging = self._paging(query)
        usual = ["body", "body.data", "body.items", "body.results"]
        own = f"body.{to_word(address.resource)}" if address.resource else "body.records"
        lists = ", ".join(dict.fromkeys([*usual, own]))
        records = f"[{lists}][?type(@) == 'array'] | [0]"
        self._report.note(
            self._asked.position,
            f"it is read as the stream {name!r}: the first list among {lists}, with 'id' as the "
            "key; an answer is not known here, so say both as it has them",
        )
        made: dict[str, Any] = {"get": path, **({"query": query} if query else {}), **said}
        return {**made, "paginate": paging, "records": records, "key": "id"}

    def _paging(self, query: dict[str, Any]) -> Json:
        found = self._page()
        size = find_named(query, SIZES)
        count = str(query.get(size, "")) if size is not None else ""
        has_size = re.fullmatch(r"[1-9]\d{0,5}", count) is not None
        if found is None or (found[0] == "offset" and not has_size):
            message = "no paging is known; say 'paginate' where there is more than one page"
            self._report.note(self._asked.position, message)
            return "none"
        kind, name = found
        said: dict[str, Json] = {"type": kind, "into": f"query.{name}"}
        start = int(query.pop(name))
        said["start"] = start
        if has_size and size is not None:
            said["size"] = {"into": f"query.{size}", "value": int(query.pop(size))}
        message = f"pages are walked by {name!r}, from {start} on as the command has it"
        self._report.note(self._asked.position, message)
        return said


def _guess_name(origin: str) -> str:
    """Return ``stripe`` of ``https://api.stripe.com``."""
    host = urlsplit(origin).hostname or ""
    if re.fullmatch(r"[\d.:]+|localhost", host):
        return "imported"
    parts = [part for part in host.split(".") if part not in _SUFFIXES]
    return parts[-1] if parts and parts[-1][2:] else (parts or [host])[0]


def _decode_basic(text: str) -> tuple[str, str] | None:
    try:
        name, colon, password = base64.b64decode(text, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return None
    return (name, password) if colon else None
