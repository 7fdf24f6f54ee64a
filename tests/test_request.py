"""What the door reads from a request."""

from __future__ import annotations

from typing import Any, cast

import pytest
from websockets.datastructures import Headers
from websockets.http11 import Request
from websockets.typing import Subprotocol

from actors.door.request import header, peer, subprotocol, wants_socket

NOBODY = cast(Any, None)


def asked(*headers: tuple[str, str]) -> Request:
    fields = Headers()
    for name, value in headers:
        fields[name] = value  # adds: the same name may come twice
    return Request("/", fields)


def test_a_header_is_there_once_twice_or_not() -> None:
    request = asked(("Origin", "a"), ("X-One", "1"), ("origin", "b"))

    assert header(request, "X-One") == "1"
    assert header(request, "Origin") == "a, b"
    assert header(request, "X-Two") is None


@pytest.mark.parametrize(
    ("said", "wants"),
    [
        (["websocket"], True),
        (["WebSocket"], True),
        (["h2c, websocket"], True),
        (["h2c", "websocket"], True),
        (["h2c"], False),
        ([], False),
    ],
)
def test_a_socket_is_wanted_by_who_says_so(said: list[str], wants: bool) -> None:
    assert wants_socket(asked(*(("Upgrade", each) for each in said))) is wants


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        ([], None),
        (["other"], "other"),
        (["other", "parley.v1"], "parley.v1"),
        (["bearer.secret", "other"], "other"),
        (["BEARER.secret"], None),
    ],
)
def test_ours_is_chosen_first_and_a_token_never(offered: list[str], chosen: str | None) -> None:
    assert subprotocol(NOBODY, [Subprotocol(each) for each in offered]) == chosen


@pytest.mark.parametrize(
    ("remote", "address"),
    [(("198.51.100.7", 4321), "198.51.100.7"), (("2001:db8::1", 4321, 0, 0), "2001:db8::1"), (None, "")],
)
def test_the_other_end_has_an_address_until_it_is_gone(remote: Any, address: str) -> None:
    class Socket:
        remote_address = remote

    assert peer(cast(Any, Socket())) == address
