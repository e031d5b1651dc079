"""Scanning: whatever lies in a directory, the files that are meant are read and nothing blocks."""

import os
import socket

import pytest

from integrationd.bundles.scan import Ignored, Root, Scanner
from integrationd.spec.source import Layer, SourceFile


def scan(path):
    """Look at one directory."""
    return Scanner((Root(path, "specs"),)).scan()


def problems(path):
    """Tell what is wrong with each file of a directory."""
    return [str(found.source.problem) for found in scan(path).files.values()]


def test_files_are_found_in_all_directories_below(tmp_path):
    """Files come by their name below the directory, with what is in them."""
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "x.yaml").write_bytes(b"1")
    (tmp_path / "a" / "b" / "y.json").write_bytes(b"2")

    found = scan(tmp_path)

    assert {name: file.source for name, file in found.files.items()} == {
        "specs/x.yaml": SourceFile("specs/x.yaml", b"1", Layer.CONFIGURED),
        "specs/a/b/y.json": SourceFile("specs/a/b/y.json", b"2", Layer.CONFIGURED),
    }
    assert found.directories == {str(path) for path in (tmp_path, tmp_path / "a", tmp_path / "a/b")}


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        (".x.yaml", "a hidden file"),
        (".x.yaml.swp", "a hidden file"),
        ("x.yaml~", "an editor's leftover"),
        ("#x.yaml#", "an editor's leftover"),
        ("x.yaml.swp", "an editor's leftover"),
        ("x.yaml.bak", "an editor's leftover"),
        ("x.yaml.orig", "an editor's leftover"),
        ("x.yaml.dpkg-new", "a package manager's leftover"),
        ("x.yaml.dpkg-old", "a package manager's leftover"),
        ("x.yaml.dpkg-dist", "a package manager's leftover"),
        ("x.yaml.dpkg-tmp", "a package manager's leftover"),
        ("x.yaml.rpmnew", "a package manager's leftover"),
        ("x.yaml.rpmsave", "a package manager's leftover"),
        ("x.yaml.ucf-dist", "a package manager's leftover"),
        ("x.yaml.disabled", "switched off by its name"),
        ("x.txt", "its name does not end in .yaml, .yml or .json"),
        ("yaml", "its name does not end in .yaml, .yml or .json"),
    ],
)
def test_leftovers_are_passed_over_and_said(tmp_path, name, reason):
    """What editors and package managers leave behind is not read, and the reason is told."""
    (tmp_path / name).write_bytes(b"nonsense: [")

    found = scan(tmp_path)

    assert (found.files, found.ignored) == ({}, [Ignored(f"specs/{name}", reason)])


def test_links_lead_to_files_and_not_to_directories(tmp_path):
    """A link to a file is read, as in a mounted ConfigMap; one to a directory is not followed."""
    inside, outside = tmp_path / "in", tmp_path / "out"
    (inside / "..2026").mkdir(parents=True)
    outside.mkdir()
    (inside / "..2026" / "x.yaml").write_bytes(b"1")
    (inside / "..data").symlink_to("..2026")
    (inside / "x.yaml").symlink_to("..data/x.yaml")
    (inside / "dir.yaml").symlink_to(outside)
    (inside / "off.yaml").symlink_to("/dev/null")

    found = scan(inside)

    assert [name for name in found.files] == ["specs/x.yaml"]  # noqa: C416
    assert found.ignored == [
        Ignored("specs/..2026", "a hidden directory"),
        Ignored("specs/..data", "a hidden file"),
        Ignored("specs/dir.yaml", "a link to a directory"),
        Ignored("specs/off.yaml", "a link to /dev/null, which switches it off"),
    ]


def test_a_pipe_is_refused_without_waiting(tmp_path):
    """A pipe that nobody writes to would block whoever opened it."""
    os.mkfifo(tmp_path / "x.yaml")

    assert problems(tmp_path) == [
        "specs/x.yaml:1:1: E113: the file is a pipe, expected a regular file; remove it"
    ]


def test_a_device_and_a_socket_are_refused(tmp_path, monkeypatch):
    """/dev/zero has no end, and a socket cannot be opened."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.yaml").symlink_to("/dev/zero")
    with socket.socket(socket.AF_UNIX) as made:
        made.bind("y.yaml")

        assert problems(tmp_path) == [
            "specs/x.yaml:1:1: E113: the file is a device, expected a regular file; remove it",
            "specs/y.yaml:1:1: E113: the file is a socket, expected a regular file; remove it",
        ]


def test_links_to_nothing_and_in_circles_are_told(tmp_path):
    """A link that leads nowhere is a mistake to tell, not a file that is missing."""
    (tmp_path / "a.yaml").symlink_to("gone.yaml")
    (tmp_path / "b.yaml").symlink_to("b.yaml")

    assert problems(tmp_path) == [
        (
            "specs/a.yaml:1:1: E113: the file is a link to 'gone.yaml', which does not exist; mend "
            "or remove the link"
        ),
        (
            "specs/b.yaml:1:1: E113: the file cannot be read: the links go in a circle; remove one "
            "of them"
        ),
    ]


def test_a_file_that_anybody_may_write_is_refused(tmp_path):
    """Whoever may write a spec decides where secrets are sent."""
    (tmp_path / "x.yaml").write_bytes(b"1")
    (tmp_path / "x.yaml").chmod(0o666)

    assert problems(tmp_path) == [
        (
            "specs/x.yaml:1:1: E113: the file has the mode 0666, so that anybody may write it; run "
            "chmod o-w on it"
        )
    ]


def test_a_huge_file_is_refused_unread(tmp_path):
    """More than a megabyte is no spec."""
    with (tmp_path / "x.yaml").open("wb") as file:
        file.truncate(1 << 40)

    assert problems(tmp_path) == [
        (
            "specs/x.yaml:1:1: E106: the file has 1099511627776 bytes, expected at most 1048576; "
            "split it"
        )
    ]


@pytest.mark.parametrize(
    ("name", "shown", "reason"),
    [
        (b"x\xff.yaml", "x\\xff.yaml", "the name is not UTF-8; rename the file"),
        (
            b"x\nERROR y.yaml",
            "x\\x0aERROR y.yaml",
            "the name has characters that cannot be printed; rename the file",
        ),
    ],
)
def test_a_name_that_cannot_be_printed_is_told_on_one_line(tmp_path, name, shown, reason):
    """A file's name can neither forge a line of a log nor break whoever prints it."""
    with open(os.path.join(os.fsencode(tmp_path), name), "wb"):  # noqa: PTH118, PTH123
        pass

    assert problems(tmp_path) == [f"specs/{shown}:1:1: E113: {reason}"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_file_is_told(tmp_path):
    """Permissions are the first thing that goes wrong on a server."""
    (tmp_path / "x.yaml").write_bytes(b"1")
    (tmp_path / "x.yaml").chmod(0)

    assert problems(tmp_path) == [
        (
            "specs/x.yaml:1:1: E113: the file cannot be read: permission denied; let the daemon's "
            "user read it"
        )
    ]


def test_a_missing_directory_is_an_empty_one(tmp_path):
    """No directory of the configuration has to exist."""
    found = scan(tmp_path / "no")

    assert (found.files, found.problems, found.unlisted) == ({}, [], [])


def test_directories_have_a_depth(tmp_path):
    """Directories go on for ever only by mistake."""
    deep = tmp_path.joinpath(*"abcdefghij")
    deep.mkdir(parents=True)
    (deep / "x.yaml").write_bytes(b"1")

    found = scan(tmp_path)

    assert found.files == {}
    assert found.ignored == [
        Ignored("specs/a/b/c/d/e/f/g/h", "more than 8 directories inside each other")
    ]


def test_a_second_look_reads_only_what_changed(tmp_path):
    """A file that did not change is the very same value; a changed one of equal size is seen."""
    path = tmp_path / "x.yaml"
    path.write_bytes(b"1")
    os.utime(path, ns=(0, 0))
    scanner = Scanner((Root(tmp_path, "specs"),))
    first = scanner.scan().files["specs/x.yaml"].source
    path.write_bytes(b"2")
    os.utime(path, ns=(0, 0))

    second = scanner.scan().files["specs/x.yaml"].source

    assert (first.data, second.data) == (b"1", b"2")
