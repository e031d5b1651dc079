"""What a recording shows of a real exchange: no secret in any form, few people, short texts."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrationd.model.secret import forms_of
from integrationd.testing.cases.scrubbing import TEXT_MAX, Scrubber, find_numbers

SECRETS = {"s3cret/+&": "made-up-api-key", "tok en": "made-up-oauth2-token"}


def scrubber(**more):
    """Make one that knows two secrets and a host."""
    return Scrubber(SECRETS, {"https://shop.example.com": "https://shop.test"}, **more)


@given(
    before=st.text(max_size=10),
    secret=st.sampled_from(sorted(form for text in SECRETS for form in forms_of(text))),
    after=st.text(max_size=10),
)
def test_no_form_of_a_secret_is_left_in_a_text(before, secret, after):
    """Wherever it stands and however it is written."""
    made = scrubber()

    text = made.text(f"{before}{secret}{after}")

    assert list(made.find_leaks(text)) == []
    assert secret not in text


@given(text=st.text(max_size=40))
def test_the_same_text_becomes_the_same(text):
    """And what is scrubbed already stays as it is, so that answers and requests fit together."""
    made = scrubber()
    once = made.text(text)

    assert made.text(text) == once
    assert made.text(once) == once


@pytest.mark.parametrize(
    ("text", "scrubbed"),
    [
        ("https://shop.example.com/a?page=2", "https://shop.test/a?page=2"),
        ("https://cdn.test/a?X-Amz-Signature=abc&b=1", "https://cdn.test/a?X-Amz-Signature=made-up&b=1"),
        ("/a?access_token=abc", "/a?access_token=made-up"),
        ("/a?api_key=s3cret%2F%2B%26", "/a?api_key=made-up-api-key"),
        ("a@b.eu c@b.eu a@b.eu", "person-1@example.org person-2@example.org person-1@example.org"),
        ("a page? yes=no", "a page? yes=no"),
        ("https://a.test/#access_token=abc&state=1", "https://a.test/#access_token=made-up&state=1"),
        ("see https://me:p!ss@files:8080/a", "see https://me:made-up@files:8080/a"),
    ],
)  # fmt: skip
def test_a_text_is_made_fit_to_be_shown(text, scrubbed):
    """Hosts, parameters that give access, addresses of people."""
    assert scrubber().text(text) == scrubbed


def test_a_field_that_holds_a_secret_by_its_name_is_hidden():
    """Also one that nobody knew: a provider may give a secret in an answer."""
    value = {"client_secret": "unknown", "password": None, "keys": [{"api_key": "other", "n": 1}]}

    assert scrubber().json(value) == {
        "client_secret": "made-up-client_secret",
        "password": None,
        "keys": [{"api_key": "made-up-api_key", "n": 1}],
    }


@pytest.mark.parametrize(
    ("value", "hidden"),
    [
        (["one", "two", ""], ["made-up-api_key", "made-up-api_key", ""]),
        ({"value": "one", "days": 90}, {"value": "made-up-api_key", "days": 0}),
        ([{"a@b.eu": ["one"]}], [{"person-1@example.org": ["made-up-api_key"]}]),
        (123456, 0),
        (None, None),
        (True, True),
        ([], []),
    ],
)
def test_all_below_the_name_of_a_secret_is_hidden(value, hidden):
    """Several of them, one in an object, a PIN: it is the name that counts."""
    assert scrubber().json({"api_key": value}) == {"api_key": hidden}


ITEMS = [{"id": number, "text": "x" * 300} for number in range(5)]
SHORT = "x" * TEXT_MAX


@pytest.mark.parametrize(
    ("cut", "left"),
    [
        ("items", [{"id": number, "text": SHORT} for number in (0, 1, 4)]),
        (
            "fields",
            [{"id": at, "text": SHORT} if at in (0, 1, 4) else {"id": at} for at in range(5)],
        ),
        ("nothing", ITEMS),
    ],
)
def test_of_a_list_the_first_and_the_last_items_are_left(cut, left):
    """Or, where paging hangs on how many there are, of the others what it may hang on."""
    made = scrubber(cut=cut, needed=frozenset({"id"}), numbers={5: 3})

    assert made.json({"total": 5, "data": ITEMS}) == {"total": 3, "data": left}
    assert made.headers({"x-total-count": "5"}, few=True) == {"x-total-count": "3"}


def test_totals_are_what_all_answers_have_together():
    """And once they are cut; where nothing is cut there is nothing to change."""
    two = [{"data": ITEMS}, {"data": ITEMS[:2], "more": {"deep": []}}]

    assert find_numbers(two) == {7: 5}
    assert find_numbers([{"data": ITEMS[:3]}]) == {}
    assert find_numbers([{"names": ["a", "b", "c", "d"]}, "text", None]) == {}


@pytest.mark.parametrize(
    ("name", "few", "kept"),
    [
        ("content-type", True, True),
        ("link", True, True),
        ("x-total-count", True, True),
        ("x-ratelimit-reset", True, True),
        ("retry-after", True, True),
        ("x-shop", True, False),
        ("x-shop", False, True),
        ("set-cookie", False, False),
        ("authorization", False, False),
        ("x-auth-token", False, False),
        ("x-session", False, False),
        ("www-authenticate", False, False),
        ("date", False, False),
    ],
)
def test_headers_that_give_access_are_never_kept(name, few, kept):
    """The usual ones are, and others where the reading hangs on them."""
    assert scrubber().headers({name: "5"}, few=few) == ({name: "5"} if kept else {})


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        ("page=2&tag=a&tag=b", {"page": "2", "tag": ["a", "b"]}),
        ("api_key=s3cret%2F%2B%26", {"api_key": "made-up-api-key"}),
        ("sig=abc&timestamp=5&nonce=7&page=1", {"page": "1"}),
        ("access_token=tok+en", {}),
        ("q=tok+en", {}),
    ],
)
def test_a_parameter_is_kept_where_the_next_one_sends_it_too(query, kept):
    """What is signed is another each time, and a case has tokens of its own."""
    assert scrubber().query(query) == kept


def test_a_leak_is_found():
    """As the last look before a file is written."""
    made = scrubber()

    assert list(made.find_leaks(json.dumps({"a": "s3cret/+&"}))) == ["made-up-api-key"]
    assert list(made.find_leaks("made-up-api-key")) == []
