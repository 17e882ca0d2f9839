import time
from ipaddress import ip_network
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict, CIMultiDictProxy

from streaming.http.clients import CACHED_ADDRESSES_MAX, HOPS_MAX, Clients, Hop, Request

PROXY = "10.0.0.1"
TRUSTED = [ip_network(it) for it in ("10.0.0.0/8", "192.0.2.1/32", "2001:db8:ffff::/48")]
STRANGER = "203.0.113.7"


def client_of(peer: str | None, *forwarded_for: str) -> str:
    """Return the client of a request with these headers X-Forwarded-For."""
    headers = CIMultiDictProxy(CIMultiDict([("X-Forwarded-For", it) for it in forwarded_for]))
    request: Any = SimpleNamespace(remote=peer, headers=headers)
    return Clients(TRUSTED).of(cast(Request, request))


@pytest.mark.parametrize(
    ("peer", "client"),
    [
        (STRANGER, STRANGER),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::", "2001:db8:1:3::/64"),
        ("::1", "::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:203.0.113.7", STRANGER),
        ("::ffff:cb00:7107", STRANGER),
        ("", ""),
        (None, ""),
    ],
)
def test_a_peer_counts_as_its_address_or_its_network(peer: str | None, client: str) -> None:
    assert client_of(peer) == client


def test_what_a_stranger_forwards_changes_nothing() -> None:
    for text in ("198.51.100.9", "10.0.0.2", "198.51.100.9, 10.0.0.2", "", "nonsense"):
        assert client_of(STRANGER, text) == STRANGER


@pytest.mark.parametrize(
    ("forwarded_for", "client"),
    [
        (["203.0.113.7"], STRANGER),
        (["198.51.100.9, 203.0.113.7"], STRANGER),
        (["198.51.100.9,203.0.113.7 , 10.9.9.9,\t192.0.2.1"], STRANGER),
        (["198.51.100.9", "203.0.113.7", "10.9.9.9"], STRANGER),
        (["203.0.113.7:50123"], STRANGER),
        (["::ffff:203.0.113.7, ::ffff:10.1.1.1"], STRANGER),
        (["2001:db8:1:2::9, 2001:db8:ffff:1::1"], "2001:db8:1:2::/64"),
        (["[2001:db8:1:2::9]:50123"], "2001:db8:1:2::/64"),
        (["[2001:db8:1:2::9]"], "2001:db8:1:2::/64"),
        (["nonsense, 203.0.113.7"], STRANGER),
    ],
)
def test_behind_proxies_the_rightmost_that_is_none_counts(
    forwarded_for: list[str], client: str
) -> None:
    assert client_of(PROXY, *forwarded_for) == client


@pytest.mark.parametrize(
    "forwarded_for",
    [
        *([], [""], ["unknown"], ["203.0.113.7, unknown"], ["203.0.113.7, "], ["203.0.113.7,,"]),
        *(["203.0.113.7, nonsense, 10.0.0.9"], ["10.0.0.2, 10.0.0.3"], ["203.0.113.256"]),
        *(["203.0.113.7:123456"], ["203.0.113.7:"], ["[203.0.113.7"], ["203.0.113.7 x"]),
        *(["203.0.113.7, " + "1" * 8000], ["2001:db8::1:50123:1:1:1:1:1"], ["٢٠٣.0.113.7"]),
        [STRANGER + ", 10.0.0.2" * HOPS_MAX],
    ],
)
def test_where_no_client_can_be_read_it_is_the_peer(forwarded_for: list[str]) -> None:
    assert client_of(PROXY, *forwarded_for) == PROXY


def test_a_peer_says_whether_it_is_a_proxy() -> None:
    clients = Clients(TRUSTED)
    assert clients.of_peer(PROXY) == Hop(PROXY, is_proxy=True)
    assert clients.of_peer("::ffff:10.0.0.1") == Hop(PROXY, is_proxy=True)
    assert clients.of_peer("2001:db8:ffff::9") == Hop("2001:db8:ffff::/64", is_proxy=True)
    assert clients.of_peer(STRANGER) == Hop(STRANGER, is_proxy=False)
    assert Clients().of_peer(PROXY) == Hop(PROXY, is_proxy=False)


@given(st.text(max_size=200), st.text(alphabet="0123456789abcdef:.,[]% \t", max_size=200))
def test_a_client_can_only_add_on_the_left_and_that_changes_nothing(any_: str, like: str) -> None:
    for text in (any_, like):
        assert client_of(PROXY, f"{text},{STRANGER}") == STRANGER
        assert client_of(PROXY, text, f"{STRANGER}, 10.0.0.2") == STRANGER
        client_of(PROXY, text)


def test_the_longest_headers_take_a_moment_and_no_memory() -> None:
    clients = Clients(TRUSTED)
    begin = time.process_time()
    for number in range(2 * CACHED_ADDRESSES_MAX):
        assert clients.of_peer(f"2001:db8::{number:x}").client == "2001:db8::/64"
    for header in (",10.0.0.2" * 900, "," * 8000, "[" * 8000, "1." * 4000, ":" * 8000):
        client_of(PROXY, *[header] * 10)
    assert time.process_time() - begin < 5
    assert clients._hop.cache_info().currsize == CACHED_ADDRESSES_MAX
