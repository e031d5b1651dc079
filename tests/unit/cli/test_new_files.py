"""``new`` and ``schema``: first files that are right as they stand, and what editors need."""

import json

import pytest

from integrationd.bundles.checking import check_paths
from integrationd.bundles.shipped import shipped_dirs
from integrationd.cli.main import cli, run_command
from integrationd.spec.files import FILES, build_schema


def run(*words):
    """Run a command line in this process; returns the exit code."""
    return run_command(
        lambda: cli.main(list(map(str, words)), prog_name="integrationd", standalone_mode=False)
    )


def problems(config):
    """Return what `check` says of a configuration."""
    report = check_paths(config, shipped=shipped_dirs())
    return [str(problem) for problem in report.problems]


@pytest.mark.parametrize(
    ("words", "path"),
    [
        (("provider", "acme-erp"), "specs/acme-erp.yaml"),
        (("integration", "acme"), "integrations/acme.yaml"),
        (("integration", "pay", "--uses", "stripe"), "integrations/pay.yaml"),
        (("integration", "mq", "--uses", "rabbitmq"), "integrations/mq.yaml"),
        (("mapping", "acme_erp.item"), "mappings/acme_erp.item.yaml"),
        (("entity", "item"), "mappings/item.yaml"),
    ],
)
def test_first_file_is_right_as_it_stands(tmp_path, capsys, words, path):
    """It lies in its place, begins with the editor's line, and has no errors."""
    code = run("--config", tmp_path, "new", *words)

    written = (tmp_path / path).read_text()
    schema = f".schema/{words[0]}.json"
    assert (code, capsys.readouterr().out) == (0, f"{tmp_path / path}\n")
    assert written.splitlines()[0] == f"# yaml-language-server: $schema=../{schema}"
    assert json.loads((tmp_path / schema).read_text()) == build_schema(words[0])
    assert problems(tmp_path) == []


def test_integration_asks_for_what_its_provider_declares(tmp_path):
    """Each value and each secret has its line; what has a default stands there as a comment."""
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "erp.yaml").write_text(
        "provider: erp\ntitle: The ERP\ndocs: https://erp.example.org/docs\n"
        "config:\n"
        "  base_url: {type: string, format: uri, description: 'Where\n    it is'}\n"
        "  site: {type: integer}\n"
        "  kind: {enum: [small, large]}\n"
        "  tags: {type: array, default: [a, b]}\n"
        "secrets: {key: {}, id: {}}\n"
        "http: {base_url: '{{ config.base_url }}'}\n"
        "streams: {items: {get: /items, paginate: none, key: id}}\n"
    )

    assert run("--config", tmp_path, "new", "integration", "a", "--uses", "erp") == 0

    assert (tmp_path / "integrations" / "a.yaml").read_text() == (
        "# yaml-language-server: $schema=../.schema/integration.json\n"
        "# One account at The ERP.\n"
        "integration: a\n"
        "uses: erp\n"
        "# https://erp.example.org/docs\n"
        "\n"
        "config:\n"
        "  # Where it is\n"
        "  base_url: https://example.org\n"
        "  site: 0\n"
        "  kind: small\n"
        '  # tags: ["a", "b"]\n'
        "\n"
        "secrets:\n"
        "  id: {}  # integrationd secret set a id\n"
        "  key: {}  # integrationd secret set a key\n"
        "\n"
        "# All of these are read on their schedules; here one can be switched off or changed.\n"
        "# streams:\n"
        "#   items: {enabled: false}\n"
    )
    assert problems(tmp_path) == []


def test_file_that_is_there_is_left_alone(tmp_path, capsys):
    """A second ``new`` of the same name never overwrites what was filled in."""
    run("--config", tmp_path, "new", "mapping", "a")
    path = tmp_path / "mappings" / "a.yaml"
    path.write_text("mine")
    capsys.readouterr()

    assert run("--config", tmp_path, "new", "mapping", "a") == 2

    assert path.read_text() == "mine"
    assert capsys.readouterr().err == (
        f"integrationd: {path} is there already; take another name or edit it\n"
    )


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            ("provider", "Acme"),
            "provider is 'Acme', expected small letters, digits and hyphens, as in main-library",
        ),
        (
            ("mapping", "a", "--uses", "stripe"),
            "--uses goes with an integration, not with a mapping",
        ),
        (
            ("integration", "a", "--uses", "strip"),
            "no provider 'strip' without errors; did you mean 'stripe'?",
        ),
    ],
)
def test_wrong_words_are_told(tmp_path, capsys, words, told):
    """Nothing is written then."""
    assert run("--config", tmp_path, "new", *words) == 2

    assert capsys.readouterr().err == f"integrationd: {told}\n"
    assert list(tmp_path.iterdir()) == []


def test_directory_that_is_missing_is_told(tmp_path, capsys):
    """Both commands say how to name another one."""
    place = tmp_path / "none"

    assert run("--config", place, "new", "mapping", "a") == 2
    assert run("--config", place, "schema") == 2

    told = f"integrationd: there is no directory {place}; say where with --config\n"
    assert capsys.readouterr().err == told * 2


def test_schema_is_printed_or_written(tmp_path, capsys):
    """One kind on stdout; all of them into a directory, or into the configuration's own."""
    assert run("schema", "mapping") == 0
    assert json.loads(capsys.readouterr().out) == build_schema("mapping")

    assert run("--config", tmp_path, "schema") == 0
    assert run("schema", "-o", tmp_path / "deep" / "er") == 0
    written = capsys.readouterr().out.splitlines()
    places = (tmp_path / ".schema", tmp_path / "deep" / "er")
    assert written == [str(place / f"{kind}.json") for place in places for kind in FILES]


def test_directory_that_cannot_be_written_is_told(tmp_path, capsys):
    """Without a traceback."""
    (tmp_path / "file").write_text("")

    assert run("schema", "-o", tmp_path / "file" / "in") == 1

    told = capsys.readouterr().err
    assert told == f"integrationd: {tmp_path}/file/in: cannot be written: Not a directory\n"
