"""Records asked for by name, as a preview does page by page."""

from integrationd.store import queries


async def find(desk, *names, entity="patron", integration="koha", tenant="default"):
    """Return the data of those that are stored, None for tombstones."""
    found = await desk.store.find_records(
        tenant, integration=integration, entity=entity, external_ids=names
    )
    assert all(record.external_id == name for name, record in found.items())
    return {name: record.data for name, record in found.items()}


async def test_named_records_are_found_tombstones_too(desk):
    """Those that are not stored are not among them; nothing asked is nothing found."""
    await desk.sync("run_1", desk.put("a", n=1), desk.put("b", n=2), desk.put("c", n=3))
    await desk.sync("run_2", removals=[desk.gone("b")])

    assert await find(desk, "a", "b", "x") == {"a": {"n": 1}, "b": None}
    assert await find(desk) == {}


async def test_names_of_others_are_not_found(desk):
    """Another tenant, integration or entity may have the same."""
    await desk.sync("run_1", desk.put("a", n=1))

    assert await find(desk, "a", tenant="other") == {}
    assert await find(desk, "a", integration="other") == {}
    assert await find(desk, "a", entity="other") == {}


async def test_any_number_of_names_can_be_asked(desk):
    """However many pieces it takes."""
    names = [f"{number:05}" for number in range(2 * queries.NAMED_MAX + 1)]
    await desk.sync("run_1", *(desk.put(name) for name in names))

    assert list(await find(desk, *names)) == names
