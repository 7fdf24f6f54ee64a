"""The door: what is answered over HTTP, who is let in, and what those hear who are not."""

from __future__ import annotations

import asyncio
import logging
import ssl
from pathlib import Path

import orjson
import pytest
import trustme
import websockets
from websockets.typing import Subprotocol

from actors.door import door as door_module
from actors.door.door import CannotListen, Listening
from actors.door.origins import Origins
from actors.door.pages import POLICY
from actors.door.visitors import Proxies
from actors.supervision import Dismiss
from actors.wire.schema import schema
from tests.doorstep import FACTS, doorstep, http, page, raw, refusal, until
from tests.test_wary import stranger

ON_BOTH_LOOPS = True
READY = {"status", "calls", "maxCalls", "draining", "upstream", "redis", "database", "loopLagMs"}
UPGRADE = (
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
)


# ── over HTTP ──


async def test_health_is_two_letters() -> None:
    async with doorstep() as here:
        status, headers, body = await http(here.door.port, "/health")

    assert (status, body) == (200, b"OK")
    assert headers["content-type"] == "text/plain; charset=utf-8"
    assert "server" not in headers


async def test_ready_has_the_keys_of_the_contract_and_is_not_kept_by_caches() -> None:
    async with doorstep() as here:
        status, headers, body = await http(here.door.port, "/ready")

    assert status == 200
    assert set(orjson.loads(body)) == READY
    assert orjson.loads(body) == {"status": "ready", "draining": False, **FACTS}
    assert (headers["content-type"], headers["cache-control"]) == ("application/json", "no-store")


async def test_ready_says_so_while_the_house_drains_and_health_still_answers() -> None:
    async with doorstep() as here:
        here.door.draining = True
        status, _, body = await http(here.door.port, "/ready")
        health = await http(here.door.port, "/health")

    assert status == 503
    assert set(orjson.loads(body)) == READY
    assert orjson.loads(body) | {"status": "draining", "draining": True} == orjson.loads(body)
    assert health[0] == 200


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/?from=a-link", "text/html; charset=utf-8"),
        ("/client.js", "text/javascript; charset=utf-8"),
        ("/talk.js", "text/javascript; charset=utf-8"),
        ("/talk.css", "text/css; charset=utf-8"),
        ("/favicon.svg", "image/svg+xml"),
        ("/schema.json", "application/schema+json"),
        ("/metrics", "text/plain; version=0.0.4"),
    ],
)
async def test_a_path_is_answered_with_its_kind_and_length(path: str, kind: str) -> None:
    async with doorstep() as here:
        status, headers, body = await http(here.door.port, path)

    assert (status, headers["content-type"]) == (200, kind)
    assert int(headers["content-length"]) == len(body) > 0
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["connection"] == "close"


async def test_the_talk_page_may_load_nothing_from_elsewhere_and_nobody_may_frame_it() -> None:
    async with doorstep() as here:
        _, headers, _ = await http(here.door.port, "/")

    assert headers["content-security-policy"] == POLICY
    assert "access-control-allow-origin" not in headers


async def test_any_page_may_load_the_client_module() -> None:
    async with doorstep() as here:
        _, headers, _ = await http(here.door.port, "/client.js", "Origin: https://elsewhere.example")

    assert headers["access-control-allow-origin"] == "*"
    assert headers["cross-origin-resource-policy"] == "cross-origin"


async def test_a_page_that_is_known_already_is_not_sent_again() -> None:
    async with doorstep() as here:
        _, first, _ = await http(here.door.port, "/client.js")
        status, headers, body = await http(here.door.port, "/client.js", f"If-None-Match: {first['etag']}")

    assert (status, body) == (304, b"")
    assert headers["etag"] == first["etag"]
    assert "content-length" not in headers


async def test_head_tells_the_length_and_sends_nothing() -> None:
    async with doorstep() as here:
        _, full, _ = await http(here.door.port, "/")
        status, headers, body = await http(here.door.port, "/", method="HEAD")

    assert (status, body) == (200, b"")
    assert headers["content-length"] == full["content-length"]


@pytest.mark.parametrize("path", ["/nothing", "/index.html", "/../server.py", "/client.js/", "//", "/metrics/"])
async def test_other_paths_are_not_found(path: str) -> None:
    async with doorstep() as here:
        status, _, body = await http(here.door.port, path)

    assert (status, body) == (404, b"not found")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
async def test_only_getting_is_answered(method: str) -> None:
    async with doorstep() as here:
        status, headers, _ = await http(here.door.port, "/", "Content-Length: 0", method=method)

    assert (status, headers["allow"]) == (405, "GET, HEAD")


async def test_the_schema_is_that_of_the_protocol_and_is_not_made_for_each_who_asks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with doorstep() as here:
        monkeypatch.setattr(door_module, "schema", None)
        _, _, body = await http(here.door.port, "/schema.json")

    assert orjson.loads(body) == schema()


@pytest.mark.parametrize("name", ["Upgrade", "Origin", "If-None-Match", "Connection"])
async def test_a_header_said_twice_is_no_fault_of_ours(name: str, caplog: pytest.LogCaptureFixture) -> None:
    async with doorstep() as here:
        status, _, _ = await http(here.door.port, "/", f"{name}: a", f"{name}: b")

    assert status == 200
    assert caplog.records == []


# ── the port that the public does not see ──


async def test_metrics_have_a_port_of_their_own_where_there_is_one() -> None:
    async with doorstep(admin=("127.0.0.1", 0)) as here:
        public = await http(here.door.port, "/metrics")
        private = await http(here.door.admin_port, "/metrics")

    assert public[0] == 404
    assert private[0] == 200
    assert b"parley_calls_total" in private[2]


async def test_the_other_port_answers_probes_and_opens_no_sockets() -> None:
    async with doorstep(admin=("127.0.0.1", 0)) as here:
        ready = await http(here.door.admin_port, "/ready")
        upgrade = await http(here.door.admin_port, "/ws", *UPGRADE)
        count = await here.count()

    assert ready[0] == 200
    assert upgrade[0] == 404
    assert count == 0


async def test_without_one_all_is_on_the_same_port() -> None:
    async with doorstep() as here:
        assert here.door.port == here.door.admin_port
        assert (await http(here.door.port, "/metrics"))[0] == 200


async def test_a_port_that_is_taken_is_named_and_nothing_is_left_open() -> None:
    async with doorstep() as first, doorstep() as other:
        with pytest.raises(CannotListen) as taken:
            await other.door.open(Listening("127.0.0.1", 0, ("127.0.0.1", first.door.port)))

    assert (taken.value.host, taken.value.port) == ("127.0.0.1", first.door.port)
    with pytest.raises(ConnectionRefusedError):
        await raw(other.door.port, b"")


# ── who is let in ──


@pytest.mark.parametrize("path", ["", "/", "/ws", "/any/other/path", "/health", "/ws?token=t"])
async def test_a_socket_opens_on_any_path(path: str) -> None:
    async with doorstep() as here, page(here.url + path) as caller:
        connected = await caller.until("connected")

        assert connected["connectionId"].startswith("conn_")
        assert connected["protocol"] == 1


async def test_the_first_message_names_the_server_and_nothing_is_compressed() -> None:
    async with doorstep() as here, page(here.url, compression="deflate") as caller:
        connected = await caller.until("connected")

        assert connected["server"] == "parley/test"
        assert caller.socket.response is not None
        assert "Sec-WebSocket-Extensions" not in caller.socket.response.headers
        assert "Server" not in caller.socket.response.headers


@pytest.mark.parametrize("origin", [None, "http://localhost:3000", "http://127.0.0.1", "https://localhost"])
async def test_pages_of_this_machine_and_programs_are_let_in(origin: str | None) -> None:
    async with doorstep() as here, page(here.url, origin=origin) as caller:
        assert await caller.until("connected")


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost.evil.example", "file://", ""])
async def test_pages_from_elsewhere_are_refused_before_the_upgrade_in_one_line(origin: str) -> None:
    async with doorstep() as here:
        status, headers, body = await http(here.door.port, "/ws", f"Origin: {origin}", *UPGRADE)
        count = await here.count()

    assert status == 403
    assert body.decode() == "this page's origin is not in ALLOWED_ORIGINS"
    assert "retry-after" not in headers
    assert count == 0


async def test_two_origins_are_not_one_that_is_allowed() -> None:
    origins = Origins.parse(["https://shop.example"])
    async with doorstep(origins=origins) as here:
        said = ("Origin: https://shop.example", "Origin: https://shop.example")
        status, _, _ = await http(here.door.port, "/ws", *said, *UPGRADE)
        once, _, _ = await http(here.door.port, "/ws", said[0], "Upgrade: websocket")

    assert status == 403
    assert once == 426  # it is let in, as far as the door is concerned, and is no handshake


async def test_a_house_that_drains_sends_newcomers_away_and_keeps_listening() -> None:
    async with doorstep() as here:
        here.door.draining = True
        first = await refusal(here.url)
        second = await refusal(here.url)

    assert first == second
    assert (first[0], first[1]["Retry-After"], first[2]) == (503, "10", "restarting, come back")


async def test_who_was_let_in_while_the_drain_began_is_told_to_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    async with doorstep() as here:
        allowed = Origins.allowed

        def drains(origins: Origins, origin: str | None) -> bool:
            here.door.draining = True
            return allowed(origins, origin)

        monkeypatch.setattr(Origins, "allowed", drains)
        async with page(here.url) as caller:
            end = await caller.end()
        count = await here.count()

    assert end == (1012, "This server is restarting; please come back")
    assert count == 0


async def test_sockets_that_are_still_open_when_the_door_closes_are_told_so() -> None:
    async with doorstep() as here, page(here.url) as caller:
        await caller.until("connected")
        await here.door.close()

        assert await caller.end() == (1012, "This server is restarting; please come back")
        with pytest.raises(ConnectionRefusedError):
            await raw(here.door.port, b"")


async def test_a_door_that_has_no_time_to_close_waits_for_nobody() -> None:
    async with doorstep() as here, stranger(here) as (reader, _):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await here.door.close()
        async with asyncio.timeout(2):  # less than the patience that a closing socket has
            told = await reader.read()
            await here.emptied()

    assert told.endswith(b"This server is restarting; please come back")


async def test_more_sockets_than_the_house_could_use_are_sent_away() -> None:
    async with doorstep(max_calls=1, max_per_address=100) as here:
        opened = [await websockets.connect(here.url) for _ in range(door_module.SOCKETS_PER_CALL)]
        full = await refusal(here.url)
        await opened[0].close()
        await until(lambda: here.door._sockets < len(opened))
        async with page(here.url) as caller:
            assert await caller.until("connected")
        for socket in opened:
            await socket.close()

    assert (full[0], full[1]["Retry-After"], full[2]) == (503, "10", "full")


LOCAL = Proxies.parse(["127.0.0.1"])


async def test_too_many_from_one_address_are_sent_away_and_others_are_not(caplog: pytest.LogCaptureFixture) -> None:
    async with doorstep(max_per_address=2, proxies=LOCAL, max_calls=10) as here:
        mine = {"additional_headers": {"X-Forwarded-For": "198.51.100.7"}}
        yours = {"additional_headers": {"X-Forwarded-For": "198.51.100.8"}}
        async with page(here.url, **mine) as first:
            async with page(here.url, **mine), page(here.url, **yours) as other:
                refused = await refusal(here.url, **mine)
                await refusal(here.url, **mine)
                assert await other.until("connected")
            await until(lambda: here.door._sockets == 1)
            async with page(here.url, **mine) as again:
                assert await first.until("connected")
                assert await again.until("connected")
        await here.emptied()
        assert len(here.door._visitors) == 0

    assert (refused[0], refused[1]["Retry-After"], refused[2]) == (429, "10", "too many connections from your address")
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "198.51" not in caplog.text
    assert b'parley_quota_refusals_total{bucket="connections"} 2.0' in here.metrics.text()


async def test_callers_of_this_machine_are_not_counted() -> None:
    async with doorstep(max_per_address=1) as here, page(here.url), page(here.url) as second:
        assert await second.until("connected")


async def test_asking_for_pages_is_not_counted() -> None:
    async with doorstep(max_per_address=1, proxies=LOCAL) as here, page(here.url):
        assert (await http(here.door.port, "/health"))[0] == 200


@pytest.mark.parametrize(
    ("offered", "echoed"),
    [
        (["parley.v1"], "parley.v1"),
        (["other", "parley.v1"], "parley.v1"),
        (["parley.v1", "bearer.eyJ.a.b"], "parley.v1"),
        (["first", "second"], "first"),
        (["bearer.eyJ.a.b", "first"], "first"),
        (["bearer.eyJ.a.b"], None),
        (["Bearer.eyJ.a.b"], None),
        (None, None),
    ],
)
async def test_a_subprotocol_is_echoed_and_a_token_never(offered: list[Subprotocol] | None, echoed: str | None) -> None:
    async with doorstep() as here, page(here.url, subprotocols=offered) as caller:
        assert caller.socket.subprotocol == echoed


async def test_a_caller_whose_actor_cannot_be_started_is_closed_and_it_is_written_down(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with doorstep() as here:
        here.callers.tell(Dismiss())
        await until(here.callers.actor_stopped.is_set)
        async with page(here.url) as caller:
            code, reason = await caller.end()

    assert (code, reason) == (1011, "")
    assert [record.getMessage() for record in caplog.records] == ["connection handler failed"]


# ── strangers without manners ──


async def test_who_sends_no_header_or_half_of_them_is_hung_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door_module, "HANDSHAKE_PATIENCE", 0.05)
    async with doorstep() as here:
        answers = [await raw(here.door.port, said) for said in (b"", b"GET / HTTP/1.1\r\nHost: loc", b"G")]

    assert answers == [b"", b"", b""]


async def test_who_has_their_page_and_stays_is_hung_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door_module, "HANDSHAKE_PATIENCE", 0.05)
    async with doorstep() as here:
        before = asyncio.all_tasks()
        reader, writer = await asyncio.open_connection("127.0.0.1", here.door.port)
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        answer = await reader.read()
        await until(lambda: not asyncio.all_tasks() - before)
        writer.close()

    assert answer.endswith(b"</html>\n")


def test_a_handshake_has_five_seconds() -> None:
    assert door_module.HANDSHAKE_PATIENCE == 5.0


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", id="TLS"),
        pytest.param(b"GET / HTTP/3\r\n\r\n", id="another protocol"),
        pytest.param(b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello", id="a body"),
        pytest.param(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", id="a body in chunks"),
        pytest.param(b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n", id="a long path"),
        pytest.param(b"GET / HTTP/1.1\r\n" + b"x: y\r\n" * 500 + b"\r\n", id="500 headers"),
        pytest.param(b"GET /\xff HTTP/1.1\r\n\r\n", id="a path that is no ASCII"),
        pytest.param(b"\r\n" * 100, id="empty lines"),
    ],
)
async def test_what_is_no_request_is_hung_up_on_and_the_next_one_is_answered(
    said: bytes, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door_module, "HANDSHAKE_PATIENCE", 0.5)
    async with doorstep() as here:
        answer = await raw(here.door.port, said)
        health = await http(here.door.port, "/health")

    assert answer == b"" or answer.startswith(b"HTTP/1.1 4")
    assert health[0] == 200
    assert caplog.records == []


# ── TLS ──


def certificates(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """What the door needs, and what a browser does that trusts it."""
    authority = trustme.CA()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", "127.0.0.1").configure_cert(server)
    client = ssl.create_default_context()
    authority.configure_trust(client)
    return server, client


async def test_a_door_with_a_certificate_speaks_https_and_wss(tmp_path: Path) -> None:
    server, client = certificates(tmp_path)
    async with doorstep(tls=server) as here:
        reader, writer = await asyncio.open_connection("localhost", here.door.port, ssl=client)
        writer.write(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        answer = await reader.read()
        writer.close()
        async with page(f"wss://localhost:{here.door.port}", ssl=client) as caller:
            await caller.begin(audio="binary")
            answered = await caller.is_answered()
        await here.emptied()

    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert answered


async def test_plain_words_at_a_door_with_a_certificate_are_not_answered(tmp_path: Path) -> None:
    server, _ = certificates(tmp_path)
    async with doorstep(tls=server) as here:
        answer = await raw(here.door.port, b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")

    assert not answer.startswith(b"HTTP/")
