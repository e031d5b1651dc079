"""``proxy``: where calls go and with what, how lists are walked, when to wait, what to try."""

from __future__ import annotations

import re
from typing import Any, Final
from urllib.parse import urlsplit

from integrationd.importers.draft import Draft
from integrationd.importers.literals import to_expression, to_member
from integrationd.importers.nango.block import Block
from integrationd.importers.nango.saying import said, text_of
from integrationd.importers.nango.texts import Names, Token, UnsayableError, Variable, write
from integrationd.model.json import Json
from integrationd.wire.call import HEADER_NAMES

_SIZE: Final = 100
_TOO_MANY: Final = 429


def write_base(block: Block, names: Names, draft: Draft) -> None:
    """Say ``base_url``."""
    base = text_of(block, names, "proxy.base_url")
    if not base:
        block.note("proxy", "no address is said; it is supplied as 'config.base_url'")
        draft.config["base_url"] = {"type": "string"}
        base = "{{ config.base_url }}"
    draft.http["base_url"] = base


def write_parameters(block: Block, names: Names, draft: Draft) -> None:
    """Say headers and parameters, and find among them where the key or the token goes."""
    for path, root in (("proxy.headers", "header"), ("proxy.query", "query")):
        kept: dict[str, str] = {}
        for name, text in block.texts(path).items():
            if root == "header" and re.fullmatch(HEADER_NAMES.pattern, name) is None:
                block.lose(f"{path}.{name}", "this header is set by itself")
            elif not _place(block, names, draft, f"{path}.{name}", f"{root}.{name}"):
                kept[name] = said(block, names, f"{path}.{name}", text)
        kept = {name: text for name, text in kept.items() if text}
        if kept:
            key = "headers" if root == "header" else "query"
            draft.http[key] = {**draft.http.get(key, {}), **kept}
    if block.text("auth_mode") == "API_KEY" and "auth" not in draft.http:
        used = any("secrets." in text for text in _said(draft))
        if not used:
            block.lose("auth_mode", "nothing says where the key goes; a Bearer token is sent")
            secret = names.variable("apiKey")
            draft.http["auth"] = {"type": "bearer", "token": f"{{{{ {secret} }}}}"}


def _said(draft: Draft) -> list[str]:
    http = draft.http
    return [http["base_url"], *http.get("headers", {}).values(), *http.get("query", {}).values()]


def _place(block: Block, names: Names, draft: Draft, path: str, place: str) -> bool:
    """Say where the key or the token goes, where a text is a word with one of them behind it."""
    try:
        *before, last = names.parts(block.text(path)) or ("",)
    except UnsayableError:
        return False
    prefix = "".join(part for part in before if isinstance(part, str))
    if before[1:] or len(prefix) < len(before):
        return False
    into = place.lower() if place.startswith("header.") else place
    is_usual = (into, prefix) == ("header.authorization", "Bearer ")
    if isinstance(last, Token):
        return _place_token(draft, "" if is_usual else into, prefix)
    is_key = isinstance(last, Variable) and last.root == "secrets"
    if not is_key or "auth" in draft.http or block.text("auth_mode") != "API_KEY":
        return False
    assert isinstance(last, Variable)
    if is_usual:
        draft.http["auth"] = {"type": "bearer", "token": write((last,))}
    else:
        made = {"type": "api_key", "into": into, "value": write((last,))}
        draft.http["auth"] = {**made, **({"prefix": prefix} if prefix else {})}
    return True


def _place_token(draft: Draft, into: str, prefix: str) -> bool:
    """Say where the token of a login goes, where that is not the usual place."""
    auth: dict[str, Any] | None = draft.http.get("auth")
    if auth is None or auth["type"] not in ("oauth2", "login", "jwt"):
        return False
    if into:
        auth["into"] = into
        auth.update({"prefix": prefix} if prefix else {})
    return True


def write_paging(block: Block, draft: Draft) -> None:
    """Say how lists are walked."""
    if block.find("proxy.paginate") is None:
        return
    kind = block.text("proxy.paginate.type")
    path = block.text("proxy.paginate.response_path")
    if path:
        found = to_expression(path.split("."), "body")
        block.note("proxy.paginate.response_path", f"say 'records: {found}' in each stream")
    root = "json" if block.flag("proxy.paginate.in_body") else "query"
    size = _size(block, root, is_needed=kind == "offset")
    said: dict[str, Json] | None = None
    if kind == "cursor":
        said = _cursor(block, root)
    elif kind == "link":
        said = _link(block)
    elif kind == "offset":
        said = _offset(block, root)
    else:
        block.lose("proxy.paginate.type", f"lists that are walked by {kind or 'nothing named'}")
    if said is not None:
        if size is not None and said["type"] in ("cursor", "offset", "page"):
            said["size"] = size
        draft.http["paginate"] = said


def _cursor(block: Block, root: str) -> dict[str, Json]:
    path = block.text("proxy.paginate.cursor_path_in_response")
    name = block.text("proxy.paginate.cursor_name_in_request")
    found = to_expression(path.split("."), "body")
    return {"type": "cursor", "next": found, "into": f"{root}.{name}"}


def _link(block: Block) -> dict[str, Json]:
    path = block.text("proxy.paginate.link_path_in_response_body")
    rel = block.text("proxy.paginate.link_rel_in_response_header")
    if path:
        return {"type": "next_url", "next": to_expression(path.split("."), "body")}
    return {"type": "link", **({"rel": rel} if rel not in ("", "next") else {})}


def _offset(block: Block, root: str) -> dict[str, Json]:
    name = block.text("proxy.paginate.offset_name_in_request")
    start = block.value("proxy.paginate.offset_start_value")
    by_page = block.text("proxy.paginate.offset_calculation_method") == "per-page"
    said: dict[str, Json] = {"type": "page" if by_page else "offset", "into": f"{root}.{name}"}
    first = start if isinstance(start, int) else 0
    if by_page or first:
        said["start"] = first
    return said


def _size(block: Block, root: str, *, is_needed: bool) -> dict[str, Json] | None:
    name = block.text("proxy.paginate.limit_name_in_request")
    limit = block.value("proxy.paginate.limit")
    if not name:
        return None
    if not isinstance(limit, int):
        if not is_needed:
            block.note("proxy.paginate.limit_name_in_request", "the provider's own size is used")
            return None
        message = f"no size is said; {_SIZE} records are asked for"
        block.note("proxy.paginate.limit_name_in_request", message)
        limit = _SIZE
    return {"into": f"{root}.{name}", "value": limit}


def write_waits(block: Block, draft: Draft) -> None:
    """Say when answers ask to wait, and for how long."""
    if block.find("proxy.retry") is None:
        return
    code = block.value("proxy.retry.error_code")
    status = code if isinstance(code, int) else _TOO_MANY
    held = f"status == `{status}`"
    rules: list[dict[str, Json]] = []
    after = block.text("proxy.retry.after").lower()
    if after and (after != "retry-after" or status != _TOO_MANY):
        header = f"headers.{to_member(after)}"
        rules.append(_wait(f"{held} && {header} != `null`", header, "seconds"))
    at = block.text("proxy.retry.at").lower()
    if at:
        header = f"headers.{to_member(at)}"
        rules.append(_wait(f"{held} && {header} != `null`", header, "unix"))
        block.note("proxy.retry.at", f"{at!r} is read as seconds since 1970")
    remaining = block.text("proxy.retry.remaining").lower()
    if remaining:
        left = f"headers.{to_member(remaining)} == '0'"
        rules = [{**rule, "when": f"{left} && {rule['when']}"} for rule in rules]
    if rules:
        draft.http["errors"] = rules


def _wait(when: str, value: str, kind: str) -> dict[str, Json]:
    return {"when": when, "then": "wait", "wait": {"value": value, "format": kind}}


def write_probe(block: Block, names: Names, draft: Draft) -> None:
    """Say the request that shows whether credentials are right."""
    if block.find("proxy.verification") is None:
        return
    method = block.text("proxy.verification.method").lower() or "get"
    several = block.listed("proxy.verification.endpoints")
    endpoint = block.text("proxy.verification.endpoint") or next(iter(several), "")
    if several[1:]:
        block.note("proxy.verification.endpoints", "the first one is tried alone")
    path = said(block, names, "proxy.verification.endpoint", endpoint)
    base = text_of(block, names, "proxy.verification.base_url_override")
    if base and path:
        path = f"{base.rstrip('/')}/{path.lstrip('/')}"
    elif path and not path.startswith(("/", "{{", "http")):
        path = f"/{path}"
    headers = {
        name: said(block, names, f"proxy.verification.headers.{name}", text)
        for name, text in block.texts("proxy.verification.headers").items()
    }
    data = block.value("proxy.verification.data")
    if method not in ("get", "post") or not path:
        block.lose("proxy.verification", f"a request to try by {method}")
        return
    draft.probe = {method: path, **({"headers": headers} if headers else {})}
    if isinstance(data, dict) and method == "post":
        draft.probe["json"] = data
    elif data is not None:
        block.lose("proxy.verification.data", "what is sent with it")


def settle_hosts(draft: Draft) -> None:
    """Say the further hosts that are asked, where they are written out."""
    http, auth = draft.http, draft.http.get("auth", {})
    base = urlsplit(http["base_url"]).hostname
    asked = [str(draft.probe.get(word, "")) for word in ("get", "post")]
    for step in auth.get("steps", ()):
        asked += [str(step.get(word, "")) for word in ("get", "post")]
    found = {urlsplit(url).hostname for url in asked if url.startswith("http")}
    hosts = sorted(host for host in found if host and host != base and "{" not in host)
    if hosts:
        http["hosts"] = hosts
