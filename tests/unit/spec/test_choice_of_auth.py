"""Ways to log in, of which an integration's configuration picks one."""

import pytest

from integrationd.config.decode import INVALID
from integrationd.model.secret import Secret
from integrationd.spec.build import build_bundle
from integrationd.spec.read import read_file
from integrationd.spec.settings import Settings
from integrationd.spec.source import SourceFile
from integrationd.wire.auth.basic import BasicAuth
from integrationd.wire.auth.bearer import BearerAuth
from integrationd.wire.auth.oauth2 import OAuth2Auth
from tests.support.auth import decode_auth
from tests.support.signers import GET
from tests.support.worlds import bundle_of

PROVIDER = """
provider: shop
config: {login: {type: string, default: token}}
secrets: {token: {}, password: {}, client_secret: {}, hook: {}, both: {}}
http:
  base_url: https://shop.test
  headers: {X-Both: "{{ secrets.both }}"}
  auth:
    type: choice
    by: "{{ config.login }}"
    of:
      token: {type: bearer, token: "{{ secrets.token }}{{ secrets.both }}"}
      password: {type: basic, username: ann, password: "{{ secrets.password }}"}
      client:
        type: oauth2
        grant: client_credentials
        token_url: https://login.test/token
        client_id: me
        client_secret: "{{ secrets.client_secret }}"
streams:
  orders: {get: /orders, key: id}
"""


def integration(more: str = ""):
    """Build an integration of the provider."""
    text = f"integration: mine\nuses: shop\n{more}"
    return bundle_of(shop=PROVIDER, mine=text).integrations["mine"]


def told(provider: str = PROVIDER, own: str = "") -> list[str]:
    """Return what is wrong with an integration of a provider."""
    texts = {"shop": provider, "mine": f"integration: mine\nuses: shop\n{own}"}
    files = [read_file(SourceFile(f"{name}.yaml", text.encode())) for name, text in texts.items()]
    return [str(problem) for problem in build_bundle(files, Settings()).errors]


@pytest.mark.parametrize(
    ("own", "kind", "needed"),
    [
        ("", BearerAuth, {"token", "both", "hook"}),
        ("config: {login: password}", BasicAuth, {"password", "both", "hook"}),
        ("config: {login: client}", OAuth2Auth, {"client_secret", "both", "hook"}),
    ],
)
def test_configuration_picks_one(own, kind, needed):
    """What the engine sees is that one alone; a secret that only others use need not be there."""
    built = integration(own)

    assert type(built.http.auth) is kind
    assert set(built.needed_secrets()) == needed
    assert set(built.secrets) == {"token", "password", "client_secret", "hook", "both"}


def test_way_in_is_no_part_of_what_a_stream_gives():
    """Another way to log in does not read everything anew."""
    one, two = integration(), integration("config: {login: password}")

    assert one.fingerprints == two.fingerprints


def test_integration_may_add_a_way():
    """It is merged over its provider like every object."""
    own = (
        "config: {login: mine}\nhttp: {auth: {of: "
        '{mine: {type: api_key, into: query.key, value: "{{ secrets.token }}"}}}}'
    )

    built = integration(own)

    assert built.http.auth.kind == "api_key"
    assert set(built.needed_secrets()) == {"token", "both", "hook"}


def test_wrong_name_is_told_with_the_names_there_are():
    """When files are read, and not at night."""
    assert told(own="config: {login: passwort}") == [
        (
            "shop.yaml:10:9: E110: http.auth.by gives 'passwort', expected one of client, "
            "password, token"
        )
    ]
    assert told(own="config: {login: ''}") == [
        "shop.yaml:10:9: E110: http.auth.by gives nothing, expected one of client, password, token"
    ]


def test_name_that_may_be_a_secret_is_not_repeated():
    """What is near none of the names may have been put into the wrong line."""
    assert told(own="config: {login: s3cr3t-t0ken-of-ann}") == [
        (
            "shop.yaml:10:9: E110: http.auth.by gives another name, expected one of client, "
            "password, token"
        )
    ]


def test_value_that_is_missing_is_told():
    """A name inside an object that the configuration does not have."""
    provider = PROVIDER.replace("config.login }}", "config.login.name }}")

    assert told(provider) == [
        (
            "shop.yaml:10:9: E204: http.auth.by cannot be made: 'config.login.name' has no value; "
            "supply it, or add | default(…)"
        )
    ]


def test_address_of_the_picked_one_is_checked():
    """Of the others it does not matter."""
    provider = PROVIDER.replace("https://login.test/token", "login.test/token")

    assert told(provider) == []
    assert [line.split(": ")[1] for line in told(provider, "config: {login: client}")] == ["E111"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "{type: choice, by: a, of: {}}",
            "1:27: E102: http.auth.of is empty, expected a name and a kind of auth for each way",
        ),
        (
            "{type: choice, by: a, of: {A b: none}}",
            (
                "1:28: E109: http.auth.of has the name 'A b', expected a word of small letters, "
                "digits and '_'"
            ),
        ),
        (
            '{type: choice, by: "{{ secrets.a }}", of: {a: none}}',
            "1:20: E204: template uses 'secrets', variables here are: config",
        ),
        (
            "{type: choice, by: a, of: {a: {type: choice, by: b, of: {b: none}}}}",
            (
                "1:38: E110: http.auth.of.a.type is 'choice', which is not known; known here: "
                "api_key, basic, bearer, digest, jwt, login, none, oauth1, oauth2, shared_key, "
                "signed, sigv4"
            ),
        ),
    ],
)
def test_mistakes_are_told_when_the_file_is_checked(text, problem):
    """Each with its place."""
    made, found = decode_auth(text)

    assert made is INVALID
    assert [line.removeprefix("specs/acme.yaml:") for line in found] == [problem]


def test_alternatives_are_decoded_as_kinds():
    """Each is what it would be alone."""
    made, found = decode_auth(
        '{type: choice, by: a, of: {a: none, b: {type: bearer, token: "{{ secrets.t }}"}}}'
    )

    assert found == []
    variables = {"secrets": {"t": Secret("x")}}
    assert made.of["a"].apply(GET, variables) is GET
    assert made.of["b"].apply(GET, variables).headers["authorization"] == Secret("Bearer x")
