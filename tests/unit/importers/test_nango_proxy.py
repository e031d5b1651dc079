"""Blocks of providers.yaml: where calls go, with what, how lists are walked, when to wait."""

import pytest

from tests.unit.importers.nango_samples import desk, spec


@pytest.mark.parametrize(
    ("headers", "auth", "kept"),
    [
        (
            "authorization: 'Bearer ${apiKey}'",
            {"type": "bearer", "token": "{{ secrets.api_key }}"},
            None,
        ),
        (
            "x-key: '${apiKey}', accept: text/plain",
            {"type": "api_key", "into": "header.x-key", "value": "{{ secrets.api_key }}"},
            {"accept": "text/plain"},
        ),
        (
            "Authorization: 'Key ${credentials.apiKey}'",
            {
                "type": "api_key",
                "into": "header.authorization",
                "value": "{{ secrets.api_key }}",
                "prefix": "Key ",
            },
            None,
        ),
        (
            "authorization: 'Basic ${base64(${apiKey}:x)}'",
            None,
            {"authorization": "Basic {{ (secrets.api_key ~ ':x') | b64encode }}"},
        ),
    ],
)
def test_headers_say_where_a_key_goes(headers, auth, kept):
    """A word before it is a prefix; what is made of it stays a header."""
    proxy = f"  proxy:\n    base_url: https://api.desk.test\n    headers: {{{headers}}}\n"
    http = spec(desk("API_KEY", proxy=proxy))["http"]

    assert (http.get("auth"), http.get("headers")) == (auth, kept)


def test_parameter_says_where_a_key_goes():
    """Of the query."""
    proxy = "  proxy: {base_url: 'https://api.desk.test', query: {api_key: '${apiKey}', v: 2}}\n"
    http = spec(desk("API_KEY", proxy=proxy))["http"]

    assert http["auth"] == {
        "type": "api_key",
        "into": "query.api_key",
        "value": "{{ secrets.api_key }}",
    }
    assert http["query"] == {"v": "2"}


def test_token_goes_where_headers_say():
    """Into another header, behind another word."""
    proxy = (
        "  proxy:\n    base_url: https://api.desk.test\n"
        "    headers: {x-access-token: '${accessToken}'}\n"
    )
    auth = spec(desk("OAUTH2_CC", "  token_url: https://desk.test/token\n", proxy))["http"]["auth"]

    assert auth["into"] == "header.x-access-token"


def test_configuration_is_declared():
    """With what is said of it; what has another value to fall back to may be left out."""
    lines = (
        "  connection_config:\n"
        "    subDomain: {type: string, title: Sub, description: Where it is., example: acme,\n"
        "      pattern: '^[a-z]+$', format: hostname, order: 1, suffix: .desk.test}\n"
        "    appSecret: {type: string, title: A secret, description: x, secret: true}\n"
        "  credentials:\n    apiKey: {type: string, title: Key, description: The key}\n"
    )
    proxy = (
        "  proxy:\n    base_url: https://${connectionConfig.subDomain}.desk.test\n"
        "    headers: {x-key: '${apiKey}', x-app: '${connectionConfig.appSecret}',\n"
        "      x-version: '${connectionConfig.version} || 2024-01'}\n"
    )
    found = spec(desk("API_KEY", lines, proxy))

    assert found["config"] == {
        "sub_domain": {
            "type": "string",
            "pattern": "^[a-z]+$",
            "format": "hostname",
            "description": "Where it is, such as acme",
        },
        "version": {"type": ["string", "null"], "default": None},
    }
    assert found["secrets"] == {
        "app_secret": {"description": "x"},
        "api_key": {"description": "The key"},
    }
    assert found["http"]["base_url"] == "https://{{ config.sub_domain }}.desk.test"
    assert found["http"]["headers"] == {
        "x-app": "{{ secrets.app_secret }}",
        "x-version": "{{ (config.version) if config.version is not none else ('2024-01') }}",
    }


@pytest.mark.parametrize(
    ("said", "paginate"),
    [
        (
            "type: cursor, cursor_path_in_response: a.next, cursor_name_in_request: after",
            {"type": "cursor", "next": "body.a.next", "into": "query.after"},
        ),
        (
            (
                "type: cursor, cursor_path_in_response: next, cursor_name_in_request: after,"
                " limit_name_in_request: limit, limit: 50, in_body: true"
            ),
            {
                "type": "cursor",
                "next": "body.next",
                "into": "json.after",
                "size": {"into": "json.limit", "value": 50},
            },
        ),
        ("type: link, link_rel_in_response_header: next", {"type": "link"}),
        (
            "type: link, link_path_in_response_body: paging.next.link",
            {"type": "next_url", "next": "body.paging.next.link"},
        ),
        (
            "type: offset, offset_name_in_request: skip, limit_name_in_request: top",
            {
                "type": "offset",
                "into": "query.skip",
                "size": {"into": "query.top", "value": 100},
            },
        ),
        (
            (
                "type: offset, offset_name_in_request: page, offset_start_value: 1,"
                " offset_calculation_method: per-page"
            ),
            {"type": "page", "into": "query.page", "start": 1},
        ),
    ],
)
def test_each_way_to_walk_lists(said, paginate):
    """As `http.paginate`, for all streams."""
    proxy = f"  proxy:\n    base_url: https://api.desk.test\n    paginate: {{{said}}}\n"

    assert spec(desk("NONE", proxy=proxy))["http"]["paginate"] == paginate


@pytest.mark.parametrize(
    ("said", "errors"),
    [
        ("after: retry-after", None),
        (
            "after: x-wait",
            [
                {
                    "when": 'status == `429` && headers."x-wait" != `null`',
                    "then": "wait",
                    "wait": {"value": 'headers."x-wait"', "format": "seconds"},
                }
            ],
        ),
        (
            "at: x-reset, remaining: x-left, error_code: 403",
            [
                {
                    "when": "headers.\"x-left\" == '0' && status == `403` && "
                    'headers."x-reset" != `null`',
                    "then": "wait",
                    "wait": {"value": 'headers."x-reset"', "format": "unix"},
                }
            ],
        ),
    ],
)
def test_waits_are_rules(said, errors):
    """`Retry-After` needs none."""
    proxy = f"  proxy:\n    base_url: https://api.desk.test\n    retry: {{{said}}}\n"

    assert spec(desk("NONE", proxy=proxy))["http"].get("errors") == errors


def test_verification_is_the_probe():
    """At another host too, which may be called then."""
    proxy = (
        "  proxy:\n    base_url: https://api.desk.test\n    verification: {method: POST,"
        " endpoint: v1/me, base_url_override: https://auth.desk.test, headers: {x-a: b},"
        " data: {a: 1}}\n"
    )
    found = spec(desk("NONE", proxy=proxy))

    assert found["probe"] == {
        "post": "https://auth.desk.test/v1/me",
        "headers": {"x-a": "b"},
        "json": {"a": 1},
    }
    assert found["http"]["hosts"] == ["auth.desk.test"]
