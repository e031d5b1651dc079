"""What every vault promises, the tests' own fake included."""

import pytest

from integrationd.model.secret import Secret

pytestmark = pytest.mark.contract


async def test_value_comes_back(vault):
    """What was put last is what is got."""
    await vault.put("default", "shop", "token", Secret("one"))
    await vault.put("default", "shop", "token", Secret("two é\n"))

    assert await vault.get("default", "shop", "token") == Secret("two é\n")
    assert vault.is_open()


async def test_nothing_is_none(vault):
    """A place where nothing was put has nothing."""
    assert await vault.get("default", "shop", "token") is None
    assert not await vault.remove("default", "shop", "token")


async def test_removed_value_is_gone(vault):
    """Removing tells whether there was something."""
    await vault.put("default", "shop", "token", Secret("one"))

    assert await vault.remove("default", "shop", "token")
    assert await vault.get("default", "shop", "token") is None


@pytest.mark.parametrize(
    "place",
    [
        ("north", "shop", "oauth2.refresh_token"),
        ("default", "shop2", "oauth2.refresh_token"),
        ("default", "shop", "oauth2"),
        ("default", "shop", "oauth2.refresh_token "),
    ],
)
async def test_places_are_apart(vault, place):
    """Tenant, integration and name are all part of the place; a name may have dots."""
    await vault.put("default", "shop", "oauth2.refresh_token", Secret("one"))
    await vault.put(*place, Secret("other"))

    assert await vault.get("default", "shop", "oauth2.refresh_token") == Secret("one")
    assert await vault.remove(*place)
    assert await vault.get("default", "shop", "oauth2.refresh_token") == Secret("one")
