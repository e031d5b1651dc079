"""What look-ups find while a provider is played: something, whatever they look for."""

from __future__ import annotations

from collections.abc import Mapping

from typing_extensions import override

from integrationd.model.json import Json
from integrationd.transform.lookup import Found, LookUp
from integrationd.transform.scopes import Variables

_ID = "00000000-0000-7000-8000-000000000000"


class AnyFound(Found):
    """A store that has every record that is asked for, with nothing in it."""

    __slots__ = ()

    @override
    def read(
        self, lookups: Mapping[str, LookUp], record: Json, variables: Variables
    ) -> dict[str, Json]:
        """Return a made-up record for each look-up that names one, as a reading would find it."""
        found: dict[str, Json] = {}
        for name, lookup in lookups.items():
            external_id = lookup.find_id(record, variables, name)
            if external_id is None:
                found |= super().read({name: lookup}, record, variables)
            else:
                found[name] = {"id": _ID, "external_id": external_id, "data": {}, "deleted": None}
        return found


ANYTHING = AnyFound({})
