"""Every kind of paging over every provider: each page once, each record seen, from any token."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrationd.config.decode import Kinds, Site, decode
from integrationd.config.problems import Problems
from integrationd.config.yaml import parse_yaml
from integrationd.wire import encoding, paginate
from integrationd.wire.messages import JsonBody, Page, Request
from integrationd.wire.paginate.guard import WalkGuard

FIRST = Request(method="GET", url="https://api.test/v1/orders?open=1", query=(("sort", "id"),))
SIZE = "size: {into: query.limit, value: 4}"
MORE = 'stop_when: "!(body.more)"'
TOTAL = 'total: headers."x-total"'


def read(text):
    """Read the YAML of one kind of paging."""
    problems = Problems()
    node = parse_yaml(text.encode(), file="specs/acme.yaml", problems=problems)
    paging = decode(node, object, Site(problems, "paginate").noted(Kinds(paginate.KINDS)))
    assert problems.found == []
    return paging


@dataclass
class Provider:
    """A provider of so many records, in pages that hold at most ``cap``."""

    count: int
    cap: int
    asked: list[str]

    def answer(self, request: Request) -> Mapping[str, object]:
        """Answer a request as providers of each kind do, all at once."""
        url = encoding.encode_url(request)
        query = dict(parse_qsl(urlsplit(url).query))
        body = request.body.value if isinstance(request.body, JsonBody) else {}
        self.asked.append(json.dumps([url, body]))
        size = min(int(query.get("limit", self.cap)), self.cap)
        start = self.start_of(query, body, size)
        ids = list(range(self.count))[start : start + size]
        after = start + len(ids)
        more = after < self.count
        there = f"https://api.test/v1/orders?from={after}"
        return {
            "status": 200,
            "headers": {
                "x-total": str(self.count),
                **({"link": f'<{there}>; rel="next"'} if more else {}),
            },
            "body": {
                "data": [{"id": item} for item in ids],
                "more": more,
                "pages": -(-self.count // size),
                "next": after if more else None,
                "cursor": f"t{after}" if more else "",
                "relative": f"?from={after}" if more else None,
                "absolute": there if more else None,
            },
        }

    def start_of(self, query, body, size):
        """Find where a page begins, in whichever notation it is asked for."""
        if "page" in query:
            return (int(query["page"]) - 1) * size
        if "after" in query:
            return int(query["after"]) + 1
        token = body.get("page", {}).get("cursor", "t0")
        return int(query.get("offset", query.get("from", query.get("next", token[1:]))))


def walk(paging, provider, token=None):
    """Walk from a token to the end; return the ids read, and the tokens asked with."""
    ids, tokens, guard = [], [], WalkGuard(pages_max=1000)
    while True:
        tokens.append(token)
        reply = provider.answer(paging.apply(FIRST, token))
        records = reply["body"]["data"]
        page = Page(reply=reply, count=len(records), last=records[-1] if records else None)
        ids += [record["id"] for record in records]
        following = paging.advance(token, page)
        guard.admit(token=token, following=following, records=records)
        if following is None:
            return ids, tokens
        # A token is stored as JSON between two runs.
        token = json.loads(json.dumps(following))


EVERY = [
    f"{{type: page, into: query.page, {TOTAL}}}",
    "{type: page, into: query.page, total_pages: body.pages}",
    f"{{type: page, into: query.page, {MORE}}}",
    "{type: page, into: query.page}",
    f"{{type: page, into: query.page, {SIZE}}}",
    f"{{type: page, into: query.page, {SIZE}, full_pages: false}}",
    f"{{type: page, into: query.page, {SIZE}, {TOTAL}}}",
    f"{{type: offset, into: query.offset, {SIZE}}}",
    f"{{type: offset, into: query.offset, {SIZE}, full_pages: false}}",
    f"{{type: offset, into: query.offset, {SIZE}, {TOTAL}}}",
    f"{{type: offset, into: query.offset, {SIZE}, {MORE}}}",
    "{type: cursor, next: body.next, into: query.next}",
    "{type: cursor, next: body.cursor, into: json.page.cursor}",
    f'{{type: cursor, next: "body.data[-1].id", into: query.after, {MORE}, {SIZE}}}',
    "{type: next_url, next: body.absolute}",
    "{type: next_url, next: body.relative}",
    "{type: link, rel: next}",
    "link",
]


@pytest.mark.parametrize("text", EVERY)
@given(count=st.integers(0, 40), cap=st.integers(1, 9))
def test_walk_sees_each_record_once_and_asks_each_page_once(text, count, cap):
    """Whatever the number of records, and whatever cap a provider has on its pages."""
    provider = Provider(count, cap, [])

    ids, _ = walk(read(text), provider)

    assert ids == list(range(count))
    assert len(set(provider.asked)) == len(provider.asked)


@pytest.mark.parametrize("text", EVERY)
@given(count=st.integers(0, 30), cap=st.integers(1, 6), data=st.data())
def test_walk_resumes_from_any_stored_token(text, count, cap, data):
    """A run that stopped after any page reads the rest, all of it and nothing twice."""
    paging = read(text)
    ids, tokens = walk(paging, Provider(count, cap, []))
    stop = data.draw(st.integers(0, len(tokens) - 1))

    rest, remaining = walk(paging, Provider(count, cap, []), tokens[stop])

    assert rest == ids[len(ids) - len(rest) :]
    assert remaining == tokens[stop:]


@pytest.mark.parametrize("text", EVERY)
@given(count=st.integers(0, 40), cap=st.integers(1, 9))
def test_no_more_pages_than_needed_are_asked(text, count, cap):
    """A walk costs the pages there are, and at most one that is empty."""
    provider = Provider(count, cap, [])

    walk(read(text), provider)

    size = min(cap, 4) if "limit" in text else cap
    assert len(provider.asked) <= -(-count // size) + 1


@pytest.mark.parametrize(
    ("text", "pages"),
    [
        (f"{{type: page, into: query.page, {TOTAL}}}", 5),
        ("{type: page, into: query.page, total_pages: body.pages}", 5),
        (f"{{type: page, into: query.page, {SIZE}}}", 5),
        ("{type: page, into: query.page}", 6),
        (f"{{type: page, into: query.page, {SIZE}, full_pages: false}}", 6),
        (f"{{type: offset, into: query.offset, {SIZE}}}", 5),
        (f"{{type: offset, into: query.offset, {SIZE}, full_pages: false}}", 6),
        ("{type: cursor, next: body.next, into: query.next}", 5),
        ("{type: next_url, next: body.relative}", 5),
        ("none", 1),
    ],
)
def test_walk_costs_so_many_requests(text, pages):
    """18 records in pages of 4 are five pages; without a known end there is one more, empty."""
    provider = Provider(18, 4, [])

    walk(read(text), provider)

    assert len(provider.asked) == pages
