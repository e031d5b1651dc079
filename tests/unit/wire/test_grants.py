"""What is kept of an account's tokens between calls, and which refresh token is sent next."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrationd.errors import SecretError
from integrationd.model.secret import Secret
from integrationd.wire.grants import (
    LIFETIME_MAX_S,
    Kept,
    Token,
    digest_of,
    digest_request,
    read_lifetime,
)
from integrationd.wire.messages import FormBody, Request

A, B = Secret("given-a"), Secret("given-b")
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))


def after(kept, refresh, given, lifetime_s=None):
    """Keep an answer."""
    token = Token(
        access=Secret("access"),
        lifetime_s=lifetime_s,
        refresh=None if refresh is None else Secret(refresh),
    )
    return kept.with_token(token, asked_as="x", received_at_s=1000.0, given=given)


@pytest.mark.parametrize(
    ("value", "lifetime_s"),
    [
        (3600, 3600),
        ("3600", 3600),
        (" 59.5 ", 59.5),
        (0.5, 0.5),
        (0, None),
        (-1, None),
        ("0", None),
        ("soon", None),
        ("1e9", None),
        ("", None),
        (None, None),
        (True, None),
        ([3600], None),
        (math.inf, None),
        (math.nan, None),
        (LIFETIME_MAX_S, LIFETIME_MAX_S),
        (LIFETIME_MAX_S + 1, None),
        (10**400, None),
    ],
)
def test_lifetime_is_a_number_of_seconds_or_not_known(value, lifetime_s):
    """What makes no sense is no end: a token is used until it is refused."""
    assert read_lifetime(value) == lifetime_s


@pytest.mark.parametrize(
    ("lifetime_s", "ends_at"), [(3600, 4540.0), (600, 1540.0), (300, 1270.0), (10, 1009.0)]
)
def test_token_is_given_up_a_little_before_its_end(lifetime_s, ends_at):
    """A minute, or a tenth of its life where that is less."""
    kept = after(Kept(), None, None, lifetime_s)

    assert kept.expires_at == ends_at
    assert kept.is_fresh("x", ends_at - 0.001)
    assert not kept.is_fresh("x", ends_at)


def test_token_without_an_end_is_fresh_for_ever():
    """Only a refusal ends it."""
    assert after(Kept(), None, None).is_fresh("x", 1e12)


def test_token_for_another_request_is_not_fresh():
    """Another client, another scope, another account: another token."""
    assert not after(Kept(), None, None).is_fresh("y", 0)
    assert not Kept().is_fresh("", 0)


def test_newest_refresh_token_is_sent():
    """First the given one, then whatever the provider answered last."""
    first = after(Kept(), "r1", A)
    second = after(first, None, A)
    third = after(second, "r2", A)

    assert Kept().refresh_for(A) == A
    assert [kept.refresh_for(A) for kept in (first, second, third)] == [
        Secret("r1"),
        Secret("r1"),
        Secret("r2"),
    ]


def test_given_refresh_token_that_is_new_wins():
    """A person has put another one in place: consent was given again."""
    assert after(Kept(), "r1", A).refresh_for(B) == B


def test_replaced_refresh_token_is_never_sent_again():
    """Going back to a configured one that the provider replaced long ago gives none."""
    kept = after(after(Kept(), "r1", A), "r2", B)

    assert kept.refresh_for(A) is None
    assert kept.refresh_for(B) == Secret("r2")


def test_refresh_token_that_was_not_replaced_may_come_back():
    """A trial with another account, whose provider gave no new one, changes nothing."""
    kept = after(after(Kept(), "r1", A), None, B)

    assert kept.refresh_for(A) == Secret("r1")


def test_few_dead_refresh_tokens_are_remembered():
    """The list is bounded: the oldest of twenty is left to the provider to refuse."""
    kept = Kept()
    for number in range(20):
        kept = after(kept, "next", Secret(f"given-{number}"))

    assert len(kept.dead) == 16
    assert kept.dead[-1] == digest_of(Secret("given-18"))


@given(
    access=st.none() | TEXTS,
    refresh=st.none() | TEXTS,
    expires_at=st.none() | st.floats(0, 1e12),
    dead=st.lists(TEXTS).map(tuple),
)
def test_what_is_kept_is_read_as_it_was_written(access, refresh, expires_at, dead):
    """The sealed text is whole; and it is a secret."""
    kept = Kept(
        access=None if access is None else Secret(access),
        refresh=None if refresh is None else Secret(refresh),
        expires_at=expires_at,
        asked_as="x",
        origin="y",
        dead=dead,
    )

    assert Kept.parse(kept.to_secret()) == kept
    assert str(kept.to_secret()) == "***"


@pytest.mark.parametrize("text", ["", "{}", "[]", "not json", '{"access": 1}'])
def test_something_else_is_told(text):
    """A value that somebody else put there is not taken for tokens."""
    with pytest.raises(SecretError) as caught:
        Kept.parse(Secret(text))

    assert str(caught.value) == (
        "what the encrypted store has as oauth2.token is something else; forget it with: "
        "integrationd secret remove INTEGRATION oauth2.token"
    )


def test_kept_shows_nothing():
    """A log of it would hold no token."""
    assert "given" not in repr(after(Kept(), "given-next", A))


FORM = FormBody((("grant_type", "x"), ("client_id", Secret("c"))))
REQUEST = Request(method="POST", url="https://a.test/t", headers={"x-a": "1"}, body=FORM)


@pytest.mark.parametrize(
    "other",
    [
        Request(method="POST", url="https://b.test/t", headers={"x-a": "1"}, body=FORM),
        Request(method="POST", url="https://a.test/t", headers={"x-a": "2"}, body=FORM),
        Request(method="POST", url="https://a.test/t", headers={"x-a": "1"}),
    ],
)
def test_requests_are_told_apart(other):
    """Address, headers and form: each decides what the token is good for."""
    assert digest_request(other) != digest_request(REQUEST)
    assert digest_request(REQUEST) == digest_request(REQUEST)
