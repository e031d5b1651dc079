"""Where everything is kept: a file of our own, or a PostgreSQL server."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar, Final

from typing_extensions import override

from integrationd.config.decode import Invalid, Site, decode_fields
from integrationd.config.nodes import Fields, Node, Scalar
from integrationd.config.sites import OWN, Leaf, Written
from integrationd.spec.references import SecretReference

SQLITE: Final = "sqlite"
_EXAMPLE: Final = "postgresql://user@host/name"
_HOST: Final = r"(?:[A-Za-z0-9._~%-]*|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?"
_URL: Final = re.compile(
    rf"postgres(?:ql)?://(?P<user>[^\s/?#@]*@)?{_HOST}(?:,{_HOST})*/[^\s/?#@:]+(?:\?(?P<options>\S*))?"
)
_FORM: Final = "^postgres(ql)?://([^:/?#@]*@)?[^@?#/]*/[^@?#/:]+([?].*)?$"
"""What an editor can see of it."""
_PASSWORD: Final = re.compile(r"(?:^|&)(?:ssl)?password=")
_INSTEAD: Final = (
    f"write {{url: {_EXAMPLE}, password: {{file: PATH}}}} or leave it to libpq's password file"
)


class PostgresUrl(str):
    """A URL as libpq takes it, ``postgresql://user@host:port/name?sslmode=verify-full``."""

    FORM: ClassVar[Leaf] = Leaf(f"a URL such as {_EXAMPLE}", {"type": "string", "pattern": _FORM})

    __slots__ = ()

    @classmethod
    def decode_node(cls, node: Node, site: Site) -> PostgresUrl | Invalid:
        """Read a URL; it is never shown, as one that is wrong may hold a password anywhere."""
        text = node.value if isinstance(node, Scalar) else None
        found = _URL.fullmatch(text) if isinstance(text, str) else None
        if found is None:
            message = f"{site.path} is not a URL such as {_EXAMPLE}"
            return site.refuse(node.position, "E111", message)
        if ":" in (found["user"] or "") or _PASSWORD.search(found["options"] or ""):
            message = f"{site.path} holds a password as text; {_INSTEAD}"
            return site.refuse(node.position, "E401", message)
        return cls(found.string)


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """A PostgreSQL server, or ``sqlite``: a file in the state directory."""

    FORM: ClassVar[Written] = Written(
        (
            Leaf(
                f"sqlite or a URL such as {_EXAMPLE}",
                {"type": "string", "pattern": f"^sqlite$|{_FORM}"},
            ),
            OWN,
        )
    )

    url: PostgresUrl
    """A URL as libpq takes it, without a password; empty for ``sqlite``."""
    password: SecretReference | None = None
    """Where libpq finds none by itself; not in the encrypted store, which lies in the database."""

    @override
    def __str__(self) -> str:
        """Print as it is written where it is short."""
        return self.url or SQLITE

    @classmethod
    def decode_node(cls, node: Node, site: Site) -> Database | Invalid:
        """Read ``sqlite``, a URL, or an object of URL and password."""
        if isinstance(node, Fields):
            return decode_fields(node, cls, site)
        if isinstance(node, Scalar) and node.value == SQLITE:
            return EMBEDDED
        url = PostgresUrl.decode_node(node, site)
        return url if isinstance(url, Invalid) else cls(url=url)

    def check(self, node: Fields, site: Site) -> Invalid | None:
        """Refuse a password that only an open database could give."""
        if self.password is not None and self.password.place == "store":
            message = f"{site.path}.password refers to the encrypted store, which lies in there"
            return site.refuse(node.entries["password"].position, "E110", message)
        return None


EMBEDDED: Final = Database(url=PostgresUrl(""))
