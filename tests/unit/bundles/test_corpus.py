"""The corpus: every file of tests/bad prints exactly what stands beside it, every good one nothing.

``CODE-what.yaml`` is checked alone and ``CODE-what.txt`` is what it prints; ``CODE-what/`` is a
whole configuration, and its ``expected.txt`` what all of it prints.
"""

import re
from pathlib import Path

import pytest

from integrationd.bundles.checking import check_paths
from integrationd.bundles.library import Library
from integrationd.bundles.shipped import shipped_dirs
from integrationd.spec.settings import Settings

TESTS = Path(__file__).parents[2]
BAD = TESTS / "bad"
GOOD = TESTS / "good"
MENDED = TESTS / "mended"
PACKAGE = TESTS.parent / "integrationd"
EXAMPLES = TESTS.parents[1] / "shared" / "examples"
COVERED = (
    "cases/koha.yaml",
    "integrations/college-erp.yaml",
    "mappings/csv.student.yaml",
    "mappings/item.yaml",
    "mappings/koha.item.yaml",
    "mappings/koha.patron.yaml",
    "mappings/moodle.course.yaml",
    "mappings/moodle.enrolment.yaml",
    "mappings/square.line_item.yaml",
    "mappings/square.menu_item.yaml",
    "mappings/stripe.payment.yaml",
    "specs/koha.yaml",
    "specs/moodle.yaml",
)
"""Files of the language's target that this version reads in full."""


def told(report):
    """Return the problems as `check` prints them."""
    return "".join(f"{problem}\n" for problem in report.problems)


@pytest.mark.parametrize("path", sorted(BAD.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_bad_file_prints_exactly_its_text(path, monkeypatch):
    """A file alone prints each of its problems, whole, and nothing else."""
    monkeypatch.chdir(BAD)

    report = check_paths(Path("none"), [Path(path.name)], shipped={})

    assert told(report) == path.with_suffix(".txt").read_text()


@pytest.mark.parametrize(
    "path", sorted(path.parent for path in BAD.glob("*/expected.txt")), ids=lambda path: path.stem
)
def test_a_bad_configuration_prints_exactly_its_text(path, monkeypatch):
    """Files that do not fit together print each problem once, at the file that must change."""
    monkeypatch.chdir(path)

    report = check_paths(Path(), shipped={})

    assert told(report) == (path / "expected.txt").read_text()


@pytest.mark.parametrize("path", sorted(MENDED.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_mended_file_has_nothing_to_tell(path, tmp_path):
    """What the reference shows beside a bad file is right, advice included."""
    report = check_paths(tmp_path, [path], shipped=shipped_dirs())

    assert told(report) == ""


def test_every_code_has_a_mended_file():
    """And none has one that is not a code."""
    codes = {re.match(r"[EW]\d{3}", path.name)[0] for path in BAD.iterdir()}

    assert {path.stem for path in MENDED.iterdir()} == codes


def test_every_code_has_a_bad_file():
    """No code is used in the program without a file that shows it, and none is shown twice over."""
    source = "".join(path.read_text() for path in PACKAGE.rglob("*.py"))
    used = set(re.findall(r'"([EW][0-9]{3})"', source))

    shown = {path.name.partition("-")[0] for path in BAD.iterdir()}

    assert shown == used


def test_all_bad_files_together_leave_a_good_one_alone(tmp_path):
    """A directory full of mistakes runs what is good in it."""
    specs = tmp_path / "etc" / "specs"
    specs.mkdir(parents=True)
    for path in BAD.glob("*.yaml"):
        (specs / path.name).write_bytes(path.read_bytes())
    (specs / "steady.yaml").write_text(
        "integration: steady\nhttp: {base_url: https://a.test, paginate: none}\n"
        "streams: {all: {get: /all, key: id, schedule: 1h}}\n"
    )
    library = Library(
        config_dir=tmp_path / "etc", state_dir=tmp_path, settings=Settings(), shipped={}
    )

    bundle = library.load().bundle

    assert list(bundle.integrations) == ["steady"]
    assert not any("steady.yaml" in str(problem) for problem in bundle.problems)


@pytest.mark.parametrize("path", sorted(GOOD.iterdir()), ids=lambda path: path.name)
def test_a_good_configuration_prints_nothing(path):
    """Everything that the language offers is taken without a word, and runs."""
    report = check_paths(path, shipped={})

    assert told(report) == ""
    assert report.integrations != ()


def test_the_shipped_files_print_nothing():
    """What comes with the package has no problems of its own."""
    dirs = shipped_dirs()

    report = check_paths(
        Path("none"), [path for path in dirs.values() if path.exists()], shipped={}
    )

    assert told(report) == ""
    assert report.files > 0


@pytest.mark.skipif(not EXAMPLES.is_dir(), reason="the examples are not here")
@pytest.mark.parametrize("name", COVERED)
def test_an_example_prints_nothing(name):
    """The target of the language is taken as it is written."""
    report = check_paths(EXAMPLES, [EXAMPLES / name], shipped={})

    assert told(report) == ""
