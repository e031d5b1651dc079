"""What a command line asks for, before anything is translated."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote_plus

from integrationd.config.nodes import Position
from integrationd.importers.curl.options import SAID, SHOWS, WHY, Said
from integrationd.importers.report import Report

_SECONDS_MAX: Final = 86_400
_FORM: Final = "application/x-www-form-urlencoded"


@dataclass(slots=True)
class Part:
    """One part of a form in parts."""

    name: str
    value: str
    position: Position


@dataclass(slots=True)
class Asked:
    """One request."""

    report: Report
    position: Position
    """Of the command."""
    url: str = ""
    url_position: Position | None = None
    method: str = ""
    headers: list[tuple[str, str, Position]] = field(default_factory=list)
    data: list[str] = field(default_factory=list)
    data_position: Position | None = None
    query: list[str] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)
    user: str | None = None
    bearer: str | None = None
    login: str = "basic"
    in_query: bool = False
    is_json: bool = False
    is_glob: bool = True
    cookies: list[str] = field(default_factory=list)
    proxy: str = ""
    proxy_user: str | None = None
    certificate: bool = False
    signs: str = ""
    seconds: dict[str, float] = field(default_factory=dict)
    retries: int | None = None

    def take(self, said: Said) -> None:
        """Take one option."""
        taker = _TAKERS.get(said.name)
        if taker is not None:
            taker(self, said)
        elif said.name == "?":
            self.report.lose(said.position, "this is no option of curl that is known here")
        elif said.name in SHOWS:
            self.report.note(said.position, f"--{said.name} has no meaning here")
        elif said.name not in SAID:
            why = WHY.get(said.name, "it cannot be said here")
            self.report.lose(said.position, f"--{said.name}: {why}")

    @property
    def content_type(self) -> str:
        """Return what the body is."""
        for name, value, _ in self.headers:
            if name.lower() == "content-type":
                return value
        if self.is_json:
            return "application/json"
        return _FORM if self.data else ""

    @property
    def sent_method(self) -> str:
        """Return the method as curl chooses it."""
        if self.method:
            return self.method
        if self.in_query:
            return "GET"
        return "POST" if self.data or self.parts else "GET"

    @property
    def body(self) -> str | None:
        """Return the body's text; None where there is none, or parts."""
        if self.in_query or not self.data:
            return None
        return "".join(self.data) if self.is_json else "&".join(self.data)

    def lose_file(self, said: Said) -> None:
        """Tell a value that stands in a file."""
        message = f"--{said.name}: what stands in a file is not read; put the text there"
        self.report.lose(said.position, message)


def _take_url(asked: Asked, said: Said) -> None:
    if asked.url:
        asked.report.lose(said.position, "a second URL; only the first request is imported")
    else:
        asked.url, asked.url_position = said.value, said.position


def _take_header(asked: Asked, said: Said) -> None:
    text = said.value
    if text.startswith("@"):
        asked.lose_file(said)
        return
    name, colon, value = text.partition(":")
    if colon and value.strip():
        asked.headers.append((name.strip(), value.strip(), said.position))
    elif text.rstrip().endswith(";") and not colon:
        asked.report.lose(said.position, "an empty header is not sent")
    elif colon:
        asked.report.note(said.position, "a header that curl would add is not sent here anyway")
    else:
        asked.report.lose(said.position, "a header without a colon is not sent")


def _take_data(asked: Asked, said: Said) -> None:
    if said.value.startswith("@") and said.name != "data-raw":
        asked.lose_file(said)
        return
    asked.data.append(said.value)
    asked.data_position = asked.data_position or said.position
    asked.is_json = asked.is_json or said.name == "json"


def _take_encoded(asked: Asked, said: Said) -> None:
    found = re.match(r"([^=@]*)([=@]?)(.*)", said.value, re.DOTALL)
    assert found is not None
    name, sign, content = found.groups()
    if sign == "@":
        asked.lose_file(said)
        return
    if not sign:
        name, content = "", name
    encoded = quote_plus(content)
    text = f"{name}={encoded}" if name else encoded
    if said.name == "url-query":
        asked.query.append(text)
    else:
        asked.data.append(text)
        asked.data_position = asked.data_position or said.position


def _take_query(asked: Asked, said: Said) -> None:
    if said.value.startswith("+"):
        asked.query.append(said.value[1:])
    else:
        _take_encoded(asked, said)


def _take_part(asked: Asked, said: Said) -> None:
    name, equals, value = said.value.partition("=")
    if said.name == "form" and (not equals or value.startswith(("@", "<"))):
        asked.lose_file(said)
        return
    if said.name == "form":
        value, *more = re.split(r";(?=\s*(?:type|filename|headers|encoder)=)", value)
        if more:
            asked.report.lose(said.position, "a part's own type or name of a file is not sent")
        if len(value) > 1 and value[0] == value[-1] == '"':
            value = re.sub(r"\\(.)", r"\1", value[1:-1])
    asked.parts.append(Part(name, value, said.position))


def _take_cookie(asked: Asked, said: Said) -> None:
    if "=" in said.value:
        asked.cookies.append(said.value)
    else:
        asked.lose_file(said)


def _take_seconds(asked: Asked, said: Said) -> None:
    try:
        seconds = float(said.value)
    except ValueError:
        seconds = 0
    key = "timeout" if said.name == "max-time" else "connect_timeout"
    if 0 < seconds < _SECONDS_MAX:
        asked.seconds[key] = seconds
    else:
        asked.report.lose(said.position, f"--{said.name}: expected seconds")


def _take_retry(asked: Asked, said: Said) -> None:
    if re.fullmatch(r"\d{1,9}", said.value):
        asked.retries = min(int(said.value), 20)
    else:
        asked.report.lose(said.position, "--retry: expected a whole number")


def _take_certificate(asked: Asked, said: Said) -> None:
    asked.certificate = True
    message = f"--{said.name}: put the PEM text of the file into the secret"
    asked.report.note(said.position, message)


def _take_get(asked: Asked, _said: Said) -> None:
    asked.in_query = True


def _take_glob(asked: Asked, _said: Said) -> None:
    asked.is_glob = False


def _take_digest(asked: Asked, said: Said) -> None:
    asked.login = "digest" if said.name == "digest" else "basic"


def _take_head(asked: Asked, said: Said) -> None:
    asked.report.lose(said.position, "--head: HEAD is not asked; GET is")


def _setter(name: str) -> Callable[[Asked, Said], None]:
    def take(asked: Asked, said: Said) -> None:
        setattr(asked, name, said.value)

    return take


def _as_header(header: str) -> Callable[[Asked, Said], None]:
    def take(asked: Asked, said: Said) -> None:
        if said.value:
            asked.headers.append((header, said.value.removesuffix(";auto"), said.position))

    return take


_TAKERS: Final[Mapping[str, Callable[[Asked, Said], None]]] = {
    "url": _take_url,
    "request": _setter("method"),
    "header": _take_header,
    **dict.fromkeys(("data", "data-ascii", "data-raw", "data-binary", "json"), _take_data),
    "data-urlencode": _take_encoded,
    "url-query": _take_query,
    **dict.fromkeys(("form", "form-string"), _take_part),
    "user": _setter("user"),
    "oauth2-bearer": _setter("bearer"),
    "get": _take_get,
    "globoff": _take_glob,
    "cookie": _take_cookie,
    "user-agent": _as_header("User-Agent"),
    "referer": _as_header("Referer"),
    "proxy": _setter("proxy"),
    "proxy-user": _setter("proxy_user"),
    "head": _take_head,
    **dict.fromkeys(("max-time", "connect-timeout"), _take_seconds),
    "retry": _take_retry,
    **dict.fromkeys(("basic", "digest", "anyauth"), _take_digest),
    **dict.fromkeys(("cert", "key"), _take_certificate),
    "aws-sigv4": _setter("signs"),
}
