"""The documents around the code: what they have to have, and that their links lead somewhere."""

from __future__ import annotations

import re

import pytest

from integrationd.bundles.checking import check_paths
from integrationd.bundles.shipped import shipped_dirs
from tests.meta.repository import ROOT, files, project, show

DECISIONS = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
RECORD = ["Context", "Choice", "What it costs", "What would change our mind"]
# Put together here, so that this file does not hold what it looks for.
PLACES = re.compile(
    r"(?<![\w.\-])/(?:work|root|home/\w+)/|(?:pypi\.|pythonhosted\.)" + "org", re.ASCII
)


def test_changelog_has_what_comes_next():
    """The first section of the changelog is that of the next release, and it says something."""
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    sections = re.split(r"^## ", text, flags=re.MULTILINE)

    assert sections[1].startswith("[Unreleased]\n")
    assert re.search(r"^- \w", sections[1], re.MULTILINE)


def test_decisions_are_numbered_once():
    """No two records have the same number; one that was given out may still be missing."""
    numbers = [path.name[:4] for path in DECISIONS]

    assert all(number.isdigit() for number in numbers)
    assert len(numbers) == len(set(numbers))


def test_decisions_say_what_they_must():
    """A record has its four sections, in order, and nothing else."""
    found = {
        path.name: re.findall(r"^## (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
        for path in DECISIONS
    }

    assert found == dict.fromkeys(found, RECORD)


def test_index_names_every_document():
    """Each document is linked from the index of the documentation."""
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    documents = {path.relative_to(ROOT / "docs").as_posix() for path in files(ROOT / "docs")}
    linked = set(re.findall(r"\]\(([\w/.-]+\.md)\)", index))

    assert documents - {"index.md"} - linked == set()


def test_figure_is_the_contract():
    """The figure of the architecture names the layers that the linter holds, in the same order."""
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    figure = text.split("```")[1].strip().splitlines()
    (layers,) = [
        contract["layers"]
        for contract in project()["tool"]["importlinter"]["contracts"]
        if contract["type"] == "layers"
    ]

    assert [re.split(r"  +", line)[0].replace("·", ":") for line in figure] == layers


def test_links_lead_somewhere():
    """A relative link in a document names a file of the repository."""
    dead = [
        f"{show(path)}: {target}"
        for path in files()
        if path.suffix == ".md"
        for target in re.findall(r"\]\(([^)#\s]+)", path.read_text(encoding="utf-8"))
        if "://" not in target and not (path.parent / target).exists()
    ]

    assert dead == []


def test_no_file_names_a_place_of_one_machine():
    """Nothing that is checked in holds a path of somebody's machine, or a package host."""
    found = [
        f"{show(path)}: {match[0]}"
        for path in files()
        for match in PLACES.finditer(path.read_bytes().decode("utf-8", "replace"))
    ]

    assert found == []


@pytest.mark.parametrize(
    ("page", "integrations"),
    [
        ("README.md", ("broker", "shop")),
        ("docs/testing.md", ()),
        (
            "docs/files.md",
            (
                "archive",
                "books",
                "bookshop",
                "cards",
                "catalogue",
                "cinema",
                "crm",
                "desk",
                "drive",
                "evening-school",
                "feeds",
                "forum",
                "kiosk",
                "ledger",
                "library",
                "market",
                "old-shop",
                "school",
                "sender",
                "tables",
                "till",
                "warehouse",
            ),
        ),
    ],
)
def test_page_shows_files_that_are_right(page, integrations, tmp_path):
    """The YAML of a page is what it says: a configuration without a problem."""
    blocks = re.findall(r"```yaml\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)
    for block in blocks:
        named = re.match(r"# /etc/integrationd/([\w./-]+)", block) or re.match(r"\w+: (\S+)", block)
        name = named[1] if named[1].endswith(".yaml") else f"integrations/{named[1]}.yaml"
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(block)

    report = check_paths(tmp_path, shipped=shipped_dirs())

    assert list(map(str, report.problems)) == []
    assert report.integrations == integrations
