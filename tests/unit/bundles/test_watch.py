"""Watching: a change is seen within a second, whatever happens to the directories."""

import asyncio
import shutil
import time
from contextlib import aclosing

import pytest

from integrationd.bundles.library import Library
from integrationd.bundles.watch import changes
from integrationd.spec.settings import Settings

SPEC = "integration: NAME\nhttp: {base_url: https://a.test, paginate: none}\n"


@pytest.fixture
def config(tmp_path):
    """Make a configuration with one empty directory."""
    config = tmp_path / "etc"
    (config / "integrations").mkdir(parents=True)
    return config


def open_library(config):
    """Open a library that settles as the daemon's does."""
    return Library(
        config_dir=config, state_dir=config.parent / "state", settings=Settings(), shipped={}
    )


async def wait_for(library, names):
    """Return when exactly these integrations ran, and when each was first seen."""
    seen = {}
    async with aclosing(changes(library)) as changed:
        async for _ in changed:
            loaded = await asyncio.to_thread(library.load)
            now = time.monotonic()
            seen = {name: seen.get(name, now) for name in loaded.bundle.integrations}
            if seen.keys() == names:
                return now, seen
    return None


async def settled(library):
    """Load, and let the watch begin before anything changes."""
    await asyncio.to_thread(library.load)
    await asyncio.sleep(0)


def later(action, after_s=1.2):
    """Do something when the watch has long begun; its task gives the moment before."""

    def act():
        time.sleep(after_s)
        moment = time.monotonic()
        action()
        return moment

    return asyncio.create_task(asyncio.to_thread(act))


def put(directory, name):
    """Put an integration in place at once, as editors and package managers do."""
    directory.mkdir(parents=True, exist_ok=True)
    fresh = directory / f".{name}.new"
    fresh.write_text(SPEC.replace("NAME", name))
    fresh.replace(directory / f"{name}.yaml")


async def test_a_new_file_is_taken_within_a_second(config):
    """A file that is put in place is running less than a second later."""
    library = open_library(config)
    await settled(library)
    task = later(lambda: put(config / "integrations", "one"))

    moment, _ = await wait_for(library, {"one"})

    assert moment - await task < 1.0


async def test_a_removed_file_is_gone_within_a_second(config):
    """A file that is removed stops running less than a second later."""
    put(config / "integrations", "one")
    library = open_library(config)
    await settled(library)
    task = later((config / "integrations" / "one.yaml").unlink)

    moment, _ = await wait_for(library, set())

    assert moment - await task < 1.0


async def test_a_directory_made_again_is_watched_again(config):
    """After the directory was deleted and made anew, a file in it is still seen at once."""
    put(config / "integrations", "one")
    library = open_library(config)
    await settled(library)

    moments = {}

    def make_again():
        shutil.rmtree(config / "integrations")
        put(config / "integrations", "two")
        time.sleep(3)
        # A second apart: looks every two seconds would be late for one of them.
        for name in ("three", "four"):
            moments[name] = time.monotonic()
            put(config / "integrations", name)
            time.sleep(1)

    task = later(make_again)

    _, seen = await wait_for(library, {"two", "three", "four"})

    await task
    assert [name for name, moment in moments.items() if seen[name] - moment >= 1.0] == []


async def test_a_configuration_that_does_not_exist_yet_is_found(tmp_path):
    """A daemon that starts before its files finds them when they come."""
    library = open_library(tmp_path / "etc")
    await settled(library)
    task = later(lambda: put(tmp_path / "etc" / "integrations", "one"), 0.1)

    moment, _ = await wait_for(library, {"one"})

    assert moment - await task < 3.5


async def test_the_target_of_a_link_is_looked_at(config, tmp_path):
    """The kernel says nothing about a file elsewhere; the look every two seconds sees it."""
    target = tmp_path / "elsewhere"
    put(target, "one")
    (config / "integrations" / "link.yaml").symlink_to(target / "one.yaml")
    library = open_library(config)
    await settled(library)
    task = later(lambda: (target / "one.yaml").write_text(SPEC.replace("NAME", "two")))

    moment, _ = await wait_for(library, {"two"})

    assert moment - await task < 3.5


async def test_nothing_is_told_where_nothing_changes(config):
    """A quiet directory never wakes anybody, also when its files are only looked at."""
    put(config / "integrations", "one")
    library = open_library(config)
    await settled(library)

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(2.6):
            await wait_for(library, {"nobody"})
