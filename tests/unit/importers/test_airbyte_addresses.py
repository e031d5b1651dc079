"""Where requests of a manifest go: one base, its host, and the hosts of the others."""

import pytest

from integrationd.importers.airbyte.addresses import find_hosts, settle_base
from integrationd.importers.airbyte.requests import Asked


def asked(*addresses):
    """Return requests that begin at these, with the path ``/a``."""
    return [Asked("get", address, "/a") for address in addresses]


def test_one_base_is_kept():
    """What all say the same stays as it is."""
    several = asked("{{ config.url }}/v1", "{{ config.url }}/v1")

    assert settle_base(several) == "{{ config.url }}/v1"
    assert [each.path for each in several] == ["/a", "/a"]


def test_versions_behind_a_configured_host_go_into_the_path():
    """A path that begins with a value would be sent as one part of it."""
    several = asked("{{ config.url }}/v1", "{{ config.url }}/v1", "{{ config.url }}/v2")

    assert settle_base(several) == "{{ config.url }}"
    assert [each.path for each in several] == ["/v1/a", "/v1/a", "/v2/a"]
    assert {each.base for each in several} == {"{{ config.url }}"}


def test_whole_urls_stand_for_themselves():
    """They are written out where they differ."""
    several = asked("https://a.example/v1", "https://a.example/v2", "https://a.example/v1")

    assert settle_base(several) == "https://a.example/v1"
    assert several[1].base == "https://a.example/v2"


@pytest.mark.parametrize(
    ("address", "hosts"),
    [
        ("https://files.example.org/x", ["files.example.org"]),
        ("https://{{ config.shop }}.example.org/x", ["*.example.org"]),
        ("https://{{ config.shop }}.com/x", []),
        ("{{ config.url }}/x", []),
        ("https://a.example:8443/x", []),
    ],
)
def test_further_hosts_are_named_as_far_as_they_are_known(address, hosts):
    """A host of which only the country is known is not opened."""
    assert find_hosts([address], "https://a.example") == hosts
