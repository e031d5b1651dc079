"""Which addresses and host names may be called: our own table, without I/O.

``ipaddress.is_global`` is no guard: it calls NAT64, 6to4, multicast and cloud addresses global.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Final, TypeAlias

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

_NAME: Final = re.compile(r"[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*")
_NUMERIC: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")
_NAME_MAX: Final = 253
_LISTED_MAX: Final = 5
"""Most declared hosts that a message lists."""

DENIED: Final[tuple[tuple[Network, str], ...]] = tuple(
    (ip_network(text), kind)
    for text, kind in (
        ("0.0.0.0/8", "an address of this host"),
        ("10.0.0.0/8", "a private address"),
        ("100.100.100.200/32", "a cloud's metadata address"),
        ("100.64.0.0/10", "a carrier's private address"),
        ("127.0.0.0/8", "a loopback address"),
        ("168.63.129.16/32", "a cloud's own address"),
        ("169.254.0.0/16", "a link-local address"),
        ("172.16.0.0/12", "a private address"),
        ("192.0.0.0/24", "a reserved address"),
        ("192.0.2.0/24", "a reserved address"),
        ("192.88.99.0/24", "a reserved address"),
        ("192.168.0.0/16", "a private address"),
        ("198.18.0.0/15", "a private address"),
        ("198.51.100.0/24", "a reserved address"),
        ("203.0.113.0/24", "a reserved address"),
        ("224.0.0.0/4", "a multicast address"),
        ("240.0.0.0/4", "a reserved address"),
        ("::/128", "an address of this host"),
        ("::1/128", "a loopback address"),
        ("64:ff9b:1::/48", "a private address"),
        ("100::/64", "a reserved address"),
        ("2001:db8::/32", "a reserved address"),
        ("fc00::/7", "a private address"),
        ("fe80::/10", "a link-local address"),
        ("fec0::/10", "a private address"),
        ("ff00::/8", "a multicast address"),
    )
)
"""What is not called unless the settings open it. The first range that holds an address names it.

Source:
    IANA's special-purpose address registries; the two cloud addresses are Azure's wire server and
    Alibaba Cloud's metadata service.
"""

_TAILS: Final[tuple[tuple[Network, int], ...]] = tuple(
    (ip_network(text), shift)
    for text, shift in (
        ("::/96", 0),
        ("::ffff:0:0/96", 0),
        ("::ffff:0:0:0/96", 0),
        ("64:ff9b::/96", 0),
        ("2002::/16", 80),
        ("2001::/32", 64),
    )
)
"""Where an IPv6 address carries an IPv4 one, and how many bits stand behind it.

Source:
    RFC 4291 section 2.5.5, RFC 2765 section 2.1, RFC 6052 section 2.1, RFC 3056 section 2, RFC 4380
    section 4 (its server; the client stands inverted in the last 32 bits).
"""

_TEREDO: Final = ip_network("2001::/32")
_ISATAP: Final = (0x00005EFE, 0x02005EFE)
"""Bits 64 to 95 of an address after RFC 5214 section 6.1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EgressPolicy:
    """The table, with what the settings open."""

    allow: tuple[Network, ...] = ()
    """Networks that may be called although the table denies them: ``egress.allow``."""

    def find_fault(self, address: Address, host: str) -> str | None:
        """Return why an address must not be called and what to do, or None where it may be.

        Args:
            address: Where a connection would go.
            host: The name it was found under, or the address itself.
        """
        if self._allows(address):
            return None
        for meant in _meanings(address):
            kind = _find_kind(meant)
            if kind is None or self._allows(meant):
                continue
            shown = str(address) if host == str(address) else f"{address} ({host})"
            if meant != address:
                shown = f"{shown} stands for {meant}, which"
            return f"{shown} is {kind}; open it in the settings: egress.allow"
        return None

    def _allows(self, address: Address) -> bool:
        return any(address in network for network in self.allow)


def find_host_fault(host: str, hosts: frozenset[str]) -> str | None:
    """Return why a host must not be called, or None where it is one of those declared.

    Args:
        host: As it stands in the URL, without brackets.
        hosts: Names and addresses; ``*.example.org`` covers what is under it, not itself.
    """
    name = canonical(host)
    address = parse_address(name)
    if address is None:
        fault = _find_name_fault(host, name)
        if fault is not None:
            return fault
    for declared in hosts:
        under = declared.removeprefix("*")
        if under == declared and name == canonical(declared):
            return None
        if under != declared and address is None and name.endswith(f".{canonical(under[1:])}"):
            return None
    listed = ", ".join(sorted(hosts)[:_LISTED_MAX])
    more = ", …" if len(hosts) > _LISTED_MAX else ""
    return f"host {host!r} is not declared, only {listed}{more}; add it to http.hosts"


def canonical(host: str) -> str:
    """Return a host name or address in the one form in which it is compared."""
    text = host.lower().removesuffix(".")
    if not text.isascii():
        try:
            text = text.encode("idna").decode()
        except UnicodeError:
            return text
    address = parse_address(text)
    return text if address is None else str(address)


def parse_address(host: str) -> Address | None:
    """Parse an address in its usual form, None for anything else; a zone is not part of it."""
    try:
        return ip_address(host.partition("%")[0])
    except ValueError:
        return None


def _find_name_fault(host: str, name: str) -> str | None:
    # Resolvers read 0x7f.1, 0177.1 and 2130706433 as addresses; whatever ends in a number is one.
    # Source: WHATWG URL, "ends in a number checker".
    if _NUMERIC.fullmatch(name.rpartition(".")[2]):
        return f"host {host!r} is a number; write an address as 192.0.2.1"
    if len(name) > _NAME_MAX or not _NAME.fullmatch(name):
        return f"host {host[:80]!r} is not a host name"
    return None


def _find_kind(address: Address) -> str | None:
    return next((kind for network, kind in DENIED if address in network), None)


def _meanings(address: Address) -> Iterator[Address]:
    """Return an address and all that it carries; a packet may end at any of them."""
    yield address
    if isinstance(address, IPv4Address):
        return
    bits = int(address)
    for network, shift in _TAILS:
        if address in network:
            yield IPv4Address(bits >> shift & 0xFFFFFFFF)
    if address in _TEREDO:
        yield IPv4Address(~bits & 0xFFFFFFFF)
    if bits >> 32 & 0xFFFFFFFF in _ISATAP:
        yield IPv4Address(bits & 0xFFFFFFFF)
