"""The last good files as one file: whatever they hold, whatever became of it."""

import json
import os
import stat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrationd.bundles.keeping import GoodFiles, LastGood
from integrationd.spec.source import digest_of


def good_of(contents):
    """Return a list with one integration for each content."""
    return {
        f"i{number}": LastGood("a.yaml", {"a.yaml": digest_of(data)})
        for number, data in enumerate(contents)
    }


def write(state, *contents):
    """Keep contents as a new process does."""
    return GoodFiles(state).write(good_of(contents), {digest_of(data): data for data in contents})


@given(contents=st.lists(st.binary(max_size=50), max_size=4))
def test_any_bytes_come_back(tmp_path_factory, contents):
    """Texts, broken texts and noise, as they were."""
    state = tmp_path_factory.mktemp("state")
    write(state, *contents)
    kept = GoodFiles(state)

    assert kept.read() == good_of(contents)
    assert [kept.read_content(digest_of(data)) for data in contents] == contents
    assert kept.remark == ""


def test_it_is_written_once_for_all(tmp_path, monkeypatch):
    """A thousand integrations wait for the disk as long as one does, and the second start never."""
    waits, fsync = [], os.fsync
    monkeypatch.setattr(os, "fsync", lambda file: waits.append(fsync(file)))
    contents = [b"%d" % number for number in range(1000)]

    assert [write(tmp_path, *contents), len(waits)] == ["", 2]
    assert [write(tmp_path, *contents), len(waits)] == ["", 2]


@pytest.mark.parametrize("cut", [0, 1, 100, -1])
def test_a_write_that_was_cut_short_changes_nothing(tmp_path, monkeypatch, cut):
    """The power may go at any moment: what was kept before is there."""
    write(tmp_path, b"old")
    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", lambda _file: (_ for _ in ()).throw(OSError(5, "I/O error")))
        told = write(tmp_path, b"new")
    fresh = tmp_path / "good.json.new"
    fresh.write_bytes(fresh.read_bytes()[:cut])
    kept = GoodFiles(tmp_path)

    assert told == f"{tmp_path / 'good.json'}: the last good files cannot be kept: I/O error"
    assert kept.read_content(digest_of(b"old")) == b"old"
    assert write(tmp_path, b"new") == ""
    assert GoodFiles(tmp_path).read_content(digest_of(b"new")) == b"new"


def test_what_is_still_wanted_is_kept_without_being_given_again(tmp_path):
    """A file that is broken today is not read; the copy from before goes on."""
    write(tmp_path, b"one", b"two")
    GoodFiles(tmp_path).write(good_of([b"one"]), {})
    kept = GoodFiles(tmp_path)

    assert kept.read_content(digest_of(b"one")) == b"one"
    assert kept.read_content(digest_of(b"two")) is None


@pytest.mark.parametrize("name", ["integrations", "contents"])
def test_what_was_not_written_by_us_is_replaced(tmp_path, name):
    """Also where nothing is to be kept."""
    path = tmp_path / "good.json"
    path.write_text(json.dumps({"version": 2, "integrations": {}, "contents": {}, name: []}))
    kept = GoodFiles(tmp_path)

    assert kept.read() == {}
    assert kept.remark == f"{path}: the list of last good files is not used: it is damaged"
    assert kept.write({}, {}) == kept.remark == ""
    assert json.loads(path.read_text())[name] == {}


def test_nobody_else_may_read_it(tmp_path):
    """A file may hold what should have been a secret."""
    write(tmp_path / "state", b"one")

    assert stat.S_IMODE((tmp_path / "state" / "good.json").stat().st_mode) == 0o600
