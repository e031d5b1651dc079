"""``import airbyte``: files, a report on stdout, and an exit code that says what was lost."""

import io
import json

import pytest

from integrationd.cli.main import cli, run_command

WHOLE = """\
streams:
  - type: DeclarativeStream
    name: items
    primary_key: id
    retriever:
      requester: {url_base: https://a.test, path: /items, http_methd: GET}
      record_selector: {extractor: {field_path: [items]}}
"""
PART = WHOLE + "      decoder: {type: CustomDecoder, class_name: a.Odd}\n"


def run(*words):
    """Run a command line in this process; returns the exit code."""
    return run_command(
        lambda: cli.main(list(map(str, words)), prog_name="integrationd", standalone_mode=False)
    )


@pytest.fixture
def shop(tmp_path):
    """Write a manifest into a directory named as its connector is."""
    path = tmp_path / "source-shop" / "manifest.yaml"
    path.parent.mkdir()
    path.write_text(WHOLE)
    return path


def test_nothing_lost_is_exit_0(tmp_path, shop, capsys):
    """The file is named after the connector, notes are told, and what comes next."""
    code = run("import", "airbyte", shop, "-o", tmp_path / "conf")

    told = capsys.readouterr()
    written = tmp_path / "conf" / "specs" / "shop.yaml"
    assert (code, "provider: shop\n" in written.read_text()) == (0, True)
    assert told.out == (
        f"{shop}:6:59: note: streams[0].retriever.requester has 'http_methd', which is no field of "
        "HttpRequester; Airbyte does nothing with it; was 'http_method' meant?\n"
    )
    assert told.err == (
        f"wrote {written}\n"
        f"1 streams, 0 lines unsaid, 1 notes; then: integrationd --config {tmp_path}/conf check\n"
    )
    assert run("--config", tmp_path / "conf", "check") == 0


def test_line_that_was_lost_is_exit_1(tmp_path, shop, capsys):
    """The report says where and why, as JSON too; the file is written all the same."""
    shop.write_text(PART)

    code = run("import", "airbyte", shop, "-o", tmp_path, "--name", "My Shop", "--json")

    assert code == 1
    assert json.loads(capsys.readouterr().out)[-1] == {
        "file": str(shop),
        "line": 8,
        "column": 16,
        "kind": "unsaid",
        "message": "streams[0].retriever.decoder: CustomDecoder Odd is code, which is not read "
        "here",
    }
    assert (tmp_path / "specs" / "my-shop.yaml").exists()


def test_file_that_is_there_is_left_alone(tmp_path, shop, capsys):
    """What somebody changed is not written over unless asked for."""
    run("import", "airbyte", shop, "-o", tmp_path)
    written = tmp_path / "specs" / "shop.yaml"
    written.write_text("provider: mine\n")
    capsys.readouterr()

    code = run("import", "airbyte", shop, "-o", tmp_path)

    assert (code, written.read_text()) == (2, "provider: mine\n")
    assert capsys.readouterr().err == (
        f"integrationd: {written} is there already; take another directory, or say --force\n"
    )
    assert run("import", "airbyte", shop, "-o", tmp_path, "--force") == 0
    assert written.read_text() != "provider: mine\n"


OPENAPI = """\
openapi: 3.0.3
info: {title: Shop, version: "1"}
servers: [{url: "https://a.test"}]
paths:
  /items:
    get:
      responses:
        "200":
          content: {application/json: {schema: {type: array, items: {properties: {id: {}}}}}}
  /picture:
    get:
      responses: {"200": {content: {image/png: {}}}}
"""


def test_document_becomes_a_provider_and_mappings(tmp_path, capsys):
    """Under the name of its title; what cannot be said is exit 1, and all is loadable."""
    source = tmp_path / "api.yaml"
    source.write_text(OPENAPI)

    code = run("import", "openapi", source, "-o", tmp_path / "conf")

    told = capsys.readouterr()
    unsaid = [line for line in told.out.splitlines() if ": unsaid: " in line]
    assert (code, run("--config", tmp_path / "conf", "check")) == (1, 0)
    assert unsaid == [
        (
            f"{source}:12:26: unsaid: #/paths/~1picture/get/responses/200: an answer of "
            "image/png is not read"
        )
    ]
    assert told.err == (
        f"wrote {tmp_path}/conf/specs/shop.yaml\n"
        f"wrote {tmp_path}/conf/mappings/shop.items.yaml\n"
        "1 streams, 1 operations, 1 lines unsaid, 4 notes; then: "
        f"integrationd --config {tmp_path}/conf check\n"
    )


def test_one_file_that_is_there_keeps_all_from_being_written(tmp_path, capsys):
    """Nothing is written by halves."""
    source = tmp_path / "api.yaml"
    source.write_text(OPENAPI)
    mapping = tmp_path / "mappings" / "shop.items.yaml"
    mapping.parent.mkdir()
    mapping.write_text("mine")

    code = run("import", "openapi", source, "-o", tmp_path)

    assert (code, mapping.read_text(), (tmp_path / "specs").exists()) == (2, "mine", False)
    assert capsys.readouterr().err == (
        f"integrationd: {mapping} is there already; take another directory, or say --force\n"
    )


@pytest.mark.parametrize("word", ["airbyte", "openapi"])
def test_what_cannot_be_read_is_told(tmp_path, capsys, word):
    """A directory, nothing at all, too much, a place where no directory can be made."""
    large = tmp_path / "large"
    with large.open("wb") as file:
        file.truncate(33 * 1024 * 1024)
    source = tmp_path / "api.yaml"
    source.write_text(OPENAPI if word == "openapi" else WHOLE)

    codes = [
        run("import", word, tmp_path, "-o", tmp_path / "conf"),
        run("import", word, tmp_path / "none", "-o", tmp_path / "conf"),
        run("import", word, large, "-o", tmp_path / "conf"),
        run("import", word, source, "-o", source),
    ]

    assert codes == [2, 2, 1, 1]
    assert capsys.readouterr().err == (
        f"integrationd: {tmp_path}: cannot be read: Is a directory\n"
        f"integrationd: {tmp_path}/none: cannot be read: No such file or directory\n"
        f"integrationd: {large} has more than 32 MB, which is too large\n"
        f"integrationd: {source}/specs/{'shop' if word == 'openapi' else 'api'}.yaml: cannot be "
        "written: Not a directory\n"
    )


def test_standard_input_is_read(tmp_path, capsys, monkeypatch):
    """It is called `-`."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(OPENAPI.encode())))

    code = run("import", "openapi", "-", "-o", tmp_path)

    assert (code, (tmp_path / "specs" / "shop.yaml").exists()) == (1, True)
    assert "# Made of standard input, an OpenAPI" in (tmp_path / "specs" / "shop.yaml").read_text()
    capsys.readouterr()


def test_file_that_is_no_manifest_is_told(tmp_path, shop, capsys):
    """Nothing is written."""
    shop.write_text("a: [")

    code = run("import", "airbyte", shop, "-o", tmp_path / "conf")

    assert (code, (tmp_path / "conf").exists()) == (1, False)
    assert capsys.readouterr().err.startswith(f"integrationd: {shop}:2:1: ")
