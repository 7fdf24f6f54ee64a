"""How the phone reaches a gateway, and what it says when it does not.

    ws:// wss:// http:// https:// ──▶ address ──▶ dial ──▶ an open socket, or `Unreachable` with one sentence

No compression: sound hardly shrinks. The token goes into the `Authorization` header, never into the address, and no
sentence repeats more of an address than scheme, host and port. A proxy from the environment is used, but not for
this machine itself.
"""

from __future__ import annotations

import errno
import socket
import ssl
from urllib.parse import urlsplit, urlunsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake, InvalidProxy, InvalidStatus
from websockets.http11 import Response

from actors.phone.report import plain

OPEN_SECONDS = 10
"""The old client waits as long for an open socket."""
CLOSE_SECONDS = 2
LARGEST_MESSAGE = 10 * 2**20
"""Bytes; what the old server and its client allow."""
SCHEMES = {"ws": "ws", "wss": "wss", "http": "ws", "https": "wss"}
LOCAL = ("127.0.0.1", "::1", "localhost")
REFUSALS = {
    401: "a valid token is needed",
    403: "this origin may not call",
    429: "too many calls from here",
    503: "it is full or restarting",
}
"""What a status means at the handshake (client protocol, B3)."""
LONGEST_BODY = 200
"""Bytes of a refusal's body that are repeated."""


class BadAddress(ValueError):
    """That is no address of a gateway; says what was expected."""


class Unreachable(Exception):
    """There is no call, and why, in one sentence."""


def address(url: str) -> str:
    """The WebSocket address that is meant. Raises `BadAddress`."""
    try:
        parts = urlsplit(url)
        known = parts.scheme in SCHEMES and parts.port != 0 and bool((parts.hostname or "").encode("idna"))
    except ValueError:  # reading the port and encoding the host check them
        known = False
    if not known:
        raise BadAddress("expected the gateway's address as ws://host:port, wss://, http:// or https://")
    return urlunsplit(parts._replace(scheme=SCHEMES[parts.scheme], fragment=""))


async def dial(url: str, token: str | None) -> ClientConnection:
    """An open socket to the gateway. Raises `Unreachable`, and `BadAddress`."""
    url = address(url)
    try:
        return await connect(
            url,
            compression=None,
            additional_headers={"Authorization": f"Bearer {token}"} if token else None,
            proxy=None if urlsplit(url).hostname in LOCAL else True,
            open_timeout=OPEN_SECONDS,
            close_timeout=CLOSE_SECONDS,
            max_size=LARGEST_MESSAGE,
        )
    except InvalidStatus as refusal:
        raise Unreachable(_refusal(_place(url), refusal.response)) from None
    except OSError as error:
        raise Unreachable(f"no gateway answers at {_place(url)}: {_why(error)}") from None
    except InvalidHandshake as odd:
        raise Unreachable(f"what answers at {_place(url)} is no gateway: {plain(str(odd))}") from None
    except InvalidProxy:
        raise Unreachable("the proxy that the environment names is not a valid address") from None


def _place(url: str) -> str:
    """Scheme, host and port: the rest may hold a secret."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _refusal(place: str, response: Response) -> str:
    status = response.status_code
    if status not in REFUSALS:
        return f"what answers at {place} is no gateway: HTTP {status}"
    body = plain(bytes(response.body[:LONGEST_BODY]).decode(errors="replace")).strip()
    words = f"the gateway at {place} refused the call: {REFUSALS[status]} (HTTP {status}{': ' + body if body else ''})"
    wait = response.headers.get("Retry-After")
    return f"{words}; it asks to try again in {plain(wait)} s" if wait else words


def _why(error: OSError) -> str:
    match error:
        case TimeoutError():
            return f"nothing within {OPEN_SECONDS} s"
        case ssl.SSLCertVerificationError():
            return f"its certificate is not trusted: {error.verify_message}"
        case socket.gaierror():
            return "no such host"
    if f"[Errno {errno.ECONNREFUSED}]" in str(error):  # in words only, when several addresses were tried
        return "connection refused"
    return (error.strerror or str(error) or type(error).__name__).lower()
