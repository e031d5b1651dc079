"""Challenges of a 401, as servers write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrationd.wire.challenges import Challenge, parse_challenges, quote_text


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        ("Negotiate", [Challenge("negotiate")]),
        ("Negotiate a87421000492aa874209af8bc028==", [Challenge("negotiate")]),
        ('Basic realm="a, b"', [Challenge("basic", {"realm": "a, b"})]),
        ('Basic realm="say \\"a\\""', [Challenge("basic", {"realm": 'say "a"'})]),
        (
            'Digest realm = "r" ,nonce=abc,, QOP="auth, auth-int"',
            [Challenge("digest", {"realm": "r", "nonce": "abc", "qop": "auth, auth-int"})],
        ),
        (
            'Newauth realm="apps", type=1, title="Login to \\"apps\\"", Basic realm="simple"',
            [
                Challenge("newauth", {"realm": "apps", "type": "1", "title": 'Login to "apps"'}),
                Challenge("basic", {"realm": "simple"}),
            ],
        ),
        (
            'Negotiate, Basic realm="a", NTLM TlRM==, Digest nonce="n"',
            [
                Challenge("negotiate"),
                Challenge("basic", {"realm": "a"}),
                Challenge("ntlm"),
                Challenge("digest", {"nonce": "n"}),
            ],
        ),
        ("Basic realm=a, realm=b", [Challenge("basic", {"realm": "a"})]),
        ('realm="nobody\'s"', []),
        ('Basic realm="not ended', [Challenge("basic")]),
        ("Basic realm=a, \x00", [Challenge("basic", {"realm": "a"})]),
    ],
)
def test_challenges_are_read(text, found):
    """RFC 9110 section 11.6.1: lists, quotes, blanks, and what has no parameters."""
    assert parse_challenges(text)[: len(found)] == found


@given(
    st.lists(
        st.tuples(
            st.from_regex(r"[a-z]{1,6}", fullmatch=True),
            st.dictionaries(
                st.from_regex(r"[a-z]{1,6}", fullmatch=True),
                st.text(st.characters(codec="latin-1", exclude_categories=["Cc"])),
                min_size=1,
                max_size=3,
            ),
        ),
        max_size=3,
    )
)
def test_what_is_written_is_read(challenges):
    """Whatever a value holds, quotes and commas too, it comes back."""
    text = ", ".join(
        f"{scheme} {', '.join(f'{name}={quote_text(value)}' for name, value in values.items())}"
        for scheme, values in challenges
    )

    assert parse_challenges(text) == [Challenge(scheme, values) for scheme, values in challenges]


@given(st.text(max_size=60) | st.text('Digest nonce=",\\ \t', max_size=60))
def test_any_header_can_be_read(text):
    """What a server sends never raises."""
    parse_challenges(text)
