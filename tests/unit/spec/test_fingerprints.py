"""Fingerprints: what of a file its stored state depends on, and nothing else."""

import dataclasses
import json

import pytest

from integrationd.spec.fingerprints import IDENTITY, IDLE, SHAPE
from integrationd.spec.stream import Stream
from tests.support.worlds import bundle_of

PROVIDER = """\
provider: shop
config:
  site: {type: string, default: north}
  color: {type: string, default: red}
  floor: {type: string, default: "1"}
secrets: {token: {}, other: {}}
http:
  base_url: "https://{{ config.site }}.test"
  auth: {type: bearer, token: "{{ secrets.token }}"}
  headers: {x-a: "1", x-b: "2"}
  paginate: {type: page, into: query.page}
streams:
  orders:
    get: /orders
    query: {kind: open}
    records: body.data
    key: id
    where: "color == var('config.color')"
    mapping: shop.order
    incremental: {field: at, into: query.since}
    schedule: 1h
"""
MAPPING = """\
mapping: shop.order
entity: order
fields: {number: id, floor: "var('config.floor')", total: {path: amount, type: decimal}}
"""
ACCOUNT = "integration: a\nuses: shop\n"


def prints(*changes, account=ACCOUNT):
    """Return the fingerprints after changes of the texts; each must hit."""
    files = {"shop": PROVIDER, "order": MAPPING}
    for old, new in changes:
        (name,) = (name for name, text in files.items() if old in text)
        files[name] = files[name].replace(old, new)
    return bundle_of(**files, a=account).integrations["a"].fingerprints["orders"]


BEFORE = prints()


def changed(after):
    """Name the fingerprints that are other ones."""
    names = [field.name for field in dataclasses.fields(after)]
    return [name for name in names if getattr(after, name) != getattr(BEFORE, name)]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("provider: shop", "# a word\nprovider: shop\ntitle: The shop\nnotes: long"),
        ("schedule: 1h", "schedule: 5h\n    max_pages: 7\n    sweep: false\n    enabled: false"),
        ('{x-a: "1", x-b: "2"}', '{x-b: "2", x-a: "1"}'),
        ("  auth", "  timeout: 9s\n  retries: 1\n  limits: {rate: 5/s}\n  auth"),
        ("    key: id", "    key: [id]"),
        ("into: query.since}", "into: query.since, type: time, sorted: false}"),
        ("{type: page, into: query.page}", "{type: page, into: query.page, start: 1}"),
        ("secrets.token }}", "secrets.other }}"),
        ("fields: {number: id,", "fields: {number: {path: id},"),
        ("mapping: shop.order\nentity", "# better\nmapping: shop.order\nentity"),
    ],
)
def test_what_means_the_same_changes_nothing(old, new):
    """Comments, order, defaults written out, schedules, limits and secrets do not count."""
    assert changed(prints((old, new))) == []


@pytest.mark.parametrize(
    ("old", "new", "names"),
    [
        ("key: id", "key: [id, kind]", ["identity"]),
        ("entity: order", "entity: sale", ["identity", "shape"]),
        ("kind: open", "kind: all", ["reading"]),
        ("get: /orders", "post: /orders", ["reading"]),
        ("into: query.since", "into: query.from", ["reading"]),
        ("query.since}", "query.since, lookback: 5m}", ["reading"]),
        ("into: query.page}", "into: query.p}", ["reading"]),
        ('{x-a: "1",', '{x-a: "3",', ["reading"]),
        ("records: body.data", "records: body.rows", ["shape"]),
        ("color ==", "paint ==", ["shape"]),
        ("type: decimal", "type: number", ["shape"]),
    ],
)
def test_what_means_another_thing_changes_its_own_fingerprint(old, new, names):
    """The key is identity, the request is reading, the mapping and its filters are shape."""
    assert changed(prints((old, new))) == names


@pytest.mark.parametrize(
    ("value", "names"),
    [("site: south", ["reading"]), ("color: blue", ["shape"]), ("floor: '2'", ["shape"])],
)
def test_configuration_counts_where_it_is_used(value, names):
    """A configured value counts for the part that reads it, also from within the mapping."""
    assert changed(prints(account=f"{ACCOUNT}config: {{{value}}}\n")) == names


def test_identity_can_be_read():
    """It is kept as it is written, so that a message can say what changed."""
    assert json.loads(BEFORE.identity) == {"entity": "order", "key": ["id"]}


def test_numbers_and_texts_are_told_apart():
    """A constant keeps its type: 5 is sent as a number in a JSON body."""
    assert changed(prints(("kind: open", "kind: 5"))) == ["reading"]
    assert prints(("kind: open", "kind: 5")) != prints(("kind: open", 'kind: "5"'))


def test_progress_belongs_to_all_three():
    """Whatever changes, a page token of before leads nowhere."""
    others = [prints(("key: id", "key: nr")), prints(("open", "all")), prints(("decimal", "text"))]

    assert len({BEFORE.progress, *(other.progress for other in others)}) == 4


def test_lists_of_fields_name_fields():
    """No name that decides what counts is a misspelt one."""
    names = {field.name for field in dataclasses.fields(Stream)}

    assert names >= IDLE | IDENTITY | SHAPE
