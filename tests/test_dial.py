"""The phone reaches a gateway, or says in one sentence why it does not."""

from __future__ import annotations

import asyncio
import http
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trustme
from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from actors.phone import dial as phone_dial
from actors.phone.dial import BadAddress, Unreachable, address, dial

SECRET = "hush-hush"


@asynccontextmanager
async def gateway(refusal: Response | None = None, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """A gateway that lets everybody in, or answers the handshake with this; yields its host and port."""

    async def stay(call: ServerConnection) -> None:
        assert call.request is not None
        await call.send(call.request.headers.get("Authorization", "no token"))
        await call.wait_closed()

    async def handshake(call: ServerConnection, request: Request) -> Response | None:
        return refusal

    async with serve(stay, "127.0.0.1", 0, ssl=tls, process_request=handshake) as server:
        host, port = next(iter(server.sockets)).getsockname()
        yield f"{host}:{port}"


def refusal(status: int, body: str = "", **headers: str) -> Response:
    fields = Headers({name.replace("_", "-"): value for name, value in headers.items()})
    fields["Content-Length"] = str(len(body))
    return Response(status, http.HTTPStatus(status).phrase, fields, body.encode())


async def sentence(url: str, token: str | None = None) -> str:
    with pytest.raises(Unreachable) as raised:
        await dial(url, token)
    return str(raised.value)


@pytest.mark.parametrize(
    ("url", "meant"),
    [
        ("ws://127.0.0.1:8080", "ws://127.0.0.1:8080"),
        ("wss://voice.example.com", "wss://voice.example.com"),
        ("http://[::1]:8080/ws", "ws://[::1]:8080/ws"),
        ("https://voice.example.com/call?token=t#top", "wss://voice.example.com/call?token=t"),
        ("HTTPS://voice.example.com", "wss://voice.example.com"),
    ],
)
def test_an_address_of_the_web_is_one_of_a_gateway(url: str, meant: str) -> None:
    assert address(url) == meant


@pytest.mark.parametrize(
    "url",
    [
        *("", "localhost:8080", "ftp://host", "ws://", f"ws://{'a' * 64}.com", "ws://a..b"),
        *("ws://host:port", "ws://host:99999", "ws://host:0", "ws://[::1"),
    ],
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(BadAddress, match="expected the gateway's address as ws://host:port"):
        address(url)


@pytest.mark.parametrize(("token", "header"), [(SECRET, f"Bearer {SECRET}"), (None, "no token")])
async def test_the_token_travels_in_a_header(token: str | None, header: str) -> None:
    async with gateway() as place:
        call = await dial(f"http://{place}/anywhere", token)
        heard = await call.recv()
        await call.close()

    assert heard == header


async def test_a_call_to_this_machine_takes_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "socks_proxy", "ws_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    async with gateway() as place:
        call = await dial(f"ws://{place}", None)
        heard = await call.recv()
        await call.close()

    assert heard == "no token"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_nobody_there_is_told(host: str) -> None:
    with socket.socket() as taken:  # bound and not listening: nobody else gets the port meanwhile
        taken.bind(("127.0.0.1", 0))
        place = f"ws://{host}:{taken.getsockname()[1]}"

        assert await sentence(f"{place}/ws") == f"no gateway answers at {place}: connection refused"


async def test_a_host_that_is_silent_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phone_dial, "OPEN_SECONDS", 0)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        place = f"ws://127.0.0.1:{silent.getsockname()[1]}"

        assert await sentence(place) == f"no gateway answers at {place}: nothing within 0 s"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (refusal(401, "no valid token"), "a valid token is needed (HTTP 401: no valid token)"),
        (refusal(403), "this origin may not call (HTTP 403)"),
        (refusal(429, "slow\ndown"), "too many calls from here (HTTP 429: slow down)"),
        (refusal(503, Retry_After="5"), "it is full or restarting (HTTP 503); it asks to try again in 5 s"),
    ],
)
async def test_a_refusal_at_the_door_is_told_in_words(answer: Response, words: str) -> None:
    async with gateway(answer) as place:
        assert await sentence(f"ws://{place}") == f"the gateway at ws://{place} refused the call: {words}"


async def test_a_long_refusal_is_cut_and_harmless_in_a_terminal() -> None:
    async with gateway(refusal(503, "\x1b[2J" + "x" * 5_000)) as place:
        told = await sentence(f"ws://{place}")

    assert len(told) < 400
    assert told.isprintable()


@pytest.mark.parametrize("status", [200, 404, 500])
async def test_another_web_server_is_no_gateway(status: int) -> None:
    async with gateway(refusal(status)) as place:
        assert await sentence(f"ws://{place}") == f"what answers at ws://{place} is no gateway: HTTP {status}"


async def test_what_does_not_speak_http_is_no_gateway() -> None:
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example.com ESMTP\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as server:
        place = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        told = await sentence(place)

    assert told.startswith(f"what answers at {place} is no gateway: ")


async def test_a_certificate_that_nobody_vouches_for_is_told() -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(tls)
    async with gateway(tls=tls) as place:
        told = await sentence(f"https://{place}")

    assert told.startswith(f"no gateway answers at wss://{place}: its certificate is not trusted: ")


async def test_no_sentence_repeats_a_secret() -> None:
    async with gateway(refusal(404)) as place:
        told = await sentence(f"ws://{SECRET}:{SECRET}@{place}/{SECRET}?token={SECRET}", SECRET)

    assert SECRET not in told
