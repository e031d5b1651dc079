"""What a template becomes in a path, in a text and in JSON."""

import pytest

from integrationd.importers.airbyte.manners import Manner, write_for
from integrationd.importers.airbyte.terms import Name
from tests.unit.importers.test_airbyte_templates import jinja, resolve


def written(text, manner):
    """Translate for a place; the configuration's ``flag`` is true or false."""
    return write_for(jinja.parse(text, resolve), manner, lambda name: name.steps[-1] == "flag")


@pytest.mark.parametrize(
    ("text", "ours"),
    [
        ("teams/{{ config.a }}", "teams/{{ config.a }}"),
        ("{{ sanitize_url(config.a) }}/all", "{{ config.a }}/all"),
        (
            "{{ 'all' if config.b == 'x' else 'teams/' ~ config.a }}",
            "{% if config.b == 'x' %}all{% else %}teams/{{ config.a }}{% endif %}",
        ),
        ("{{ 'teams/' + config.a }}", "teams/{{ config.a }}"),
        (
            "{{ config.a or 'a/b' }}",
            "{% if config.a %}{{ config.a }}{% else %}a/b{% endif %}",
        ),
        ("{{ 'a' if config.b else 'c' }}", "{{ 'a' if config.b else 'c' }}"),
    ],
)
def test_slashes_of_a_path_stand_outside_of_values(text, ours):
    """A value never leaves its part of a path, so that one inside of it would be sent as %2F."""
    assert written(text, Manner.PATH) == ours


@pytest.mark.parametrize(
    ("text", "ours"),
    [
        (
            "{{ config.flag }}",
            "{{ none if (config.flag is none) else (('True') if config.flag else ('False')) }}",
        ),
        ("is-{{ config.a == 'b' }}", "is-{{ 'True' if (config.a == 'b') else 'False' }}"),
        ("{{ config.a if config.b else true }}", "{{ config.a if config.b else 'True' }}"),
        ("{{ config.a }}", "{{ config.a }}"),
    ],
)
def test_switch_in_a_text_is_spelled_as_the_source_does(text, ours):
    """Python writes them with a capital."""
    made = written(text, Manner.TEXT)

    assert made.replace("(", "").replace(")", "") == ours.replace("(", "").replace(")", "")


@pytest.mark.parametrize(
    ("text", "ours"),
    [
        ("7", 7),
        ("007", "007"),
        ("true", "true"),
        ("True", True),
        ("[1, 'a']", [1, "a"]),
        ("a, b", "a, b"),
        ('{"since": "{{ config.a }}", "n": [1]}', {"since": "{{ config.a }}", "n": [1]}),
        ("since {{ config.a }}", "since {{ config.a }}"),
        ("{{ config.flag }}", "{{ config.flag }}"),
    ],
)
def test_text_in_json_is_what_python_reads_in_it(text, ours):
    """The source evaluates each text of a body once more."""
    assert written(text, Manner.JSON) == ours


def test_name_is_no_flag_by_itself():
    """Only what the specification calls a boolean is spelled so."""
    assert write_for(Name(("config", "a")), Manner.TEXT, lambda _: False) == "{{ config.a }}"
