"""A secret never shows itself, whoever prints, formats, copies or dumps it."""

import base64
import copy
import dataclasses
import json
import logging
import pickle
import traceback
from urllib.parse import quote, quote_plus

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrationd.model.secret import Secret, mask, reveal

CANARY = "canary-7f3a-b0b5"
SECRET = Secret(CANARY)


@dataclasses.dataclass(frozen=True)
class Holder:
    """A value that holds one."""

    token: Secret


WAYS = {
    "str": str,
    "repr": repr,
    "ascii": ascii,
    "format": format,
    "format width": lambda secret: format(secret, ">40s"),
    "format type that does not fit": lambda secret: format(secret, "d"),
    "f-string": lambda secret: f"{secret} {secret!r} {secret!s:>30} {secret!a} {secret=}",
    "percent": lambda secret: "%s %r %a" % (secret, secret, secret),  # noqa: UP031 - the old way
    "str.format": "{0} {0!r} {0:x}".format,
    "list": lambda secret: str([secret, {"token": secret}, (secret,), {secret}]),
    "dataclass": lambda secret: repr(Holder(secret)),
    "exception": lambda secret: "".join(traceback.format_exception(ValueError(secret))),
    "log line": lambda secret: logging.LogRecord(
        "x", logging.INFO, "x", 1, "token %s %r", (secret, secret), None
    ).getMessage(),
    "pickle": lambda secret: pickle.dumps(secret, protocol=0).decode(),
    "pickle in a value": lambda secret: pickle.dumps({"t": secret}).decode(errors="replace"),
    "json with default": lambda secret: json.dumps(secret, default=str),
}


@pytest.mark.parametrize("show", WAYS.values(), ids=WAYS)
def test_secret_is_not_shown(show):
    """The placeholder stands where the text would be."""
    shown = show(SECRET)

    assert CANARY not in shown
    assert "***" in shown


def test_secret_is_shown_as_a_placeholder_exactly():
    """What people see in its place, whatever the format asks for."""
    assert (str(SECRET), repr(SECRET)) == ("***", "Secret('***')")
    assert (f"{SECRET:>20}", f"{SECRET!r}") == ("***", "Secret('***')")


def test_secret_is_no_json():
    """The standard encoder has no way to write one down."""
    with pytest.raises(TypeError) as caught:
        json.dumps({"token": SECRET})

    assert CANARY not in str(caught.value)


@pytest.mark.parametrize(
    "value",
    [SECRET, {"token": SECRET}, [SECRET], Holder(SECRET)],
    ids=["alone", "object", "list", "dataclass"],
)
def test_quick_encoder_refuses_secrets(value):
    """The encoder of logs, replies and the store writes dataclasses by their fields: not this."""
    for encode in (msgspec.json.encode, msgspec.msgpack.encode):
        with pytest.raises(TypeError) as caught:
            encode(value)
        assert str(caught.value) == "Encoding objects of type Secret is unsupported"


def test_secret_inside_a_dataclass_stays_one():
    """Taking a value apart field by field does not take its secrets apart."""
    assert CANARY not in str(dataclasses.asdict(Holder(SECRET)))
    assert CANARY not in str(dataclasses.astuple(Holder(SECRET)))


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_secret_comes_back_from_a_pickle_as_the_placeholder(protocol):
    """No cache, queue or dump can hold the text."""
    dumped = pickle.dumps([SECRET], protocol=protocol)

    assert CANARY.encode() not in dumped
    assert pickle.loads(dumped)[0].reveal() == "***"


def test_copy_of_a_secret_is_harmless():
    """A copy may lose the text, but never shows it."""
    for copied in (copy.copy(SECRET), copy.deepcopy(SECRET)):
        assert CANARY not in f"{copied}{copied!r}"


@given(text=st.text(), other=st.text())
def test_secrets_are_equal_where_their_texts_are(text, other):
    """Equality and hash are those of the text, but a secret is no text."""
    assert (Secret(text) == Secret(other)) == (text == other)
    assert hash(Secret(text)) == hash(Secret(text))
    assert Secret(text) != text


@given(text=st.text())
def test_text_is_revealed_whole(text):
    """The one way out gives the text back; what is no secret passes."""
    assert Secret(text).reveal() == text
    assert reveal(Secret(text)) == text
    assert reveal(text) == text


def test_secret_takes_no_attribute():
    """It is frozen and has no room for anything else."""
    with pytest.raises((AttributeError, TypeError)):
        SECRET.text = "x"
    with pytest.raises(AttributeError):
        SECRET._text = "x"
    assert not hasattr(SECRET, "__dict__")


ODD = 'can"ary/7f 3a+\u00e9\\\n%'


@pytest.mark.parametrize(
    "write",
    [
        lambda text: text,
        quote,
        quote_plus,
        lambda text: quote(text, safe=""),
        lambda text: quote(text, safe="").lower(),
        lambda text: json.dumps(text)[1:-1],
        lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    ],
)
def test_secret_in_the_words_of_others_is_masked(write):
    """As it is, in a URL, in a form, in JSON."""
    assert mask(f"before {write(ODD)} after", {"a": Secret(ODD)}) == "before *** after"


@given(
    before=st.binary(max_size=5),
    secret=st.text(min_size=9, max_size=30),
    after=st.binary(max_size=5),
)
def test_secret_inside_base64_is_masked(before, secret, after):
    """Whatever stands around it, as the user name does: all but a few letters at its ends go."""
    written = base64.b64encode(before + secret.encode() + after).decode()

    masked = mask(written, {"a": Secret(secret)})

    assert "***" in masked
    assert len(masked) - 3 <= (len(before) + len(after) + 6) * 4 / 3 + 8


def test_longer_secret_is_masked_before_the_one_inside_it():
    """No piece of it is left."""
    secrets = {"a": Secret("abcdef"), "b": Secret("abcdefghi")}

    assert mask("abcdefghi abcdef", secrets) == "*** ***"


def test_what_is_no_secret_or_empty_masks_nothing():
    """A value that is not marked as one stays, and an empty one stands nowhere."""
    assert mask("abc", {"a": "abc", "b": Secret(""), "c": None}) == "abc"
