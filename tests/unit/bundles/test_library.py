"""The library: what is good runs, what is bad keeps its last good version, nothing else moves."""

import json
import random
from pathlib import Path

import pytest

from integrationd.bundles.library import Library
from integrationd.spec.settings import SecretSettings, Settings

PROVIDER = """\
provider: shop
config: {site: {type: string}}
http: {base_url: "https://{{ config.site }}.test", paginate: none}
streams:
  orders: {get: /orders, key: id, mapping: shop.order, schedule: 1h}
"""
MAPPING = """\
mapping: shop.order
entity: order
fields: {total: total}
"""
BAD = "integration: [\n"


def integration(name, site="a"):
    """Return the file of one account."""
    return f"integration: {name}\nuses: shop\nconfig: {{site: {site}}}\n"


class Place:
    """A configuration on disk, and libraries that read it."""

    def __init__(self, root):
        self.config = root / "etc"
        self.state = root / "state"
        self.shipped = root / "package"
        for name in ("specs", "integrations", "mappings"):
            (self.config / name).mkdir(parents=True)

    def write(self, path, text):
        target = self.config / path
        fresh = target.with_name(f".{target.name}.new")
        fresh.write_text(text)
        fresh.replace(target)

    def open(self, **more):
        return Library(
            config_dir=self.config,
            state_dir=self.state,
            shipped={"specs": self.shipped},
            settle_s=0.001,
            **{"settings": Settings(), **more},
        )


@pytest.fixture
def place(tmp_path):
    """Make a configuration with two accounts at one provider."""
    place = Place(tmp_path)
    place.write("specs/shop.yaml", PROVIDER)
    place.write("mappings/order.yaml", MAPPING)
    place.write("integrations/one.yaml", integration("one"))
    place.write("integrations/two.yaml", integration("two"))
    return place


def digests(loaded):
    """Tell what each integration is made of."""
    return {name: made.digest for name, made in loaded.bundle.integrations.items()}


def test_good_files_all_run_and_nothing_is_kept(place):
    """With good files there are no problems, and no integration runs on old ones."""
    loaded = place.open().load()

    assert sorted(loaded.bundle.integrations) == ["one", "two"]
    assert (loaded.bundle.problems, loaded.kept, loaded.remarks) == ((), frozenset(), ())


def test_a_bad_file_keeps_its_last_good_version_and_hurts_only_itself(place):
    """An integration whose file cannot be read any more goes on unchanged, and so do others."""
    library = place.open()
    before = digests(library.load())
    place.write("integrations/one.yaml", BAD)

    loaded = library.load()

    assert digests(loaded) == before
    assert loaded.kept == {"one"}
    assert [str(problem) for problem in loaded.bundle.problems] == [
        (
            "integrations/one.yaml:2:1: E105: not valid YAML: a value was expected here; add it or "
            "put it in quotes"
        )
    ]
    assert loaded.kept_because_of(loaded.bundle.problems[0]) == ("one",)


def test_the_last_good_version_outlives_a_restart(place):
    """A new process finds the last good files on disk, as long as the file is bad."""
    before = digests(place.open().load())
    place.write("integrations/one.yaml", BAD)

    loaded = place.open().load()

    assert (digests(loaded), loaded.kept, loaded.remarks) == (before, {"one"}, ())


def test_a_bad_provider_keeps_every_integration_that_uses_it(place):
    """What depends on a file goes on with that file's last good version, over a restart too."""
    before = digests(place.open().load())
    place.write("specs/shop.yaml", PROVIDER.replace("orders:", "Orders!:"))

    for library in (place.open(), place.open()):
        loaded = library.load()
        assert (digests(loaded), loaded.kept) == (before, {"one", "two"})


def test_coming_back_to_the_last_good_content_clears_the_error(place):
    """The same good content as before makes everything as it was before."""
    library = place.open()
    before = library.load()
    place.write("specs/shop.yaml", BAD)
    library.load()
    place.write("specs/shop.yaml", PROVIDER)

    after = library.load()

    assert digests(after) == digests(before)
    assert (after.kept, after.bundle.problems) == (frozenset(), ())


def test_a_changed_good_file_is_taken_and_others_stay(place):
    """A change gives the integration another digest, and leaves the other's alone."""
    library = place.open()
    before = digests(library.load())
    place.write("integrations/one.yaml", integration("one", "b"))

    after = digests(library.load())

    assert after["one"] != before["one"]
    assert after["two"] == before["two"]


def test_a_changed_mapping_changes_what_uses_it(place):
    """A dependency counts as a change of what depends on it."""
    library = place.open()
    before = digests(library.load())
    place.write("mappings/order.yaml", MAPPING.replace("total: total", "total: amount"))

    after = digests(library.load())

    assert (after["one"] != before["one"], after["two"] != before["two"]) == (True, True)


def test_a_removed_file_is_gone_for_good(place):
    """Removing an integration's file ends it, and a restart does not bring it back."""
    place.open().load()
    (place.config / "integrations/one.yaml").unlink()

    for library in (place.open(), place.open()):
        assert sorted(library.load().bundle.integrations) == ["two"]
    assert sorted(json.loads((place.state / "good.json").read_text())["integrations"]) == ["two"]


def test_a_removed_provider_keeps_what_uses_it(place):
    """An integration whose provider is gone is refused, and goes on with the last good one."""
    library = place.open()
    before = digests(library.load())
    (place.config / "specs/shop.yaml").unlink()

    loaded = library.load()

    assert (digests(loaded), loaded.kept) == (before, {"one", "two"})


def test_a_copied_file_changes_nothing_that_runs(place):
    """Two files with one name stand for neither, so that the version from before goes on."""
    library = place.open()
    before = digests(library.load())
    place.write("integrations/a-copy.yaml", integration("one", "z"))

    loaded = library.load()

    assert (digests(loaded), loaded.kept) == (before, {"one"})
    assert [str(problem) for problem in loaded.bundle.problems] == [
        (
            "integrations/one.yaml:1:14: E304: integration 'one' is already defined at "
            "integrations/a-copy.yaml:1:14; rename or remove one of them"
        )
    ]


@pytest.mark.parametrize("broken", [BAD, PROVIDER + "nonsense: 1\n"])
def test_a_broken_own_provider_never_brings_a_shipped_one_back(place, broken):
    """A shipped provider of the same name does not step in for a file with errors."""
    place.shipped.mkdir()
    (place.shipped / "shop.yaml").write_text(PROVIDER.replace(".test", ".shipped"))
    before = digests(place.open().load())
    place.write("specs/shop.yaml", broken)

    loaded = place.open().load()

    assert (digests(loaded), loaded.kept) == (before, {"one", "two"})


def test_an_own_provider_replaces_a_shipped_one(place):
    """A provider of the administrator's wins over one of the package, and its removal undoes it."""
    place.shipped.mkdir()
    (place.shipped / "shop.yaml").write_text(PROVIDER)
    library = place.open()
    assert "specs/shop.yaml" in library.load().bundle.integrations["one"].files
    (place.config / "specs/shop.yaml").unlink()

    loaded = library.load()

    assert "shipped/specs/shop.yaml" in loaded.bundle.integrations["one"].files
    assert loaded.bundle.problems == ()


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"version": 1}', '{"version": 2}', "[" * 99999])
def test_a_damaged_list_is_told_and_ignored(place, damage):
    """The list of last good files is never a reason not to start; good files run as always."""
    place.open().load()
    listed = place.state / "good.json"
    listed.write_text(damage)
    place.write("integrations/one.yaml", BAD)

    loaded = place.open().load()

    assert sorted(loaded.bundle.integrations) == ["two"]
    assert loaded.remarks == (f"{listed}: the list of last good files is not used: it is damaged",)


def test_damaged_contents_are_told_and_not_used(place):
    """Kept contents that are not what their name says are never run."""
    place.open().load()
    path = place.state / "good.json"
    path.write_text(path.read_text().replace("site: a", "site: b"))
    place.write("integrations/one.yaml", BAD)

    loaded = place.open().load()

    assert sorted(loaded.bundle.integrations) == ["two"]
    assert loaded.remarks == ("the last good files of integration one can no longer be used",)


def test_last_good_files_that_the_settings_refuse_wait_for_better_ones(place):
    """What the settings no longer allow does not run, and is not forgotten either."""
    text = "integration: three\nsecrets: {key: {env: SHOP_KEY}}\n"
    place.write("integrations/three.yaml", text)
    wide = Settings(secrets=SecretSettings(env_prefix=("SHOP_",)))
    place.open(settings=wide).load()
    place.write("integrations/three.yaml", BAD)

    narrow = place.open().load()

    assert sorted(narrow.bundle.integrations) == ["one", "two"]
    assert place.open(settings=wide).load().kept == {"three"}


def test_lost_contents_are_written_again(place):
    """A start with good files mends what was lost of the kept copies."""
    place.open().load()
    path = place.state / "good.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "contents": {}}))
    place.open().load()
    place.write("integrations/one.yaml", BAD)

    assert place.open().load().kept == {"one"}


def test_contents_that_nothing_names_are_removed(place):
    """Kept contents do not pile up over changes: one for each file in use."""
    library = place.open()
    for site in "abcdef":
        place.write("integrations/one.yaml", integration("one", site))
        library.load()

    assert len(json.loads((place.state / "good.json").read_text())["contents"]) == 4


def test_a_state_that_cannot_be_written_is_told_and_ignored(place):
    """Keeping is a convenience: where it fails, everything that is good still runs."""
    place.state.write_text("not a directory")

    loaded = place.open().load()

    assert sorted(loaded.bundle.integrations) == ["one", "two"]
    path = place.state / "good.json"
    assert loaded.remarks == (
        f"{path}: the list of last good files is not used: Not a directory",
        f"{path}: the last good files cannot be kept: Not a directory",
    )


def test_a_library_that_only_reads_writes_nothing(place):
    """A command that reads leaves the state directory as it was."""
    loaded = place.open(read_only=True).load()

    assert sorted(loaded.bundle.integrations) == ["one", "two"]
    assert not place.state.exists()


def test_stale_means_that_the_disk_differs_from_what_was_taken(place):
    """A look tells a change, also one that takes the file back to the same size."""
    library = place.open()
    assert library.is_stale()
    library.load()
    assert not library.is_stale()
    place.write("integrations/one.yaml", integration("one", "b"))
    assert library.is_stale()
    library.load()
    assert not library.is_stale()


def test_what_was_put_back_is_stale_until_the_next_load(place):
    """Whoever could not take up what was loaded is asked again, though no file has changed."""
    library = place.open()
    library.load()
    library.put_back()
    assert library.is_stale()
    library.load()
    assert not library.is_stale()


def test_a_file_that_never_settles_waits_and_the_others_go_on(place):
    """A file that differs at every read stays at its last version; the rest is taken."""
    library = place.open()
    before = digests(library.load())
    look, count = library._scanner.scan, iter(range(100))

    def scan():
        place.write("integrations/one.yaml", integration("one", f"s{next(count)}"))
        return look()

    library._scanner.scan = scan
    place.write("integrations/three.yaml", integration("three"))

    loaded = library.load()

    assert {name: digests(loaded)[name] for name in ("one", "two")} == before
    assert loaded.unsettled == ("integrations/one.yaml",)
    assert "three" in loaded.bundle.integrations


def test_a_missing_configuration_is_an_empty_one(tmp_path):
    """Without any directory there is nothing to run and nothing wrong."""
    library = Library(
        config_dir=tmp_path / "no", state_dir=tmp_path / "s", settings=Settings(), shipped={}
    )

    loaded = library.load()

    assert (loaded.bundle.integrations, loaded.bundle.problems) == ({}, ())


GARBAGE = (
    "",
    "\0",
    "a: [",
    "integration: one",
    "provider: shop",
    "- x",
    "{{",
    "integration: ONE\n",
)


@pytest.mark.parametrize("seed", range(6))
def test_no_sequence_of_edits_stops_or_changes_a_good_integration(place, seed):
    """Whatever happens to other files, over restarts too, a good integration stays as it is."""
    chance = random.Random(seed)
    place.write(
        "integrations/steady.yaml",
        "integration: steady\nhttp: {base_url: https://a.test, paginate: none}\n"
        "streams: {all: {get: /all, key: id}}\n",
    )
    library = place.open()
    steady = digests(library.load())["steady"]
    paths = ["integrations/one.yaml", "integrations/two.yaml", "specs/shop.yaml", "mappings/x.yml"]
    for _ in range(25):
        path = place.config / chance.choice(paths)
        if chance.random() < 0.2:
            path.unlink(missing_ok=True)
        else:
            site = chance.choice("abc")
            good = (integration("one", site), integration("two", site), PROVIDER, MAPPING)
            place.write(path.relative_to(place.config), chance.choice(good + GARBAGE))
        library = place.open() if chance.random() < 0.3 else library
        loaded = library.load()
        assert digests(loaded)["steady"] == steady
        assert loaded.kept <= loaded.bundle.integrations.keys()
        assert Path(place.state / "good.json").exists()
