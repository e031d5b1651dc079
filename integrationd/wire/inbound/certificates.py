"""A certificate that the call itself names, at an address that the file allows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Final
from urllib.parse import urlsplit

from integrationd.config.decode import Invalid, Site
from integrationd.config.nodes import Node, Scalar
from integrationd.config.sites import Leaf
from integrationd.errors import SignatureError
from integrationd.transform.functions.texts import regex_match
from integrationd.transform.schema.engine import explain_pattern
from integrationd.wire.inbound.candidates import INBOUND_PLACES
from integrationd.wire.messages import Call
from integrationd.wire.places import Place

_URL_MAX: Final = 500


@dataclass(frozen=True, slots=True)
class Whole:
    """A regular expression that has to fit a text as a whole."""

    FORM: ClassVar[Leaf] = Leaf("a regular expression", {"type": "string", "minLength": 1})

    text: str

    @classmethod
    def decode_node(cls, node: Node, site: Site) -> Whole | Invalid:
        """Read an expression; one that looks around or refers back is refused."""
        if not isinstance(node, Scalar) or not isinstance(node.value, str) or not node.value:
            return site.expected(node, "a regular expression, as text")
        fault = explain_pattern(node.value)
        if fault:
            return site.refuse(node.position, "E111", f"{site.path}: {fault}")
        return cls(node.value)

    def fits(self, text: str) -> bool:
        """Tell whether it fits the whole of a text."""
        return text.isprintable() and bool(regex_match(text, f"^(?:{self.text})$"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """Where a call says that the certificate of its key lies, and which addresses are taken.

    It is fetched by https alone, from the usual port, without following redirects, and kept for a
    while. Whoever controls an address that is allowed can sign, so each expression has to fit the
    whole: of a sender in a shared domain (``amazonaws.com``) it has to spell out what is its own.
    """

    from_: Annotated[Place, INBOUND_PLACES]
    """The place of the address, ``header.paypal-cert-url``."""
    allow_host: Whole
    """Fits the whole name of the host, in small letters."""
    allow_path: Whole
    """Fits the whole path."""
    allow_name: Whole
    """Fits the whole common name of the certificate, or one of the names that it is for."""

    def address(self, call: Call) -> str:
        """Return the address.

        Raises:
            SignatureError: There is none, or it is not one that is allowed.
        """
        text = self.from_.take(call) or ""
        if not self.allows(text):
            raise SignatureError(f"{self.from_} is no address of a certificate that is allowed")
        return text

    def allows(self, address: str) -> bool:
        """Tell whether a certificate may be fetched from an address."""
        if len(address) > _URL_MAX or not address.isascii() or not address.isprintable():
            return False
        try:
            parts = urlsplit(address)
            host, port = parts.hostname or "", parts.port
        except ValueError:
            return False
        plain = address == f"https://{host}{parts.path}"  # no user, port, query or fragment
        calm = not any(sign in parts.path for sign in ("..", "%", "\\", "//"))
        is_allowed = self.allow_host.fits(host) and self.allow_path.fits(parts.path)
        return plain and calm and port is None and is_allowed
