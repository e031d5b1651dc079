"""What integrations leave as it is in their provider is what its file gave.

Which must be what merging and decoding all of it anew gives.
"""

import dataclasses
import json
import random
from pathlib import Path

import pytest

from integrationd.bundles.shipped import shipped_dirs
from integrationd.config.decode import Site, decode_fields
from integrationd.config.nodes import to_json
from integrationd.config.problems import Problems
from integrationd.config.yaml import parse_yaml
from integrationd.spec.build import build_bundle
from integrationd.spec.documents import IntegrationDocument, ProviderDocument, SystemBody
from integrationd.spec.merge import merge_fields, without
from integrationd.spec.overlay import decode_over
from integrationd.spec.read import read_file
from integrationd.spec.settings import Settings
from integrationd.spec.source import SourceFile

GOOD = Path(__file__).parents[2] / "good"
BARE = ("integration", "uses", "tenant", "config", "secrets")
PROVIDER = """\
provider: shop
config: {site: {type: string, default: x}}
http: {base_url: "https://{{ config.site }}.test", paginate: none}
streams: {orders: {get: /orders, key: id, mapping: shop.order, schedule: 1m}}
"""
ACCOUNT = "integration: a\nuses: shop\n"
MAPPING = "mapping: shop.order\nentity: order\nfields: {total: total}\n"
NOTHING = "streams: {}\n"
"""Laid over a provider it changes nothing, but makes the integration one that adds something."""


def good_texts(folder):
    """Return the texts of a good configuration, its settings left out."""
    paths = (path for path in folder.rglob("*.yaml") if path.name != "integrationd.yaml")
    return {str(path): path.read_text() for path in paths}


def build(texts):
    """Build all of them."""
    return build_bundle(
        [read_file(SourceFile(path, text.encode())) for path, text in texts.items()], Settings()
    )


def plain(integration):
    """Return all but the digests of its files."""
    return dataclasses.replace(integration, files=dict.fromkeys(integration.files))


@pytest.mark.parametrize("folder", sorted(GOOD.iterdir()), ids=lambda path: path.name)
def test_what_is_shared_is_what_merging_gives(folder):
    """For every good configuration: values, shapes, fingerprints and advice."""
    texts = good_texts(folder)
    for path, text in texts.items():
        document = read_file(SourceFile(path, text.encode())).document
        if isinstance(document, IntegrationDocument) and set(BARE) >= document.node.entries.keys():
            texts[path] = text + NOTHING
    shared, merged = build(good_texts(folder)), build(texts)

    assert list(map(plain, shared.integrations.values())) == list(
        map(plain, merged.integrations.values())
    )
    assert shared.problems == merged.problems


def test_the_good_configurations_have_integrations_that_add_nothing():
    """Else the test above would show nothing."""
    bundle = build(good_texts(GOOD / "provider-and-two-accounts"))
    bodies = [integration.streams for integration in bundle.integrations.values()]

    assert any(streams is bundle.providers["shop"].body.streams for streams in bodies)


@pytest.mark.parametrize(
    "texts",
    [
        {"shop": PROVIDER, "order": MAPPING},
        {"shop": PROVIDER},
        {"shop": PROVIDER, "order": MAPPING.replace("mapping", "nonsense")},
        {"shop": PROVIDER, "order": MAPPING + "required: [x]\n"},
        {"shop": PROVIDER, "order": MAPPING.replace(": total", ": \"var('config.gone')\"")},
        {"shop": PROVIDER.replace("config.site", "config.sight"), "order": MAPPING},
        {"shop": PROVIDER.replace("https://", "ftp://"), "order": MAPPING},
    ],
    ids=["good", "gone", "broken", "unmapped", "undeclared", "misspelt", "address"],
)
def test_what_is_wrong_is_told_of_those_that_add_nothing(texts):
    """They are refused as those are that add something, with the same words."""
    shared = build({**texts, "a": ACCOUNT})
    merged = build({**texts, "a": ACCOUNT + NOTHING})

    assert shared.problems == merged.problems
    assert shared.refused == merged.refused
    assert list(shared.integrations) == list(merged.integrations)


def all_providers():
    """Return every provider that is shipped, or in a good configuration."""
    roots = [GOOD, shipped_dirs()["specs"]]
    files = [
        read_file(SourceFile(path.name, path.read_bytes()))
        for root in roots
        for path in sorted(root.rglob("*.yaml"))
    ]
    return [file for file in files if isinstance(file.document, ProviderDocument)]


def lay(dice, value, depth=0):
    """Make something to be laid over a value: parts of it changed, taken away, or made wrong."""
    if not isinstance(value, dict) or dice.random() < 0.2 * depth:
        return dice.choice([None, value, value, "30m", 7, {}, {"nonsense": 1}, []])
    keys = dice.sample(sorted(value), min(len(value), dice.choice([0, 1, 1, 2])))
    laid = {key: lay(dice, value[key], depth + 1) for key in keys}
    if dice.random() < 0.1:
        laid["added"] = {"get": "/added", "key": "id", "schedule": "1s"}
    return laid


@pytest.mark.parametrize("seed", range(30))
def test_what_is_laid_over_a_provider_is_decoded_as_the_whole_would_be(seed):
    """The same values, or the same problems, for any changes of any provider."""
    dice = random.Random(seed)
    for read in dice.choices(all_providers(), k=10):
        provider = read.document
        under = without(provider.node, "provider", "config", "secrets")
        laid = json.dumps(lay(dice, to_json(under))).encode()
        own, whole, parts = (
            parse_yaml(laid, file="own", problems=Problems()),
            Problems(),
            Problems(),
        )
        expected = decode_fields(merge_fields(under, own), SystemBody, Site(whole, ""))
        told = set(read.problems)

        assert decode_over(provider, own, Site(parts, "")) == expected, laid
        assert set(parts.found) - told == set(whole.found) - told


def test_only_what_is_changed_is_decoded():
    """A stream beside the changed one is the very object that the provider has."""
    provider = read_file(SourceFile("shop.yaml", PROVIDER.encode())).document
    laid = b"streams: {orders: {schedule: 1h}, more: {get: /more, key: id}}"
    own = parse_yaml(laid, file="own", problems=Problems())
    base, body = provider.body, decode_over(provider, own, Site(Problems(), ""))
    again = decode_over(provider, without(own, "streams"), Site(Problems(), ""))

    assert body.http is base.http
    assert list(body.streams) == ["orders", "more"]
    assert body.streams["orders"] is not base.streams["orders"]
    assert again.streams["orders"] is base.streams["orders"]
