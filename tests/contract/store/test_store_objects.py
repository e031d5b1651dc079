"""What lists were seen to hold: each object keeps its name for good."""

import asyncio

from integrationd.model.objects import Found


def found(key, name, **said):
    """Build an object."""
    facts = {"of": "tables", "key": key, "stream": name, "data": {"id": key}, **said}
    return Found(**facts)


async def test_nothing_is_known_at_first(desk):
    """No list was read yet."""
    assert await desk.store.objects("default", "crm") == []


async def test_objects_are_given_back_as_they_were_found(desk):
    """In the order in which they came, with data of any shape."""
    objects = [
        found("2", "b", data={"ids": [1, None, "x"], "n": 12345678901234567890123}),
        found("1", "a", data=None, listed=False),
        found("1", "c", of="views"),
    ]
    await desk.store.keep_objects("default", "crm", objects[:2])
    await desk.store.keep_objects("default", "crm", objects[2:])

    assert await desk.store.objects("default", "crm") == objects


async def test_known_object_changes_but_for_its_name(desk):
    """What a list says of it later is kept, and whether it is listed."""
    await desk.store.keep_objects("default", "crm", [found("1", "a"), found("2", "b")])
    await desk.store.keep_objects(
        "default", "crm", [found("1", "other", data={"id": "1", "x": 2}, listed=False)]
    )

    assert await desk.store.objects("default", "crm") == [
        found("1", "a", data={"id": "1", "x": 2}, listed=False),
        found("2", "b"),
    ]


async def test_name_that_is_taken_is_given_to_nobody_else(desk):
    """The second one is left out; it gets another name next time."""
    await desk.store.keep_objects("default", "crm", [found("1", "a")])
    await desk.store.keep_objects("default", "crm", [found("2", "a"), found("3", "c")])

    assert await desk.store.objects("default", "crm") == [found("1", "a"), found("3", "c")]


async def test_two_at_once_agree(desk):
    """Of two processes that name the same object one is first, and nothing fails."""
    await asyncio.gather(
        *(
            desk.store.keep_objects("default", "crm", [found("1", f"a{number}")])
            for number in range(5)
        )
    )

    assert [one.key for one in await desk.store.objects("default", "crm")] == ["1"]


async def test_integrations_and_tenants_are_apart(desk):
    """Names are an integration's own, and that of a tenant."""
    await desk.store.keep_objects("default", "crm", [found("1", "a")])
    await desk.store.keep_objects("default", "shop", [found("1", "a", data=5)])
    await desk.store.keep_objects("north", "crm", [found("1", "a", data=7)])

    assert await desk.store.objects("default", "shop") == [found("1", "a", data=5)]
    assert await desk.store.objects("north", "crm") == [found("1", "a", data=7)]
    assert await desk.store.objects("north", "shop") == []
