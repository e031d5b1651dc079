"""Feeds that list what is newest first: what is stored in the end is the newest change."""

import pytest

from integrationd.errors import UnavailableError
from integrationd.model.runs import RunStatus
from tests.support.fakes import Provider, answer
from tests.support.worlds import plan_of, stage

pytestmark = pytest.mark.looptime(start=0)

SPEC = """\
integration: pay
http:
  base_url: https://api.test
  retries: 0
  paginate: {type: cursor, next: body.next, into: query.page}
streams:
  cards:
    get: /cards
    records: body.data
    key: id
    incremental: {field: created, into: query.since, read: [unix]%s}
    feed:
      get: /events
      records: body.data
      key: card.id
      deleted: type == 'gone'
      record: card
      from: now
"""
BEGIN = 1767225600


def event(second, name, version):
    """Return a change, where no version is a removal."""
    kind = "gone" if version is None else "changed"
    return {"created": BEGIN + second, "type": kind, "card": {"id": name, "v": version}}


PAGES = {
    None: ([event(9, "a", 3), event(8, "b", None), event(8, "a", 2)], "2"),
    "2": ([event(7, "b", 2), event(7, "a", 1)], "3"),
    "3": ([event(6, "b", 1), event(6, "c", 1)], None),
}


class Cards:
    """A list of two cards, and a feed of three pages, each of which may be down."""

    down = ""

    def __call__(self, line, _headers):
        """Answer one call."""
        if "/cards" in line:
            return answer({"data": [{"id": "a", "v": 0}, {"id": "b", "v": 0}]})
        page = line.partition("page=")[2] or None
        if page == self.down:
            return UnavailableError("the line broke")
        rows, following = PAGES[page]
        return answer({"data": rows, "next": following})


@pytest.mark.parametrize("order", ["", ", sorted: descending"])
@pytest.mark.parametrize("down", ["", "2", "3"])
async def test_newest_change_is_what_stays(order, down):
    """Also where the reading broke off meanwhile: the next one begins at the feed's first page."""
    cards, plan = Cards(), plan_of(SPEC % order, "cards")
    async with stage(Provider(cards)) as on:
        await on.sync(plan)
        if down:
            cards.down = down
            assert (await on.sync(plan)).status is RunStatus.FAILED
            cards.down = ""
        outcome = await on.sync(plan)

        assert outcome.status is RunStatus.DONE
        assert {name: row["v"] for name, row in (await on.rows(plan)).items()} == {"a": 3, "c": 1}


async def test_first_of_two_changes_at_one_time_is_the_newer_one():
    """Where the spec says that the feed falls; otherwise the last one is."""
    rows = [event(5, "a", 2), event(5, "a", 1)]

    def respond(line, _headers):
        return answer({"data": [{"id": "a", "v": 0}] if "/cards" in line else rows})

    for order, newest in ((", sorted: descending", 2), ("", 1)):
        plan = plan_of(SPEC % order, "cards")
        async with stage(Provider(respond)) as on:
            await on.sync(plan)
            await on.sync(plan)

            assert (await on.rows(plan))["a"]["v"] == newest
