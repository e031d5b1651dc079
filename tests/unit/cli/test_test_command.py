"""``integrationd test``: what it prints and how it ends."""

import json
import os
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from integrationd.cli.main import cli, run_command
from tests.meta.repository import ROOT
from tests.support.casebook import BOOK, LIBRARY

CASES = """\
cases: library
streams:
  - name: a page
    stream: books
    exchanges:
      - {request: GET /api/books, response: {body: {total: 1, data: [{id: 1, title: Tides}]}}}
    expect: {records: 1}
  - name: a page of two
    stream: books
    exchanges:
      - {request: GET /api/books, response: {body: {total: 1, data: [{id: 1, title: Tides}]}}}
    expect: {records: 2, first: {title: Salt}}
"""


@pytest.fixture
def config(tmp_path):
    """Return a configuration with a provider and its cases."""
    for name, text in (
        ("specs/library", LIBRARY),
        ("mappings/book", BOOK),
        ("cases/library", CASES),
    ):
        path = tmp_path / f"{name}.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return tmp_path


def called(config, *words):
    """Run the command; returns its exit code and what it printed, to both."""
    runner = CliRunner()
    with runner.isolation() as (out, err, _):
        code = run_command(
            lambda: cli.main(
                ["--config", str(config), "test", *map(str, words)],
                prog_name="integrationd",
                standalone_mode=False,
            )
        )
        texts = [stream.getvalue().decode() for stream in (out, err)]
    return code, texts[0], re.sub(r"\d+\.\d\d s", "N s", texts[1])


def mend(config):
    """Let all cases hold."""
    path = config / "cases" / "library.yaml"
    path.write_text(CASES.replace("records: 2, first: {title: Salt}", "records: 1"))


def test_a_case_that_does_not_hold_is_told_with_its_place(config):
    """And what no case touches after it; it ran and failed, which is 1."""
    code, out, err = called(config)

    assert code == 1
    assert out.splitlines()[:5] == [
        "FAIL cases/library.yaml:8:5: library: a page of two",
        "     expected 2 records, got 1",
        "     first record: title expected 'Salt', got 'Tides'",
        "library: no case touches 27 of 29 parts:",
        "  http: 401, 429, a passing failure, tried again",
    ]
    assert err == "2 cases, 1 passed, 1 failed; 27 of 29 parts untouched; N s\n"


def test_where_all_cases_hold_it_ends_well(config):
    """What is untouched is told, and is no failure unless that is asked for."""
    mend(config)

    assert called(config)[0] == 0
    assert called(config, "--strict")[0] == 1


def test_verbose_names_the_cases_that_hold(config):
    """In the order of the file."""
    _, out, _ = called(config, "-v")

    assert out.splitlines()[0] == "ok   cases/library.yaml:3:5: library: a page"


@pytest.mark.parametrize(
    ("named", "shown"),
    [
        ("cases/library.yaml", "cases/library.yaml"),
        ("cases", "cases/library.yaml"),
        ("specs/library.yaml", "cases/library.yaml"),
    ],
)
def test_cases_are_found_by_their_file_or_by_what_they_are_about(config, named, shown, monkeypatch):
    """A spec stands for all cases about it, wherever they lie."""
    monkeypatch.chdir(config)

    code, out, _ = called(config, named)

    assert code == 1
    assert out.splitlines()[0] == f"FAIL {shown}:8:5: library: a page of two"


def test_words_choose_cases(config):
    """By name, whatever its case; then nothing is said of what is untouched."""
    assert called(config, "-k", "Of Two") == (
        1,
        (
            "FAIL cases/library.yaml:8:5: library: a page of two\n"
            "     expected 2 records, got 1\n"
            "     first record: title expected 'Salt', got 'Tides'\n"
        ),
        "1 case, 0 passed, 1 failed; N s\n",
    )


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["-k", "x"], "no case has 'x' in its name, its file's or its spec's"),
        (
            ["-k", "a", "--strict"],
            "--strict is about all cases, -k runs some; leave one of them out",
        ),
        (["mappings/book.yaml"], "there are no cases in mappings/book.yaml or about it"),
    ],
)
def test_wrong_usage_is_told(config, words, told, monkeypatch):
    """In one line; it is 2."""
    monkeypatch.chdir(config)

    assert called(config, *words) == (2, "", f"integrationd: {told}\n")


def test_a_configuration_that_is_not_there_is_told():
    """Rather than running no cases and ending well."""
    assert called(Path("/none")) == (
        2,
        "",
        "integrationd: there is no directory /none; say where with --config\n",
    )


def test_a_file_with_errors_does_not_run_and_does_not_stop_the_others(config):
    """Its errors are told as `check` tells them."""
    mend(config)
    (config / "cases" / "more.yaml").write_text("cases: library\nstreams: [{stream: books}]\n")

    code, out, err = called(config)

    assert code == 1
    assert out.splitlines()[0] == (
        "cases/more.yaml:2:11: E102: streams[0] has no 'name', which is required"
    )
    assert err == "2 cases, 2 passed, 0 failed, 1 error in files; 27 of 29 parts untouched; N s\n"


def test_cases_about_a_spec_with_errors_fail_by_them(config):
    """Its first error is told with each, as its file may not be among those that are asked for."""
    (config / "specs" / "library.yaml").write_text(LIBRARY.replace("get: /books", "gett: /books"))

    error = "specs/library.yaml:11:5: E101: unknown field 'gett' in streams.books"
    code, out, err = called(config, config / "cases")

    assert code == 1
    assert out.splitlines()[1].startswith(
        f"     library cannot be used, its file has errors: {error}"
    )
    assert err == "2 cases, 0 passed, 2 failed; N s\n"


def test_a_file_beside_the_cases_that_is_not_there_is_told(config):
    """By its name, in its case."""
    (config / "cases" / "library.yaml").write_text(
        "cases: library\nstreams: [{name: a, stream: books, exchanges: [{response: {file: x}}]}]\n"
    )

    _, out, _ = called(config)

    assert out.splitlines()[1] == (
        "     file 'x' beside cases/library.yaml: no such file or directory"
    )


@pytest.mark.parametrize(
    ("name", "reason"),
    [("pipe", "is no file"), (".", "is a directory"), ("a\\0b", "it cannot be read")],
    ids=["pipe", "directory", "nul"],
)
def test_what_is_no_file_beside_the_cases_is_not_waited_for(config, name, reason):
    """Nobody writes into that pipe."""
    os.mkfifo(config / "cases" / "pipe")
    (config / "cases" / "library.yaml").write_text(
        "cases: library\nstreams:\n"
        f'  - {{name: a, stream: books, exchanges: [{{response: {{file: "{name}"}}}}]}}\n'
    )

    _, out, _ = called(config)

    shown = name.replace("\\0", "\\x00")
    assert out.splitlines()[1] == f"     file '{shown}' beside cases/library.yaml: {reason}"


def test_programs_get_everything_in_one_value(config):
    """Cases with their faults, specs with what is untouched, problems and totals."""
    code, out, err = called(config, "--json")
    told = json.loads(out)

    assert (code, err) == (1, "")
    for case in told["cases"]:
        assert case.pop("took_ms") >= 0
    assert told["cases"] == [
        {
            "file": "cases/library.yaml",
            "line": 3,
            "spec": "library",
            "name": "a page",
            "stream": "books",
            "ok": True,
            "faults": [],
        },
        {
            "file": "cases/library.yaml",
            "line": 8,
            "spec": "library",
            "name": "a page of two",
            "stream": "books",
            "ok": False,
            "faults": [
                "expected 2 records, got 1",
                "first record: title expected 'Salt', got 'Tides'",
            ],
        },
    ]
    assert told["problems"] == []
    assert told["totals"] == {
        "cases": 2,
        "passed": 1,
        "failed": 1,
        "parts": 29,
        "untouched": 27,
    }
    (spec,) = told["specs"]
    assert (spec["name"], spec["parts"], spec["touched"]) == ("library", 29, 2)
    assert spec["untouched"][0] == {"where": "http", "what": "401"}


def test_the_cases_of_the_shipped_specs_hold_and_touch_everything():
    """Each shipped spec has cases, and no part of it is left out."""
    code, out, err = called("/none", ROOT / "cases", "--strict")

    assert (code, out) == (0, "")
    assert re.fullmatch(r"\d+ cases, \d+ passed, 0 failed; 0 of \d+ parts untouched; N s\n", err)
    assert {path.stem for path in (ROOT / "specs").iterdir()} == {
        path.stem for path in (ROOT / "cases").iterdir()
    }


def test_the_page_about_testing_shows_what_is_printed(tmp_path):
    """Its files are run, and the output beside them is theirs."""
    text = (ROOT / "docs" / "testing.md").read_text(encoding="utf-8")
    for block in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)[:2]:
        place = tmp_path / re.match(r"# /etc/integrationd/([\w./-]+)", block)[1]
        place.parent.mkdir(exist_ok=True)
        place.write_text(block)

    code, out, err = called(tmp_path)

    shown = re.search(r"    \$ integrationd test\n((?:    .*\n)+)", text)[1]
    printed = re.sub(r"\d+\.\d\d s", "N s", re.sub(r"^    ", "", shown, flags=re.MULTILINE))
    assert (code, out + err) == (0, printed)
