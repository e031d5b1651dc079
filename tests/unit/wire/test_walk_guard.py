"""A walk ends, whatever the provider answers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrationd.errors import PaginationLoopError
from integrationd.wire.paginate.guard import RECENT, WalkGuard


def walk(following_of, *, records_of=lambda token: [{"id": token}], pages_max=1000):
    """Walk a provider that says for each token which one follows; return the pages asked."""
    guard, token, pages = WalkGuard(pages_max=pages_max), None, 0
    while True:
        pages += 1
        following = following_of(token)
        guard.admit(token=token, following=following, records=records_of(token))
        if following is None:
            return pages
        token = following


@given(
    graph=st.dictionaries(st.integers(0, 30), st.integers(0, 30) | st.none(), max_size=31),
    empty=st.sets(st.integers(0, 30)),
)
def test_walk_over_any_graph_ends(graph, empty):
    """A provider whose tokens lead anywhere costs at most three times its number of pages."""
    asked = []

    def following_of(token):
        asked.append(token)
        return graph.get(0 if token is None else token)

    try:
        pages = walk(following_of, records_of=lambda token: [] if token in empty else [token])
    except PaginationLoopError:
        assert len(asked) <= 3 * len(graph) + 4
        return
    assert pages == len(asked) <= len(graph) + 1
    assert len(set(asked)) == len(asked)


@given(length=st.integers(1, 300), tail=st.integers(0, 60))
def test_cycle_of_any_length_is_found(length, tail):
    """Also a cycle that is longer than what is remembered ends, soon after its second round."""
    asked = []

    def following_of(token):
        asked.append(token)
        number = 0 if token is None else token
        return number + 1 if number + 1 < tail + length else tail

    with pytest.raises(PaginationLoopError) as caught:
        walk(following_of, pages_max=10_000)

    assert len(asked) <= 3 * (tail + length) + 3
    assert str(caught.value) == (
        f"page {len(asked)} leads back to a page that was read already; "
        "the provider repeats its page tokens"
    )


def test_swing_between_two_pages_is_found_at_once():
    """A, B, A is refused before A is asked for again."""
    with pytest.raises(PaginationLoopError) as caught:
        walk({None: "a", "a": "b", "b": "a"}.get)

    assert str(caught.value) == (
        "page 3 leads back to a page that was read already; the provider repeats its page tokens"
    )


@given(pages=st.integers(1, 400))
def test_straight_walk_is_let_through(pages):
    """A provider that never repeats itself is never refused."""
    tokens = {number or None: number + 1 for number in range(pages - 1)}

    assert walk(tokens.get) == pages


def test_swing_after_a_start_is_found_at_once():
    """Not only the token that is held fast is compared, but all of the last ones."""
    with pytest.raises(PaginationLoopError) as caught:
        walk({None: "a", "a": "b", "b": "c", "c": "b"}.get)

    assert str(caught.value).startswith("page 4 leads back")


def test_page_that_repeats_the_one_before_is_refused():
    """Tokens that grow over the same content are a provider that ignores them."""
    with pytest.raises(PaginationLoopError) as caught:
        walk(
            lambda token: {"page": (token or {"page": 1})["page"] + 1}, records_of=lambda _: [1, 2]
        )

    assert str(caught.value) == (
        "page 2 holds what page 1 held; the provider may not know the parameter "
        "that 'paginate' sends"
    )


def test_last_page_that_repeats_the_one_before_is_refused():
    """A repeated page is one also where the walk would end with it."""
    with pytest.raises(PaginationLoopError):
        walk({None: "a"}.get, records_of=lambda _: [{"id": 1}])


@pytest.mark.parametrize("changed", [0, 24, 49])
def test_pages_with_another_end_are_not_the_same(changed):
    """A difference at the first or last record, or a count, makes another page."""
    guard = WalkGuard(pages_max=9)
    first = list(range(50))
    second = [-1 if index == changed else item for index, item in enumerate(first)]
    guard.admit(token=None, following="a", records=first)

    guard.admit(token="a", following="b", records=second)
    guard.admit(token="b", following="c", records=second[:-1])
    guard.admit(token="c", following="d", records=[0] * 33)
    guard.admit(token="d", following=None, records=[0] * 34)


def test_empty_pages_may_look_the_same():
    """Some providers send empty pages in the middle; their tokens still lead on."""
    assert walk({None: "a", "a": "b"}.get, records_of=lambda _: []) == 3


def test_repetition_after_an_empty_page_is_let_through():
    """Only a page right after the same one is refused."""
    content = {None: [1], "a": [], "b": [1]}

    assert walk({None: "a", "a": "b"}.get, records_of=content.get) == 3


def test_too_long_a_walk_is_refused():
    """The cap holds for tokens that are always new."""
    asked = []

    def following_of(token):
        asked.append(token)
        return len(asked)

    with pytest.raises(PaginationLoopError) as caught:
        walk(following_of, pages_max=50)

    assert len(asked) == 50
    assert str(caught.value) == (
        "the walk is longer than 50 pages; raise 'max_pages' if the list is that long"
    )


def test_walk_of_exactly_the_cap_is_let_through():
    """The cap counts pages, not tokens."""
    assert walk({None: 1, 1: 2}.get, pages_max=3) == 3


def test_memory_is_bounded():
    """A long walk remembers a handful of digests."""
    guard = WalkGuard(pages_max=10_000)
    for page in range(5000):
        guard.admit(token=page or None, following=page + 1, records=[{"id": page}])

    assert len(guard._recent) == RECENT
