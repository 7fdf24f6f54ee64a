"""Sockets are counted by who is really at the other end, and only while they are open."""

from __future__ import annotations

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.datastructures import Headers

from actors.door.visitors import Proxies, Visitors

CALLER = "198.51.100.7"
PROXY = "10.1.2.3"


def forwarded(*said: str, fly: str | None = None) -> Headers:
    headers = Headers()
    for line in said:
        headers["X-Forwarded-For"] = line
    if fly is not None:
        headers["Fly-Client-IP"] = fly
    return headers


def who(peer: str, headers: Headers, *proxies: str) -> str:
    return str(Visitors(1, Proxies.parse(proxies)).of(peer, headers))


# ── who it is ──


@pytest.mark.parametrize(
    ("peer", "visitor"),
    [
        (CALLER, CALLER),
        ("::ffff:198.51.100.7", CALLER),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("127.0.0.1", "None"),
        ("127.8.9.1", "None"),
        ("::1", "None"),
        ("::ffff:127.0.0.1", "None"),
        ("", "None"),
    ],
)
def test_a_visitor_is_an_address_or_its_network_and_this_machine_is_none(peer: str, visitor: str) -> None:
    assert who(peer, Headers()) == visitor


def test_nobody_is_believed_who_is_not_a_proxy_of_ours() -> None:
    headers = forwarded("203.0.113.1", fly="203.0.113.2")

    assert who(CALLER, headers) == CALLER
    assert who(CALLER, headers, PROXY, "fly") == CALLER
    assert who("127.0.0.1", headers, PROXY) == "None"


@pytest.mark.parametrize(
    ("said", "visitor"),
    [
        ([CALLER], CALLER),
        ([f"203.0.113.1, {CALLER}"], CALLER),  # what comes before is the caller's own word
        ([f"{CALLER}, 10.9.9.9"], CALLER),  # another proxy of ours
        ([f"{CALLER}, 10.9.9.9,10.8.8.8 "], CALLER),
        ([f"203.0.113.1, {CALLER}", "10.9.9.9"], CALLER),  # the header twice
        ([f"{CALLER}:50123"], CALLER),  # with a port, as Azure has it
        (["2001:db8:1:2::9"], "2001:db8:1:2::/64"),
        (["[2001:db8:1:2::9]:50123"], "2001:db8:1:2::/64"),
        (["[2001:db8:1:2::9]"], "2001:db8:1:2::/64"),
        (["10.9.9.9"], "10.9.9.9"),  # they call from inside
        (["127.0.0.1"], "127.0.0.1"),
        ([f"{CALLER}, unknown"], PROXY),
        ([f"{CALLER}, unknown, 10.9.9.9"], "10.9.9.9"),
        ([f"{CALLER},"], PROXY),
        ([""], PROXY),
        ([], PROXY),
        (["\xff", "999.1.1.1"], PROXY),
    ],
)
def test_the_word_of_a_proxy_reaches_back_to_the_first_address_that_is_not_one(said: list[str], visitor: str) -> None:
    assert who(PROXY, forwarded(*said), "10.0.0.0/8") == visitor


def test_a_proxy_on_this_machine_is_a_proxy() -> None:
    assert who("127.0.0.1", forwarded(CALLER), "127.0.0.1") == CALLER
    assert who("::1", forwarded(CALLER), "::1") == CALLER
    assert who("127.0.0.1", Headers(), "127.0.0.1") == "127.0.0.1"


@pytest.mark.parametrize(
    ("said", "fly", "visitor"),
    [
        ([f"{CALLER}, 66.241.124.1"], CALLER, CALLER),  # the last is an address of the app itself
        ([f"203.0.113.1, {CALLER}, 66.241.124.1"], CALLER, CALLER),
        ([], CALLER, CALLER),
        ([f"{CALLER}, 66.241.124.1"], None, "172.16.5.4"),
        ([CALLER], "nonsense", "172.16.5.4"),
    ],
)
def test_of_flys_proxy_only_its_own_header_counts(said: list[str], fly: str | None, visitor: str) -> None:
    assert who("172.16.5.4", forwarded(*said, fly=fly), "fly") == visitor


def test_flys_header_counts_from_others_only_where_they_say_nothing_else() -> None:
    assert who(PROXY, forwarded(fly=CALLER), PROXY) == CALLER
    assert who(PROXY, forwarded(CALLER, fly="203.0.113.1"), PROXY) == CALLER
    assert who(PROXY, forwarded(CALLER, fly="203.0.113.1"), PROXY, "fly") == CALLER


# ── whose word counts ──


def test_proxies_are_addresses_networks_and_fly() -> None:
    proxies = Proxies.parse(["10.0.0.7", " 2001:DB8::/32 ", "", "Fly"])

    assert proxies.fly
    assert proxies.networks == tuple(map(ip_network, ("10.0.0.7/32", "2001:db8::/32", "172.16.0.0/12")))


@pytest.mark.parametrize("word", ["10.0.0.7/8", "proxy.internal", "10.0.0", "*", "fly.io", "10.0.0.0/33"])
def test_what_is_no_address_is_named(word: str) -> None:
    with pytest.raises(ValueError, match="is no address or network, expected such as") as raised:
        Proxies.parse(["10.0.0.0/8", word])

    assert repr(word) in str(raised.value)


# ── how many ──


def test_one_more_than_the_limit_may_not_enter_and_may_when_one_has_left() -> None:
    visitors = Visitors(2, Proxies())
    visitor, other = visitors.of(CALLER, Headers()), visitors.of("198.51.100.8", Headers())
    for _ in range(2):
        assert visitors.may_enter(visitor)
        visitors.enter(visitor)

    assert not visitors.may_enter(visitor)
    assert visitors.may_enter(other)
    visitors.leave(visitor)
    assert visitors.may_enter(visitor)


def test_a_whole_network_of_ipv6_is_one_visitor() -> None:
    visitors = Visitors(1, Proxies())
    visitors.enter(visitors.of("2001:db8:1:2::1", Headers()))

    assert not visitors.may_enter(visitors.of("2001:db8:1:2:ffff::1", Headers()))
    assert visitors.may_enter(visitors.of("2001:db8:1:3::1", Headers()))


def test_this_machine_always_may() -> None:
    visitors = Visitors(1, Proxies())
    for _ in range(5):
        nobody = visitors.of("127.0.0.1", Headers())
        assert visitors.may_enter(nobody)
        visitors.enter(nobody)
    visitors.leave(None)

    assert len(visitors) == 0


@given(st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=60))
def test_only_who_is_here_is_remembered(steps: list[tuple[int, bool]]) -> None:
    visitors = Visitors(3, Proxies())
    addresses = [visitors.of(f"198.51.100.{n}", Headers()) for n in range(4)]
    inside = [0] * 4
    for n, comes in steps:
        if comes and visitors.may_enter(addresses[n]):
            visitors.enter(addresses[n])
            inside[n] += 1
        elif not comes and inside[n]:
            visitors.leave(addresses[n])
            inside[n] -= 1

        assert len(visitors) == sum(map(bool, inside))
        assert [visitors.may_enter(address) for address in addresses] == [count < 3 for count in inside]


SAID = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=60)


@given(SAID, SAID)
def test_no_header_is_a_fault_of_ours(said: str, fly: str) -> None:
    assert who(PROXY, forwarded(said, fly=fly), PROXY)
    assert who("172.16.5.4", forwarded(said, fly=fly), "fly")
    assert who(said, forwarded(fly), "fly", PROXY)
