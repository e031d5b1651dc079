"""Nodes to dataclasses: every type, every message, and nothing raised on any tree."""

# ruff: noqa: E501 - whole messages stand on one line, as they are printed

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrationd.config.decode import (
    INVALID,
    SIZE,
    Bounds,
    Invalid,
    Keys,
    Kinds,
    Marked,
    Site,
    decode,
    decode_fields,
    fields_of,
    internal,
)
from integrationd.config.nodes import Fields, Items, Node, Position, Scalar
from integrationd.config.problems import Problems
from integrationd.config.units import Rate
from integrationd.config.yaml import parse_yaml


class Color(StrEnum):
    """A choice."""

    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True, slots=True, kw_only=True)
class Nothing:
    """An alternative without required fields."""

    kind: ClassVar[str] = "none"
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bearer:
    """An alternative with one required field."""

    kind: ClassVar[str] = "bearer"
    token: str


class Pair:
    """A class that reads itself."""

    @classmethod
    def decode_node(cls, node: Node, site: Site) -> "tuple[str, ...] | Invalid":
        """Read two words parted by a colon."""
        value = decode(node, str, site)
        return INVALID if value is INVALID else tuple(value.split(":"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Inner:
    """A nested object."""

    low: int = 0
    high: int = 10
    position: Position | None = None

    def check(self, node: Node, site: Site) -> Invalid | None:
        """Tell when the order is wrong."""
        if self.low > self.high:
            return site.refuse(node.position, "E112", f"{site.name} has low above high")
        return None


Auth = Annotated[Bearer | Nothing | None, Kinds((Bearer, Nothing))]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One field of every kind."""

    text: str | None = None
    flag: bool = False
    count: Annotated[int, Bounds(least=1, most=9)] = 1
    ratio: float = 0.0
    share: Annotated[float, Bounds(most=1)] = 0.0
    size: Annotated[int, SIZE] = 0
    every: timedelta | None = None
    rate: Rate | None = None
    color: Color = Color.RED
    mode: Literal["fast", "1.10", 3] = "fast"
    from_: Marked | None = None
    tags: tuple[str, ...] = ()
    sizes: tuple[Annotated[int, SIZE], ...] = ()
    names: Annotated[Mapping[str, int], Keys("[a-z]+", "lower-case letters")] = dataclasses.field(
        default_factory=dict
    )
    inner: Inner | None = None
    auth: Annotated[Any, Kinds((Bearer, Nothing))] = None
    auths: Annotated[tuple[Any, ...], Kinds((Bearer, Nothing))] = ()
    either: str | tuple[str, ...] = ""
    wait: timedelta | int | bool = False
    part: float | tuple[str, ...] = 0.0
    key: Marked | Mapping[str, str] | Literal[False] | None = None
    many: Annotated[str, "note"] | Inner | Items = ""
    pick: Literal["a"] | tuple[int, ...] = "a"
    pair: Pair | None = None
    raw: Any = None
    node: Node | None = None
    scalar: Scalar | None = None
    items: Items | None = None
    fields: Fields | None = None
    hidden: int = internal(7)


SITE_FILE = "a.yaml"


def read(text, hint=Sample, path=""):
    """Decode a text; return the value and what was told."""
    problems = Problems()
    node = parse_yaml(text.encode(), file=SITE_FILE, problems=problems)
    value = decode(node, hint, Site(problems, path))
    return value, [str(found) for found in problems.found]


def told_of(text):
    """Return the one message about a text, without its file."""
    value, told = read(text)
    assert value is INVALID
    assert len(told) == 1
    return told[0].removeprefix("a.yaml:")


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("text: a", "text", "a"),
        ("text: ~", "text", None),
        ("flag: true", "flag", True),
        ("count: 9", "count", 9),
        ("count: 1", "count", 1),
        ("ratio: 2", "ratio", 2.0),
        ("share: 0.5", "share", 0.5),
        ("size: 10MB", "size", 10_000_000),
        ("every: 1h30m", "every", timedelta(minutes=90)),
        ("rate: 10/s", "rate", Rate(10, timedelta(seconds=1))),
        ("color: blue", "color", Color.BLUE),
        ("mode: '1.10'", "mode", "1.10"),
        ("mode: 3", "mode", 3),
        ("from: x", "from_", "x"),
        ("tags: [a, b]", "tags", ("a", "b")),
        ("sizes: [1kB, 2B]", "sizes", (1000, 2)),
        ("names: {a: 1}", "names", {"a": 1}),
        ("inner: {low: 1}", "inner", Inner(low=1, position=Position(SITE_FILE, 1, 8))),
        ("auth: none", "auth", Nothing()),
        ("auth: {type: none, why: x}", "auth", Nothing(why="x")),
        ("auth: {type: bearer, token: x}", "auth", Bearer(token="x")),
        ("auths: [none, {type: bearer, token: x}]", "auths", (Nothing(), Bearer(token="x"))),
        ("either: a", "either", "a"),
        ("either: [a]", "either", ("a",)),
        ("wait: 30s", "wait", timedelta(seconds=30)),
        ("wait: 30", "wait", 30),
        ("wait: true", "wait", True),
        ("part: 1", "part", 1.0),
        ("key: a", "key", "a"),
        ("key: {a: b}", "key", {"a": "b"}),
        ("key: false", "key", False),
        ("many: {low: 2}", "many", Inner(low=2, position=Position(SITE_FILE, 1, 7))),
        ("many: a", "many", "a"),
        ("pick: [1]", "pick", (1,)),
        ("pair: a:b", "pair", ("a", "b")),
        ("raw: [1, {a: ~}]", "raw", [1, {"a": None}]),
        ("scalar: 1", "scalar", Scalar(1, Position(SITE_FILE, 1, 9), written="1")),
        ("node: a", "node", Scalar("a", Position(SITE_FILE, 1, 7))),
        ("items: []", "items", Items((), Position(SITE_FILE, 1, 8))),
        ("fields: {}", "fields", Fields({}, Position(SITE_FILE, 1, 9))),
    ],
)
def test_value_becomes_what_its_annotation_says(text, name, value):
    """Each kind of annotation is read into its final type."""
    sample, told = read(text)

    assert told == []
    assert sample == dataclasses.replace(Sample(), **{name: value})
    assert type(getattr(sample, name)) in (type(value), Marked)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("tex: a", "1:1: E101: unknown field 'tex'; did you mean 'text'?"),
        ("hidden: 1", "1:1: E101: unknown field 'hidden'"),
        ("inner: {lowe: 1}", "1:9: E101: unknown field 'lowe' in inner; did you mean 'low'?"),
        ("inner: {x: 1}", "1:9: E101: unknown field 'x' in inner; known here: high, low"),
        ("auth: {type: bearer}", "1:7: E102: auth has no 'token', which is required"),
        ("auth: bearer", "1:7: E102: auth has no 'token', which is required"),
        ("auth: {}", "1:7: E102: auth has no 'type', expected one of bearer, none"),
        ("auth: {type: 1}", "1:14: E103: auth.type is a number, expected text; put it in quotes"),
        ("auth: {type: berer}", "1:14: E110: auth.type is 'berer', which is not known; did you mean 'bearer'?"),
        ("auth: x", "1:7: E103: auth is text, expected one of bearer, none, or an object with 'type'"),
        ("auth: [x]", "1:7: E103: auth is a list, expected one of bearer, none, or an object with 'type'"),
        ("auth: ~", "1:7: E103: auth is empty, expected one of bearer, none, or an object with 'type'"),
        ("auths: [{type: none, a: 1}]", "1:22: E101: unknown field 'a' in auths[0]; known here: type, why"),
        ("text: 1.10", "1:7: E103: text is 1.10, expected text; put it in quotes"),
        ("text: True", "1:7: E103: text is True, expected text; put it in quotes"),
        ("text: [a]", "1:7: E103: text is a list, expected text"),
        ("count:", "1:7: E103: count is empty, expected a whole number"),
        ("flag: 'true'", "1:7: E103: flag is 'true', expected true or false"),
        ("flag: 1", "1:7: E103: flag is 1, expected true or false"),
        ("count: 1.5", "1:8: E103: count is 1.5, expected a whole number"),
        ("count: true", "1:8: E103: count is true, expected a whole number"),
        ("count: 0", "1:8: E111: count is 0, expected at least 1 and at most 9"),
        ("count: 10", "1:8: E111: count is 10, expected at least 1 and at most 9"),
        ("share: 1.01", "1:8: E111: share is 1.01, expected at most 1"),
        ("ratio: x", "1:8: E103: ratio is 'x', expected a number"),
        ("ratio: false", "1:8: E103: ratio is false, expected a number"),
        ("size: 10", "1:7: E103: size is 10, expected a size such as 10MB"),
        ("size: 10mb", "1:7: E111: size is '10mb', expected a size such as 10MB"),
        ("every: 30", "1:8: E103: every is 30, expected a duration such as 30s, 15m or 1h30m"),
        ("every: soon", "1:8: E111: every is 'soon', expected a duration such as 30s, 15m or 1h30m"),
        ("rate: often", "1:7: E111: rate is 'often', expected a rate such as 10/s or 100/min"),
        ("color: green", "1:8: E103: color is 'green', expected one of red, blue"),
        ("color: {}", "1:8: E103: color is an object, expected one of red, blue"),
        ("mode: 1.10", "1:7: E103: mode is 1.10, expected one of fast, 1.10, 3; put it in quotes"),
        ("mode: 3.0", "1:7: E103: mode is 3.0, expected one of fast, 1.10, 3"),
        ("tags: a", "1:7: E103: tags is 'a', expected a list"),
        ("tags: [a, 1]", "1:11: E103: tags[1] is 1, expected text; put it in quotes"),
        ("names: [a]", "1:8: E103: names is a list, expected an object"),
        ("names: {A: 1}", "1:9: E109: names has the name 'A', expected lower-case letters"),
        ("names: {aB: 1}", "1:9: E109: names has the name 'aB', expected lower-case letters"),
        ("auth: {type: bearer, token: }", "1:29: E103: auth.token is empty, expected text"),
        ("names: {a: b}", "1:12: E103: names.a is 'b', expected a whole number"),
        ("inner: 1", "1:8: E103: inner is 1, expected an object"),
        ("inner: {low: 3, high: 2}", "1:8: E112: inner has low above high"),
        ("either: 1", "1:9: E103: either is 1, expected text or a list"),
        ("wait: 1.5", "1:7: E103: wait is 1.5, expected a duration or a whole number or true or false"),
        ("wait: soon", "1:7: E111: wait is 'soon', expected a duration such as 30s, 15m or 1h30m"),
        ("key: [a]", "1:6: E103: key is a list, expected text or an object or one of false"),
        ("many: 1", "1:7: E103: many is 1, expected text or an object or a list"),
        ("pick: {}", "1:7: E103: pick is an object, expected one of a or a list"),
        ("pick: b", "1:7: E103: pick is 'b', expected one of a"),
        ("scalar: []", "1:9: E103: scalar is a list, expected a single value"),
        ("text: no", "1:7: E107: text is 'no', which YAML may read as false; put it in quotes, or write false"),
        ("inner: no", "1:8: E107: inner is 'no', which YAML may read as false; put it in quotes, or write false"),
        ("[a]", "1:1: E103: the document is a list, expected an object"),
    ],
)  # fmt: skip
def test_wrong_value_is_told_whole(text, told):
    """Where, what is wrong with the value, what was expected, what to do; and once."""
    assert told_of(text) == told


def test_all_problems_are_told_at_once():
    """One wrong field does not hide the next."""
    assert read("x: 1\ncount: 0\ninner: {low: a, y: 1}\ntext: 5")[1] == [
        "a.yaml:1:1: E101: unknown field 'x'",
        "a.yaml:4:7: E103: text is 5, expected text; put it in quotes",
        "a.yaml:2:8: E111: count is 0, expected at least 1 and at most 9",
        "a.yaml:3:17: E101: unknown field 'y' in inner; known here: high, low",
        "a.yaml:3:14: E103: inner.low is 'a', expected a whole number",
    ]


def test_path_of_the_caller_begins_each_message():
    """Decoding inside a document names the whole way."""
    assert read("{}", Bearer, "http.auth")[1] == [
        "a.yaml:1:1: E102: http.auth has no 'token', which is required"
    ]
    assert read("{}", Bearer)[1] == [
        "a.yaml:1:1: E102: the document has no 'token', which is required"
    ]


def test_marked_text_remembers_its_place():
    """Problems that are found later can still point into the file."""
    sample, _ = read("text: a\nfrom: x")

    assert sample.from_.position == Position(SITE_FILE, 2, 7)


def test_skipped_fields_are_left_to_the_caller():
    """What the caller reads itself is neither read nor unknown."""
    node = Fields({"type": Scalar("x", Position("f", 1, 1))}, Position("f", 1, 1))
    problems = Problems()

    assert decode_fields(node, Nothing, Site(problems, ""), frozenset({"type"})) == Nothing()
    assert problems.found == []


def test_refused_value_gives_no_fields():
    """An object that was refused while reading is not told again."""
    problems = Problems()
    node = Scalar("", Position("f", 1, 1), told=True)

    assert decode_fields(node, Nothing, Site(problems, "")) is INVALID
    assert problems.found == []


def test_fields_are_those_that_a_file_may_name():
    """Position and internal fields cannot be named; a trailing underscore is dropped."""
    assert "from" in fields_of(Sample)
    assert {"hidden", "position", "from_"}.isdisjoint(fields_of(Sample))
    assert fields_of(Bearer)["token"].required


def test_unknown_annotation_is_our_own_mistake():
    """A type that decoding does not know is found by the first test that uses it."""
    with pytest.raises(TypeError):
        decode(Scalar(1, Position("f", 1, 1)), complex, Site(Problems(), "a"))


def test_thousands_of_unknown_fields_take_no_time():
    """Only the first twenty unknown fields are compared with the known ones."""
    text = "".join(f"text{number}: 1\n" for number in range(9_000))
    told = read(text)[1]

    assert len(told) == 9_000
    assert told[19] == "a.yaml:20:1: E101: unknown field 'text19'; did you mean 'text'?"
    assert told[20] == "a.yaml:21:1: E101: unknown field 'text20'"


def test_huge_number_is_told_without_its_digits():
    """Numbers too large for float or for printing are problems, not exceptions."""
    problems = Problems()
    node = Fields(
        {"ratio": Scalar(10**400, Position("f", 1, 1)), "count": Scalar(10**5000, Position("f", 2, 1))},
        Position("f", 1, 1),
    )  # fmt: skip

    assert decode(node, Sample, Site(problems, "")) is INVALID
    assert [found.message for found in problems.found] == [
        "count is a number of thousands of digits, expected at least 1 and at most 9",
        f"ratio is 1{'0' * 78}…, expected a smaller number",
    ]


NODES = st.recursive(
    st.builds(
        Scalar,
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
        | st.sampled_from(["none", "bearer", "10MB", "9999999999999999w", "red", "3", "1/s", "a:b"]),
        st.just(Position("f", 1, 1)),
        told=st.booleans(),
    ),
    lambda inner: st.builds(Items, st.lists(inner, max_size=3).map(tuple), st.just(Position("f", 1, 1)))
    | st.builds(
        Fields,
        st.dictionaries(
            st.sampled_from([*fields_of(Sample), *fields_of(Inner), "type", "token", "why"])
            | st.text(max_size=3),
            inner,
            max_size=5,
        ),
        st.just(Position("f", 1, 1)),
    ),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(NODES, st.sampled_from([Sample, Inner, Auth, *(s.hint for s in fields_of(Sample).values())]))
def test_no_tree_makes_decoding_raise(node, hint):
    """Any tree gives a value, or INVALID with a reason."""
    problems = Problems()
    value = decode(node, hint, Site(problems, ""))
    told_before = "told=True" in repr(node)

    assert (value is INVALID) == problems.has_errors or told_before
