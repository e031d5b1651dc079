"""What every way of proving a sender may demand beside its signature."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from integrationd.errors import ExpressionError, SecretError, SignatureError
from integrationd.model.json import Json
from integrationd.model.secret import reveal
from integrationd.transform.expression import Expression
from integrationd.transform.template import Template
from integrationd.wire import signable, texts
from integrationd.wire.inbound.signed import holds
from integrationd.wire.inbound.values import COMPARED, INBOUND, inbound_root, values_of
from integrationd.wire.messages import Call


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """Something in the call that has to be a certain text; compared in constant time."""

    value: Annotated[Expression, INBOUND]
    """What is looked at, ``query.bodySHA256``; of a list, ``body.value[].clientState``, every
    item."""
    equals: Annotated[Template, COMPARED]
    """The text that it has to be, ``"{{ body | sha256 }}"`` or ``"{{ secrets.client_state }}"``."""
    optional: bool = False
    """Whether it may be missing."""

    def hold(
        self, call: Call, variables: Mapping[str, Json], timestamp: str | None, where: str
    ) -> None:
        """Return where it holds.

        Raises:
            SignatureError: It does not.
            SecretError: What it is compared with is empty: the endpoint stays closed.
        """
        wanted = self._render(call, variables, timestamp, where)
        try:
            found = self.value.search(dict(inbound_root(call)))
        except ExpressionError as wrong:
            raise SignatureError(f"{where}.value cannot be read: {wrong}") from None
        items = found if isinstance(found, list) else [found]
        if all(item is None for item in items):
            if self.optional:
                return
            raise SignatureError(f"{where}: {self.value.text} is missing")
        same = True
        for item in items:
            single = None if isinstance(item, dict | list) else texts.to_text(item)
            given = signable.as_bytes(reveal(single or ""))
            same &= hmac.compare_digest(given, wanted)
        if not same:
            raise SignatureError(f"{where}: {self.value.text} is not what it has to be")

    def _render(
        self, call: Call, variables: Mapping[str, Json], timestamp: str | None, where: str
    ) -> bytes:
        names = {str(path[0]) for path in self.equals.paths}
        try:
            text = self.equals.render_text({**variables, **values_of(call, names, timestamp)})
        except ExpressionError as wrong:
            message = f"{where}.equals cannot be made: {wrong}"
            raise (SecretError if self.equals.is_secret else SignatureError)(message) from None
        if not reveal(text or ""):
            raise SecretError(f"{where}.equals is empty, expected a text to compare with")
        return signable.as_bytes(reveal(text or ""))


@dataclass(frozen=True, slots=True, kw_only=True)
class Demands:
    """The fields that every kind has."""

    when: Annotated[Expression | None, INBOUND] = None
    """Takes only calls for which this holds, ``headers.\"x-kind\" == 'order'``."""
    checks: tuple[Check, ...] = ()
    """What else has to be equal."""

    @property
    def covers_body(self) -> bool:
        """Tell whether the body is authenticated; where nothing is signed it is not."""
        return False

    def addresses(self, call: Call, variables: Mapping[str, Json]) -> tuple[str, ...]:
        """Return what has to be fetched before a call can be verified; nothing, for most kinds."""
        _ = call, variables
        return ()

    def may_hold(self, call: Call) -> bool:
        """Tell whether the condition holds: where it does not, nothing has to be fetched."""
        return self.when is None or holds(self.when, call)

    def hold_when(self, call: Call) -> None:
        """Raise SignatureError where the condition does not hold."""
        if self.when is not None and not self.may_hold(call):
            raise SignatureError(f"'when' does not hold for this call: {self.when.text}")

    def demand(
        self, call: Call, variables: Mapping[str, Json], timestamp: str | None = None
    ) -> None:
        """Return where the condition and all checks hold.

        Raises:
            SignatureError: One does not.
            SecretError: A text to compare with is empty.
        """
        self.hold_when(call)
        for index, check in enumerate(self.checks):
            check.hold(call, variables, timestamp, f"verify.checks[{index}]")
