"""``form:``, a body of names and texts, as a page in a browser sends it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from integrationd.model.json import Json
from integrationd.wire.messages import FormBody
from integrationd.wire.parameters import Encode, Parameters, render_pairs


@dataclass(frozen=True, slots=True)
class FormTemplate(Parameters):
    """A form body: a template for each name."""

    def render(self, variables: Mapping[str, Json], encode: Encode) -> FormBody:
        """Fill in values, as a query does."""
        return FormBody(render_pairs(self.fields, variables, encode))
