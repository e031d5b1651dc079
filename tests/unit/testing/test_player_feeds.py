"""A played feed: where it begins, what it tells of changes and removals, and when it forgets."""

from __future__ import annotations

import asyncio
import re

import looptime
import pytest

from integrationd.model.runs import Mode
from integrationd.testing.faults import Fault, Faults
from integrationd.testing.options import PlayOptions
from integrationd.testing.routes import Asked
from integrationd.testing.story import Story
from integrationd.wire.messages import Call
from tests.support.played import reader_of, truth
from tests.support.players import player_of

DRIVE = """\
integration: drive
http:
  base_url: http://player.test/api
  paginate: {type: cursor, next: body.next, into: query.page}
streams:
  files:
    get: /files
    records: body.files
    key: id
    mapping: drive.file
    incremental: {%s}
    feed:
      get: /changes
      records: body.changes
      %s
"""
MAPPING = "mapping: drive.file\nfields: {id: id, title: title, size: size}\n"
TOKEN = "cursor: body.token, into: query.since"
TIME = "field: at, into: query.since"
WHOLE = """\
key: fileId
      deleted: removed
      record: file
      """
CALL = "from: {get: /changes/start, cursor: body.token}"
FETCH = """\
key: fileId
      fetch: {get: "/files/{{ change.fileId }}", record: body.file}
      from: {cursor: body.token}"""
LIST = re.compile(r"/api/files[? ]")
SPECS = {
    "call": DRIVE % (TOKEN, WHOLE + CALL),
    "list": DRIVE % (TOKEN, WHOLE + "from: {cursor: body.token}"),
    "list-first": DRIVE % (TOKEN, WHOLE + "from: {cursor: body.token, page: first}"),
    "fetch": DRIVE % (TOKEN, FETCH),
    "now": DRIVE % (TIME, WHOLE + "from: now"),
    "records": DRIVE % (TIME, WHOLE + "from: records"),
    "newest-first": DRIVE % (TIME + ", sorted: descending", WHOLE + "from: now"),
    "unix": DRIVE % ("field: at, into: query.since, format: unix, read: unix", WHOLE + "from: now"),
    "whole-change": DRIVE % (TOKEN, "deleted: gone\n      from: {cursor: body.token}"),
    "address": DRIVE % ("cursor: body.delta, into: url", WHOLE + "from: {cursor: body.delta}"),
    "template": (DRIVE % (TIME, WHOLE + "from: now"))
    .replace(", into: query.since", "")
    .replace("get: /changes\n", 'get: /changes\n      query: {q: "after {{ cursor }}"}\n'),
    "own-token": (DRIVE % (TOKEN, WHOLE + CALL)).replace(
        "      get: /changes\n",
        "      get: /changes\n      paginate: {type: cursor, next: 'body.changes[-1].seq', "
        "into: query.after, stop_when: '!(body.more)'}\n",
    ),
    "sites": (DRIVE % (TOKEN, WHOLE + "from: {cursor: body.token}"))
    .replace("key: id\n", "key: id\n    for_each: {list: [north, south], as: site}\n")
    .replace("get: /files\n", 'get: /files\n    query: {site: "{{ each.site }}"}\n')
    .replace("get: /changes\n", 'get: /changes\n      query: {site: "{{ each.site }}"}\n'),
}


def play(text, work, **options):
    """Play a spec and let something happen, in virtual time."""

    async def history():
        player = player_of(
            text, PlayOptions(records=17, bad=0, page_size=5, **options), mapping=MAPPING
        )
        assert player.unplayed == {}
        async with reader_of(player) as reader:
            await asyncio.sleep(5)
            await work(reader, Story(player))

    with asyncio.Runner(loop_factory=lambda: looptime.new_event_loop(start=0)) as runner:
        runner.run(history())


async def same(reader):
    """Compare what is stored with what the player has, removals included."""
    assert await reader.rows("files") == truth(reader.player, "files")


async def modes(reader):
    """Return how the readings were done, the first one first."""
    runs = [run.mode async for run in reader.store.runs("default")]
    return [Mode(mode) for mode in runs[::-1]]


@pytest.mark.parametrize("name", list(SPECS))
def test_changes_come_by_the_feed_alone(name):
    """What changed, came and went is stored, and the list is asked for once."""

    async def work(reader, story):
        assert await reader.sync_all() == {}
        await same(reader)
        begun = len(reader.http.asked)
        for number in range(4):
            await asyncio.sleep(7)
            story.go_on(reader.http.clock.now())
            await asyncio.sleep(7)
            outcome = await reader.sync("files")
            assert outcome.error == ""
            changed = outcome.counts
            assert (changed.changed, changed.added + changed.deleted) == (3, 1), number
            await same(reader)
        outcome = await reader.sync("files")
        assert (outcome.counts.changed, outcome.counts.added, outcome.counts.deleted) == (0, 0, 0)
        assert await modes(reader) == [Mode.FULL] + [Mode.INCREMENTAL] * 5
        listed = [one for one in reader.http.asked[begun:] if LIST.search(one)]
        assert listed == []

    play(SPECS[name], work)


def test_what_changes_while_the_list_is_read_is_in_the_feed():
    """The cursor of the list's pages is that of its first one."""

    async def work(reader, story):
        player, asked = reader.player, reader.http.asked
        play_on = player.play

        def change_between(call, now_s, at):
            answer = play_on(call, now_s, at)
            if len(asked) in (1, 2):
                story.go_on(at)
            return answer

        reader.http.player = type("Changing", (), {"play": staticmethod(change_between)})()
        assert await reader.sync_all() == {}
        assert len(asked) > 3
        assert await reader.rows("files") != truth(player, "files")
        assert await reader.sync_all() == {}
        await same(reader)

    play(SPECS["list"], work)


def test_cursor_that_is_too_old_leads_back_to_the_list():
    """`--faults 410:…` answers 410 to whoever has a cursor; the list is read again at once."""

    async def work(reader, story):
        assert await reader.sync_all() == {}
        story.go_on(reader.http.clock.now())
        reader.player.let_fail(Faults({Fault.GONE: 1.0}))
        await asyncio.sleep(5)
        await reader.sync_all()
        reader.player.let_fail(Faults())
        await asyncio.sleep(5)
        assert await reader.sync_all() == {}
        await same(reader)
        assert any(line.endswith(" 410") for line in reader.http.asked)
        assert (await modes(reader)).count(Mode.FULL) >= 2

    play(SPECS["call"], work)


def test_feed_forgets_what_is_older_than_it_keeps():
    """`keeps` holds for the player too: a change of long ago is in the list alone."""
    text = SPECS["now"] + "      keeps: 1h\n"

    async def work(reader, story):
        assert await reader.sync_all() == {}
        story.go_on(reader.http.clock.now())
        assert (await reader.sync("files")).counts.changed == 3
        reader.http.asked.clear()
        for wait_s in (1800, 1800, 1800):
            await asyncio.sleep(wait_s)
            assert (await reader.sync("files")).error == ""
        await same(reader)
        source = reader.player.sources["files"]
        asked = source.log[0].moment + 3600
        scene = next(one for one in reader.player.scenes if one.name == "files").changes
        route = scene.routes()[0]
        bare = Call(method="GET", url="", path="/", query=(), headers={}, body=b"")
        for late, left in ((0, 4), (1, 0)):
            told = scene.find(Asked(bare, {}, route.part, {}, moment=asked + late))
            assert len(told) == left

    play(text, work)


def test_feed_that_cannot_be_turned_round_is_named():
    """As for lists: nothing is played on trust."""
    text = DRIVE % (TIME, "record: \"join('', [id, name])\"\n      from: now")
    text += "  others: {get: /others, key: id, records: body}\n"

    player = player_of(text, PlayOptions(records=3, bad=0), mapping=MAPPING)

    assert list(player.unplayed) == ["files"]
    assert player.unplayed["files"].startswith(
        "stream 'files' cannot be played: feed: \"join('', [id, name])\": "
    )


def test_newest_change_comes_first_where_the_spec_says_so():
    """`sorted: descending` is the order of the feed, and what changed twice is told twice."""

    async def work(reader, story):
        source = reader.player.sources["files"]
        (entry,) = source.change(1, 1_000)
        source.change(17, 2_000)
        source.remove(entry, 3_000)
        scene = next(one for one in reader.player.scenes if one.name == "files").changes
        bare = Call(method="GET", url="", path="/", query=(), headers={}, body=b"")
        told = scene.find(Asked(bare, {}))
        moments = [one.moment for one in told]
        assert moments == sorted(moments, reverse=True)
        assert (moments[0], moments[-1], len(moments)) == (3_000, 1_000, 19)
        own = [(one.moment, one.is_deleted) for one in told if one.number == entry.number]
        assert own == [(3_000, True), (2_000, False), (1_000, False)]
        assert story.step == 0

    play(SPECS["newest-first"], work)
