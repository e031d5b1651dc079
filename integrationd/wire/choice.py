"""Several ways to say who asks, of which the configuration picks one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Final

from integrationd.config.decode import Invalid, Keys, Kinds, Site
from integrationd.config.nodes import Fields
from integrationd.errors import ExpressionError
from integrationd.model.json import Json
from integrationd.model.secret import reveal
from integrationd.transform.scopes import Scope
from integrationd.transform.template import Template
from integrationd.wire import auth
from integrationd.wire.auth.authenticator import Auth
from integrationd.wire.credentials import CONSTANTS

_CONFIG: Final = Scope(("config",))
_NAMES: Final = Keys(r"[a-z][a-z0-9_]*", "a word of small letters, digits and '_'")


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoiceAuth:
    """Let each integration choose among several ways, by one of its configuration values.

    The choice is made when files are read: a name that is none of these is told then, and secrets
    of the others are not looked for.
    """

    kind: ClassVar[str] = "choice"

    by: Annotated[Template, _CONFIG]
    """Gives the name of the way that is taken, ``"{{ config.login }}"``."""
    of: Annotated[Mapping[str, Auth], _NAMES, Kinds(auth.KINDS), CONSTANTS]
    """The ways by their names, ``{token: {type: bearer, …}, password: {type: basic, …}}``; each is
    any other kind."""

    def check(self, node: Fields, site: Site) -> Invalid | None:
        """Refuse a choice among nothing."""
        if self.of:
            return None
        place = node.entries["of"].position
        message = f"{site.path}.of is empty, expected a name and a kind of auth for each way"
        return site.refuse(place, "E102", message)

    def pick(self, config: Mapping[str, Json], site: Site) -> Auth | Invalid:
        """Return the way that an integration's configuration names; tell where it names none."""
        try:
            name = reveal(self.by.render_text({"config": config}) or "")
        except ExpressionError as wrong:
            return site.refuse(self.by.position, "E204", f"{site.path}.by cannot be made: {wrong}")
        found = self.of.get(name)
        if found is not None:
            return found
        shown = (site.quote(name, self.of) or " another name") if name else " nothing"
        message = f"{site.path}.by gives{shown}, expected one of {', '.join(sorted(self.of))}"
        return site.refuse(self.by.position, "E110", message)


AUTH_KINDS: Final = (*auth.KINDS, ChoiceAuth)
"""All that may stand under ``auth``."""
