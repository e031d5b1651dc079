"""References to secrets: a file says where a secret is, never what it is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar, Final

from integrationd.config.decode import Invalid, Site, decode
from integrationd.config.nodes import Fields, Items, Node, Position, Scalar
from integrationd.config.sites import Leaf
from integrationd.model.json import Json

_NAMES: Final = {
    "env": (r"[A-Za-z_][A-Za-z0-9_]*", "the name of an environment variable"),
    "file": (r"/[^\x00]+", "an absolute path"),
    "credential": (r"[A-Za-z0-9_.@-]+", "the name of a systemd credential"),
    "store": (r"[a-z][a-z0-9_]{0,62}", "a name in the encrypted store"),
}
_WAYS: Final = "{env: NAME}, {file: PATH}, {credential: NAME} or {store: NAME}"


@dataclass(frozen=True, slots=True)
class SecretReference:
    """Where one secret is: ``{env: X}``, ``{file: P}``, ``{credential: C}`` or ``{store: N}``."""

    FORM: ClassVar[Leaf] = Leaf(
        _WAYS,
        {
            "type": "object",
            "properties": {
                place: {"type": "string", "pattern": f"^(?:{pattern})$"}
                for place, (pattern, _) in _NAMES.items()
            },
            "additionalProperties": False,
            "maxProperties": 1,
        },
    )

    place: str
    """env, file, credential or store."""
    name: str
    position: Position

    def to_json(self) -> Json:
        """Return it as it is written."""
        return {self.place: self.name}

    @classmethod
    def decode_node(cls, node: Node, site: Site) -> SecretReference | Invalid:
        """Read a reference; a literal secret is refused without being shown."""
        if not isinstance(node, Fields):
            return refuse_literal(node, site, f"write {_WAYS}")
        if len(node.entries) != 1:
            return site.expected(node, f"a reference: {_WAYS}")
        ((place, value),) = node.entries.items()
        if place not in _NAMES:
            shown = site.quote(place, _NAMES) or " another place"
            message = f"{site.path} refers to{shown}, expected {_WAYS}"
            return site.refuse(node.key_position(place), "E110", message)
        name = decode(value, str, site.key(place))
        if isinstance(name, Invalid):
            return name
        pattern, what = _NAMES[place]
        if not re.fullmatch(pattern, name):
            return site.key(place).expected(value, what, "E111")
        return cls(place, name, node.position)


def refuse_literal(node: Scalar | Items, site: Site, instead: str) -> Invalid:
    """Refuse what may be a secret itself, without showing it."""
    found = "a secret as text" if isinstance(node, Scalar) and node.value is not None else "nothing"
    if isinstance(node, Items):
        found = "a list"
    return site.refuse(node.position, "E401", f"{site.path} holds {found}; {instead}")
