"""``TWO_STEP``: a call that gives a token, and calls after it, as ``login``."""

from __future__ import annotations

import re
from typing import Any, Final

from integrationd.config.nodes import Fields, Items, Node, Scalar, to_json
from integrationd.importers.literals import to_expression
from integrationd.importers.naming import to_word
from integrationd.importers.nango.block import Block
from integrationd.importers.nango.saying import said, text_of, texts_of
from integrationd.importers.nango.texts import Names
from integrationd.model.json import Json

_BODIES: Final = {"json": "json", "form": "form"}
_MS: Final = 1000
_EARLIER: Final = re.compile(r"\$\{step(\d+)\.([\w.]+)\}")


def read_login(block: Block, names: Names) -> dict[str, Any] | None:
    """Return the login; None where its token cannot be found, which is told."""
    found = block.text("token_response.token")
    if not found:
        block.lose("token_response", "without 'token' nobody knows what the login gives")
        return None
    further = block.get("additional_steps")
    nodes = further.items if isinstance(further, Items) else ()
    wanted = _wanted(nodes)
    steps = [_first(block, names)]
    if nodes:
        _read_into(steps[0], wanted.get(1, {}))
    for at, node in enumerate(nodes):
        names.reads = names.reads | {word for each in wanted.values() for word in each}
        step = _further(block, names, node, f"additional_steps[{at}]")
        _read_into(step, wanted.get(at + 2, {}))
        steps.append(step)
    _read_into(steps[-1], {"token": to_expression(found.split("."), "body")})
    made: dict[str, Any] = {"type": "login", "steps": steps}
    if sum(len(step.get("read", {})) for step in steps) > 1:
        made["token"] = "{{ read.token }}"  # noqa: S105 - a template
    lifetime = block.value("token_expires_in_ms")
    if isinstance(lifetime, int) and lifetime >= _MS:
        made["lifetime"] = f"{lifetime // _MS}s"
    if block.text("token_response.token_expiration"):
        block.used.add("token_response.token_expiration_strategy")
        block.note(
            "token_response.token_expiration",
            "the end that an answer names is not read; a session is used until it is refused",
        )
    return made


def _read_into(step: dict[str, Any], more: dict[str, str]) -> None:
    if more:
        step["read"] = {**step.get("read", {}), **more}


def _wanted(nodes: tuple[Node, ...]) -> dict[int, dict[str, str]]:
    """Return what later steps use of earlier ones, by the number of the step, from 1."""
    wanted: dict[int, dict[str, str]] = {}
    for node in nodes:
        for found in _EARLIER.finditer(str(to_json(node))):
            number, path = int(found.group(1)), found.group(2)
            word = _earlier_word(number, path)
            expression = to_expression(path.split("."), "body")
            wanted.setdefault(number, {})[word] = expression
    return wanted


def _earlier_word(number: int, path: str) -> str:
    return to_word(f"step{number}_{path.replace('.', '_')}")


def _first(block: Block, names: Names) -> dict[str, Any]:
    method = block.text("token_request_method").lower() or "post"
    url = text_of(block, names, "token_url")
    step: dict[str, Any] = {"get" if method == "get" else "post": url}
    headers = texts_of(block, names, "token_headers")
    if headers:
        step["headers"] = {name: text for name, text in headers.items() if not _frames(name)}
    params = block.get("token_params")
    body = block.text("body_format") or "json"
    if isinstance(params, Fields) and params.entries:
        written = _body(block, names, params, "token_params")
        if method == "get":
            step["query"] = written
        elif body in _BODIES:
            step[_BODIES[body]] = written
        else:
            block.lose("body_format", f"a login as {body}")
    return {key: value for key, value in step.items() if value != {}}


def _further(block: Block, names: Names, node: Node, path: str) -> dict[str, Any]:
    fields = node.entries if isinstance(node, Fields) else {}
    text = {
        key: str(value.value)
        for key, value in fields.items()
        if isinstance(value, Scalar) and value.value is not None
    }
    method = text.get("token_request_method", "post").lower()
    url = said(block, names, f"{path}.token_url", _forward(text.get("token_url", "")))
    step: dict[str, Any] = {"get" if method == "get" else "post": url}
    for key, ours in (("token_headers", "headers"), ("token_params", "")):
        inside = fields.get(key)
        if not isinstance(inside, Fields):
            continue
        written = _body(block, names, inside, f"{path}.{key}")
        body = "query" if method == "get" else _BODIES.get(text.get("body_format", "json"), "json")
        step[ours or body] = written
    for key in fields:
        if key not in (
            "token_request_method",
            "token_url",
            "token_headers",
            "token_params",
            "body_format",
        ):
            block.lose(path, f"{key!r} is not known here")
    return step


def _body(block: Block, names: Names, node: Node, path: str) -> Json:
    """Return the templates in an object, however deep."""
    if isinstance(node, Fields):
        return {
            key: _body(block, names, inside, f"{path}.{key}")
            for key, inside in node.entries.items()
        }
    if isinstance(node, Items):
        return [_body(block, names, inside, path) for inside in node.items]
    if isinstance(node.value, str):
        return said(block, names, path, _forward(node.value))
    return node.value


def _forward(text: str) -> str:
    """Return a text in which what an earlier step gave has its name of ours."""
    return _EARLIER.sub(
        lambda found: f"${{{_earlier_word(int(found.group(1)), found.group(2))}}}", text
    )


def _frames(name: str) -> bool:
    return name.lower() in ("content-type", "content-length", "host", "connection")
