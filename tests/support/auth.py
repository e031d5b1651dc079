"""Kinds of auth decoded from text, and two of OAuth2 to begin with."""

from __future__ import annotations

from typing import Any

from integrationd.config.decode import Kinds, Site, decode
from integrationd.config.problems import Problems
from integrationd.config.yaml import parse_yaml
from integrationd.model.secret import Secret
from integrationd.wire.choice import AUTH_KINDS

CLIENT = (
    'type: oauth2, grant: client_credentials, token_url: "{{ config.url }}/token", '
    'client_id: "{{ config.client }}", client_secret: "{{ secrets.client_secret }}"'
)
REFRESH = (
    'type: oauth2, grant: refresh_token, token_url: "https://server.example.com/token", '
    'client_id: s6BhdRkqt3, client_secret: "{{ secrets.client_secret }}", '
    'refresh_token: "{{ secrets.refresh_token }}"'
)
VARIABLES = {
    "config": {"url": "https://server.example.com", "client": "s6BhdRkqt3", "at": "body.t"},
    "secrets": {"client_secret": Secret("gX1fBat3bV"), "refresh_token": Secret("tGzv3JOkF0")},
}


def decode_auth(text: str) -> tuple[Any, list[str]]:
    """Decode the YAML of one kind; return it with what was told."""
    problems = Problems()
    node = parse_yaml(text.encode(), file="specs/acme.yaml", problems=problems)
    made = decode(node, object, Site(problems, "http.auth").noted(Kinds(AUTH_KINDS)))
    return made, [str(problem) for problem in problems.found]


def made(text: str, more: str = "") -> Any:
    """Decode one kind of auth from its fields."""
    auth, told = decode_auth("{" + text + (f", {more}" if more else "") + "}")
    assert told == []
    return auth
