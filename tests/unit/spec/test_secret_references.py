"""What of an integration's secrets is handed to whoever looks them up."""

from tests.support.worlds import bundle_of

PROVIDER = """\
provider: shop
secrets: {token: {}, signing: {}}
http: {base_url: https://shop.test, auth: {type: bearer, token: "{{ secrets.token }}"}}
"""
ACCOUNT = """\
integration: main
uses: shop
secrets: {token: {env: INTEGRATIOND_SECRET_X}}
"""


def test_each_declared_secret_has_its_reference_or_none():
    """A secret with a reference is looked up there, one without is looked up by its name."""
    bundle = bundle_of(provider=PROVIDER, integration=ACCOUNT)

    assert bundle.integrations["main"].secret_references() == {
        "token": {"env": "INTEGRATIOND_SECRET_X"},
        "signing": None,
    }
