"""Blocks of providers.yaml: each kind of credentials."""

import pytest

from tests.unit.importers.nango_samples import desk, spec

CLIENT = {"client_id": "{{ secrets.client_id }}", "client_secret": "{{ secrets.client_secret }}"}


@pytest.mark.parametrize(
    ("mode", "lines", "auth"),
    [
        pytest.param(
            "BASIC",
            "  credentials: {username: {type: string}, password: {type: string, secret: true}}\n",
            {
                "type": "basic",
                "username": "{{ config.username }}",
                "password": "{{ secrets.password }}",
            },
            id="basic",
        ),
        pytest.param("NONE", "", None, id="none"),
        pytest.param(
            "OAUTH2",
            "  authorization_url: https://desk.test/authorize\n"
            "  token_url: https://desk.test/token\n"
            "  authorization_params: {response_type: code, access_type: offline}\n"
            "  token_params: {grant_type: authorization_code}\n"
            "  refresh_params: {grant_type: refresh_token}\n",
            {
                "type": "oauth2",
                "grant": "authorization_code",
                "token_url": "https://desk.test/token",
                **CLIENT,
                "client_auth": "post",
                "authorize": {
                    "url": "https://desk.test/authorize",
                    "query": {"access_type": "offline"},
                },
            },
            id="oauth2",
        ),
        pytest.param(
            "OAUTH2",
            "  authorization_url: https://desk.test/authorize\n"
            "  token_url: {OAUTH2: https://desk.test/token}\n"
            "  refresh_url: https://desk.test/renew\n"
            "  refresh_params: {grant_type: refresh_token, again: 'yes'}\n"
            "  token_params: {audience: api}\n"
            "  disable_pkce: true\n"
            "  scope_separator: ','\n"
            "  default_scopes: [read, write]\n"
            "  body_format: json\n"
            "  token_request_auth_method: basic\n"
            "  expires_in_unit: milliseconds\n"
            "  alternate_access_token_response_path: data.token\n"
            "  token_headers: {x-client: '${connectionConfig.client}'}\n",
            {
                "type": "oauth2",
                "grant": "authorization_code",
                "token_url": "https://desk.test/token",
                **CLIENT,
                "client_auth": "basic",
                "send_as": "json",
                "scope_separator": ",",
                "scopes": ["read", "write"],
                "headers": {"x-client": "{{ config.client }}"},
                "reply": {"access_token": "body.data.token", "expires_in_ms": "body.expires_in"},
                "form": {"audience": "api"},
                "authorize": {"url": "https://desk.test/authorize", "pkce": False},
                "refresh": {"url": "https://desk.test/renew", "form": {"again": "yes"}},
            },
            id="oauth2-in-full",
        ),
        pytest.param(
            "OAUTH2_CC",
            "  token_url: https://desk.test/token\n"
            "  token_params: {grant_type: client_credentials, audience: api}\n",
            {
                "type": "oauth2",
                "grant": "client_credentials",
                "token_url": "https://desk.test/token",
                **CLIENT,
                "client_auth": "post",
                "form": {"audience": "api"},
            },
            id="client-credentials",
        ),
        pytest.param(
            "OAUTH1",
            "  request_url: https://desk.test/request\n"
            "  authorization_url: https://desk.test/authorize\n"
            "  token_url: https://desk.test/token\n"
            "  signature_method: HMAC-SHA1\n",
            {
                "type": "oauth1",
                "signature_method": "HMAC-SHA1",
                "consumer_key": "{{ secrets.consumer_key }}",
                "consumer_secret": "{{ secrets.consumer_secret }}",
                "token": "{{ secrets.token }}",
                "token_secret": "{{ secrets.token_secret }}",
            },
            id="oauth1",
        ),
        pytest.param(
            "TBA",
            "  connection_config:\n    accountId: {type: string, title: Account}\n",
            {
                "type": "oauth1",
                "signature_method": "HMAC-SHA256",
                "consumer_key": "{{ secrets.consumer_key }}",
                "consumer_secret": "{{ secrets.consumer_secret }}",
                "token": "{{ secrets.token }}",
                "token_secret": "{{ secrets.token_secret }}",
                "realm": "{{ config.account_id }}",
            },
            id="tba",
        ),
        pytest.param(
            "JWT",
            "  signature: {protocol: RSA}\n"
            "  token:\n"
            "    signing_key: ${credentials.privateKey}\n"
            "    expires_in_ms: 600000\n"
            "    header: {alg: RS256, typ: JWT, kid: '${credentials.keyId}'}\n"
            "    payload: {iss: '${connectionConfig.issuer}', aud: api}\n",
            {
                "type": "jwt",
                "algorithm": "RS256",
                "key": "{{ secrets.private_key }}",
                "claims": {"iss": "{{ config.issuer }}", "aud": "api"},
                "headers": {"kid": "{{ secrets.key_id }}"},
                "lifetime": "600s",
            },
            id="jwt",
        ),
        pytest.param(
            "APP_STORE",
            "  token_url: https://desk.test/token\n  authorization_params: {audience: store}\n",
            {
                "type": "jwt",
                "algorithm": "ES256",
                "key": "{{ secrets.private_key }}",
                "claims": {"iss": "{{ secrets.issuer_id }}", "aud": "store"},
                "headers": {"kid": "{{ secrets.private_key_id }}"},
                "lifetime": "15m",
            },
            id="app-store",
        ),
        pytest.param(
            "TWO_STEP",
            "  token_url: https://api.desk.test/login\n"
            "  token_params: {user: '${credentials.username}', pass: '${credentials.password}'}\n"
            "  token_headers: {content-type: application/json, x-a: b}\n"
            "  token_response: {token: data.token, token_expiration: data.ends,"
            " token_expiration_strategy: expireIn}\n"
            "  token_expires_in_ms: 1800000\n",
            {
                "type": "login",
                "steps": [
                    {
                        "post": "https://api.desk.test/login",
                        "headers": {"x-a": "b"},
                        "json": {"user": "{{ config.username }}", "pass": "{{ secrets.password }}"},
                        "read": {"token": "body.data.token"},
                    }
                ],
                "lifetime": "1800s",
            },
            id="two-step",
        ),
        pytest.param(
            "TWO_STEP",
            "  token_url: https://api.desk.test/login\n"
            "  token_request_method: GET\n"
            "  token_params: {key: '${credentials.apiKey}'}\n"
            "  additional_steps:\n"
            "    - token_url: https://api.desk.test/session\n"
            "      body_format: form\n"
            "      token_params: {first: '${step1.a.b}'}\n"
            "  token_response: {token: id}\n",
            {
                "type": "login",
                "steps": [
                    {
                        "get": "https://api.desk.test/login",
                        "query": {"key": "{{ secrets.api_key }}"},
                        "read": {"step1_a_b": "body.a.b"},
                    },
                    {
                        "post": "https://api.desk.test/session",
                        "form": {"first": "{{ read.step1_a_b }}"},
                        "read": {"token": "body.id"},
                    },
                ],
                "token": "{{ read.token }}",
            },
            id="three-steps",
        ),
    ],
)
def test_each_kind_of_credentials(mode, lines, auth):
    """With the fields that go with it; secrets by their names."""
    assert spec(desk(mode, lines))["http"].get("auth") == auth
