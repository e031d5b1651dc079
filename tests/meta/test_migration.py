"""The newest migration is what ``make migration`` writes from the tables."""

from __future__ import annotations

from integrationd.store.migrations import STEPS
from integrationd.store.tables import SCHEMA_VERSION
from tests.meta.migration import newest_released, path_of, render


def test_migration_fits_the_tables():
    """Whoever changes ``store/tables.py`` runs ``make migration`` as well."""
    written = path_of(newest_released() + 1).read_text(encoding="utf-8")

    assert written == render(), "store/tables.py has changed: run make migration"


def test_every_schema_is_reached_from_the_one_before():
    """The present version is one more than the last one that is kept, and each has its step."""
    assert newest_released() + 1 == SCHEMA_VERSION
    assert list(STEPS) == list(range(2, SCHEMA_VERSION + 1))
