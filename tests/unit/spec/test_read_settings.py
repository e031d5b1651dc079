"""The settings: everything has a default, and what is wrong is told without losing the rest."""

from datetime import timedelta

from integrationd.spec.read_settings import read_settings
from integrationd.spec.settings import Listen, Settings


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
