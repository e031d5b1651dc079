"""Cleaners one by one: what each does to a text, and what it gives up."""

import pytest

from integrationd.transform.clean import KINDS, Tally, UnfitError
from tests.unit.transform.clean.test_clean_properties import clean, cleaning


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("trim", "\u00a0 a b\n", "a b"),
        ("spaces", " a \t b\n\nc ", "a b c"),
        ("nfc", "Quin\u0303o\u0301nez", "Quiñónez"),
        ("control", "a\0b\x1b[1m\r\nc\u202e\ufeff\td", "ab[1m\nc\td"),
        ("control", "half \ud800 a pair", "half  a pair"),
        ("empty", "", None),
        ("empty", " \t", None),
        ("empty", " a ", " a "),
        ("{max_length: 5}", "abcd efg", "abcd"),
        ("{max_length: 5}", "abcde", "abcde"),
    ],
)
def test_a_text_is_cleaned(name, text, expected):
    """Each of the cleaners that take any text does its one thing."""
    assert clean(cleaning(name), text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<p>One</p><p>two</p>", "\nOne\n\ntwo\n"),
        ("a<br/>b<td>c", "a\nb c"),
        ('<a title="x > y" href=z>link</a>', "link"),
        ("<a title='it>link", "link"),
        ("Tom &amp; Jerry &copy;&#233;&#xe9;", "Tom & Jerry ©éé"),
        ("AT&T ?a=1&copy=2", "AT&T ?a=1&copy=2"),
        ("5 < 6 and 7 > 3", "5 < 6 and 7 > 3"),
        ("one<!-- two -->three", "onethree"),
        ("one<!-- two", "one"),
        ("a<script>alert('<b>')</script >b<STYLE>p{}</style>c", "abc"),
        ("a<script>b", "ab"),
        ("&lt;b&gt;bold&lt;/b&gt;", "bold"),
        ("&amp;amp;lt;script&amp;amp;gt;x", "x"),
        ("<scr<b>ipt>alert(1)", "ipt>alert(1)"),
        ("<\0b>x", "x"),
        ("&#0;&#xD800;&#9999999;", "\ufffd\ufffd\ufffd"),
        ("a <b", "a b"),
    ],
)
def test_html_becomes_its_text(text, expected):
    """Tags go, entities become characters, and nothing that is left can become a tag again."""
    assert clean(cleaning("html"), text) == expected


def test_text_that_was_escaped_again_and_again_is_given_up():
    """Nobody can say what it was, and undoing all of it would take time by its square."""
    with pytest.raises(
        UnfitError, match=r"^expected text that was escaped at most four times over$"
    ):
        cleaning("html").compile()("&" + "amp;" * 9 + "lt;", Tally())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (" Ana.Q+x@Example.ORG ", "Ana.Q+x@example.org"),
        ("mailto:ana@example.org", "ana@example.org"),
        ("josé@correo.españa", "josé@correo.españa"),
        ("o'brien@a-b.co.uk", "o'brien@a-b.co.uk"),
        ("", None),
        ("n/a", None),
        ("ana@localhost", None),
        ("ana@10.0.0.1", None),
        ("ana@[10.0.0.1]", None),
        ('"ana q"@example.org', None),
        ("ana@example.org, leo@example.org", None),
        ("Ana <ana@example.org>", None),
        (".ana@example.org", None),
        ("ana@-a.org", None),
        ("a" * 65 + "@example.org", None),
        ("ana@" + "a." * 124 + "org", None),
        (5, None),
    ],
)
def test_an_address_is_written_as_it_can_be_used(text, expected):
    """The domain is made small; what is no address, or more than one, is null."""
    assert clean(cleaning("email"), text) == expected


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("phone", "+593 (0)99 123-4567", "+593991234567"),
        ("phone", "0049 30/1234567", "+49301234567"),
        ("phone", "+44 020 7946 0958", "+442079460958"),
        ("phone", "+39 06 698 1234", "+39066981234"),
        ("phone", "tel:+1-212-555-0100", "+12125550100"),
        ("phone", "\uff0b\uff14\uff19 30 1234567", "+49301234567"),
        ("phone", "٠٣٠ ١٢٣٤٥٦٧", "٠٣٠ ١٢٣٤٥٦٧"),
        ("phone", " 099 123 4567 ", "099 123 4567"),
        ("phone", "+1 23", None),
        ("phone", "+999 12345678", None),
        ("phone", "call Ana", None),
        ("phone", "+1 212 555 0100 ext. 7", None),
        ("phone", 12125550100, "12125550100"),
        ("phone", True, None),
        ("{phone: EC}", "099 123 4567", "+593991234567"),
        ("{phone: EC}", "593991234567", "+593991234567"),
        ("{phone: EC}", "991234567", "+593991234567"),
        ("{phone: EC}", 991234567, "+593991234567"),
        ("{phone: EC}", "+49 30 1234567", "+49301234567"),
        ("{phone: EC}", "123", None),
        ("{phone: DE}", "٠٣٠ ١٢٣٤٥٦٧", "+49301234567"),
        ("{phone: DE}", "0 0301 234567", None),
        ("{phone: US}", "1 (212) 555-0100", "+12125550100"),
        ("{phone: RU}", "8 (812) 123-45-67", "+78121234567"),
        ("{phone: HU}", "06 1 234 5678", "+3612345678"),
        ("{phone: IT}", "06 698 1234", "+39066981234"),
        ("{phone: BY}", "8 0152 45-09-11", "+375152450911"),
        ("{phone: AR}", "011 15-2345-6789", None),
    ],
)
def test_a_telephone_number_is_written_in_e164(name, text, expected):
    """With its country in it or given; what is too short, too long or has letters is null."""
    assert clean(cleaning(name), text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("978-0-13-110362-7", "9780131103627"),
        ("0-13-110362-8", "9780131103627"),
        ("0131103628 (pbk.) : $20", "9780131103627"),
        ("0131103628 9780131103627", "9780131103627"),
        ("ISBN-13: 978 0 13 110362 7", "9780131103627"),
        ("isbn 080442957X", "9780804429573"),
        ("080442957x", "9780804429573"),
        (9780131103627, "9780131103627"),
        ("1034567896", "9781034567899"),
        ("", None),
        ("0131103629", None),
        ("9780131103628", None),
        ("9770131103627", None),
        ("97801311036271", None),
        ("0131103628a", None),
        ("none", None),
        (["9780131103627"], ["9780131103627"]),
    ],
)
def test_a_book_number_is_written_with_13_digits(text, expected):
    """From both lengths and whatever stands around it, if the check digit is right."""
    assert clean(cleaning("isbn"), text) == expected


def test_the_order_in_the_file_does_not_matter():
    """Nobody has to know that a text must be trimmed before it can be empty."""
    for names in (["empty", "trim", "html"], ["html", "trim", "empty"]):
        assert clean(cleaning(*names), "<p> </p>") is None


@pytest.mark.parametrize("value", [None, True, 5, 1.5, {"a": " b "}])
def test_what_is_no_text_stays(value):
    """Cleaners of text leave everything else as it is, and count nothing."""
    tally = Tally()

    assert cleaning("trim", "empty").compile()(value, tally) == value
    assert tally == Tally()


def test_texts_in_a_list_are_cleaned_one_by_one():
    """What is empty or unfit is left out of the list; what is no text stays in it."""
    tally = Tally()

    fresh = cleaning("email", "empty").compile()([" a@b.CO", "n/a", "", None], tally)

    assert fresh == ["a@b.co", None]
    assert tally == Tally(cleaned=1, dropped=1)


def test_every_cleaner_says_what_it_does():
    """The reference is written from them; a field is called as its kind, for the short notation."""
    assert all(cls.__doc__ and "(" not in cls.__doc__[:20] for cls in KINDS)
    assert {name for cls in KINDS for name in cls.__slots__} <= {cls.kind for cls in KINDS}
