"""``multipart:``, a form whose values travel as parts of their own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from integrationd.model.json import Json
from integrationd.wire.messages import MultipartBody
from integrationd.wire.parameters import Encode, Parameters, render_pairs


@dataclass(frozen=True, slots=True)
class MultipartTemplate(Parameters):
    """A body of parts: a template for each name.

    Source:
        RFC 7578.
    """

    def render(self, variables: Mapping[str, Json], encode: Encode) -> MultipartBody:
        """Fill in values, as a form does."""
        return MultipartBody(render_pairs(self.fields, variables, encode))
