"""Fingerprints: what of a file its stored state depends on, and nothing else."""

import dataclasses
import json

import pytest

from integrationd.model.fingerprints import Fingerprints
from integrationd.spec.build import build_bundle
from integrationd.spec.fingerprints import IDENTITY, IDLE, SHAPE
from integrationd.spec.read import read_file
from integrationd.spec.settings import Settings, Tenant
from integrationd.spec.source import SourceFile
from integrationd.spec.stream import Stream
from integrationd.transform.clean import Region
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
        ("  auth", "  encode: {lists: repeat}\n  auth"),
        ("    key: id", "    encode: {}\n    decode: {type: json, compression: none}\n    key: id"),
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
        ("  auth", "  encode: {lists: commas}\n  auth", ["reading"]),
        ("    key: id", "    encode: {safe: ':'}\n    key: id", ["reading"]),
        ("    key: id", "    decode: {type: xml, prefixes: true}\n    key: id", ["reading"]),
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


def test_they_stay_what_they_were():
    """They are stored: others would have every stream of every daemon read in full again."""
    assert (
        Fingerprints(
            identity='{"entity": "order", "key": ["id"]}',
            reading="71e6a182a551afeea86ac0e7",
            shape="0cd2642588bcf8a10216a4ea",
        )
        == BEFORE
    )


def test_each_account_of_a_provider_has_those_of_its_own_values():
    """What their streams say is worked out once, and what they read of ``config`` is not."""
    accounts = {
        name: f"integration: {name}\nuses: shop\nconfig: {{{values}}}\n"
        for name, values in {"a": "", "b": "color: blue", "c": "site: south"}.items()
    }
    made = bundle_of(shop=PROVIDER, order=MAPPING, **accounts).integrations
    found = [made[name].fingerprints["orders"] for name in accounts]

    assert found[0] == BEFORE
    assert [changed(each) for each in found[1:]] == [["shape"], ["reading"]]


LINE = "mapping: shop.line\nfields: {count: amount}\n"


def sending(line=LINE, account=ACCOUNT, used="shop.line", where="stream"):
    """Return the fingerprints where a template maps what it sends."""
    text = "{{ config.floor | mapping('NAME') | tojson }}".replace("NAME", used)
    old, new = {
        "stream": ("kind: open", f'kind: "{text}"'),
        "http": ('x-a: "1"', f'x-a: "{text}"'),
    }[where]
    files = {"shop": PROVIDER.replace(old, new), "order": MAPPING, "line": line, "a": account}
    other = LINE.replace("line", "other")
    return bundle_of(other=other, **files).integrations["a"].fingerprints["orders"]


@pytest.mark.parametrize("where", ["stream", "http"])
def test_a_mapping_of_what_is_sent_counts_for_what_is_asked(where):
    """Another version of it makes another request; one that means the same does not."""
    before = sending(where=where)

    same = sending(f"# a word\n{LINE}", where=where)
    other = sending(LINE.replace("amount", "total"), where=where)

    assert same == before
    assert (other.reading != before.reading, other.shape == before.shape) == (True, True)


def test_configuration_that_such_a_mapping_reads_counts_too():
    """Only where it is read."""
    line = LINE.replace("amount", "\"var('config.color')\"")
    blue = f"{ACCOUNT}config: {{color: blue}}\n"

    assert sending(line).reading != sending(line, blue).reading
    assert sending().reading == sending(account=blue).reading


def test_a_mapping_that_is_not_used_does_not_count():
    """It may be another stream's."""
    one, another = [sending(LINE.replace("amount", name), used="shop.other") for name in ("a", "b")]

    assert one == another


def test_one_mapping_in_two_countries_is_two_shapes():
    """What a tenant's region makes of a shared mapping is no other tenant's."""
    phones = "mapping: people\nentity: person\nfields: {phone: {path: phone, clean: [phone]}}\n"
    system = (
        "integration: {0}\ntenant: {0}\nhttp: {{base_url: https://a.test, paginate: none}}\n"
        "streams: {{people: {{get: /p, key: id, mapping: people}}}}\n"
    )
    files = {"people": phones, "north": system.format("north"), "south": system.format("south")}
    reads = [read_file(SourceFile(f"{name}.yaml", text.encode())) for name, text in files.items()]

    shapes = {
        (here, there): [
            integration.fingerprints["people"].shape
            for integration in build_bundle(
                reads,
                Settings(
                    tenants={
                        "north": Tenant(region=Region(here)),
                        "south": Tenant(region=Region(there)),
                    }
                ),
            ).integrations.values()
        ]
        for here, there in (("DE", "EC"), ("DE", "PE"))
    }

    (north, south), (same, other) = shapes.values()
    assert north == same
    assert len({north, south, other}) == 3
