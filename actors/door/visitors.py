"""How many sockets each address may have open.

    peer, headers ──▶ Visitors.of ──▶ visitor: an IPv4 address, or the /64 of an IPv6 one; `None` is not counted
                          │
                       Proxies: whose word about a caller's address is believed

One machine has a /64 of addresses to choose from (RFC 4291, section 2.5.1), so counting single ones would count
nothing. Callers of this machine itself are not counted, unless TRUSTED_PROXIES says that a proxy runs here. Only
visitors with an open socket are kept, so the table is never longer than the door's list of sockets. It belongs to
the Door; it answers and refuses nobody itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from websockets.datastructures import Headers

Address = IPv4Address | IPv6Address
Visitor = IPv4Address | IPv6Network

FLY = "fly"
"""Stands for Fly.io's own proxy in a list of proxies."""
FLY_NETWORK = IPv4Network("172.16.0.0/12")
"""Where that proxy comes from, as a machine on Fly sees it."""
FLY_CLIENT_IP = "Fly-Client-IP"
FORWARDED_FOR = "X-Forwarded-For"
INTERFACE_BITS = 64


@dataclass(frozen=True, slots=True)
class Proxies:
    """Who may say on whose behalf it comes."""

    networks: tuple[IPv4Network | IPv6Network, ...] = ()
    fly: bool = False

    @classmethod
    def parse(cls, words: Iterable[str]) -> Proxies:
        """Read addresses, networks and the word `fly`.

        Raises:
            ValueError: naming the first that is none of these.
        """
        kept = [word.strip().lower() for word in words if word.strip()]
        networks = tuple(_network(word) for word in kept if word != FLY)
        return cls((*networks, FLY_NETWORK), fly=True) if FLY in kept else cls(networks)

    def __contains__(self, address: Address) -> bool:
        return any(address in network for network in self.networks)

    def caller(self, peer: Address, headers: Headers) -> Address:
        """Who is at the other end, as far back as the word of trusted proxies reaches."""
        for hop in self._hops(peer, headers):
            if peer not in self or hop is None:
                break
            peer = hop
        return peer

    def _hops(self, peer: Address, headers: Headers) -> Iterator[Address | None]:
        """Those who came before, the nearest first.

        Fly overwrites Fly-Client-IP, and puts an address of the app itself last into X-Forwarded-For, where it hides
        the caller (fly.io/docs/networking/request-headers). Any other proxy that adds to X-Forwarded-For may well
        pass on a Fly-Client-IP that a stranger made up, so it counts only where the other one is missing.
        """
        forwarded = [hop for line in headers.get_all(FORWARDED_FOR) for hop in line.split(",")]
        from_fly = headers.get_all(FLY_CLIENT_IP)[-1:]
        first, second = (from_fly, []) if self.fly and peer in FLY_NETWORK else (forwarded, from_fly)
        return map(_address, reversed(first or second))


class Visitors:
    """The open sockets of each visitor."""

    def __init__(self, limit: int, proxies: Proxies) -> None:
        self._limit, self._proxies = limit, proxies
        self._open: dict[Visitor, int] = {}

    def __len__(self) -> int:
        return len(self._open)

    def of(self, peer: str, headers: Headers) -> Visitor | None:
        """For whom a socket from this address, opened with these headers, counts."""
        address = _address(peer)
        if address is None or (address.is_loopback and address not in self._proxies):
            return None
        caller = self._proxies.caller(address, headers)
        return caller if isinstance(caller, IPv4Address) else IPv6Network((caller, INTERFACE_BITS), strict=False)

    def may_enter(self, visitor: Visitor | None) -> bool:
        """Whether there is room for one socket more."""
        return visitor is None or self._open.get(visitor, 0) < self._limit

    def enter(self, visitor: Visitor | None) -> None:
        """A socket was opened."""
        if visitor is not None:
            self._open[visitor] = self._open.get(visitor, 0) + 1

    def leave(self, visitor: Visitor | None) -> None:
        """A socket that had entered was closed."""
        if visitor is not None:
            self._open[visitor] -= 1
            if not self._open[visitor]:
                del self._open[visitor]


def _network(word: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(word)
    except ValueError:
        raise ValueError(f"{word!r} is no address or network, expected such as 10.0.0.7 or 10.0.0.0/8") from None


def _address(word: str) -> Address | None:
    """The address that is meant. Some proxies add a port, and then brackets around an IPv6 address."""
    word = word.strip()
    if word.startswith("["):
        word = word[1:].partition("]")[0]
    elif word.count(":") == 1:
        word = word.partition(":")[0]
    try:
        found = ip_address(word.partition("%")[0])  # what follows is the name of a network card
    except ValueError:
        return None
    return found.ipv4_mapped or found if isinstance(found, IPv6Address) else found
