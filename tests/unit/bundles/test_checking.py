"""Checking: which files are looked at, against what, and what it costs."""

import subprocess
import sys
from pathlib import Path

import pytest

from integrationd.bundles.checking import check_paths, problem_json
from integrationd.bundles.shipped import shipped_dirs

PROVIDER = """\
provider: shop
config: {site: {type: string}}
http: {base_url: "https://{{ config.site }}.test", paginate: none}
streams: {orders: {get: /orders, key: id}}
"""
ACCOUNT = "integration: a\nuses: shop\nconfig: {site: x}\n"


@pytest.fixture
def config(tmp_path, monkeypatch):
    """Make a configuration with one provider and one account."""
    monkeypatch.chdir(tmp_path)
    config = tmp_path / "etc"
    for path, text in {"specs/shop.yaml": PROVIDER, "integrations/a.yaml": ACCOUNT}.items():
        (config / path).parent.mkdir(parents=True)
        (config / path).write_text(text)
    return config


def told(report):
    """Return the problems as they are printed."""
    return [str(problem) for problem in report.problems]


def test_without_paths_the_whole_configuration_is_checked(config):
    """All files in all directories count, and the settings beside them."""
    (config / "integrationd.yaml").write_text("drain: soon\n")
    (config / "integrations" / "a.yaml.bak").write_text("nonsense")

    report = check_paths(config, shipped={})

    assert told(report) == [
        (
            "integrationd.yaml:1:8: E111: drain is 'soon', expected a duration such as 30s, 15m or "
            "1h30m"
        )
    ]
    assert (report.files, report.integrations) == (3, ("a",))
    assert report.ignored == (("integrations/a.yaml.bak", "an editor's leftover"),)


def test_a_file_is_checked_against_what_is_in_place(config):
    """A new integration finds the provider in place; faults of other files stay untold."""
    (config / "specs" / "bad.yaml").write_text("provider: [")
    Path("new.yaml").write_text(ACCOUNT.replace("a\n", "new\n", 1).replace("x", "12"))

    report = check_paths(config, [Path("new.yaml")], shipped={})

    assert told(report) == ["new.yaml:3:16: E305: config.site is 12, expected text"]
    assert (report.files, report.integrations) == (1, ())


def test_a_new_version_stands_before_the_one_in_place(config):
    """A file can be checked before it replaces the one of the same name, without a quarrel."""
    Path("shop.yaml").write_text(PROVIDER.replace("key: id", "key: id, schedul: 1h"))

    report = check_paths(config, [Path("shop.yaml")], shipped={})

    assert told(report) == [
        "shop.yaml:4:43: E101: unknown field 'schedul' in streams.orders; did you mean 'schedule'?"
    ]


def test_a_file_in_place_is_not_its_own_duplicate(config):
    """Naming a file of the configuration, or the file twice, reads it once."""
    path = config / "integrations" / "a.yaml"

    report = check_paths(config, [path, path, path.parent], shipped={})

    assert (told(report), report.files, report.integrations) == ([], 1, ("a",))


def test_a_directory_is_checked_with_all_below_it(config):
    """Problems are told by the name under which the directory was named."""
    (config / "specs" / "more").mkdir()
    (config / "specs" / "more" / "x.yaml").write_text("nonsense: 1\n")

    report = check_paths(Path("none"), [Path("etc/specs")], shipped={})

    assert told(report) == [
        (
            "etc/specs/more/x.yaml:1:1: E112: the first key is 'nonsense', expected one of "
            "provider, integration, mapping, entity, cases; known here: cases, entity, "
            "integration, mapping, provider"
        )
    ]


def test_a_named_file_is_checked_whatever_its_name(config):
    """A leftover is passed over in a directory, and checked where a person asks for it."""
    Path("x.yaml.bak").write_text("provider: X\n")

    report = check_paths(config, [Path("x.yaml.bak"), Path("gone.yaml")], shipped={})

    assert told(report) == [
        "gone.yaml:1:1: E113: there is no such file",
        (
            "x.yaml.bak:1:11: E109: provider is 'X', expected small letters, digits and hyphens, "
            "as in main-library"
        ),
    ]


def test_named_settings_decide_for_the_named_files(config):
    """Settings that are checked together with files are the ones that these are checked by."""
    Path("integrationd.yaml").write_text("secrets: {env_prefix: [SHOP_]}\n")
    Path("b.yaml").write_text("integration: b\nsecrets: {x: {env: SHOP_X}}\n")

    alone = check_paths(config, [Path("b.yaml")], shipped={})
    both = check_paths(config, [Path("b.yaml"), Path("integrationd.yaml")], shipped={})

    assert ([problem.code for problem in alone.problems], told(both)) == (["E402"], [])


def test_a_problem_as_json_is_what_editors_read(config):
    """The place, the code and the message, each under its own name."""
    (config / "integrations" / "a.yaml").write_text("integration: a\nuses: shpo\n")

    (problem,) = check_paths(config, shipped={}).problems

    assert problem_json(problem) == {
        "file": "integrations/a.yaml",
        "line": 2,
        "column": 7,
        "code": "E301",
        "message": "uses provider 'shpo', which is in no file; did you mean 'shop'?",
    }


SCRIPT = """
import sys
from pathlib import Path
from integrationd.bundles.checking import check_paths
from integrationd.bundles.shipped import shipped_dirs
report = check_paths(Path("none"), [shipped_dirs()["specs"]], shipped=shipped_dirs())
NOT_NEEDED = {"aiohttp", "asyncio", "cryptography", "jsonschema", "sqlalchemy", "watchfiles"}
loaded = {name.partition(".")[0] for name in sys.modules}
print(report.files, len(report.problems))
print(*sorted(loaded & NOT_NEEDED))
"""


def test_checking_all_shipped_specs_loads_no_library_of_a_daemon():
    """What it costs is held by tests/acceptance/test_check_cost.py."""
    root = Path(shipped_dirs()["specs"]).parent
    told = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=root, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    files, problems = told[0].split()

    assert (int(files) > 0, problems) == (True, "0")
    assert told[1] == ""
