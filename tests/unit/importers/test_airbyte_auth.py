"""Credentials of manifests: what is secret, and each kind of authenticator."""

import pytest

from integrationd.importers.airbyte.provider import import_manifest


def one_stream(*, requester):
    """Return a manifest of one stream, as text."""
    return f"""\
streams:
  - type: DeclarativeStream
    name: items
    primary_key: id
    retriever:
      requester: {{url_base: "https://a.test", path: /items{requester}}}
      record_selector: {{extractor: {{field_path: []}}}}
"""


def provider(text):
    """Return the file that came of a manifest of which nothing was lost."""
    made = import_manifest(text.encode(), file="acme.yaml")
    assert made.losses == ()
    return made.files["specs/acme.yaml"]


def auth_of(authenticator):
    """Return what stands under `auth`."""
    made = provider(one_stream(requester=f", authenticator: {authenticator}"))
    return made.partition("  auth:\n")[2].partition("\n\n")[0].removesuffix("\n  paginate: none")


def test_secret_is_what_is_used_as_one():
    """A password is secret even where the specification does not say so."""
    text = one_stream(
        requester=", authenticator: {type: BasicHttpAuthenticator, username: u, "
        "password: \"{{ config['pass'] }}\"}"
    )

    made = provider(text)

    assert "secrets:\n  pass: {}\n" in made
    assert '    password: "{{ secrets.pass }}"\n' in made
    assert "config:" not in made


def test_choice_of_credentials_becomes_a_choice():
    """The ways are named by our rules, and the configuration says which names there are."""
    text = one_stream(
        requester=", authenticator: {type: SelectiveAuthenticator, "
        "authenticator_selection_path: [login, kind], authenticators: {"
        "Client: {type: BearerAuthenticator, api_token: \"{{ config['login']['token'] }}\"}, "
        "no login: {type: NoAuth}}}"
    )

    made = provider(text)

    by = (
        "{{ 'client' if config.kind == 'Client' else "
        "'no_login' if config.kind == 'no login' else '' }}"
    )
    assert made.partition("  auth:\n")[2].partition("\nstreams")[0] == (
        "    type: choice\n"
        f'    by: "{by}"\n'
        "    of:\n"
        "      client:\n"
        "        type: bearer\n"
        '        token: "{{ secrets.token }}"\n'
        "      no_login: none\n"
    )
    assert "    enum:\n      - Client\n      - no login\n" in made


@pytest.mark.parametrize(
    ("authenticator", "auth"),
    [
        pytest.param(
            "{type: ApiKeyAuthenticator, api_token: \"{{ config['k'] }}\", header: X-Key}",
            """\
            type: api_key
            into: header.x-key
            value: "{{ secrets.k }}"
            """,
            id="key",
        ),
        pytest.param(
            "{type: OAuthAuthenticator, token_refresh_endpoint: 'https://a.test/t', "
            "client_id: \"{{ config['id'] }}\", client_secret: \"{{ config['cs'] }}\", "
            "refresh_token: \"{{ config['rt'] }}\", client_id_name: app, "
            "access_token_name: token, refresh_request_body: {audience: x}, scopes: [a], "
            "use_profile_assertion: false}",
            """\
            type: oauth2
            grant: refresh_token
            token_url: https://a.test/t
            client_id: "{{ config.id }}"
            client_secret: "{{ secrets.cs }}"
            client_auth: post
            refresh_token: "{{ secrets.rt }}"
            rotates: false
            form:
              app: "{{ config.id }}"
              client_id: null
              audience: x
              scopes: a
            reply:
              access_token: body.token
            """,
            id="oauth",
        ),
        pytest.param(
            "{type: OAuthAuthenticator, token_refresh_endpoint: 'https://a.test/t', "
            "client_id: a, client_secret: \"{{ config['cs'] }}\", "
            "grant_type: client_credentials, scopes: [read, 'write:all']}",
            """\
            type: oauth2
            grant: client_credentials
            token_url: https://a.test/t
            client_id: a
            client_secret: "{{ secrets.cs }}"
            client_auth: post
            form:
              scopes:
                - read
                - write:all
            """,
            id="several scopes",
        ),
        pytest.param(
            "{type: JwtAuthenticator, algorithm: HS256, secret_key: \"{{ config['k'] }}\", "
            "base64_encode_secret_key: true, header_prefix: JWT, jwt_headers: {kid: x}, "
            "jwt_payload: {iss: me}, token_duration: 60}",
            """\
            type: jwt
            algorithm: HS256
            key: "{{ secrets.k | b64encode }}"
            claims:
              iss: me
              nbf: "{{ timestamp }}"
            headers:
              kid: x
            lifetime: 60s
            prefix: "JWT "
            """,
            id="jwt",
        ),
        pytest.param(
            "{type: OAuthAuthenticator, token_refresh_endpoint: 'https://a.test/t', "
            "use_profile_assertion: true, profile_assertion: {algorithm: RS256, "
            "secret_key: \"{{ config['k'] }}\", jwt_headers: {kid: x}, jwt_payload: {iss: me}, "
            "additional_jwt_payload: {scope: read}, token_duration: 60}}",
            """\
            type: oauth2
            grant: jwt_bearer
            token_url: https://a.test/t
            assertion:
              algorithm: RS256
              key: "{{ secrets.k }}"
              claims:
                iss: me
                scope: read
              headers:
                kid: x
              lifetime: 60s
            """,
            id="assertion",
        ),
    ],
)
def test_authenticator_becomes_auth(authenticator, auth):
    """Each kind says the same here."""
    wanted = "\n".join(line.removeprefix(" " * 8) for line in auth.rstrip().splitlines())

    assert auth_of(authenticator) == wanted


def test_login_becomes_its_call():
    """It is asked as an operation is, below the same address or at a host of its own."""
    login = (
        ", authenticator: {type: SessionTokenAuthenticator, session_token_path: [data, token], "
        "expiration_duration: PT8H, request_authentication: {type: %s}, login_requester: "
        "{url_base: '%s', path: login, http_method: POST, request_body_json: "
        "{user: \"{{ config['user'] }}\", api_key: \"{{ config['key'] }}\"}%s}}"
    )
    key = (
        "ApiKey, inject_into: {inject_into: header, field_name: X-Session}, "
        "api_token: 'Own {{ session_token }}'"
    )
    own = ", authenticator: {type: BearerAuthenticator, api_token: \"{{ config['app'] }}\"}"

    usual = provider(one_stream(requester=login % ("Bearer", "https://a.test", "")))
    other = provider(one_stream(requester=login % (key, "https://b.test/v1", own)))

    assert usual.partition("  auth:\n")[2].partition("\nstreams")[0] == (
        "    type: login\n"
        "    steps:\n"
        "      - post: /login\n"
        "        json:\n"
        '          user: "{{ config.user }}"\n'
        '          api_key: "{{ secrets.key }}"\n'
        "        read:\n"
        "          session_token: body.data.token\n"
        "    lifetime: 8h\n"
    )
    assert other.partition("  auth:\n")[2].partition("\nstreams")[0] == (
        "    type: login\n"
        "    steps:\n"
        "      - post: https://b.test/v1/login\n"
        "        json:\n"
        '          user: "{{ config.user }}"\n'
        '          api_key: "{{ secrets.key }}"\n'
        "        headers:\n"
        '          authorization: "Bearer {{ secrets.app }}"\n'
        "        read:\n"
        "          session_token: body.data.token\n"
        '    token: "Own {{ read.session_token }}"\n'
        "    into: header.x-session\n"
        "    lifetime: 8h\n"
        "  hosts:\n"
        "    - b.test\n"
    )


def test_login_with_other_credentials_of_its_own_is_told():
    """The call goes out without them."""
    text = one_stream(
        requester=", authenticator: {type: SessionTokenAuthenticator, session_token_path: [t], "
        "request_authentication: {type: Bearer}, login_requester: {url_base: 'https://a.test', "
        "path: login, authenticator: {type: JwtAuthenticator, algorithm: HS256, "
        "secret_key: \"{{ config['p'] }}\"}}}"
    )

    made = import_manifest(text.encode(), file="acme.yaml")

    (told,) = made.losses
    assert told.message.endswith(
        "login_requester.authenticator: the language cannot say credentials of this kind for a "
        "call that logs in yet"
    )


def test_login_with_a_user_name_and_a_password_sends_them():
    """They stand in its own header, made of what is configured."""
    text = one_stream(
        requester=", authenticator: {type: SessionTokenAuthenticator, session_token_path: [t], "
        "request_authentication: {type: Bearer}, login_requester: {url_base: 'https://a.test', "
        "path: login, authenticator: {type: BasicHttpAuthenticator, username: u, "
        "password: \"{{ config['p'] }}\"}}}"
    )

    made = import_manifest(text.encode(), file="acme.yaml")

    assert made.losses == ()
    (written,) = made.files.values()
    assert "authorization: \"Basic {{ ('u' ~ ':' ~ secrets.p) | b64encode }}\"" in written
