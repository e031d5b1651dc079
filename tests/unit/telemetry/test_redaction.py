"""Known secrets in log lines: masked in each form that they take there."""

import io
import json

import pytest
import structlog

from integrationd.model.secret import Secret
from integrationd.spec.settings import LogFormat, LogLevel
from integrationd.telemetry import logs
from integrationd.telemetry.redaction import Redactor

CANARY = 'can"ary/7f 3a\u00e9'


@pytest.fixture
def redactor():
    """Know one secret."""
    made = Redactor()
    made.learn("default/acme/token", Secret(CANARY))
    return made


@pytest.fixture(autouse=True)
def clean():
    """Leave logging as it was."""
    yield
    structlog.reset_defaults()


@pytest.mark.parametrize(
    "text",
    [
        f"before {CANARY} after",
        "before can%22ary%2F7f%203a%C3%A9 after",
        "before can%22ary%2F7f+3a%C3%A9 after",
        'before can\\"ary/7f 3a\u00e9 after',
        'before can\\"ary/7f 3a\\u00e9 after',
    ],
)
def test_every_form_is_masked(redactor, text):
    """As it is, in a URL, in a form, in JSON."""
    assert redactor.mask(text) == "before *** after"


def test_every_secret_and_every_place_in_a_text_is_masked(redactor):
    """However many there are, and however often."""
    redactor.learn("default/acme/other", Secret("second-one"))

    assert redactor.mask(f"second-one{CANARY}, second-one") == "******, ***"


def test_new_value_of_a_place_takes_the_place_of_the_old_one(redactor):
    """What is remembered does not grow with each refreshed token."""
    redactor.learn("default/acme/token", Secret("second-one"))

    assert redactor.mask(f"{CANARY} second-one") == f"{CANARY} ***"


def test_short_secret_is_not_masked(redactor):
    """It would be found in ordinary words; so would what it was before be forgotten."""
    redactor.learn("default/acme/token", Secret("order"))

    assert redactor.mask(f"order {CANARY}") == f"order {CANARY}"


def test_longer_secret_is_masked_whole(redactor):
    """One that holds another one leaves nothing behind."""
    redactor.learn("a", Secret("abcdef"))
    redactor.learn("b", Secret("abcdefghi"))

    assert redactor.mask("abcdefghi, abcdef") == "***, ***"


def fail():
    """Raise what a library might."""
    raise ValueError(f"bad header {CANARY}")


def lines_of(redactor, work, form=LogFormat.JSON):
    """Return what is written while something is logged."""
    stream = io.StringIO()
    logs.configure(level=LogLevel.DEBUG, format=form, stream=stream, environ={}, mask=redactor.mask)
    work(structlog.get_logger())
    return stream.getvalue()


@pytest.mark.parametrize("form", [LogFormat.JSON, LogFormat.CONSOLE, LogFormat.JOURNAL])
def test_traceback_is_masked(redactor, form):
    """An exception of a library may say anything."""

    def work(log):
        try:
            fail()
        except ValueError:
            log.info("x.happened", exc_info=True)

    written = lines_of(redactor, work, form)

    assert "bad header ***" in written
    assert "7f" not in written


def test_fields_of_loud_lines_are_masked(redactor):
    """Warnings and errors, deep inside too; numbers and what is nothing stay."""

    def work(log):
        log.warning("x.happened", text=CANARY, items=[{"a": CANARY}, 1, None, Secret("x")], n=1)

    line = json.loads(lines_of(redactor, work))

    assert (line["text"], line["items"], line["n"]) == ("***", [{"a": "***"}, 1, None, "***"], 1)
