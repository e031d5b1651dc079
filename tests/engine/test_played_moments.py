"""A played provider knows requests with the present time, and first pages, whatever the time is."""

import pytest

from integrationd.testing.moments import at_any_time
from integrationd.testing.options import PlayOptions
from integrationd.testing.provider import Player, player_secrets
from integrationd.testing.routes import mark
from integrationd.wire.messages import FormBody, JsonBody, MultipartBody, Request, TextBody
from tests.support.played import reader_of, truth
from tests.support.players import ORIGIN
from tests.support.worlds import bundle_of

pytestmark = pytest.mark.looptime(start=0)

SPEC = """\
integration: clocks
http: {base_url: http://player.test, paginate: {type: page, into: query.page, total: body.total}}
streams:
  ticks:
    post: "/ticks/{{ now | format_time('date') }}"
    query:
      until: "{{ now }}"
      from: "{{ now | shift_time('-30d') | format_time('unix') }}"
      state: "{{ 'open' if page.first else none }}"
    headers: {x-day: "{{ now | format_time('%d %B %Y') }}"}
    json: {range: [{to: "{{ now }}"}], first: "{{ page.first }}"}
    records: body.data
    key: id
    incremental: {field: changed, into: query.since}
  followed:
    get: /list
    query: {until: "{{ now }}"}
    records: body.data
    key: id
    incremental: {cursor: body.next, into: query.since}
    feed:
      get: /feed
      query: {until: "{{ now }}", head: "{{ 1 if page.first else none }}"}
      records: body.changes
      from: {get: /begin, query: {at: "{{ now }}"}, cursor: body.start}
  exported:
    deferred:
      create: {post: /exports, json: {until: "{{ now }}"}, id: body.id}
      poll: {get: "/exports/{{ job.id }}", every: 1s, done: body.done}
      download:
        get: "/exports/{{ job.id }}/file"
        query: {at: "{{ now }}", head: "{{ 1 if page.first else none }}"}
    paginate: {type: page, into: query.page, total: body.total}
    records: body.data
    key: id
"""


async def test_player_and_reader_agree():
    """All records come, page by page, and again what changed; nothing is refused."""
    (integration,) = bundle_of(clocks=SPEC).integrations.values()
    player = Player(
        integration=integration,
        options=PlayOptions(records=25, bad=0, page_size=10),
        secrets=player_secrets(integration),
        origin=ORIGIN,
    )
    async with reader_of(player) as reader:
        wrong = [await reader.sync_all(), await reader.sync_all()]
        rows = {name: await reader.rows(name) for name in player.sources}

    assert wrong == [{}, {}]
    assert rows == {name: truth(player, name) for name in player.sources}
    assert {name: len(found) for name, found in rows.items()} == {
        "ticks": 25,
        "followed": 25,
        "exported": 25,
    }


def request(now, body):
    """Return a request that has a time in every part."""
    return Request(
        method="POST",
        url=f"https://api.test/{now[:10]}/x",
        query=(("a", f"from {now} on"), ("b", "c")),
        headers={"x-at": now, "x-no": "n"},
        body=body(now),
    )


NOW0, NOW1 = mark("given_now0"), mark("given_now1")


@pytest.mark.parametrize(
    ("body", "blended"),
    [
        (lambda now: JsonBody({"a": [now, 1], "b": now}), JsonBody({"a": [NOW0, 1], "b": NOW1})),
        (lambda now: JsonBody([len(now), int(now[:4])]), JsonBody([20, NOW0])),
        (lambda now: FormBody((("t", now), ("s", "x"))), FormBody((("t", NOW0), ("s", "x")))),
        (lambda now: MultipartBody((("t", now),)), MultipartBody((("t", NOW0),))),
        (lambda now: TextBody(f"<{now}>", "a/b"), TextBody(f"<{NOW0}>", "a/b")),
        (lambda _: None, None),
    ],
    ids=["object", "list", "form", "multipart", "text", "none"],
)
def test_what_hangs_on_the_time_becomes_a_mark(body, blended):
    """The rest stays, so that another request is told apart."""
    found = at_any_time(lambda scope: Request(method="POST", url="u", body=body(scope["now"])), {})

    assert shorn(found.body) == shorn(blended)


def shorn(body):
    """Return a body as text without the zone's Z, which all times end with."""
    return str(body).replace("-endZ", "-end")


def test_addresses_queries_and_headers_are_blended():
    """Each with a mark of its own, as one may write the time otherwise than another."""
    found = at_any_time(lambda scope: request(scope["now"], lambda _: None), {})

    assert found.url == f"https://api.test/{NOW0}/x"
    assert found.headers == {"x-at": f"{NOW1}Z", "x-no": "n"}
    assert found.query == (("a", f"from {mark('given_now2')}Z on"), ("b", "c"))


def test_parameters_that_come_and_go_with_the_time_may_be_missing():
    """A pair that only some times have is no constant part."""
    found = at_any_time(
        lambda scope: Request(
            method="GET", url="u", query=(("a", "1"),) if scope["now"] < "2000" else ()
        ),
        {},
    )

    assert found.query == (("a", NOW0),)


def test_request_without_the_time_is_as_it_was():
    """Nothing is made of what is always the same."""
    same = Request(method="GET", url="u", query=(("a", "1"),), headers={"b": "2"})

    assert at_any_time(lambda _: same, {}) is same
