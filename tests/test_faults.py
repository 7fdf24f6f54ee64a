"""Every way in which the model's side can fail, provoked over TLS with the real SDK wherever that can be done."""

from __future__ import annotations

import asyncio
import logging
import ssl
from http import HTTPStatus

import pytest
from google.genai.errors import APIError
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosedError
from websockets.frames import Close
from websockets.http11 import Response

from actors import errors
from actors.errors import GatewayError, Kind
from actors.live.faults import CLOSES, CONVERSIONS, LONGEST_WAIT, STATUSES, Row, classify, garbled
from actors.live.gemini import MAX_SIZE, Gemini
from actors.live.line import Patience
from actors.messages import Garbled, Lost, Opened, Said
from tests.scripted_upstream import (
    OPENING,
    QUICK,
    SETUP_COMPLETE,
    Owner,
    Upstream,
    black_hole,
    closes,
    refusal,
    scripted,
    sends,
    set_up,
    silent,
)

GOOD = b'{"serverContent":{"outputTranscription":{"text":"still here"}}}'
REASONS: list[tuple[int, str, Kind | None, str]] = [
    # close code, reason as the service sends it, kind (None: as the phase is), our words
    (1000, "", None, "closed in order"),
    (1001, "", None, "going away"),
    (1007, "Request contains an invalid argument.", errors.REFUSED, "invalid request"),
    (1007, "API key not valid. Please pass a valid API key.", errors.KEY_INVALID, "key not valid"),
    (1007, "API key expired. Please renew the API key.", errors.KEY_EXPIRED, "key expired"),
    (1007, "User location is not supported for the API us", errors.REFUSED, "this location is not served"),
    (1007, "Cannot extract voices from a non-audio request.", errors.REFUSED, "no modality but audio is allowed"),
    (1007, "Invalid resource field value in the request.", errors.REFUSED, "model path of another backend"),
    (1007, "realtime_input.media_chunks is deprecated", errors.REFUSED, "a kind of input that is no longer taken"),
    (1007, "the system instruction has 94 tokens, user", errors.REFUSED, "the context is too long"),
    (1008, "models/x is not found for API version v1alpha", errors.NO_SUCH_MODEL, "no such model in this api version"),
    (1008, "Operation is not implemented, or supported, or", None, "operation not enabled"),
    (1008, "The operation was aborted.", None, "operation aborted"),
    (1008, "Requested entity was not found", None, "unknown handle or call"),
    (1008, "Method doesn't allow unregistered callers", errors.KEY_INVALID, "no key was recognised"),
    (1008, "something new", None, "policy"),
    (1011, "Internal error encountered.", None, "internal error"),
    (1011, "The service is currently unavailable.", errors.OVERLOADED, "unavailable"),
    (1011, "x extensible_stubs::OVERLOADED_TOO_MANY_RETRIES_PER_REQUEST: You", errors.OVERLOADED, "overloaded"),
    (1011, "Deadline expired before operation could complete.", None, "the connection reached its age"),
    (1011, "Request trace id: 5f, [ORIGINAL ERROR] RESOURCE_EXHAUSTED: Max", errors.UPSTREAM_QUOTA, "out of quota"),
    (1011, "Your project has exceeded its monthly spending cap.", errors.UPSTREAM_QUOTA, "spending cap reached"),
    (1011, "You exceeded your current quota, please check", errors.UPSTREAM_QUOTA, "out of quota"),
    (1011, "Failed to run inference for model: go/debugonly", None, "inference failed"),
    (1011, "Thread was cancelled when writing StartStep", None, "closed while it was written to"),
    (1012, "", None, "restarting"),
    (1013, "", errors.OVERLOADED, "try again later"),
    (4000, "whatever", None, "closed"),
]


async def lost(upstream: Upstream, gemini: Gemini | None = None) -> GatewayError:
    """Dial, and tell what became of it."""
    owner = Owner()
    (gemini or upstream.gemini()).dial(OPENING, 1, owner)
    return (await owner.until(Lost)).error


@pytest.mark.parametrize(("code", "reason", "kind", "words"), REASONS)
async def test_a_close_in_a_call_is_known_by_code_and_reason(
    code: int, reason: str, kind: Kind | None, words: str
) -> None:
    async with scripted(closes(code, reason)) as upstream:
        error = await lost(upstream)

    assert error.kind is (kind or errors.LINK_LOST)
    assert error.detail == f"{code} {words}"


@pytest.mark.parametrize(("code", "reason", "kind", "words"), {reason[0]: reason for reason in REASONS}.values())
async def test_a_close_before_the_setup_is_complete_is_a_failed_dial(
    code: int, reason: str, kind: Kind | None, words: str
) -> None:
    async with scripted(closes(code, reason, first=None)) as upstream:
        error = await lost(upstream)

    assert error.kind is (kind or errors.DIAL_FAILED)
    assert error.detail == f"{code} {words}"


@pytest.mark.parametrize(("first", "kind"), [(SETUP_COMPLETE, errors.LINK_LOST), (None, errors.DIAL_FAILED)])
async def test_a_connection_torn_off_is_1006(first: bytes | None, kind: Kind) -> None:
    async def script(ws: ServerConnection) -> None:
        if first is not None:
            await ws.send(first)
        ws.transport.abort()

    async with scripted(script) as upstream:
        error = await lost(upstream)

    assert error.kind is kind
    assert error.detail == "1006 gone without a goodbye"


BAD_KEY = '{"error":{"code":400,"message":"API key not valid. Please pass a valid API key."}}'


@pytest.mark.parametrize(
    ("refuse", "kind", "detail"),
    [
        (refusal(HTTPStatus.BAD_REQUEST), errors.REFUSED, "http 400 bad request"),
        (refusal(HTTPStatus.BAD_REQUEST, BAD_KEY), errors.KEY_INVALID, "http 400 key not valid"),
        (refusal(HTTPStatus.UNAUTHORIZED), errors.KEY_INVALID, "http 401 not authorised"),
        (refusal(HTTPStatus.FORBIDDEN), errors.KEY_INVALID, "http 403 forbidden"),
        (refusal(HTTPStatus.NOT_FOUND), errors.REFUSED, "http 404 no such path or api version"),
        (refusal(HTTPStatus.TOO_MANY_REQUESTS), errors.UPSTREAM_QUOTA, "http 429 too many requests"),
        (refusal(HTTPStatus.BAD_GATEWAY), errors.OVERLOADED, "http 502 bad gateway"),
        (refusal(HTTPStatus.SERVICE_UNAVAILABLE), errors.OVERLOADED, "http 503 unavailable"),
        (refusal(HTTPStatus.INTERNAL_SERVER_ERROR), errors.DIAL_FAILED, "http 500 refused"),
        (refusal(HTTPStatus.OK), errors.DIAL_FAILED, "http 200 refused"),
    ],
)
async def test_an_upgrade_refused_is_known_by_its_status(refuse: Response, kind: Kind, detail: str) -> None:
    async with scripted(refuse=refuse) as upstream:
        error = await lost(upstream)

    assert (error.kind, error.detail, error.retry_after) == (kind, detail, None)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7.0), ("9" * 400, LONGEST_WAIT), ("Fri, 31 Dec 2027 23:59:59 GMT", None), ("-1", None)],
)
async def test_when_to_try_again_is_taken_from_the_refusal(header: str, seconds: float | None) -> None:
    async with scripted(refuse=refusal(HTTPStatus.TOO_MANY_REQUESTS, Retry_After=header)) as upstream:
        error = await lost(upstream)

    assert error.retry_after == seconds


SHORT = Patience(open=0.1, setup=5.0)


async def test_a_black_hole_is_given_up_after_the_time_to_open() -> None:
    async with black_hole() as upstream:
        error = await lost(upstream, upstream.gemini(SHORT))

    assert error.kind is errors.DIAL_TIMEOUT


async def test_an_upgrade_never_answered_is_given_up_after_the_time_to_open() -> None:
    async with scripted(mute=True) as upstream:
        error = await lost(upstream, upstream.gemini(Patience(open=0.3, setup=5.0)))

    assert error.kind is errors.DIAL_TIMEOUT
    assert len(upstream.requests) == 1


async def test_a_setup_never_completed_is_given_up_after_the_time_for_all_of_it() -> None:
    async with scripted(silent) as upstream:
        error = await lost(upstream, upstream.gemini(Patience(open=5.0, setup=0.3)))
        await upstream.over.wait()

    assert error.kind is errors.DIAL_TIMEOUT
    assert len(upstream.frames) == 1


@pytest.mark.parametrize(
    "first",
    [
        b'{"sessionResumptionUpdate":{"newHandle":"h","resumable":true}}',
        b'{"serverContent":{}}',
        b'{"error":{"code":400,"message":"no"}}',
        b"{}",
        b"",
    ],
)
async def test_a_first_message_that_is_not_setup_complete_is_no_session(first: bytes) -> None:
    async with scripted(closes(1000, first=first)) as upstream:
        error = await lost(upstream)

    assert error.kind is errors.DIAL_FAILED
    assert error.detail == "the first message was not setupComplete"


@pytest.mark.parametrize(
    ("first", "words"),
    [
        (b"{", "not JSON"),
        (b"\xff{}", "text that is not UTF-8"),
        (b'{"setupComplete":5}', "a value of the wrong type"),
        (b"[" * 100_000, "nested too deeply"),
    ],
)
async def test_a_first_message_that_cannot_be_read_is_no_session(first: bytes, words: str) -> None:
    async with scripted(closes(1000, first=first)) as upstream:
        error = await lost(upstream)

    assert error.kind is errors.DIAL_FAILED
    assert error.detail == f"the first message was {words}"


GARBAGE = [
    (b"{", "not JSON"),
    (b'{"serverContent":{"turnComplete":tru', "not JSON"),
    (b'{"\xff":1}', "text that is not UTF-8"),
    (b"5", "no message that is known"),
    (b"[1]", "not an object"),
    (b'"text"', "not an object"),
    (b'{"brandNew":{}}', "no message that is known"),
    (b'{"server_content":{}}', "no message that is known"),
    (b'{"error":{"code":400,"message":"secret"}}', "no message that is known"),
    (b'{"code":503,"message":"secret"}', "an error object"),
    (b'{"serverContent":NaN}', "a value of the wrong type"),
    (b'{"serverContent":{"turnComplete":"secret"}}', "a value of the wrong type"),
    (b'{"toolCall":[1]}', "a value of the wrong type"),
    (b'{"voiceActivity":5}', "no message that is known"),
    (
        b'{"serverContent":{"modelTurn":{"parts":[{"inlineData":{"mimeType":"audio/pcm","data":"!!"}}]}}}',
        "a value of the wrong type",
    ),
    (b"[" * 100_000, "nested too deeply"),
]


@pytest.mark.parametrize(("frame", "words"), GARBAGE)
async def test_garbage_costs_one_frame_and_not_the_session(frame: bytes, words: str) -> None:
    owner = Owner()
    async with scripted(sends(frame, GOOD)) as upstream:
        line = upstream.gemini().dial(OPENING, 1, owner)
        await owner.until(Said)
        line.abort()

    assert owner.mail[1:] == [Garbled(1, words), Said(1, "still here")]


@pytest.mark.parametrize("frame", [b"{}", b"", b"null", b'{"serverContent":{}}', b'{"setupComplete":{}}', b"[]"])
async def test_an_empty_message_is_no_garbage(frame: bytes) -> None:
    owner = Owner()
    async with scripted(sends(frame, GOOD)) as upstream:
        line = upstream.gemini().dial(OPENING, 1, owner)
        await owner.until(Said)
        line.abort()

    assert owner.mail[1:] == [Said(1, "still here")]


async def test_text_frames_fragments_and_pings_are_all_the_same_to_the_reader() -> None:
    async def script(ws: ServerConnection) -> None:
        await ws.send(SETUP_COMPLETE)
        await ws.send(GOOD.decode())
        await ws.send([GOOD[:10], GOOD[10:20], GOOD[20:]])
        await (await ws.ping())
        await ws.send(b"\xff", text=True)
        await ws.send(GOOD)

    owner = Owner()
    async with scripted(script) as upstream:
        line = upstream.gemini().dial(OPENING, 1, owner)
        await owner.until(Said, 3)
        line.abort()

    assert owner.heard(Garbled) == [Garbled(1, "text that is not UTF-8")]


async def test_a_message_beyond_the_largest_size_ends_the_session_and_is_known_as_ours() -> None:
    async with scripted(sends(bytes(MAX_SIZE + 1))) as upstream:
        error = await lost(upstream)

    assert error.kind is errors.LINK_LOST
    assert error.detail == "1009 closed by us: a message beyond max_size"


async def test_a_port_where_nobody_listens_is_a_failed_dial() -> None:
    async with black_hole() as upstream:
        gemini = upstream.gemini()

    error = await lost(upstream, gemini)

    assert error.kind is errors.DIAL_FAILED
    assert error.detail.startswith("no connection: ")


async def test_a_certificate_signed_by_a_stranger_is_refused() -> None:
    async with scripted() as upstream:
        error = await lost(upstream, Gemini(SecretStr("k"), base_url=upstream.url, patience=QUICK))

    assert error.kind is errors.REFUSED
    assert "certificate" in error.detail
    assert upstream.requests == []


async def test_a_mistake_of_our_own_is_told_and_shown_to_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[BaseException] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: shown.append(context["exception"]))
    monkeypatch.setattr("actors.live.line.plain_speech", lambda frame: {}["nowhere"])

    async with scripted(sends(GOOD)) as upstream:
        error = await lost(upstream)

    assert (error.kind, error.detail) == (errors.OUR_FAULT, "KeyError")
    assert [type(mistake) for mistake in shown] == [KeyError]


async def test_no_fault_and_no_log_holds_what_the_upstream_said(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    owner = Owner()
    async with scripted(closes(1011, "the caller said: my secret")) as upstream:
        upstream.gemini().dial(OPENING, 1, owner)
        error = (await owner.until(Lost)).error

    assert "secret" not in str(error)
    assert "secret" not in repr(owner.mail)


NO_PONG = ConnectionClosedError(None, Close(1011, "keepalive ping timeout"))


# Faults that a healthy peer cannot be made to show.
@pytest.mark.parametrize(
    ("error", "during_setup", "kind", "detail"),
    [
        (NO_PONG, False, errors.LINK_LOST, "1011 closed by us: no answer to a keepalive ping"),
        (ConnectionClosedError(None, Close(1002, "")), False, errors.LINK_LOST, "1006 gone without a goodbye"),
        (APIError(1011, "secret", None), True, errors.OUR_FAULT, "APIError"),
        (ssl.SSLError("alert"), True, errors.DIAL_FAILED, "no connection: SSLError"),
        (ConnectionResetError(), False, errors.LINK_LOST, "no connection: ConnectionResetError"),
        (TimeoutError(), False, errors.LINK_LOST, "no connection: TimeoutError"),
        (ValueError("secret"), False, errors.OUR_FAULT, "ValueError"),
        (RuntimeError("secret"), True, errors.OUR_FAULT, "RuntimeError"),
    ],
)
def test_the_rest_is_known_by_class(error: Exception, during_setup: bool, kind: Kind, detail: str) -> None:
    fault = classify(error, during_setup=during_setup)

    assert fault.kind is kind
    assert fault.detail.startswith(detail)
    assert "secret" not in str(fault)


def test_whose_doing_a_1006_was_is_looked_for_behind_the_sdks_error() -> None:
    error = APIError(1006, "Abnormal closure.", None)
    error.__context__ = NO_PONG

    assert classify(error, during_setup=True).detail.startswith("1011 closed by us")


def test_an_error_in_our_words_stays_as_it_is() -> None:
    error = GatewayError(errors.REFUSED, "so")

    assert classify(error, during_setup=True) is error


@given(st.integers(1000, 4999), st.text(max_size=123), st.booleans())
def test_every_close_has_a_meaning_and_none_repeats_the_reason(code: int, reason: str, during_setup: bool) -> None:
    fault = classify(ConnectionClosedError(Close(code, reason), None), during_setup=during_setup)

    assert fault.detail in {f"{code} {row.what}" for row in CLOSES}


@pytest.mark.parametrize("row", CLOSES)
def test_no_row_is_hidden_by_an_earlier_one(row: Row) -> None:
    earlier = CLOSES[: CLOSES.index(row)]

    assert row.mark == row.mark.lower()
    assert not [other for other in earlier if other.code in (None, row.code) and other.mark in row.mark]


def test_every_status_refuses_for_a_reason() -> None:
    assert all(400 <= status < 600 for status in STATUSES)


def test_a_mistake_in_a_frame_is_named_by_its_narrowest_class() -> None:
    for place, (error, _) in enumerate(CONVERSIONS):
        assert not [other for other, _ in CONVERSIONS[:place] if issubclass(error, other)]

    assert garbled(UnicodeDecodeError("utf-8", b"", 0, 1, "")) == "text that is not UTF-8"


async def test_a_lost_session_is_told_once_and_last() -> None:
    owner = Owner()
    async with scripted(closes(1011)) as upstream:
        upstream.gemini().dial(OPENING, 1, owner)
        await owner.until(Lost)
        await upstream.over.wait()

    assert [type(message) for message in owner.mail] == [Opened, Lost]


async def test_dialling_works_again_after_a_loss() -> None:
    async with scripted(set_up) as upstream:
        gemini = upstream.gemini()
        first, second = Owner(), Owner()
        gemini.dial(OPENING, 1, first).abort()
        line = gemini.dial(OPENING, 2, second)
        await second.until(Opened)
        line.abort()

    assert first.mail == []
