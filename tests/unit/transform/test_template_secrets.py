"""Templates never show a secret, neither in what they give nor in what they say."""

import pickle
import traceback

import pytest

from integrationd.errors import ExpressionError
from integrationd.model.secret import Secret
from integrationd.transform.template import Template

WORD = "hunter2-ß"


@pytest.mark.parametrize(
    "text",
    [
        "{{ secrets.t }}",
        "Bearer {{ secrets.t }}",
        "{{ secrets.t | b64encode }}",
        "{{ (config.user ~ ':' ~ secrets.t) | b64encode }}",
        "{{ secrets.t | upper }}",
        "{{ secrets.t | length }}",
        "{{ secrets.t[0] }}",
        "{{ secrets['t'][1:] }}",
        "{% if secrets.t %}{{ secrets.t }}{% endif %}",
        "{% for name in secrets %}{{ secrets[name] }}{% endfor %}",
        "{{ config.user ~ steps.login.t }}",
        "{{ steps.login.t }}",
    ],
)
def test_what_is_made_with_a_secret_is_secret(text):
    """The result is wrapped again, wherever the secret stood and however it was changed."""
    values = {
        "secrets": {"t": Secret(WORD)},
        "config": {"user": "u"},
        "steps": {"login": {"t": Secret(WORD)}},
    }
    made = Template.parse(text, None)
    found = made.render(values)

    assert isinstance(found, Secret)
    assert isinstance(made.render_text(values), Secret)
    assert WORD not in f"{found!r}{found}{made!r}"
    assert WORD.encode() not in pickle.dumps(found)


def test_secret_is_sent_as_it_is():
    """Inside it is the text itself, not its placeholder."""
    values = {"secrets": {"t": Secret(WORD)}, "config": {"user": "u"}}

    def shown(text):
        return Template.parse(text, None).render_text(values, encode=str.upper).reveal()

    assert shown("{{ secrets.t }}") == WORD.upper()
    assert shown("a {{ config.user ~ secrets.t }}") == f"a {'U' + WORD.upper()}"


def test_secrets_in_lists_and_objects_stay_secret():
    """Every text and number of a value that was made with a secret is one."""
    values = {"secrets": {"t": Secret(WORD)}, "config": {"a": [Secret(WORD), 1]}}

    found = Template.parse("{{ [secrets.t, {'a': 1}, true, none] }}", None).render(values)

    assert found == [Secret(WORD), {"a": Secret("1")}, True, None]
    assert Template.parse("{{ config.a }}", None).render(values) == [Secret(WORD), 1]
    assert Template.parse("{{ secrets }}", None).render(values) == {"t": Secret(WORD)}


@pytest.mark.parametrize(
    "text",
    [
        "{{ secrets.t | int }}",
        "{{ secrets.t + 1 }}",
        "{{ config[secrets.t] }}",
        "{{ secrets.t | b64decode }}",
        "{{ secrets.t < 1 }}",
        "{{ secrets.t.x }}",
        "{% for a in secrets.t %}{% endfor %}",
        "{{ config.a | round(secrets.t) }}",
        "{{ [1] | select(secrets.t) }}",
    ],
)
def test_no_error_shows_a_secret(text):
    """A failure tells names and kinds, never a value; nor does what caused it."""
    with pytest.raises(ExpressionError) as caught:
        Template.parse(text, None).render({"secrets": {"t": Secret(WORD)}, "config": {"a": 1}})

    assert WORD not in "".join(traceback.format_exception(caught.value))


def test_rendering_changes_nothing_that_it_was_given():
    """A secret in the variables is one afterwards."""
    values = {"secrets": {"t": Secret(WORD)}, "v": [3, 1, 2]}

    Template.parse("{{ secrets.t }}{{ v | sort | join }}", None).render(values)

    assert values == {"secrets": {"t": Secret(WORD)}, "v": [3, 1, 2]}
