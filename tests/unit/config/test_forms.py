"""What may be written in a file, read off the definitions that the parser reads."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

from integrationd.config.decode import Keys
from integrationd.config.forms import Described, MapForm

WORDS = Keys("[a-z]+", "a small word")


@dataclass(frozen=True, kw_only=True)
class Named:
    """A thing with names."""

    titles: Annotated[Mapping[str, str], WORDS] = field(default_factory=dict)
    """By name."""


def test_names_of_an_object_bind_no_value_of_it():
    """A pattern is that of the names; its texts are any."""
    described = Described()
    described.describe_fields(Named)
    [row] = described.tables["Named"].rows

    assert isinstance(row.form, MapForm)
    assert row.form.keys == WORDS
    assert row.form.value.schema == {"type": "string"}
