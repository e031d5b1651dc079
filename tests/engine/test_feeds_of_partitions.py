"""Feeds of partitions, each with a cursor of its own, and the rounds that read all lists."""

import asyncio

import pytest

from integrationd.engine.plans import build_plan
from integrationd.engine.preview import preview_stream
from integrationd.engine.sync import RunWish
from integrationd.model.runs import RunStatus, Trigger
from tests.support.fakes import Provider, answer
from tests.support.worlds import bundle_of, plan_of, stage

pytestmark = pytest.mark.looptime(start=0)


def changes(rows, token):
    """Answer with changes: (id, version), where none is a removal."""
    told = [
        {"fileId": name, "removed": version is None, "file": {"id": name, "v": version}}
        for name, version in rows
    ]
    return answer({"changes": told, "token": token})


BY_DRIVE = """\
integration: drives
http: {base_url: https://api.test, retries: 0, paginate: none}
streams:
  files:
    for_each: {list: [x, z], as: drive}
    get: "/{{ each.drive }}/files"
    records: body.files
    key: id
    incremental: {cursor: body.token, into: query.since}
    feed:
      get: "/{{ each.drive }}/changes"
      records: body.changes
      key: fileId
      deleted: removed
      record: file
      from: {get: "/{{ each.drive }}/start", cursor: body.token}
"""


PAGED = """\
    paginate: {type: cursor, next: body.next, into: query.page}
"""
KEYS = ("key: id", "key: [id, v]")
LISTED = "all: {get: /drives, key: id}\n  files:\n"


class Drives:
    """Two drives with their changes, each of which may refuse a token or fail."""

    def __init__(self):
        self.files = {"x": {"x1": 1, "x2": 1}, "z": {"z1": 1}}
        self.log = {"x": [], "z": []}
        self.old = {"x": 0, "z": 0}
        self.down = set()
        self.broken = set()
        self.paged = False
        self.status = 500
        self.asked = []

    def put(self, drive, name, version):
        """Change a file, or take it away."""
        self.files[drive].pop(name, None)
        if version is not None:
            self.files[drive][name] = version
        self.log[drive].append((name, version))

    def __call__(self, line, _headers):
        """Answer one call."""
        _, drive, what = line.removeprefix("GET https://api.test").split("/")
        self.asked.append(f"{drive} {what}")
        if drive in self.down or f"{drive} {what}" in self.broken:
            return answer({}, status=self.status)
        what, _, page = what.partition("?page=")
        what, _, since = what.partition("?since=t")
        token = f"t{len(self.log[drive])}"
        if what == "start":
            return answer({"token": token})
        if what == "files":
            rows = [{"id": name, "v": version} for name, version in self.files[drive].items()]
            if self.paged:
                number = int(page or 1)
                ends = number >= len(rows)
                return answer(
                    {"files": rows[number - 1 : number], "next": None if ends else number + 1}
                )
            return answer({"files": rows})
        if int(since) < self.old[drive]:
            return answer({}, status=410)
        return changes(self.log[drive][int(since) :], token)


async def preview(on, plan):
    """Return all that a preview tells."""
    wish = RunWish(trigger=Trigger.MANUAL)
    lines = preview_stream(on.world, plan, wish, settings=on.settings, budget=None)
    return [line async for line in lines]


async def test_partitions_follow_feeds_of_their_own():
    """Each by its token; a refused one leads to a round that reads every list, and sweeps."""
    drives, plan = Drives(), plan_of(BY_DRIVE, "files")
    async with stage(Provider(drives)) as on:
        await on.sync(plan)
        drives.put("z", "z2", 1)
        await on.sync(plan)
        assert drives.asked[-2:] == ["x changes?since=t0", "z changes?since=t0"]
        assert sorted(await on.rows(plan)) == ["x1", "x2", "z1", "z2"]

        drives.put("x", "x1", None)
        drives.put("z", "z1", None)
        drives.old["x"] = 1
        outcome = await on.sync(plan)

        assert (outcome.status, sorted(await on.rows(plan))) == (RunStatus.DONE, ["x2", "z2"])
        drives.put("x", "x2", 5)
        await on.sync(plan)
        assert (await on.rows(plan))["x2"]["v"] == 5


async def test_round_that_owes_a_sweep_is_repeated_in_full():
    """Where a list failed in it, what went in another one is found by the next round."""
    drives, plan = Drives(), plan_of(BY_DRIVE, "files")
    async with stage(Provider(drives)) as on:
        await on.sync(plan)
        drives.put("x", "x1", None)
        drives.old["x"] = 1
        drives.down = {"z"}
        assert (await on.sync(plan)).status is not RunStatus.DONE
        assert sorted(await on.rows(plan)) == ["x1", "x2", "z1"]
        drives.down = set()
        for _ in range(3):
            await on.sync(plan)

        assert sorted(await on.rows(plan)) == ["x2", "z1"]
        assert drives.asked[-1] == "z changes?since=t0"


@pytest.mark.parametrize("status", [404, 500])
async def test_one_that_fails_for_good_leaves_the_others_to_their_feeds(status):
    """A list can only tell what went once nothing fails; until then no list is read in vain."""
    drives, plan = Drives(), plan_of(BY_DRIVE, "files")
    async with stage(Provider(drives)) as on:
        await on.sync(plan)
        drives.put("x", "x1", None)
        drives.old["x"] = 1
        await on.sync(plan)
        drives.put("x", "x2", None)
        drives.old["x"] = 2
        drives.down, drives.status = {"z"}, status
        for _ in range(2):
            await on.sync(plan)
        drives.asked = []
        for version in range(3, 6):
            drives.put("x", "x3", version)
            outcome = await on.sync(plan)
            assert outcome.error.startswith("1 of 2 parts failed: drive=z: ")

        assert [asked for asked in drives.asked if asked.endswith("files")] == []
        assert (await on.rows(plan)) == {
            "x2": {"id": "x2", "v": 1},
            "x3": {"id": "x3", "v": 5},
            "z1": {"id": "z1", "v": 1},
        }

        drives.down, drives.asked = set(), []
        outcomes = [await on.sync(plan) for _ in range(3)]

        assert [outcome.counts.deleted for outcome in outcomes] == [0, 1, 0]
        assert sorted(await on.rows(plan)) == ["x3", "z1"]
        lists = [asked for asked in drives.asked if asked.endswith("files")]
        assert sorted(lists) == ["x files", "z files"]


async def test_broken_partition_whose_cursor_was_refused_stands_alone():
    """Nobody reads lists for it while it fails, also where another one is refused meanwhile."""
    drives, plan = Drives(), plan_of(BY_DRIVE, "files")
    async with stage(Provider(drives)) as on:
        await on.sync(plan)
        drives.put("z", "z2", 1)
        drives.old["z"], drives.broken = 1, {"z files"}
        assert (await on.sync(plan)).status is RunStatus.FAILED
        drives.asked = []
        for _ in range(3):
            await on.sync(plan)
        assert drives.asked == ["x changes?since=t0", "z start", "z files"] * 3

        drives.broken = set()
        for _ in range(3):
            await on.sync(plan)
        assert sorted(await on.rows(plan)) == ["x1", "x2", "z1", "z2"]


async def test_first_list_that_broke_off_leaves_nothing_behind():
    """It is begun anew, with a later beginning of its feed: what went between is told by no one."""
    drives, plan = Drives(), plan_of(BY_DRIVE + PAGED, "files")
    async with stage(Provider(drives)) as on:
        drives.broken, drives.paged = {"x files?page=2"}, True
        assert (await on.sync(plan)).status is RunStatus.FAILED
        assert sorted(await on.rows(plan)) == ["x1", "z1"]
        drives.put("x", "x1", None)
        drives.broken = set()
        for _ in range(3):
            await on.sync(plan)

        assert sorted(await on.rows(plan)) == ["x2", "z1"]
        assert drives.asked[-1] == "z changes?since=t0"


async def test_round_that_gave_new_names_owes_another_one():
    """No progress of it counts, so that what goes before the next lists is told by no feed."""
    drives = Drives()
    plan, renamed = (plan_of(BY_DRIVE.replace("key: id", key), "files") for key in KEYS)
    async with stage(Provider(drives)) as on:
        await on.sync(plan)
        assert (await on.sync(renamed, full=True, confirmed=True)).status is RunStatus.DONE
        drives.put("x", "x1", None)
        for _ in range(2):
            await on.sync(renamed)

        assert sorted(await on.rows(renamed)) == ["x2/1", "z1/1"]
        assert drives.asked[-1] == "z changes?since=t0"


async def test_partitions_that_sweep_nothing_owe_no_round_of_lists():
    """A refused cursor has its own list read again, and no other."""
    drives, plan = Drives(), plan_of(BY_DRIVE + "    sweep: false\n", "files")
    async with stage(Provider(drives)) as on:
        await on.sync(plan)
        drives.put("x", "x3", 1)
        drives.old["x"], drives.asked = 1, []
        assert (await on.sync(plan)).status is RunStatus.DONE

        assert drives.asked[-3:] == ["z changes?since=t0", "x start", "x files"]
        assert sorted(await on.rows(plan)) == ["x1", "x2", "x3", "z1"]
        assert "z files" not in drives.asked


async def test_old_cursor_of_one_partition_means_a_round_of_all_lists():
    """What went from it since can only be told so; a round of feeds would sweep nothing."""
    rows = {"x": [{"id": "x1"}, {"id": "x2"}], "z": [{"id": "z1"}]}
    told = {"x": [], "z": []}

    def respond(line, _headers):
        _, drive, what = line.removeprefix("GET https://api.test").split("/")
        if what == "files":
            return answer({"files": rows[drive]})
        return answer({"changes": told[drive]})

    spec = BY_DRIVE[: BY_DRIVE.index("      from:")] + "      from: now\n      keeps: 1d\n"
    plan = plan_of(
        spec.replace("cursor: body.token", "field: at").replace(
            "record: file", "record: file\n      paginate: none"
        ),
        "files",
    )
    async with stage(Provider(respond)) as on:
        await on.sync(plan)
        await asyncio.sleep(2 * 86400)
        told["z"] = [{"fileId": "z1", "file": {"id": "z1"}, "at": "2026-01-03T00:00:00Z"}]
        rows["x"] = [{"id": "x2"}]
        outcome = await on.sync(plan)

        assert (outcome.status, outcome.counts.deleted) == (RunStatus.DONE, 1)
        assert sorted(await on.rows(plan)) == ["x2", "z1"]


async def test_feed_that_keeps_changes_goes_with_parents_that_changed():
    """The stream's own cursor is a place among the parents' records, and no time."""
    asked = []

    def respond(line, _headers):
        asked.append(line.removeprefix("GET https://api.test").partition("?")[0])
        return answer([{"id": "x"}] if line.endswith("/drives") else {"files": [], "changes": []})

    spec = BY_DRIVE[: BY_DRIVE.index("      from:")] + "      from: now\n      keeps: 30d\n"
    spec = spec.replace("cursor: body.token", "field: at").replace(
        "{list: [x, z], as: drive}", "{stream: all, value: id, as: drive, changed: true}"
    )
    bundle = bundle_of(integration=spec.replace("files:\n", LISTED, 1))
    drives, files = (build_plan(bundle.integrations["drives"], name) for name in ("all", "files"))
    async with stage(Provider(respond)) as on:
        await on.sync(drives)
        ends = [(await on.sync(files)).status for _ in range(2)]

        assert ends == [RunStatus.DONE, RunStatus.DONE]
        assert asked == ["/drives", "/x/files"]


async def test_preview_follows_a_partition_back_to_its_list():
    """And says what the others would come to though one fails."""
    drives, plan = Drives(), plan_of(BY_DRIVE, "files")
    async with stage(Provider(drives)) as on:
        await on.sync(plan)
        drives.put("x", "x1", None)
        drives.old["x"] = 1
        told = await preview(on, plan)
        assert [line["event"] for line in told] == ["deleted", "finished"]
        assert (told[-1]["status"], told[-1]["mode"]) == ("done", "full")

        drives.down = {"z"}
        drives.put("x", "x3", 1)
        told = await preview(on, plan)
        assert [line["event"] for line in told] == ["added", "finished"]
        assert (told[-1]["status"], told[-1]["counts"]["added"]) == ("failed", 1)


async def test_narrowed_run_of_a_partition_without_a_feed_leaves_nothing_behind():
    """Its list is empty, so no feed tells what goes: a round of all lists does."""
    rows, asked = {"x": [], "z": [{"id": "z1", "at": 1}]}, []

    def respond(line, _headers):
        _, drive, what = line.removeprefix("GET https://api.test").split("/")
        asked.append(f"{drive} {what}")
        return answer({"files": rows[drive]} if what.startswith("files") else {"changes": []})

    spec = BY_DRIVE[: BY_DRIVE.index("      from:")] + "      from: records\n"
    spec = spec.replace("cursor: body.token", "field: at, type: number")
    plan = plan_of(spec.replace("    get:", "    input: {only: {}}\n    get:", 1), "files")
    async with stage(Provider(respond)) as on:
        await on.sync(plan)
        rows["x"] = [{"id": "x1", "at": 2}]
        await on.sync(plan, drive="x", only="x1")
        rows["x"] = []
        await on.sync(plan)

        assert sorted(await on.rows(plan)) == ["z1"]
        asked.clear()
        await on.sync(plan)
        assert sorted(asked) == ["x files", "z changes?since=1"]
