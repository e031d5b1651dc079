"""Which addresses and host names may be called."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrationd.transport.egress import DENIED, EgressPolicy, find_host_fault

CLOSED = EgressPolicy()

DENIED_FORMS = [
    ("0.0.0.0", "an address of this host"),
    ("0.255.255.255", "an address of this host"),
    ("10.0.0.0", "a private address"),
    ("10.255.255.255", "a private address"),
    ("100.64.0.0", "a carrier's private address"),
    ("100.127.255.255", "a carrier's private address"),
    ("100.100.100.200", "a cloud's metadata address"),
    ("127.0.0.1", "a loopback address"),
    ("127.255.255.255", "a loopback address"),
    ("168.63.129.16", "a cloud's own address"),
    ("169.254.0.0", "a link-local address"),
    ("169.254.169.254", "a link-local address"),
    ("169.254.255.255", "a link-local address"),
    ("172.16.0.0", "a private address"),
    ("172.31.255.255", "a private address"),
    ("192.0.0.8", "a reserved address"),
    ("192.0.0.255", "a reserved address"),
    ("192.0.2.1", "a reserved address"),
    ("192.88.99.1", "a reserved address"),
    ("192.168.0.0", "a private address"),
    ("192.168.255.255", "a private address"),
    ("198.18.0.0", "a private address"),
    ("198.19.255.255", "a private address"),
    ("198.51.100.1", "a reserved address"),
    ("203.0.113.1", "a reserved address"),
    ("224.0.0.1", "a multicast address"),
    ("239.255.255.255", "a multicast address"),
    ("240.0.0.1", "a reserved address"),
    ("255.255.255.255", "a reserved address"),
    ("::", "an address of this host"),
    ("::1", "a loopback address"),
    ("64:ff9b:1::1", "a private address"),
    ("64:ff9b:1:808:8:800::", "a private address"),
    ("100::1", "a reserved address"),
    ("2001:db8::1", "a reserved address"),
    ("fc00::1", "a private address"),
    ("fdff:ffff::1", "a private address"),
    ("fe80::1", "a link-local address"),
    ("febf::1", "a link-local address"),
    ("fec0::1", "a private address"),
    ("feff::1", "a private address"),
    ("ff02::1", "a multicast address"),
    ("ff0e::1", "a multicast address"),
]

CARRIED_FORMS = [
    ("::127.0.0.1", "127.0.0.1", "a loopback address"),
    ("::ffff:10.1.2.3", "10.1.2.3", "a private address"),
    ("::ffff:169.254.169.254", "169.254.169.254", "a link-local address"),
    ("::ffff:0:10.1.2.3", "10.1.2.3", "a private address"),
    ("64:ff9b::a9fe:a9fe", "169.254.169.254", "a link-local address"),
    ("2002:7f00:1::", "127.0.0.1", "a loopback address"),
    ("2002:a9fe:a9fe::", "169.254.169.254", "a link-local address"),
    ("2001:0:a00:1::", "10.0.0.1", "a private address"),
    ("2001:0:808:808:0:0:f5ff:fffe", "10.0.0.1", "a private address"),
    ("2600::5efe:10.0.0.1", "10.0.0.1", "a private address"),
    ("2600::200:5efe:10.0.0.1", "10.0.0.1", "a private address"),
]

PUBLIC_FORMS = [
    "1.1.1.1",
    "8.8.8.8",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.1",
    "168.63.129.15",
    "169.253.255.255",
    "172.15.255.255",
    "172.32.0.0",
    "192.0.1.0",
    "192.167.255.255",
    "198.17.255.255",
    "198.20.0.0",
    "223.255.255.255",
    "2606:4700::1111",
    "2001:4860:4860::8888",
    "64:ff9b::808:808",
    "2002:808:808::1",
    "::ffff:8.8.8.8",
]


@pytest.mark.parametrize(("text", "kind"), DENIED_FORMS)
def test_denied_address_is_named_with_what_to_do(text, kind):
    """An address of the table is refused with its kind and the setting that opens it."""
    address = ip_address(text)

    assert CLOSED.find_fault(address, "erp.college.edu") == (
        f"{address} (erp.college.edu) is {kind}; open it in the settings: egress.allow"
    )


@pytest.mark.parametrize(("text", "carried", "kind"), CARRIED_FORMS)
def test_carried_address_is_unwrapped(text, carried, kind):
    """An IPv6 form that a gateway turns into a denied IPv4 address is refused as that."""
    address = ip_address(text)

    assert CLOSED.find_fault(address, str(address)) == (
        f"{address} stands for {carried}, which is {kind}; open it in the settings: egress.allow"
    )


@pytest.mark.parametrize("text", PUBLIC_FORMS)
def test_public_address_passes(text):
    """What no range holds may be called, up to the edges of each range."""
    assert CLOSED.find_fault(ip_address(text), "x.example") is None


DENIED_V4 = [network for network, _ in DENIED if isinstance(network, IPv4Network)]


@st.composite
def denied_v4(draw):
    """Return an address of one of the denied ranges."""
    network = draw(st.sampled_from(DENIED_V4))
    offset = draw(st.integers(0, network.num_addresses - 1))
    return IPv4Address(int(network.network_address) + offset)


def wrappings(v4: int, rest: int) -> list[int]:
    """Return every IPv6 form that carries an IPv4 address, with other bits free."""
    low, prefix = rest & (1 << 64) - 1, 0x2600 << 112
    return [
        v4,
        0xFFFF << 32 | v4,
        0xFFFF << 48 | v4,
        0x64FF9B << 96 | v4,
        0x64FF9B0001 << 80 | v4,
        0x2002 << 112 | v4 << 80 | rest & (1 << 80) - 1,
        0x20010000 << 96 | v4 << 64 | low,
        0x20010000 << 96 | rest & (1 << 64) - 1 << 32 | (~v4 & 0xFFFFFFFF),
        prefix | 0x5EFE << 32 | v4,
        prefix | 0x2005EFE << 32 | v4,
    ]


@given(denied_v4(), st.integers(0, (1 << 96) - 1))
def test_every_wrapping_of_a_denied_address_is_denied(v4, rest):
    """No form of a denied IPv4 address slips through, whatever its other bits are."""
    forms = [v4, *(IPv6Address(number) for number in wrappings(int(v4), rest))]

    assert [form for form in forms if CLOSED.find_fault(form, "x.example") is None] == []


@given(st.ip_addresses(v=4))
def test_v4_verdict_is_the_tables(address):
    """An IPv4 address is refused exactly if a range of the table holds it."""
    denied = any(address in network for network in DENIED_V4)

    assert (CLOSED.find_fault(address, "x") is not None) == denied


@pytest.mark.parametrize("text", ["10.20.0.1", "::ffff:10.20.0.1", "64:ff9b::10.20.0.1"])
def test_opened_network_may_be_called_in_every_form(text):
    """A network that the settings open is open for what carries its addresses too."""
    policy = EgressPolicy(allow=(ip_network("10.20.0.0/16"),))

    assert policy.find_fault(ip_address(text), "x") is None
    assert policy.find_fault(ip_address("10.21.0.1"), "x") is not None


def test_opened_v6_network_opens_its_addresses():
    """An IPv6 network is opened like any other."""
    policy = EgressPolicy(allow=(IPv6Network("fd12::/16"), IPv6Network("64:ff9b:1::/48")))

    assert policy.find_fault(ip_address("fd12::1"), "x") is None
    assert policy.find_fault(ip_address("64:ff9b:1::10.0.0.1"), "x") is None
    assert policy.find_fault(ip_address("fd13::1"), "x") is not None


@pytest.mark.parametrize(
    "host",
    [
        "0x7f.1",
        "0X7F000001",
        "2130706433",
        "0177.0.0.1",
        "0177.1",
        "127.1",
        "127.0.1",
        "127.0.0.1.1",
        "x.example.0x",
        "017700000001",
        "127.0.0.01",
        "[::1]",
        "a%2eb",
        "a b",
        "",
        ".",
        "a..b",
        "-" * 64,
        f"{'a.' * 130}example",
    ],
)
def test_odd_host_is_refused_even_if_declared(host):
    """A host in no usual form is never called: resolvers read too much as an address."""
    fault = find_host_fault(host, frozenset({host, "*.example"}))

    assert fault is not None
    assert "is a number" in fault or "is not a host name" in fault


def test_number_as_host_says_how_to_write_it():
    """The message for a number tells the usual form."""
    assert find_host_fault("2130706433", frozenset({"2130706433"})) == (
        "host '2130706433' is a number; write an address as 192.0.2.1"
    )


@pytest.mark.parametrize(
    ("host", "declared"),
    [
        ("erp.example", "erp.example"),
        ("ERP.example.", "erp.example"),
        ("erp.example", "ERP.Example."),
        ("xn--bcher-kva.example", "bücher.example"),
        ("a.erp.example", "*.erp.example"),
        ("a.b.erp.example", "*.erp.example"),
        ("10.0.0.1", "10.0.0.1"),
        ("::1", "0:0:0:0:0:0:0:1"),
        ("127.0.0.1.", "127.0.0.1"),
        ("①②⑦.⓪.⓪.①", "127.0.0.1"),
        ("my_host", "my_host"),
    ],
)
def test_declared_host_passes(host, declared):
    """A host is compared in one canonical form; a star covers what is under it."""
    assert find_host_fault(host, frozenset({declared})) is None


@pytest.mark.parametrize(
    ("host", "declared"),
    [
        ("erp.example", "*.erp.example"),
        ("evilerp.example", "*.erp.example"),
        ("erp.example.evil", "erp.example"),
        ("a.erp.example", "erp.example"),
        ("1.0.0.1", "*.0.0.1"),
    ],
)
def test_neighbour_of_a_declared_host_is_refused(host, declared):
    """What only looks like a declared host is none."""
    assert find_host_fault(host, frozenset({declared})) == (
        f"host {host!r} is not declared, only {declared}; add it to http.hosts"
    )


def test_long_list_of_hosts_is_cut():
    """The message lists five hosts and says that there are more."""
    assert find_host_fault("z.example", frozenset(f"{name}.example" for name in "abcdef")) == (
        "host 'z.example' is not declared, only "
        "a.example, b.example, c.example, d.example, e.example, …; add it to http.hosts"
    )
