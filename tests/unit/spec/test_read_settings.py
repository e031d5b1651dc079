"""The settings: everything has a default, and what is wrong is told without losing the rest."""

from datetime import timedelta
from pathlib import Path

import pytest

from integrationd.spec.read_settings import read_settings
from integrationd.spec.settings import Listen, Settings

EXAMPLE = Path(__file__).parents[4] / "shared" / "examples" / "integrationd.yaml"


def read(text):
    """Return the settings and the problems as they are printed."""
    settings, problems = read_settings(text.encode(), "integrationd.yaml")
    return settings, [str(problem) for problem in problems]


def test_an_empty_file_means_the_defaults():
    """No setting has to be written."""
    assert read("") == (Settings(), [])


def test_what_is_written_stands():
    """Values are of the type in which they are used."""
    settings, problems = read('listen: "[::1]:0"\ndrain: 1m\ndatabase: sqlite\n')

    assert problems == []
    assert (settings.listen, settings.drain) == (Listen("::1", 0), timedelta(minutes=1))


def test_sections_without_problems_hold_beside_one_with_them():
    """A typo in one section does not make the checks of files forget the others."""
    settings, problems = read("secrets: {env_prefix: [KOHA_]}\nlog: {level: loud}\n")

    assert settings.secrets.env_prefix == ("KOHA_",)
    assert problems == [
        (
            "integrationd.yaml:2:14: E103: log.level is 'loud', expected one of debug, info, "
            "warning, error"
        )
    ]


def test_a_public_url_has_no_slash_at_its_end():
    """Paths are added to it, and a double slash would change what is signed."""
    settings, _ = read("public_url: https://hooks.test/in/\n")

    assert settings.public_url == "https://hooks.test/in"


@pytest.mark.skipif(not EXAMPLE.exists(), reason="the examples are not here")
def test_the_example_is_taken_as_it_is_written():
    """Every setting of the language's target is known, those that nothing acts on yet too."""
    settings, problems = read(EXAMPLE.read_text())

    assert problems == []
    assert settings.tenants["acme"].vars == {"alerts_to": "ops@acme.example"}
    assert settings.environment == "production"
    assert settings.exec.allow[0] == "/usr/bin/wkhtmltopdf"
    assert settings.files.roots["imports"] == "/srv/imports"
    assert settings.retention.raw_pages == timedelta(days=7)


def test_what_a_tenant_adds_is_read_by_entity():
    """Each field has a schema of its own, checked like that of an entity."""
    settings, problems = read("tenants: {acme: {fields: {student: {house: {type: string}}}}}\n")

    assert problems == []
    assert settings.tenants["acme"].fields["student"]["house"].schema == {"type": "string"}
