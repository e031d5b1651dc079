"""What a played provider answers: credentials, rates, filters, changes, and records that map."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from integrationd.bundles.scan import Scanner, find_shipped_roots
from integrationd.bundles.shipped import shipped_dirs
from integrationd.config.units import Rate, parse_rate
from integrationd.engine.plans import build_plan
from integrationd.errors import UsageError
from integrationd.model.records import DeleteReason, Removal
from integrationd.spec.settings import Settings
from integrationd.testing.options import PlayOptions
from integrationd.testing.stage import stage
from integrationd.transform.shape import Shaped
from integrationd.wire.messages import Call, Request
from tests.support.players import ORIGIN, ask, play_integration, player_of, request_of, walk

SHIPPED = [
    found.source for found in Scanner(find_shipped_roots(shipped_dirs())).scan().files.values()
]
PLAYED = ("demo-library", "rabbitmq", "stripe")

SHOP = """\
integration: shop
secrets: {token: {env: INTEGRATIOND_SECRET_TOKEN}}
http:
  base_url: http://player.test/v1
  auth: {type: bearer, token: "{{ secrets.token }}"}
  headers: {X-Version: "3"}
streams:
  orders: {get: /orders, query: {kind: order}, records: body.data, key: id, paginate: none}
  refunds: {get: /orders, query: {kind: refund}, records: body.data, key: id, paginate: none}
"""


def shape(player, stream, records):
    """Shape records as the engine does."""
    plan, shaped = build_plan(player.integration, stream), Shaped()
    plan.shaper.shape(records, {"config": dict(player.integration.config)}, shaped)
    return shaped


def read(player, stream, cursor=None):
    """Read and shape a whole stream."""
    return shape(player, stream, [r for page in walk(player, stream, cursor) for r in page])


@pytest.mark.parametrize("name", PLAYED)
def test_shipped_specs_can_be_played(name):
    """Every stream of a shipped spec is read by its own spec: the good kept, the bad set aside."""
    integration = stage(SHIPPED, name, Settings(), ORIGIN)
    player = play_integration(integration, PlayOptions(records=230, bad=5))

    for stream in player.sources:
        shaped = read(player, stream)

        assert len(shaped.upserts) == 225
        assert len(shaped.aside) == 5
        assert shaped.removals == []


def test_same_seed_tells_the_same_story():
    """Records and changes come out alike for one seed, and otherwise for another."""
    integration = stage(SHIPPED, "demo-library", Settings(), ORIGIN)

    def tell(seed: int) -> list[object]:
        player = play_integration(integration, PlayOptions(records=50, bad=3, seed=seed))
        items = player.sources["items"]
        changed = [entry.number for entry in items.change(3)]
        return [changed, [entry.data for entry in items.listed()]]

    assert tell(1) == tell(1)
    assert tell(1) != tell(2)


def test_records_look_like_what_their_fields_are_called():
    """Names, codes with leading zeros, e-mail addresses, days and exact prices."""
    integration = stage(SHIPPED, "demo-library", Settings(), ORIGIN)
    player = play_integration(integration, PlayOptions(records=9, bad=0))

    assert player.sources["items"].entries[6].data == {
        "id": 7,
        "updated_at": "2026-01-01T00:00:07Z",
        "barcode": "00000007",
        "biblio": {
            "title": "A book of bread, volume 7",
            "author": "Noor Kowalski",
            "isbn": "9780000000071",
        },
        "call_number": "107.7 Had",
        "location": "harbour",
        "lost": None,
        "checked_out_on": "2025-12-25",
        "acquired_on": "2025-12-25",
        "price": "10.59",
        "is_deleted": False,
    }
    assert player.sources["patrons"].entries[1].data["email"] == "sren.le2@example.org"


def test_every_branch_of_a_choice_occurs():
    """A mapping's ``first`` rule takes each of its options somewhere."""
    integration = stage(SHIPPED, "demo-library", Settings(), ORIGIN)
    player = play_integration(integration, PlayOptions(records=6, bad=0))

    found = [json.loads(upsert.data)["status"] for upsert in read(player, "items").upserts]

    assert sorted(set(found)) == ["available", "checked_out", "lost"]


def test_changed_records_come_after_the_cursor():
    """A lower bound, which is included, lets through what changed since, and the change shows."""
    integration = stage(SHIPPED, "demo-library", Settings(), ORIGIN)
    player = play_integration(integration, PlayOptions(records=40, bad=0))
    for name, source in player.sources.items():
        before = read(player, name)
        changed = {source.external_id(entry) for entry in source.change(4)}
        (added,) = map(source.external_id, source.add(1))

        after = read(player, name, before.high_water)

        assert {*changed, added} <= set(after.kept)
        assert len(after.kept) == 6
        for external_id in changed:
            assert after.kept[external_id].digest != before.kept[external_id].digest


def test_deleted_record_stays_with_its_mark_or_goes():
    """Where the spec reads a mark a deleted record carries it, elsewhere it is gone."""
    library = play_integration(
        stage(SHIPPED, "demo-library", Settings(), ORIGIN), PlayOptions(records=20, bad=0)
    )
    shop = player_of(SHOP)
    (marked,) = library.sources["items"].delete(1)
    (gone,) = shop.sources["orders"].delete(1)

    kept = read(library, "items").kept

    assert kept[str(marked.number)] == Removal(str(marked.number), DeleteReason.SOURCE)
    assert len(kept) == 20
    assert str(gone.number) not in read(shop, "orders").kept


def test_koha_style_filter_is_understood():
    """A bound that stands inside JSON in the query is found where the template puts it."""
    player = player_of(
        "integration: koha\n"
        "http: {base_url: 'http://player.test'}\n"
        "streams:\n"
        "  items:\n"
        "    get: /items\n"
        "    key: item_id\n"
        '    paginate: {type: page, into: query._page, total: headers."x-total-count"}\n'
        "    incremental:\n"
        "      {field: timestamp, into: query.q, json: {timestamp: {'>=': '{{ cursor }}'}}}\n"
    )

    records = [r for page in walk(player, "items", "2026-01-01T00:00:21Z") for r in page]

    assert [record["item_id"] for record in records] == [21, 22, 23, 24, 25]


def test_sorted_stream_is_listed_by_its_cursor():
    """Where the spec says that the provider sorts, a changed record moves to the end."""
    player = player_of(
        "integration: acme\n"
        "http: {base_url: 'http://player.test', paginate: {type: page, into: query.p}}\n"
        "streams:\n"
        "  things:\n"
        "    get: /things\n"
        "    key: id\n"
        "    incremental: {field: rev, type: number, into: query.since, sorted: true}\n"
    )
    (changed,) = player.sources["things"].change(1)

    records = [r for page in walk(player, "things") for r in page]

    assert records[-1]["id"] == changed.number
    assert [record["rev"] for record in records] == sorted(record["rev"] for record in records)


def test_stream_is_told_by_its_constant_parameters():
    """Two streams on one path are told apart by what their requests always say."""
    player = player_of(SHOP)

    orders, refunds = (request_of(player, name)[1] for name in ("orders", "refunds"))

    assert ask(player, orders).status == 200
    assert ask(player, refunds).status == 200
    answer = ask(player, orders.with_query("kind", "gift"))
    assert (answer.status, json.loads(answer.body)["message"]) == (
        400,
        "query parameter 'kind' is missing or another one",
    )
    answer = ask(player, orders.with_header("x-version", "2"))
    assert (answer.status, json.loads(answer.body)["message"]) == (
        400,
        "header 'x-version' is missing or another one",
    )


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"authorization": "Bearer play-token"}, 200),
        ({"authorization": "Bearer play-token "}, 401),
        ({"authorization": "bearer play-token"}, 401),
        ({"authorization": "Bearer other"}, 401),
        ({}, 401),
    ],
)
def test_credentials_are_checked_exactly(headers, status):
    """What is not exactly what the spec sends is answered with 401."""
    player = player_of(SHOP)
    call = Call(
        method="GET",
        url="http://player.test/v1/orders?kind=order",
        path="/v1/orders",
        query=(("kind", "order"),),
        headers={"x-version": "3", **headers},
        body=b"",
    )

    assert player.answer(call, 0.0).status == status


@pytest.mark.parametrize(
    "auth",
    [
        "{type: basic, username: ann, password: '{{ secrets.token }}'}",
        "{type: api_key, into: query.key, value: '{{ secrets.token }}'}",
        "{type: api_key, into: cookie.session, value: '{{ secrets.token }}'}",
        "{type: api_key, into: json.token, value: '{{ secrets.token }}'}",
        "{type: api_key, into: form.token, value: '{{ secrets.token }}'}",
    ],
)
def test_every_kind_of_credentials_opens_and_closes(auth):
    """Each kind lets its own requests in, and none without them."""
    text = SHOP.replace('{type: bearer, token: "{{ secrets.token }}"}', auth).replace(
        "get:", "post:"
    )
    player = player_of(text)
    _, request = request_of(player, "orders")

    assert ask(player, request).status == 200
    assert player.answer(_bare(request), 0.0).status == 401


def _bare(request: Request) -> Call:
    headers = {name: str(value) for name, value in request.headers.items()}
    return Call(
        method="POST",
        url="http://player.test/v1/orders?kind=order",
        path="/v1/orders",
        query=(("kind", "order"),),
        headers=headers,
        body=b"",
    )


def test_unknown_path_is_404_before_credentials():
    """A path that no stream has is told as such."""
    answer = player_of(SHOP).answer(
        Call(method="GET", url=ORIGIN, path="/v2/orders", query=(), headers={}, body=b""), 0.0
    )

    assert answer.status == 404
    assert json.loads(answer.body) == {
        "error": "not_found",
        "message": "nothing at GET /v2/orders",
    }


def test_more_calls_than_the_rate_wait_until_its_span_is_over():
    """The call too many gets 429 and the seconds that are left; after those it is let through."""
    rate = parse_rate("2/10s")
    assert isinstance(rate, Rate)
    player = player_of(SHOP, PlayOptions(records=1, bad=0, rate=rate))
    _, request = request_of(player, "orders")

    answers = [ask(player, request, now_s) for now_s in (100.0, 101.0, 102.5, 109.9, 110.0)]

    assert [answer.status for answer in answers] == [200, 200, 429, 429, 200]
    assert [answers[2].headers["retry-after"], answers[3].headers["retry-after"]] == ["8", "1"]


@pytest.mark.parametrize(
    ("stream", "message"),
    [
        ("key: kind, where: \"kind == 'a'\"", "key 'kind' is not another one for each record"),
        (
            "key: id, where: \"contains(tags, 'x')\"",
            "\"contains(tags, 'x')\": the function contains cannot be turned round",
        ),
        (
            "key: id, deleted: id",
            "key: found nothing, expected text, a whole number or true or false",
        ),
    ],
)
def test_records_that_the_spec_would_not_keep_are_refused(stream, message):
    """A spec whose own conditions contradict each other is not played wrongly."""
    with pytest.raises(UsageError) as caught:
        player_of(
            "integration: acme\n"
            "http: {base_url: 'http://player.test', paginate: none}\n"
            f"streams: {{things: {{get: /things, {stream}}}}}\n"
        )

    assert str(caught.value) == f"stream 'things' cannot be played: {message}"


def test_nothing_to_read_is_nothing_to_play():
    """A provider whose streams webhooks fill alone has no requests to answer."""
    with pytest.raises(UsageError) as caught:
        player_of("integration: acme\nstreams: {things: {key: id}}\n")

    assert str(caught.value) == "acme reads nothing over HTTP that could be played"


def test_specs_for_tests_are_those_that_ship():
    """A new shipped spec joins the list above."""
    assert sorted(path.stem for path in Path(shipped_dirs()["specs"]).glob("*.yaml")) == sorted(
        PLAYED
    )
