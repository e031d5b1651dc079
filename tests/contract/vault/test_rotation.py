"""Rotation: new keys for everything, at whatever moment the process dies."""

import asyncio

import pytest

from integrationd.errors import SecretError, SettingsError
from integrationd.model.secret import Secret
from integrationd.vault.sealed import BATCH_ROWS, Rotation

NAMES = [f"n{number:03}" for number in range(BATCH_ROWS * 2 + 7)]


class DyingStore:
    """A store whose process dies before the n-th write; until then it is the real one."""

    WRITES = ("add_ring_key", "put_secret", "reseal_secrets", "drop_ring_keys", "rewrap_ring")

    def __init__(self, store, writes: int) -> None:
        self._store = store
        self._left = writes

    def __getattr__(self, name):
        method = getattr(self._store, name)
        if name not in self.WRITES:
            return method

        async def counted(*arguments, **named):
            if self._left == 0:
                raise KeyboardInterrupt
            self._left -= 1
            return await method(*arguments, **named)

        return counted


class SlowStore:
    """A store that reads its ring so slowly that something else happens before it answers."""

    def __init__(self, store) -> None:
        self._store = store
        self.meanwhile = []

    def __getattr__(self, name):
        return getattr(self._store, name)

    async def ring(self, tenant):
        """Read, and let the others go first."""
        keys = await self._store.ring(tenant)
        while self.meanwhile:
            await self.meanwhile.pop()
        return keys


async def fill(vault, tenant="default", names=NAMES):
    """Put many values."""
    for name in names:
        await vault.put(tenant, "shop", name, Secret(f"{tenant} {name}"))


async def read(vault, tenant="default", names=NAMES):
    """Tell whether every value is as it was put."""
    found = await vault.look(tenant, "shop", names)
    return found == {name: Secret(f"{tenant} {name}") for name in names}


async def test_rotation_seals_everything_under_new_keys(room):
    """Each tenant gets one new key; the old ones are gone, and every value is the same."""
    vault = await room.open()
    await fill(vault)
    await fill(vault, "north", NAMES[:3])
    before = {key.id for key in await room.store.secrets.ring(None)}

    done = await vault.rotate()

    assert done == Rotation(keys=2, secrets=len(NAMES) + 3)
    assert await room.states() == {"default": ["active"], "north": ["active"]}
    assert before.isdisjoint(key.id for key in await room.store.secrets.ring(None))
    assert await read(vault)
    assert await read(await room.open(), "north", NAMES[:3])


async def test_seals_of_a_rotation_are_counted(room):
    """The new key has sealed each value once."""
    vault = await room.open()
    await fill(vault)

    await vault.rotate()

    assert [key.seals for key in await room.store.secrets.ring(None)] == [len(NAMES)]


async def test_rotation_of_an_empty_vault_does_nothing(room):
    """Without a ring there is nothing to rotate."""
    vault = await room.open()

    assert await vault.rotate() == Rotation(keys=0, secrets=0)
    assert await room.states() == {}


@pytest.mark.parametrize("writes", range(6))
async def test_rotation_goes_on_wherever_it_was_killed(room, writes):
    """After a kill before any write all values open, and the next rotation completes it."""
    await fill(await room.open())
    dying = await room.open(store=DyingStore(room.store.secrets, writes))
    died = False
    try:
        await dying.rotate()
    except KeyboardInterrupt:
        died = True

    vault = await room.open()
    readable = await read(vault)
    again = await vault.rotate()

    assert readable
    assert died == (writes < 5)
    # Nothing begun, or all sealed already: a new rotation. In between: that one is finished.
    left = {1: len(NAMES), 2: len(NAMES) - BATCH_ROWS, 3: len(NAMES) - 2 * BATCH_ROWS}
    assert (again.finished, again.secrets) == (writes in left, left.get(writes, len(NAMES)))
    assert await room.states() == {"default": ["active"]}
    assert await read(vault)


async def test_another_process_goes_on_through_a_rotation(room):
    """One that knows only the old key reads and puts as before; what it puts is not lost."""
    rotating, other = await room.open(), await room.open()
    await fill(rotating)
    assert await read(other)

    await rotating.rotate()
    await other.put("default", "shop", NAMES[0], Secret("set anew"))

    assert await other.get("default", "shop", NAMES[1]) == Secret(f"default {NAMES[1]}")
    assert await rotating.get("default", "shop", NAMES[0]) == Secret("set anew")
    assert await room.states() == {"default": ["active"]}


async def test_values_that_are_put_during_a_rotation_stay(room):
    """Neither the old value comes back nor is a value left under a key that is gone."""
    vault, other = await room.open(), await room.open()
    await fill(vault)

    async def keep_putting():
        for name in NAMES:
            await other.put("default", "shop", name, Secret(f"{name} anew"))

    await asyncio.gather(vault.rotate(), keep_putting())

    found = await vault.look("default", "shop", NAMES)
    assert found == {name: Secret(f"{name} anew") for name in NAMES}


async def test_value_that_does_not_open_stays_under_its_key(room):
    """It is counted and left for a person; the next rotation is not taken for a broken-off one."""
    vault = await room.open()
    await fill(vault, names=NAMES[:3])
    await room.run_sql(f"UPDATE secrets SET sealed = x'00' WHERE name = '{NAMES[1]}'")

    done = [await vault.rotate(), await vault.rotate()]

    assert done == [Rotation(keys=1, secrets=2, left=1)] * 2
    assert await read(vault, names=[NAMES[0], NAMES[2]])
    assert await room.states() == {"default": ["active", "retired"]}


async def test_new_master_key_wraps_the_ring(room):
    """From then on the new master key opens it and the old one does not; no value changes."""
    vault = await room.open(1)
    await fill(vault, names=NAMES[:3])
    await fill(vault, "north", NAMES[:2])
    rows = await room.store.secrets.find_secrets("default", "shop", NAMES)

    done = await vault.rewrap(room.master(2))
    await vault.put("south", "shop", "a", Secret("a"))

    assert done == Rotation(keys=2, secrets=0)
    assert await room.store.secrets.find_secrets("default", "shop", NAMES) == rows
    assert {key.master for key in await room.store.secrets.ring(None)} == {room.master(2).id}
    assert await read(await room.open(2), "north", NAMES[:2])
    with pytest.raises(SettingsError):
        await room.open(1)


async def test_process_with_the_old_master_key_says_so(room):
    """A process that runs on reads with the keys that it has; one that it lacks is told."""
    vault, other = await room.open(1), await room.open(1)
    await fill(vault, names=NAMES[:1])
    assert await read(other, names=NAMES[:1])
    await vault.rewrap(room.master(2))
    await vault.put("north", "shop", "a", Secret("a"))

    assert await read(other, names=NAMES[:1])
    with pytest.raises(SecretError, match=r"^the master key in the file /1 is "):
        await other.get("north", "shop", "a")


async def test_key_made_during_a_rewrap_is_wrapped_too(room):
    """The ring that was read is not the ring any more: it is read again."""
    other = await room.open(1)
    await fill(other, names=NAMES[:1])
    vault = await room.open(1, store=(store := SlowStore(room.store.secrets)))
    store.meanwhile.append(other.put("north", "shop", "a", Secret("a")))

    await vault.rewrap(room.master(2))

    assert {key.master for key in await room.store.secrets.ring(None)} == {room.master(2).id}
    assert await (await room.open(2)).get("north", "shop", "a") == Secret("a")


async def test_ring_with_a_damaged_key_is_not_wrapped_anew(room):
    """Its values would be lost for good: first a backup, or their removal."""
    vault = await room.open(1)
    await fill(vault, names=NAMES[:1])
    [key] = await room.store.secrets.ring(None)
    await room.run_sql("UPDATE keys SET wrapped = x'0102'")

    with pytest.raises(SecretError) as caught:
        await vault.rewrap(room.master(2))

    assert str(caught.value) == (
        f"{key.id} of the key ring cannot be opened: it is cut off; restore the database "
        "from a backup"
    )
    assert [one.master for one in await room.store.secrets.ring(None)] == [room.master(1).id]
