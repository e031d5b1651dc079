"""Building again with what was made before gives what building anew gives, and makes less."""

import random

import pytest

from integrationd.spec.build import build_bundle
from integrationd.spec.memo import Memo
from integrationd.spec.read import read_file
from integrationd.spec.settings import Settings
from integrationd.spec.source import Layer, SourceFile

SHIPPED = "shipped/specs/shop.yaml"
PROVIDER = """\
provider: shop
config: {site: {type: string}}
http: {base_url: "https://{{ config.site }}.test"}
streams: {orders: {get: %s, key: id, mapping: shop.order, schedule: 1h}}
"""
FILES = {
    SHIPPED: [PROVIDER % "/shipped"],
    "specs/shop.yaml": [PROVIDER % "/a", PROVIDER % "/b", "provider: shop\nnonsense: 1\n", None],
    "specs/copy.yaml": [None, PROVIDER % "/copy"],
    "mappings/order.yaml": [
        "mapping: shop.order\nentity: order\nfields: {total: total}\n",
        "mapping: shop.order\nentity: order\nfields: {total: sum}\n",
        "mapping: shop.order\nentity: item\nfields: {total: total}\n",
        None,
    ],
    "mappings/entity.yaml": [
        None,
        "entity: order\nschema: {properties: {total: {type: number}}}\n",
        "entity: order\nschema: {properties: {name: {type: string}}, required: [name]}\n",
        "entity: order\nnonsense: 1\n",
    ],
    "integrations/a.yaml": [
        "integration: a\nuses: shop\nconfig: {site: a}\n",
        "integration: a\nuses: shop\nconfig: {site: aa}\n",
        "integration: a\nuses: shop\n",
        None,
    ],
    "integrations/b.yaml": ["integration: b\nuses: shop\nconfig: {site: b}\n", None],
}


def reads(texts):
    """Read the files that are there."""
    return [
        read_file(SourceFile(path, text.encode(), layer_of(path)))
        for path, text in texts.items()
        if text is not None
    ]


def layer_of(path):
    """Return whose a file is."""
    return Layer.SHIPPED if path == SHIPPED else Layer.CONFIGURED


@pytest.mark.parametrize("seed", range(30))
def test_memo_changes_nothing_of_what_is_built(seed):
    """For any order of changes: the same integrations, advice and errors as without one."""
    dice = random.Random(seed)
    texts = {path: dice.choice(choices) for path, choices in FILES.items()}
    memo = Memo()
    for _ in range(25):
        path = dice.choice(list(FILES))
        texts[path] = dice.choice(FILES[path])

        assert build_bundle(reads(texts), Settings(), memo) == build_bundle(
            reads(texts), Settings()
        )


def test_what_did_not_change_is_taken_again():
    """The very same object; only what the changed file is part of is made anew."""
    texts = {path: choices[0] for path, choices in FILES.items()}
    memo = Memo()
    first = build_bundle(reads(texts), Settings(), memo).integrations
    texts["integrations/a.yaml"] = FILES["integrations/a.yaml"][1]
    second = build_bundle(reads(texts), Settings(), memo).integrations

    assert second["b"] is first["b"]
    assert second["a"] is not first["a"]
    assert second["a"].config == {"site": "aa"}


def test_what_is_gone_is_forgotten():
    """A memo grows no larger than what runs."""
    texts = {path: choices[0] for path, choices in FILES.items()}
    memo = Memo()
    build_bundle(reads(texts), Settings(), memo)
    build_bundle(reads({**texts, "integrations/b.yaml": None}), Settings(), memo)

    assert set(memo.made) == {"a"}
