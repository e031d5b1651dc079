"""The Link header."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrationd.errors import PageShapeError
from integrationd.wire import links
from integrationd.wire.links import Link

NEXT = "https://api.test/o?page=2"


@pytest.mark.parametrize(
    "header",
    [
        f"<{NEXT}>; rel=next",
        f'<{NEXT}>; rel="next"',
        f'<{NEXT}>;rel="NEXT"',
        f'  < {NEXT} > ; REL = "next" ',
        f'<{NEXT}>; rel="prefetch next"',
        f'<{NEXT}>; title="a, b; rel=\\"prev\\""; rel="next"',
        f'<{NEXT}>; rel="next"; rel="prev"',
        f"<{NEXT}>; ; rel=next;",
        f'<https://api.test/o?page=1>; rel="first", <{NEXT}>; rel="next"',
        f'<https://a.test/x,y;z>; rel="self",<{NEXT}>; rel="next", <c>; rel="last"',
        f', ,<a>; rel="up",, <{NEXT}>; hreflang*=UTF-8\'\'x; rel="next", ',
        f'<a>, <{NEXT}>; rel="next"',
    ],
)
def test_next_link_is_found(header):
    """Quotes, several links, several relations and odd spacing make no difference."""
    assert links.find_link(header, "next") == NEXT


@pytest.mark.parametrize(
    "header",
    ["", " , ", '<a>; rel="prev"', '<a>; title="next"', '<a>; rel="prev"; rel="next"', "<a>"],
)
def test_header_without_the_relation_has_no_link(header):
    """A title or a second rel is not the relation."""
    assert links.find_link(header, "next") is None


@pytest.mark.parametrize(
    "header", ["a", '<a; rel="next"', '<a>; rel="prev" <b>', '<a>; rel="pre', '<a>; rel="x", b']
)
def test_broken_header_is_not_the_end(header):
    """Where the header breaks off, the missing link may have been the next one."""
    with pytest.raises(PageShapeError) as caught:
        links.find_link(header, "next")

    assert str(caught.value) == 'the Link header cannot be read, expected <URL>; rel="next"'


def test_link_before_the_break_is_used():
    """What was read before the header breaks stands."""
    assert links.find_link('<a>; rel="next", b', "next") == "a"


LINKS = st.lists(
    st.builds(
        Link,
        st.text("abc/?&=;,%\"' ", min_size=1).filter(lambda text: text == text.strip()),
        st.lists(st.sampled_from(["next", "prev", "first", "x-y"]), min_size=1).map(tuple),
    ),
    max_size=5,
)


@given(LINKS)
def test_links_read_back(made):
    """Whatever stands in a target, all links of a header are found."""
    header = ", ".join(f'<{link.target}>; rel="{" ".join(link.relations)}"' for link in made)

    assert links.parse_links(header) == (tuple(made), True)


@given(st.text(alphabet='<>;,="\\ relnxta', max_size=60))
def test_any_header_is_read_or_refused(header):
    """Nothing but an answer or a page-shape error comes out."""
    try:
        found = links.find_link(header, "next")
    except PageShapeError:
        return
    assert found is None or found in header


def test_hostile_header_takes_no_time():
    """A header that is made to be slow is read in a moment."""
    hostile = '<a>; rel="' + '\\"' * 50_000 + " " * 50_000 + ";" * 50_000

    assert links.parse_links(hostile)[1] is False
