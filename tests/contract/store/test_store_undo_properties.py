"""Any history, any run of it undone: exactly what only that run wrote goes back."""

import asyncio
from dataclasses import dataclass, field

from hypothesis import example, given
from hypothesis import strategies as st

from integrationd.ports.store import StreamKey
from integrationd.store import SqlStore
from tests.contract.store.conftest import KEY, Desk
from tests.contract.store.test_store_undo import revert

OTHER = StreamKey("koha", "staff")
"""Another stream of the same entity, so that its runs write the same records meanwhile."""
NAMES = "abcdef"

PAGES = st.lists(
    st.dictionaries(st.sampled_from(NAMES), st.none() | st.integers(0, 2), max_size=4), max_size=4
)
"""What is written, page by page: new data, or None where the source deleted it."""
BETWEEN = st.lists(st.tuples(st.booleans(), PAGES), max_size=5)
"""Pages of the run that is undone, or, where it is false, of a run of the other stream."""


@dataclass
class Model:
    """What the records shall be, and who changed which."""

    living: dict = field(default_factory=dict)
    log: list = field(default_factory=list)
    """(record, run, data before) of every change."""

    def write(self, run, page):
        """Take one page in."""
        for name, value in page.items():
            old = self.living.get(name)
            if old == value:
                continue
            self.log.append((name, run, old))
            if value is None:
                del self.living[name]
            else:
                self.living[name] = value

    def undo(self, run):
        """Put back what only that run changed since it did first; return the conflicts."""
        conflicts = set()
        for name in {name for name, by, _ in self.log if by == run}:
            own = [(by, old) for changed, by, old in self.log if changed == name]
            first = next(at for at, (by, _) in enumerate(own) if by == run)
            if any(by != run for by, _ in own[first:]):
                conflicts.add(name)
                continue
            old = own[first][1]
            if old is None:
                self.living.pop(name, None)
            else:
                self.living[name] = old
        return conflicts


async def write(desk, run, lease, key, pages):
    """Commit pages."""
    for page in pages:
        upserts = [desk.put(name, v=value) for name, value in page.items() if value is not None]
        removals = [desk.gone(name) for name, value in page.items() if value is None]
        await desk.commit(run, lease, *upserts, removals=removals, key=key)


async def state(desk):
    """Return the living's data, and how many records each stream says it has."""
    living = {name: data["v"] for name, data in (await desk.alive()).items()}
    return living, sum(row.records for row in await desk.store.streams(None))


@given(before=PAGES, during=BETWEEN, after=PAGES, by_other=st.booleans())
@example(
    before=[{"a": 1}], during=[(True, [{"a": 2}]), (False, [{"a": 1}])], after=[], by_other=False
)
@example(
    before=[{"a": 1}],
    during=[(True, [{"a": 2}]), (False, [{"a": 0}]), (True, [{"a": 2}])],
    after=[],
    by_other=False,
)
def test_undoing_a_run_leaves_the_state_before_it_but_for_conflicts(
    before, during, after, by_other
):
    """Sync, sync B beside another stream's, write again, revert B: as before B, conflicts apart.

    A record that anything else changed after B's first change of it is a conflict and stays, every
    other one has the data it had, or is a tombstone if it had none. Undoing the revert leaves what
    was before it.
    """

    async def history():
        model = Model()
        async with SqlStore.in_memory() as store:
            desk = Desk(store)
            lease = await desk.begin("run_a")
            await write(desk, "run_a", lease, KEY, before)
            await desk.finish("run_a", lease)
            for page in before:
                model.write("run_a", page)

            other = await desk.begin("run_o", key=OTHER)
            await desk.begin("run_b", lease=lease)
            for mine, pages in during:
                run, held, key = ("run_b", lease, KEY) if mine else ("run_o", other, OTHER)
                await write(desk, run, held, key, pages)
                for page in pages:
                    model.write(run, page)
            await desk.finish("run_b", lease)

            run, held, key = ("run_o", other, OTHER) if by_other else ("run_c", lease, KEY)
            if not by_other:
                await desk.begin("run_c", lease=lease)
            await write(desk, run, held, key, after)
            for page in after:
                model.write(run, page)
            await desk.finish(run, held, key=key)
            await store.release(desk.tenant, lease)

            was, history_was = await state(desk), await desk.history()
            assert was == (model.living, len(model.living))
            undone = await revert(desk, "run_r", "run_b")
            conflicts = model.undo("run_b")
            assert {one.external_id for one in undone.conflicts} == conflicts
            assert {one.since.run for one in undone.conflicts} <= {"run_o", "run_c"}
            assert await state(desk) == (model.living, len(model.living))
            assert (await desk.history())[: len(history_was)] == history_was

            again = await revert(desk, "run_w", "run_r")
            assert again.conflicts == ()
            assert await state(desk) == was

            last = await revert(desk, "run_x", "run_b")
            assert {one.external_id for one in last.conflicts} == conflicts
            assert await state(desk) == (model.living, len(model.living))

    asyncio.run(history())
