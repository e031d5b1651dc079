"""Several expressions over one record share what they read; each answers as it would alone."""

import pytest

from integrationd.config.nodes import Position
from integrationd.transform.expression import Expression, compile_fields

HERE = Position("x.yaml", 1, 1)
RECORD = {"a": None, "b": {"c": 1}, "d": True}


@pytest.mark.parametrize(
    "texts",
    [
        pytest.param(["d || b.c", "b.c", "b"], id="read first where it may not be"),
        pytest.param(["b.c", "d || b.c", "a || b.c"], id="read before"),
        pytest.param(["a && b.c", "b.c", "d && b.c"], id="and"),
        pytest.param(["a.{x: b}", "b.{x: c}", "b.c"], id="within null"),
        pytest.param(["(a || b).c", "(b || a).c", "b.c"], id="of a choice"),
    ],
)
def test_shared_fields_are_what_each_expression_finds_alone(texts):
    """A field that one of them reads only sometimes is read anew by the next."""
    named = {text: Expression.parse(text, HERE) for text in texts}

    found = compile_fields(named)(RECORD, {})

    assert found == {text: expression.search(RECORD) for text, expression in named.items()}
