"""Which pages may open a socket. Pure.

    Origin header ──▶ allowed(origin) ──▶ yes / no

An exact origin, or a pattern with a leading `*.` for whole labels of a host name: `https://*.example.com` allows
`https://shop.example.com` and not `https://example.com.evil.net`. A socket without an `Origin` does not come from a
page, and an origin proves nothing about it, so it passes; a sandboxed page sends `null` and is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

LOCAL_HOSTS = ("localhost", "127.0.0.1", "[::1]")
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?"
_PATTERN = re.compile(rf"(https?)://(\*\.(?!\[))?({_LABEL}(?:\.{_LABEL})*|\[[0-9a-f:.]+\])(?::([0-9]{{1,5}}|\*))?")
"""Scheme, wildcard, host and port, in lower case. An international name is written as browsers send it: `xn--…`."""


@dataclass(frozen=True, slots=True)
class Origins:
    """An allow-list."""

    patterns: tuple[str, ...]

    @classmethod
    def parse(cls, patterns: Iterable[str]) -> Origins:
        """Check and keep the patterns.

        Raises:
            ValueError: naming the first that is neither an origin nor a pattern of one.
        """
        return cls(tuple(_checked(pattern) for pattern in patterns if pattern.strip()))

    @classmethod
    def local(cls) -> Origins:
        """Pages of this machine, on any port, for development."""
        return cls(tuple(f"{scheme}://{host}:*" for scheme in ("http", "https") for host in LOCAL_HOSTS))

    def allowed(self, origin: str | None) -> bool:
        """Whether a socket with that `Origin` header may be opened."""
        return origin is None or any(_matches(pattern, origin.lower()) for pattern in self.patterns)


def _checked(pattern: str) -> str:
    kept = pattern.strip().lower().rstrip("/")
    if not _PATTERN.fullmatch(kept):
        raise ValueError(f"{pattern!r} is no origin, expected https://host, https://host:port or https://*.host")
    return kept


def _matches(pattern: str, origin: str) -> bool:
    wanted = _PATTERN.fullmatch(pattern)
    found = _PATTERN.fullmatch(origin)
    if wanted is None or found is None or found[2] or found[4] == "*":
        return False
    if wanted[1] != found[1] or (wanted[4] != "*" and _port(wanted) != _port(found)):
        return False
    return found[3].endswith("." + wanted[3]) if wanted[2] else found[3] == wanted[3]


def _port(origin: re.Match[str]) -> str:
    return origin[4] or ("443" if origin[1] == "https" else "80")
