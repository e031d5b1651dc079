"""The reference is what the definitions say, and every field says what it is for."""

import pytest

from integrationd.spec.files import FILES, build_schema
from tests.meta import behaviours_page, commands_page, functions_page
from tests.meta.reference_pages import page, path_of


@pytest.mark.parametrize("kind", FILES)
def test_page_is_current(kind):
    """``make reference`` writes it anew."""
    assert path_of(kind).read_text(encoding="utf-8") == page(kind)


def test_commands_page_is_current():
    """What each command says of itself; ``make reference`` writes it anew."""
    assert commands_page.PAGE.read_text(encoding="utf-8") == commands_page.page()


def test_functions_page_is_current():
    """What each function says of itself; ``make reference`` writes it anew."""
    assert functions_page.PAGE.read_text(encoding="utf-8") == functions_page.page()


def test_behaviours_page_is_current():
    """The table of behaviours, its fields all there; ``make reference`` writes it anew."""
    assert behaviours_page.PAGE.read_text(encoding="utf-8") == behaviours_page.page()


def test_every_field_has_its_text():
    """What an editor and the reference show beside a field stands under it in the source."""
    silent = [
        f"{name}.{key}"
        for kind in FILES
        for name, table in build_schema(kind)["definitions"].items()
        for key, field in table["properties"].items()
        if key != "type" and not field.get("description")
    ]

    assert silent == []
