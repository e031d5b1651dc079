"""Problems as people see them: the line, the nearest name, the shortened value."""

import pytest

from integrationd.config.nodes import Position, Scalar, describe
from integrationd.config.problems import Problem, Problems, nearest, shorten


@pytest.mark.parametrize(
    ("value", "name"),
    [(None, "nothing"), (True, "true or false"), (1, "a number"), (1.5, "a number"), ("a", "text")],
)
def test_kind_of_a_value_has_a_name(value, name):
    """Messages name kinds as authors do."""
    assert describe(Scalar(value, Position("f", 1, 1))) == name


def test_problem_prints_as_compilers_do():
    """Editors jump to file, line and column; advice is no error."""
    error = Problem(Position("f", 1, 2), "E101", "x")
    problems = Problems([Problem(Position("f", 1, 2), "W501", "y")])

    assert str(error) == "f:1:2: E101: x"
    assert error.is_error
    assert not problems.has_errors


def test_nearest_names_one_or_lists_a_few_or_says_nothing():
    """The hint helps only where it can."""
    many = [f"name{number}" for number in range(13)]

    assert nearest("nam1", many) == "; did you mean 'name1'?"
    assert nearest("zzz", ["b", "a"]) == "; known here: a, b"
    assert nearest("zzz", many) == ""
    assert nearest("x" * 101, ["x" * 101, "y"]) == f"; known here: {'x' * 101}, y"


def test_shown_value_is_at_most_80_characters():
    """A long value is cut and says so."""
    assert shorten("x" * 78) == f"'{'x' * 78}'"
    assert shorten("x" * 79) == f"'{'x' * 78}…"
    assert shorten(["a"]) == "['a']"
