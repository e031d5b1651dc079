"""What the demonstration reads of a command's output."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from integrationd.testing.demo import read_values

VALUES = st.lists(st.dictionaries(st.text(max_size=3), st.text(max_size=5) | st.integers()))


@given(values=VALUES, indent=st.sampled_from([None, 2]), end=st.sampled_from(["", "\n", " \n\n"]))
def test_values_come_out_one_by_one(values, indent, end):
    """Values on a line each and values over several lines are both read, and blanks are nothing."""
    text = "\n".join(json.dumps(value, indent=indent) for value in values) + end

    assert list(read_values(text)) == values
