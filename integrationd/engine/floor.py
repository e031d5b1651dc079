"""Where a list that falls need not be read on: below the lower bound of the reading."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from integrationd.errors import ExpressionError
from integrationd.model.json import Json
from integrationd.model.unstorable import Unstorable
from integrationd.transform.cursors import Comparable
from integrationd.transform.shape import CursorRule


@dataclass(slots=True, kw_only=True)
class Floor:
    """The lower bound of one walk over a list that is sorted from new to old."""

    rule: CursorRule
    least: Comparable
    falls: bool = True
    """No record was newer than the one before it; of a list that is not sorted nothing is cut."""
    last: Comparable | None = None

    def is_passed(self, records: Iterable[Json], variables: Mapping[str, Json]) -> bool:
        """Tell whether a page goes below the bound, so that all that follows lies below it too."""
        passed = False
        for record in records:
            value = self._read(record, variables)
            if value is None:
                continue
            # Of one stream all are of one type, which a union cannot say.
            last: Any = self.last
            least: Any = self.least
            if last is not None and value > last:
                self.falls = False
            self.last = value
            passed = passed or value < least
        return passed and self.falls

    def _read(self, record: Json, variables: Mapping[str, Json]) -> Any:  # noqa: ANN401 - as above
        if isinstance(record, Unstorable):
            record = record.record
        with suppress(ExpressionError, ValueError):
            found = self.rule.field.search(record, variables)
            return None if found is None else self.rule.scale.parse(found)
        return None
