"""Where OpenAPI documents are asked, and as whom."""

import pytest

from tests.unit.importers.openapi_samples import Made, document, listing, make, query

ONE = {"/items": {"get": listing(parameters=[query("page"), query("limit")])}}
BASIC = {"type": "http", "scheme": "basic"}
BEARER = {"type": "http", "scheme": "bearer"}
CLIENT = {"client_id": "{{ secrets.client_id }}", "client_secret": "{{ secrets.client_secret }}"}


def secured(schemes, security):
    """Return what is said under `http`."""
    return make(ONE, components={"securitySchemes": schemes}, security=security)["http"]


@pytest.mark.parametrize(
    ("scheme", "auth"),
    [
        pytest.param(
            BASIC,
            {
                "type": "basic",
                "username": "{{ config.username }}",
                "password": "{{ secrets.password }}",
            },
            id="basic",
        ),
        pytest.param(BEARER, {"type": "bearer", "token": "{{ secrets.token }}"}, id="bearer"),
        pytest.param(
            {"type": "apiKey", "in": "header", "name": "X-Key"},
            {"type": "api_key", "into": "header.x-key", "value": "{{ secrets.it }}"},
            id="header",
        ),
        pytest.param(
            {"type": "apiKey", "in": "query", "name": "apiKey"},
            {"type": "api_key", "into": "query.apiKey", "value": "{{ secrets.it }}"},
            id="query",
        ),
        pytest.param(
            {"type": "apiKey", "in": "cookie", "name": "SID"},
            {"type": "api_key", "into": "cookie.SID", "value": "{{ secrets.it }}"},
            id="cookie",
        ),
        pytest.param(
            {
                "type": "oauth2",
                "flows": {"clientCredentials": {"tokenUrl": "/token", "scopes": {"read": ""}}},
            },
            {
                "type": "oauth2",
                "grant": "client_credentials",
                "token_url": "https://a.test/token",
                **CLIENT,
            },
            id="client-credentials",
        ),
        pytest.param(
            {
                "type": "oauth2",
                "flows": {
                    "authorizationCode": {
                        "authorizationUrl": "https://b.test/authorize",
                        "tokenUrl": "https://b.test/token",
                        "refreshUrl": "https://b.test/renew",
                        "scopes": {"read": "", "write": ""},
                    }
                },
            },
            {
                "type": "oauth2",
                "grant": "authorization_code",
                "token_url": "https://b.test/token",
                **CLIENT,
                "authorize": {"url": "https://b.test/authorize"},
                "refresh": {"url": "https://b.test/renew"},
                "scopes": ["read", "write"],
            },
            id="consent",
        ),
    ],
)
def test_each_scheme_has_its_kind(scheme, auth):
    """Secrets are declared by their names, never supplied."""
    assert secured({"it": scheme}, [{"it": []}])["auth"] == auth


def test_alternatives_are_a_choice():
    """The first one is the default, and nobody at all may be one of them."""
    made = make(
        ONE,
        components={"securitySchemes": {"userPass": BASIC, "token": BEARER}},
        security=[{"userPass": []}, {"token": []}, {}],
    )

    assert list(made["http"]["auth"]["of"]) == ["user_pass", "token", "none"]
    assert made["http"]["auth"]["by"] == "{{ config.login }}"
    assert made["config"]["login"] == {
        "type": "string",
        "enum": ["user_pass", "token", "none"],
        "default": "user_pass",
        "description": "How to log in",
    }


def test_keys_that_go_together():
    """One of them is `auth`, the other one stands among the headers."""
    schemes = {"token": BEARER, "app": {"type": "apiKey", "in": "header", "name": "X-App"}}

    assert secured(schemes, [{"token": [], "app": []}]) == {
        "base_url": "https://a.test/v1",
        "auth": {"type": "bearer", "token": "{{ secrets.token }}"},
        "headers": {"x-app": "{{ secrets.app }}"},
    }


def test_what_cannot_be_said_of_credentials_is_told():
    """Discovery, flows in a browser, schemes that nobody defines, calls that differ."""
    made = Made(
        document(
            {
                **ONE,
                "/odd": {"post": {"security": [{"web": []}], "responses": {}}},
                "/more": {"post": {"security": [{"gone": []}], "responses": {}}},
            },
            components={
                "securitySchemes": {
                    "oidc": {"type": "openIdConnect", "openIdConnectUrl": "https://b.test"},
                    "web": {"type": "oauth2", "flows": {"implicit": {"scopes": {}}}},
                }
            },
            security=[{"oidc": []}, {"gone": []}],
        )
    )

    assert made.errors == ()
    assert made.losses == [
        "#/paths/~1odd/post: its credentials, web, are not those of the others",
        (
            "#/components/securitySchemes/oidc: openIdConnectUrl is not asked for its addresses; a "
            "token that was got elsewhere is sent, or write 'oauth2' with its token_url"
        ),
        "#/security: names the scheme 'gone', which is not defined",
    ]


@pytest.mark.parametrize(
    ("servers", "base", "config"),
    [
        pytest.param([{"url": "https://a.test/v1/"}], "https://a.test/v1", {}, id="one"),
        pytest.param(
            [{"url": "https://a.test"}, {"url": "https://b.test"}],
            "{{ config.base_url }}",
            {
                "base_url": {
                    "type": "string",
                    "default": "https://a.test",
                    "description": "Where it is; also https://b.test",
                }
            },
            id="several",
        ),
        pytest.param(
            [
                {
                    "url": "https://{region}.a.test",
                    "variables": {"region": {"default": "eu", "enum": ["eu", "us"]}},
                }
            ],
            "https://{{ config.region }}.a.test",
            {"region": {"type": "string", "default": "eu", "enum": ["eu", "us"]}},
            id="variables",
        ),
        pytest.param(
            [{"url": "/api"}],
            "{{ config.address }}/api",
            {
                "address": {
                    "type": "string",
                    "description": "Where the product is, https://library.example.org",
                }
            },
            id="no-host",
        ),
    ],
)
def test_servers_are_the_base(servers, base, config):
    """What the document leaves open is supplied by the configuration."""
    made = make(ONE, servers=servers)

    assert (made["http"]["base_url"], made.get("config", {})) == (base, config)


def test_calls_with_servers_of_their_own():
    """Their host may be called too."""
    paths = {**ONE, "/other": {"servers": [{"url": "https://b.test"}], "get": listing()}}
    made = make(paths)

    assert made["streams"]["other"]["get"] == "https://b.test/other"
    assert made["http"]["hosts"] == ["b.test"]


def test_probe_is_the_first_plain_list():
    """With one record at most, where that can be asked for."""
    assert make(ONE)["probe"] == {"get": "/items", "query": {"limit": 1}}


def test_no_secret_of_a_document_is_taken_over():
    """A password in an address, a key as a parameter with a default."""
    canary = "hunter2canary"
    key = {"name": "X-Api-Key", "in": "header", "required": True}
    key["schema"] = {"type": "string", "default": canary, "example": canary, "enum": [canary]}
    paths = {"/items": {"get": {**listing(), "parameters": [key]}}}
    made = Made(
        document(
            paths,
            servers=[{"url": f"https://me:{canary}@a.test"}, {"url": f"https://{canary}@b.test"}],
        )
    )

    assert made.errors == ()
    assert made.spec["streams"]["items"]["headers"] == {"X-Api-Key": "{{ secrets.x_api_key }}"}
    everything = "\n".join([*made.imported.files.values(), *map(str, made.imported.findings)])
    assert canary not in everything
