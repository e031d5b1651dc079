"""Sealed rows and the ring of keys: whole exchanges, or nothing."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from integrationd.errors import StoreError
from integrationd.ports.vault import SEALS_MAX, KeyState, Resealed, RingKey, SealedSecret
from integrationd.store import tables


def key(desk, number, *, tenant="default", state=KeyState.ACTIVE, **changes):
    """Build a key of the ring."""
    made = RingKey(
        tenant=tenant,
        id=f"key_{number}",
        master="m1",
        wrapped=b"\x00wrapped\xff%d" % number,
        state=state,
        created_at=desk.now + timedelta(seconds=number),
    )
    return replace(made, **changes)


def row(desk, name, *, tenant="default", integration="shop", key_id="key_1", **changes):
    """Build a sealed row."""
    made = SealedSecret(
        tenant=tenant,
        integration=integration,
        name=name,
        key_id=key_id,
        sealed=b"\x01\x00sealed " + name.encode(),
        updated_at=desk.now,
    )
    return replace(made, **changes)


async def ring_of(desk, tenant=None):
    """Return id and state of every key."""
    return [(one.id, one.state.value) for one in await desk.store.secrets.ring(tenant)]


async def listed(desk, tenant=None):
    """Return the places and keys of every row."""
    rows = await desk.store.secrets.list_secrets(tenant)
    return [(one.tenant, one.integration, one.name, one.key_id) for one in rows]


@pytest.fixture
async def ringed(desk):
    """Give a desk whose ring has its first key."""
    assert await desk.store.secrets.add_ring_key("default", key(desk, 1), instead_of=None)
    return desk


async def test_first_key_is_the_active_one(ringed):
    """What was added comes back as it was."""
    assert await ringed.store.secrets.ring(None) == [key(ringed, 1)]


async def test_second_key_retires_the_first(ringed):
    """One key of a tenant is active; the old one stays, to open what it sealed."""
    added = await ringed.store.secrets.add_ring_key("default", key(ringed, 2), instead_of="key_1")

    assert added
    assert await ring_of(ringed) == [("key_1", "retired"), ("key_2", "active")]


@pytest.mark.parametrize("instead_of", [None, "key_0"])
async def test_key_in_place_of_another_than_the_active_one_is_not_added(ringed, instead_of):
    """Of two processes that renew at once, one is told so and nothing of its key is kept."""
    store = ringed.store.secrets

    assert not await store.add_ring_key("default", key(ringed, 2), instead_of=instead_of)
    assert await ring_of(ringed) == [("key_1", "active")]


async def test_ten_that_renew_at_once_make_one_key(ringed):
    """Whoever comes first wins; the ring always has exactly one active key."""
    store = ringed.store.secrets
    asked = [
        store.add_ring_key("default", key(ringed, number), instead_of="key_1")
        for number in range(2, 12)
    ]

    assert (await asyncio.gather(*asked)).count(True) == 1
    assert sorted(state for _, state in await ring_of(ringed)) == ["active", "retired"]


async def test_database_itself_allows_one_active_key(ringed):
    """A second active key is refused, however it comes."""
    values = "('default', 'key_9', 'm1', x'00', 'active', 0, 0)"

    with pytest.raises(StoreError):
        await ringed.run_sql(f"INSERT INTO keys VALUES {values}")


async def test_row_is_stored_and_replaced(ringed):
    """There is one row for each place, the last one; its bytes come back exactly."""
    store = ringed.store.secrets
    later = row(ringed, "token", sealed=b"\x01new", updated_at=ringed.now + timedelta(hours=1))

    assert await store.put_secret("default", row(ringed, "token"))
    assert await store.put_secret("default", later)

    assert await store.find_secrets("default", "shop", ("token", "none")) == [later]
    assert await store.find_secrets("default", "shop", ()) == []


async def test_row_under_a_key_that_is_not_active_is_refused(ringed):
    """What is sealed under a retired, a removed or an unknown key is not stored."""
    store = ringed.store.secrets
    await store.put_secret("default", row(ringed, "token"))
    await store.add_ring_key("default", key(ringed, 2), instead_of="key_1")

    assert not await store.put_secret("default", row(ringed, "token", sealed=b"late"))
    assert not await store.put_secret("default", row(ringed, "other", key_id="key_9"))
    assert await store.find_secrets("default", "shop", ("token", "other")) == [row(ringed, "token")]


async def test_every_seal_is_counted(ringed):
    """A key's count grows with each value that is stored under it, replaced or not."""
    store = ringed.store.secrets
    for name in ("a", "b", "a"):
        await store.put_secret("default", row(ringed, name))

    assert [one.seals for one in await store.ring("default")] == [3]


async def test_key_that_has_sealed_enough_seals_no_more(ringed):
    """At the limit of one key nothing is stored under it."""
    store = ringed.store.secrets
    await ringed.run_sql(f"UPDATE keys SET seals = {SEALS_MAX - 1}")

    assert await store.put_secret("default", row(ringed, "a"))
    assert not await store.put_secret("default", row(ringed, "b"))
    assert await listed(ringed) == [("default", "shop", "a", "key_1")]


async def test_removed_row_is_gone(ringed):
    """The answer tells whether there was one."""
    store = ringed.store.secrets
    await store.put_secret("default", row(ringed, "token"))

    assert await store.remove_secret("default", "shop", "token")
    assert not await store.remove_secret("default", "shop", "token")
    assert await listed(ringed) == []


async def test_list_shows_places_and_nothing_sealed(ringed):
    """All places in order; what is sealed is not even read."""
    store = ringed.store.secrets
    for integration, name in (("shop", "b"), ("mail", "c"), ("shop", "a")):
        await store.put_secret("default", row(ringed, name, integration=integration))

    assert await listed(ringed) == [
        ("default", "mail", "c", "key_1"),
        ("default", "shop", "a", "key_1"),
        ("default", "shop", "b", "key_1"),
    ]
    assert {one.sealed for one in await store.list_secrets(None)} == {b""}


async def test_rows_under_other_keys_come_page_by_page(ringed):
    """A rotation walks all rows that are not under the new key, each once."""
    store = ringed.store.secrets
    for integration in ("b", "a"):
        for name in ("2", "1"):
            await store.put_secret("default", row(ringed, name, integration=integration))
    await store.add_ring_key("default", key(ringed, 2), instead_of="key_1")
    await store.put_secret("default", row(ringed, "1", integration="a", key_id="key_2"))

    found, after = [], ("", "")
    while page := await store.sealed_secrets("default", not_under="key_2", after=after, limit=2):
        after = (page[-1].integration, page[-1].name)
        found.append([(one.integration, one.name) for one in page])

    assert found == [[("a", "2"), ("b", "1")], [("b", "2")]]


async def test_reseal_exchanges_what_is_still_as_it_was(ringed):
    """A value that was set anew meanwhile is not overwritten with the old one; its time stays."""
    store = ringed.store.secrets
    old = [row(ringed, name) for name in ("a", "b")]
    for one in old:
        await store.put_secret("default", one)
    await store.add_ring_key("default", key(ringed, 2), instead_of="key_1")
    await store.put_secret("default", row(ringed, "b", key_id="key_2", sealed=b"set anew"))
    becomes = [replace(one, key_id="key_2", sealed=b"again " + one.sealed) for one in old]

    done = await store.reseal_secrets(
        "default", [Resealed(was, new) for was, new in zip(old, becomes, strict=True)]
    )

    assert done == 1
    found = await store.find_secrets("default", "shop", ("a", "b"))
    assert {one.name: one.sealed for one in found} == {"a": becomes[0].sealed, "b": b"set anew"}
    assert found[0].updated_at == ringed.now


async def test_reseal_under_a_retired_key_changes_nothing(ringed):
    """Of two rotations, the older one stops."""
    store = ringed.store.secrets
    await store.put_secret("default", row(ringed, "a"))
    await store.add_ring_key("default", key(ringed, 2), instead_of="key_1")
    await store.add_ring_key("default", key(ringed, 3), instead_of="key_2")
    late = replace(row(ringed, "a"), key_id="key_2", sealed=b"late")

    assert await store.reseal_secrets("default", [Resealed(row(ringed, "a"), late)]) == 0
    assert await store.reseal_secrets("default", []) == 0
    assert await listed(ringed) == [("default", "shop", "a", "key_1")]


async def test_keys_that_nothing_needs_are_dropped(ringed):
    """A retired key goes with its last row; the active one stays, also without rows."""
    store = ringed.store.secrets
    await store.put_secret("default", row(ringed, "a"))
    await store.add_ring_key("default", key(ringed, 2), instead_of="key_1")
    await store.add_ring_key("default", key(ringed, 3), instead_of="key_2")

    dropped = await store.drop_ring_keys("default")

    assert dropped == 1
    assert await ring_of(ringed) == [("key_1", "retired"), ("key_3", "active")]


async def test_all_wraps_are_exchanged_at_once(ringed):
    """Every tenant's keys get their new wraps; ids, states and counts stay."""
    store = ringed.store.secrets
    await store.put_secret("default", row(ringed, "a"))
    await store.add_ring_key("north", key(ringed, 7, tenant="north"), instead_of=None)
    was = await store.ring(None)
    becomes = [replace(one, master="m2", wrapped=b"new " + one.wrapped) for one in was]

    assert await store.rewrap_ring(was, becomes)

    assert await store.ring(None) == becomes
    assert [one.seals for one in becomes] == [1, 0]


async def test_wraps_of_a_ring_that_has_changed_are_not_exchanged(ringed):
    """A key that came meanwhile would be left under the old master key: nothing is done."""
    store = ringed.store.secrets
    was = await store.ring(None)
    await store.add_ring_key("default", key(ringed, 2), instead_of="key_1")
    now = await store.ring(None)

    assert not await store.rewrap_ring(was, [replace(was[0], master="m2", wrapped=b"new")])
    assert await store.ring(None) == now


async def test_tenants_are_apart(ringed):
    """The same place in another tenant is another place, with a key of its own."""
    store = ringed.store.secrets
    await store.add_ring_key("north", key(ringed, 1, tenant="north"), instead_of=None)
    await store.put_secret("default", row(ringed, "token"))
    await store.put_secret("north", row(ringed, "token", tenant="north", sealed=b"theirs"))
    await store.add_ring_key("north", key(ringed, 2, tenant="north"), instead_of="key_1")

    assert [one.sealed for one in await store.find_secrets("north", "shop", ("token",))] == [
        b"theirs"
    ]
    assert await ring_of(ringed, "default") == [("key_1", "active")]
    assert await store.drop_ring_keys("default") == 0
    assert await store.remove_secret("north", "shop", "token")
    assert await listed(ringed, "default") == [("default", "shop", "token", "key_1")]
    assert await store.find_secrets("none", "shop", ("token",)) == []


async def test_bytes_are_stored_as_they_are(ringed):
    """Nothing reads or recodes what is sealed."""
    every = bytes(range(256))
    await ringed.store.secrets.put_secret("default", row(ringed, "a", sealed=every))

    assert await ringed.rows(tables.secrets, "sealed") == [(every,)]
