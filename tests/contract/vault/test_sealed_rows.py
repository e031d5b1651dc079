"""The encrypted store over a database: what is in it, and what does not open."""

import pytest

from integrationd.errors import SecretError, SettingsError
from integrationd.model.secret import Secret
from integrationd.vault.master import MAKE_ONE

CANARY = "canary-4f1c9a"


async def fault_of(vault, *place):
    """Return what is said of a value that cannot be opened."""
    with pytest.raises(SecretError) as caught:
        await vault.get(*place)
    assert CANARY not in str(caught.value)
    return str(caught.value)


async def test_another_process_sees_what_was_put(room):
    """Nothing but keys is cached: a value that another one put or changed is seen at once."""
    one, other = await room.open(), await room.open()
    await one.put("default", "shop", "token", Secret("a"))
    seen = [await other.get("default", "shop", "token")]
    await other.put("default", "shop", "token", Secret("b"))
    seen.append(await one.get("default", "shop", "token"))

    assert seen == [Secret("a"), Secret("b")]
    assert await room.states() == {"default": ["active"]}


async def test_each_tenant_has_its_own_key(room):
    """No key ever seals values of two tenants."""
    vault = await room.open()
    await vault.put("north", "shop", "token", Secret("n"))
    await vault.put("south", "shop2", "token", Secret("s"))

    keys = await room.store.secrets.ring(None)
    rows = await room.store.secrets.list_secrets(None)

    assert {key.tenant: key.id for key in keys} == {row.tenant: row.key_id for row in rows}
    assert len({key.id for key in keys}) == 2


@pytest.mark.parametrize("change", ["integration = 'shop2'", "name = 'other'"])
async def test_row_that_is_moved_elsewhere_does_not_open(room, change):
    """Whoever can write the database cannot give one integration the secret of another."""
    vault = await room.open()
    await vault.put("default", "shop", "token", Secret(CANARY))
    await room.run_sql(f"UPDATE secrets SET {change}")
    [row] = await room.store.secrets.list_secrets(None)

    assert await fault_of(vault, row.tenant, row.integration, row.name) == (
        f"integration {row.integration} cannot use secret {row.name!r}: what the encrypted store "
        "has cannot be opened, it was changed, or sealed for another place; set it again"
    )


async def test_row_that_is_moved_to_another_tenant_does_not_open(room):
    """Its key is not in that tenant's ring, and one that is copied there does not open either."""
    vault = await room.open()
    await vault.put("default", "shop", "token", Secret(CANARY))
    await room.run_sql("UPDATE secrets SET tenant = 'north'")
    without = await fault_of(vault, "north", "shop", "token")
    await room.run_sql("UPDATE keys SET tenant = 'north'")
    with_key = await fault_of(await room.open(), "north", "shop", "token")

    [key] = await room.store.secrets.ring(None)
    assert without == with_key
    assert without == (
        f"integration shop cannot use secret 'token': the key ring does not have {key.id}, "
        "or not whole; set it again"
    )


async def test_two_rows_that_are_exchanged_do_not_open(room):
    """Both are noticed."""
    vault = await room.open()
    for name in ("a", "b"):
        await vault.put("default", "shop", name, Secret(CANARY + name))
    await room.run_sql("UPDATE secrets SET name = 'c' WHERE name = 'a'")
    await room.run_sql("UPDATE secrets SET name = 'a' WHERE name = 'b'")
    await room.run_sql("UPDATE secrets SET name = 'b' WHERE name = 'c'")

    for name in ("a", "b"):
        assert "sealed for another place" in await fault_of(vault, "default", "shop", name)


async def test_damaged_row_hurts_no_other_one(room):
    """The others open, and setting the damaged one again mends it."""
    vault = await room.open()
    for name in ("a", "b"):
        await vault.put("default", "shop", name, Secret(name))
    await room.run_sql("UPDATE secrets SET sealed = x'00' WHERE name = 'a'")

    found = await vault.look("default", "shop", ("a", "b"))
    await vault.put("default", "shop", "a", Secret("anew"))

    assert found == {
        "a": "what the encrypted store has cannot be opened, it is not sealed in a way that this "
        "version knows; set it again",
        "b": Secret("b"),
    }
    assert await vault.get("default", "shop", "a") == Secret("anew")


async def test_damaged_key_is_replaced_by_the_next_put(room):
    """A wrap that does not open costs its own values alone; new ones get a new key."""
    first = await room.open()
    await first.put("default", "shop", "a", Secret("a"))
    [key] = await room.store.secrets.ring(None)
    await room.run_sql("UPDATE keys SET wrapped = x'0102'")
    vault = await room.open()
    await vault.put("default", "shop", "b", Secret("b"))

    assert await fault_of(vault, "default", "shop", "a") == (
        "integration shop cannot use secret 'a': the key ring does not have "
        f"{key.id}, or not whole; set it again"
    )
    assert await vault.get("default", "shop", "b") == Secret("b")


async def test_value_is_at_most_64_kb(room):
    """As large as a secret in a file; a larger one is refused and not shown."""
    vault = await room.open()
    await vault.put("default", "shop", "a", Secret("x" * 65_536))

    with pytest.raises(SecretError) as caught:
        await vault.put("default", "shop", "a", Secret("x" * 65_537))

    assert str(caught.value) == "secret 'a' of shop is larger than 64 kB"


async def test_key_that_has_sealed_enough_is_renewed(room):
    """At the limit the vault goes on under a new key by itself; the old one still opens."""
    vault = await room.open()
    await vault.put("default", "shop", "a", Secret("a"))
    await room.run_sql(f"UPDATE keys SET seals = {1 << 32}")

    await vault.put("default", "shop", "b", Secret("b"))

    assert await room.states() == {"default": ["active", "retired"]}
    found = await vault.look("default", "shop", ("a", "b"))
    assert found == {"a": Secret("a"), "b": Secret("b")}


async def test_got_and_put_values_are_learnt(room):
    """Whoever masks the log hears of both, with a name for the place."""
    heard = []
    vault = await room.open(learn=lambda *told: heard.append(told))
    await vault.put("default", "shop", "a", Secret("x"))
    await vault.get("default", "shop", "a")

    assert heard == [("default/shop/a", Secret("x"))] * 2


async def test_wrong_master_key_does_not_open_the_ring(room):
    """The message names both keys by their ids, and what can be done."""
    await (await room.open(1)).put("default", "shop", "a", Secret(CANARY))

    with pytest.raises(SettingsError) as caught:
        await room.open(2)

    assert str(caught.value) == (
        f"the master key in the file /2 is {room.master(2).id}, but the secrets in the database "
        f"were sealed with {room.master(1).id}; put that one back, or restore the database that "
        "belongs to this one"
    )


async def test_any_master_key_opens_an_empty_ring(room):
    """Before anything is sealed the key can simply be another one."""
    await room.open(1)
    vault = await room.open(2)
    await vault.put("default", "shop", "a", Secret("a"))

    assert [key.master for key in await room.store.secrets.ring(None)] == [room.master(2).id]


async def test_without_a_master_key_the_vault_is_closed(room):
    """What is sealed is told as closed, the rest as not there; nothing can be put."""
    await (await room.open()).put("default", "shop", "a", Secret(CANARY))
    closed = await room.open(None)

    assert not closed.is_open()
    assert await closed.get("default", "shop", "b") is None
    assert await fault_of(closed, "default", "shop", "a") == (
        "integration shop cannot use secret 'a': it is in the encrypted store, and there is no "
        "master key to open it; put back the one that other secrets are sealed with; where it is "
        "a systemd credential, only the running daemon has it"
    )
    with pytest.raises(SecretError) as caught:
        await closed.put("default", "shop", "b", Secret(CANARY))
    assert str(caught.value) == (
        "secret 'b' of shop cannot be kept: there is no master key; put back the one that other "
        "secrets are sealed with; where it is a systemd credential, only the running daemon has it"
    )
    assert await closed.remove("default", "shop", "a")
    assert await closed.get("default", "shop", "a") is None


async def test_closed_vault_that_was_never_used_tells_how_to_make_a_key(room):
    """One command, and where the key is put."""
    closed = await room.open(None)

    with pytest.raises(SecretError) as caught:
        await closed.put("default", "shop", "b", Secret(CANARY))

    assert str(caught.value) == (
        f"secret 'b' of shop cannot be kept: there is no master key; make one: {MAKE_ONE}, then "
        "give it to the daemon as the systemd credential integrationd.master-key, or in the "
        "settings as secrets: {master_key: {file: /etc/integrationd/master-key}}, and restart it"
    )
