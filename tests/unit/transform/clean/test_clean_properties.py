"""Cleaning, whatever the text: safe to repeat, and true to what each cleaner says."""

import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from integrationd.config.decode import Site, decode
from integrationd.config.problems import Problems
from integrationd.config.yaml import parse_yaml
from integrationd.transform.clean import Cleaning, Tally, UnfitError
from integrationd.transform.clean.regions import plans_by_region
from tests.support.spending import cpu_s

PLAIN = ["html", "control", "nfc", "spaces", "trim", "{max_length: 7}", "empty"]
FORMS = ["email", "phone", "isbn", "{phone: DE}", "{phone: US}", "{phone: RU}"]
PIECES = [
    *("<", ">", "</", "<b>", "<b", "<!--", "-->", "<script>", "</script", '"', "'", "<p a='>'>"),
    *("&lt;", "&amp;", "&amp;lt;", "&", "amp;", "#60;", "&#x3c;", "&lt\u037e", "\u212a", "lt;"),
    *("\0", "\r", "\n", "\t", " ", "\u00a0", "\u2000", "\u202e", "\ufeff", "\ud800", "e", "\u0301"),
    *(
        "a",
        "Z",
        "@",
        "b.c",
        "ana@Example.ORG",
        "mailto:",
        "İ",
        "\u0131",
        "-",
        ".",
        "+",
        "00",
        "0",
        "(0)",
    ),
    *("49", "030 1234567", "8", "123", "978", "0131103628", "080442957X", "٣", "X", "isbn "),
]
TEXT = st.text() | st.lists(st.sampled_from(PIECES) | st.characters(), max_size=12).map("".join)


def cleaning(*names):
    """Read some cleaners that go together."""
    problems = Problems()
    node = parse_yaml(f"[{', '.join(names)}]".encode(), file="c.yaml", problems=problems)
    read = decode(node, Cleaning, Site(problems, "clean"))
    assert [str(problem) for problem in problems.found] == []
    return read


def clean(read, value):
    """Return what a value becomes; what cannot be made fit is null, as in a mapping."""
    try:
        return read.compile()(value, Tally())
    except UnfitError:
        return None


@given(text=TEXT, names=st.sets(st.sampled_from(PLAIN)), form=st.none() | st.sampled_from(FORMS))
@example(text="&lt\u037eb>", names={"html", "nfc"}, form=None)
@example(text="<\0b>", names={"html", "control"}, form=None)
@example(text="ab  cd", names={"trim", "{max_length: 7}"}, form=None)
@example(text="00 0 123456", names=set(), form="{phone: DE}")
def test_cleaning_twice_is_cleaning_once(text, names, form):
    """Whatever is asked for together: what is clean stays as it is."""
    if form is not None:
        names = {*names, form} - {"{max_length: 7}"}
    read = cleaning(*sorted(names or {"trim"}))
    once = clean(read, text)

    assert clean(read, once) == once


@given(text=TEXT)
def test_no_control_character_is_left(text):
    """Neither ``control`` nor ``html`` leaves one but a tab or the end of a line."""
    for kind in ("control", "html"):
        fresh = clean(cleaning(kind), text) or ""

        assert {sign for sign in fresh if unicodedata.category(sign) in ("Cc", "Cs")} <= {
            "\n",
            "\t",
        }


@given(text=TEXT)
def test_no_tag_is_left(text):
    """Nothing in the result could begin a tag or a comment, in whatever page it stands later."""
    fresh = clean(cleaning("html", "nfc"), text) or ""

    assert not re.search(r"<[A-Za-z/!?]", fresh)


@given(text=TEXT)
def test_white_space_is_as_asked(text):
    """``spaces`` leaves single spaces inside, and ``trim`` none at the ends."""
    assert clean(cleaning("spaces"), text) == " ".join(text.split())
    assert clean(cleaning("trim"), text) == text.strip()


@given(text=TEXT, most=st.integers(1, 20))
def test_a_cut_text_is_a_beginning(text, most):
    """``max_length`` never gives more characters than it says, nor others."""
    fresh = clean(cleaning(f"{{max_length: {most}}}"), text)

    assert len(fresh) <= most
    assert text.startswith(fresh)


@given(text=TEXT, region=st.sampled_from(sorted(plans_by_region())))
def test_a_telephone_number_is_e164(text, region):
    """With a country known the outcome is ``+`` and at most 15 digits, or null."""
    fresh = clean(cleaning(f'{{phone: "{region}"}}'), text)

    assert fresh is None or re.fullmatch(r"\+[1-9][0-9]{1,14}", fresh)


@given(body=st.text("0123456789", min_size=9, max_size=9), wrong=st.integers(1, 10))
def test_one_wrong_check_digit_is_no_isbn(body, wrong):
    """Of the eleven possible check digits one is right, and gives the ISBN-13 of the same book."""
    digits = "0123456789X"
    right = next(each for each in digits if clean(cleaning("isbn"), body + each) is not None)
    other = digits[(digits.index(right) + wrong) % 11]

    assert clean(cleaning("isbn"), body + right)[:12] == f"978{body}"
    assert clean(cleaning("isbn"), body + other) is None


@pytest.mark.parametrize(
    "piece",
    [
        *("<", "<a", "<a ", '<a "', '<a ">" ', "<a '", "<!--", "<!-", "<script>", "<p>", "</"),
        *("&", "&amp", "&amp;", "&#", "&#9", "&#99999999;", "&lt;", "<a title='x>", "<![CDATA["),
        *("a@", "a.", "0-", "0 ", "(", "\r", "\u0301", "<textarea><", '"<a', "<style>a</style"),
    ],
)
def test_a_hostile_text_takes_time_by_its_length(piece):
    """A hundred thousand repetitions of whatever a cleaner looks for take no second."""
    text = piece * 100_000

    def clean_all():
        for names in (PLAIN, ["email"], ["phone"], ["isbn"]):
            clean(cleaning(*names), text)

    assert cpu_s(clean_all) < 2
