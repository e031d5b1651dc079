"""Where a document's calls go, as ``base_url``."""

from __future__ import annotations

import re
from typing import Any, Final
from urllib.parse import urlsplit

from integrationd.importers.draft import Draft
from integrationd.importers.naming import distinct, to_word
from integrationd.importers.openapi.calls import Call
from integrationd.importers.openapi.document import Document, Spot
from integrationd.importers.openapi.shapes import to_line

_HOLE: Final = re.compile(r"\{([^{}]+)\}")
_ADDRESS: Final = {
    "type": "string",
    "description": "Where the product is, https://library.example.org",
}


def settle_base(document: Document, draft: Draft) -> str:
    """Say ``base_url`` in the draft; return it with what is known of it filled in."""
    if document.is_old:
        url = _old_url(document)
        listed: list[Spot] = []
    else:
        servers = document.top.get("servers")
        listed = [] if servers is None else list(servers.items())
        url = _fill(listed[0], draft) if listed else ""
    others = [_without_user(each.text("url")) for each in listed[1:]]
    if not re.match(r"https?://[^/]", url):
        draft.config["address"] = dict(_ADDRESS)
        path = url if url.startswith("/") or not url else f"/{url}"
        draft.http["base_url"] = "{{ config.address }}" + path.rstrip("/")
        _note(document, draft, "names no host; it is supplied as 'config.address'")
        return ""
    if others and "{{" not in url:
        about = f"Where it is; also {', '.join(others)}"
        draft.config["base_url"] = {"type": "string", "default": url, "description": about}
        draft.http["base_url"] = "{{ config.base_url }}"
        _note(document, draft, f"names {len(listed)} servers; the first is the default")
    else:
        draft.http["base_url"] = url.rstrip("/")
    return url


def own_server(call: Call, draft: Draft) -> str:
    """Return the server of one call, where it has its own; nothing else."""
    servers = call.server()
    first = None if servers is None else next(servers.items(), None)
    url = "" if first is None else _fill(first, draft).rstrip("/")
    if first is None or url == draft.http["base_url"]:
        return ""
    host = urlsplit(url).hostname or ""
    if not url.startswith("http") or "{" in host:
        call.lose(first, f"its own server {url!r} is no address with a fixed host")
        return ""
    draft.http["hosts"] = sorted({*draft.http.get("hosts", []), host})
    return url


def _old_url(document: Document) -> str:
    top = document.top
    schemes, host = top.value("schemes"), top.text("host")
    listed = schemes if isinstance(schemes, list) else []
    scheme = "https" if "https" in listed or not listed else str(listed[0])
    base = top.text("basePath").rstrip("/")
    return f"{scheme}://{host}{base}" if host else base


def _fill(server: Spot, draft: Draft) -> str:
    """Return a server's URL with its variables as values of the configuration."""
    variables = server.get("variables")
    names: dict[str, str] = {}
    for name, spot in variables.entries() if variables is not None else ():
        schema = _variable(spot)
        names[name] = to_word(name)
        if draft.config.get(names[name], schema) != schema:
            names[name] = distinct(names[name], draft.config)
        draft.config[names[name]] = schema

    def replace(found: re.Match[str]) -> str:
        name = found.group(1)
        if name not in names:
            names[name] = distinct(to_word(name), draft.config)
            draft.config[names[name]] = {"type": "string"}
        return f"{{{{ config.{names[name]} }}}}"

    return _HOLE.sub(replace, _without_user(server.text("url")))


def _without_user(url: str) -> str:
    """Return a URL without the name and the password that somebody wrote into it."""
    return re.sub(r"^(https?://)[^/@]*@", r"\1", url)


def _variable(spot: Spot) -> dict[str, Any]:
    """Return what a server's variable may be."""
    schema: dict[str, Any] = {"type": "string"}
    values, default = spot.value("enum"), spot.value("default")
    listed = [str(each) for each in values] if isinstance(values, list) else []
    if default is not None:
        schema["default"] = str(default)
    if listed and schema.get("default", listed[0]) in listed:
        schema["enum"] = listed
    if spot.text("description"):
        schema["description"] = to_line(spot.text("description"))
    return schema


def _note(document: Document, draft: Draft, what: str) -> None:
    key = "host" if document.is_old else "servers"
    top = document.top
    draft.report.note(top.place(key), f"#/{key}: the document {what}")
