"""What of the SDK this house leans on is there, and is used so that both come to the same."""

from __future__ import annotations

import asyncio
import inspect
import json
import logging
from typing import Any

import pybase64
import pytest
from google.genai import Client, types
from google.genai.live import AsyncLive, AsyncSession
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.connection import Connection
from websockets.client import ClientProtocol

from actors.link_port import Line, Upstream
from actors.live import profiles
from actors.live.audio_frames import audio_frame, plain_speech
from actors.live.faults import UNREADABLE
from actors.live.gemini import Converter, Gemini, _at_once, _Frame, setup
from actors.live.line import GeminiLine
from actors.messages import Image, MicrophonePaused, Opened, Opening, Speech, Text, TurnEnded, Usage
from tests.scripted_upstream import KEY, OPENING, Owner, scripted

GEMINI = Gemini(SecretStr("k"))
CONVERTER = GEMINI._converter
NEWEST = profiles.NEWEST
NATIVE = profiles.find("gemini-2.5-flash-native-audio-latest") or NEWEST
V3_1 = profiles.find("gemini-3.1-flash-live-preview") or NEWEST


# ── the installed SDK, and the WebSocket under it ────────────────────────────────────────────────


def test_the_sdk_still_has_what_is_leant_on() -> None:
    assert list(inspect.signature(AsyncSession.__init__).parameters)[1:3] == ["api_client", "websocket"]
    assert list(inspect.signature(AsyncSession._receive).parameters) == ["self"]
    assert {"model", "config"} <= inspect.signature(AsyncLive.connect).parameters.keys()
    assert {"audio", "video", "text", "audio_stream_end"} <= inspect.signature(
        AsyncSession.send_realtime_input
    ).parameters.keys()
    assert {"turns", "turn_complete"} <= inspect.signature(AsyncSession.send_client_content).parameters.keys()


def test_a_session_of_the_sdk_keeps_its_socket_where_it_is_looked_for() -> None:
    frame: Any = _Frame()
    session = AsyncSession(api_client=Client(api_key="k")._api_client, websocket=frame)

    assert session._ws is frame
    assert session.setup_complete is None


def test_the_websocket_still_has_what_is_leant_on() -> None:
    arguments = inspect.signature(connect.__init__).parameters
    handed_on = GEMINI._client._api_client._websocket_ssl_ctx

    assert handed_on.keys() - {"ssl"} <= arguments.keys()
    assert {"create_connection", "compression", "ping_interval", "open_timeout", "close_timeout"} <= handed_on.keys()
    assert {"max_size", "max_queue", "write_limit", "proxy", "logger", "ssl"} <= handed_on.keys()
    assert list(inspect.signature(ClientProtocol.send_text).parameters) == ["self", "data", "fin"]
    assert not inspect.iscoroutinefunction(Connection.send_data)
    assert not inspect.iscoroutinefunction(ClientProtocol.send_close)
    assert list(inspect.signature(ClientConnection.handshake).parameters) == [
        "self",
        "additional_headers",
        "user_agent_header",
    ]
    assert {"pause_writing", "resume_writing", "connection_made", "connection_lost"} <= vars(Connection).keys()


def test_gemini_is_the_port_that_a_link_knows() -> None:
    for port, ours in ((Upstream, Gemini), (Line, GeminiLine)):
        for name in (name for name in vars(port) if not name.startswith("_")):
            there, here = inspect.signature(getattr(port, name)), inspect.signature(getattr(ours, name))

            assert list(there.parameters) == list(here.parameters)


def test_the_environment_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", "https://elsewhere.test")
    monkeypatch.setenv("GOOGLE_GENAI_USE_VERTEXAI", "true")
    monkeypatch.setenv("GOOGLE_GENAI_API_VERSION", "v9")
    monkeypatch.setenv("GOOGLE_API_KEY", "another")
    api = Gemini(SecretStr("k"))._client._api_client

    assert api._websocket_base_url() == "wss://generativelanguage.googleapis.com"
    assert (api.vertexai, api._http_options.api_version, api.api_key) == (False, "v1beta", "k")


def test_a_coroutine_that_waits_is_a_mistake_of_ours() -> None:
    async def waits() -> None:
        await asyncio.sleep(0)

    with pytest.raises(RuntimeError, match="expected one that runs through"):
        _at_once(waits())

    assert not issubclass(RuntimeError, UNREADABLE)


# ── the same both ways ───────────────────────────────────────────────────────────────────────────


def sent(message: Image | Text | MicrophonePaused, profile: profiles.Profile = NEWEST) -> dict[str, Any]:
    frame: dict[str, Any] = json.loads(CONVERTER.client_message(message, profile))
    return frame


@settings(deadline=None)  # the SDK's first conversions are slow
@given(st.binary(max_size=4_000))
def test_sound_is_sent_as_the_sdk_would_send_it_but_for_the_alphabet(pcm: bytes) -> None:
    stand_in: Any = _Frame()
    session = AsyncSession(api_client=GEMINI._client._api_client, websocket=stand_in)
    _at_once(session.send_realtime_input(audio=types.Blob(data=pcm, mime_type="audio/pcm;rate=16000")))
    by_hand = audio_frame(pcm).decode()

    assert by_hand.replace("+", "-").replace("/", "_") == stand_in.sent.replace(" ", "").replace("/", "_")


@pytest.mark.parametrize("encode", [pybase64.b64encode, pybase64.urlsafe_b64encode])
def test_sound_is_heard_as_the_sdk_hears_it(encode: Any) -> None:
    pcm = bytes(range(256)) * 45
    blob = {"mimeType": "audio/pcm;rate=24000", "data": encode(pcm).decode()}
    frame = json.dumps({"serverContent": {"modelTurn": {"parts": [{"inlineData": blob}]}}}).encode()

    assert plain_speech(frame) == [pcm]
    assert CONVERTER.server_message(frame, 1) == (Speech(1, pcm),)


def test_the_rest_is_sent_by_the_sdk() -> None:
    assert sent(MicrophonePaused()) == {"realtime_input": {"audioStreamEnd": True}}
    assert sent(Image(b"\xfb\xff", "image/jpeg")) == {
        "realtime_input": {"video": {"data": "-_8=", "mime_type": "image/jpeg"}}
    }


@pytest.mark.parametrize("profile", [NATIVE, NEWEST])
def test_typed_text_is_a_whole_turn(profile: profiles.Profile) -> None:
    assert sent(Text("hello é"), profile) == {
        "client_content": {"turns": [{"parts": [{"text": "hello é"}], "role": "user"}], "turnComplete": True}
    }


def test_typed_text_is_realtime_input_where_nothing_else_is_taken() -> None:
    assert sent(Text("hello"), V3_1) == {"realtime_input": {"text": "hello"}}


def test_both_spellings_of_the_usage_are_counted() -> None:
    """Vertex says candidates where the Developer API says response; the SDK knows which it is talking to."""
    details = [{"modality": "AUDIO", "tokenCount": 50}]
    vertex = Converter(Client(vertexai=True, api_key="k"))
    theirs = {"usageMetadata": {"candidatesTokenCount": 61, "candidatesTokensDetails": details}}
    ours = {"usageMetadata": {"responseTokenCount": 61, "responseTokensDetails": details}}
    counted = (Usage(1, {}, {"audio": 50, "unspecified": 11}),)

    assert vertex.server_message(json.dumps(theirs).encode(), 1) == counted
    assert CONVERTER.server_message(json.dumps(ours).encode(), 1) == counted


def test_a_turn_and_its_usage_come_from_one_frame() -> None:
    frame = b'{"serverContent":{"turnComplete":true},"usageMetadata":{"promptTokenCount":5}}'

    assert CONVERTER.server_message(frame, 1) == (Usage(1, {"unspecified": 5}, {}), TurnEnded(1))


TOP = ["serverContent", "setupComplete", "toolCall", "usageMetadata", "goAway", "voiceActivity", "code", "error", "new"]
INNER = ["functionCalls", "sessionResumptionUpdate", "modelTurn", "parts", "text", "promptTokensDetails", "type"]
KEYS = st.sampled_from([*TOP, *INNER])
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
SHAPES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4))


@pytest.mark.filterwarnings("ignore:.*is not a valid")
@settings(deadline=None)  # the SDK's first conversions are slow
@given(SHAPES | st.dictionaries(KEYS, SHAPES, max_size=4))
def test_no_json_at_all_gets_past_the_list_of_what_conversions_raise(shape: Any) -> None:
    CONVERTER.server_message(json.dumps(shape).encode(), 1)


@settings(deadline=None)  # the SDK's first conversions are slow
@given(st.binary(max_size=200))
def test_no_bytes_at_all_get_past_the_list_of_what_conversions_raise(frame: bytes) -> None:
    CONVERTER.server_message(frame, 1)


# ── the first message of a session ───────────────────────────────────────────────────────────────


async def setup_of(opening: Opening) -> dict[str, Any]:
    owner = Owner()
    async with scripted() as upstream:
        line = upstream.gemini().dial(opening, 1, owner)
        await owner.until(Opened)
        line.abort()
    request = upstream.requests[0]
    assert request.path == "/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent"
    assert request.headers["x-goog-api-key"] == KEY
    assert "Sec-WebSocket-Extensions" not in request.headers
    frame: dict[str, Any] = upstream.frames[0]
    return frame


async def test_a_session_is_set_up_with_all_that_a_call_needs() -> None:
    assert await setup_of(OPENING) == {
        "setup": {
            "model": "models/gemini-3.8-live",
            "generationConfig": {
                "responseModalities": ["AUDIO"],
                "speechConfig": {
                    "voice_config": {"prebuilt_voice_config": {"voice_name": "Puck"}},
                    "language_code": "en-US",
                },
            },
            "systemInstruction": {"parts": [{"text": "Be brief."}], "role": "user"},
            "sessionResumption": {},
            "inputAudioTranscription": {},
            "outputAudioTranscription": {},
            "contextWindowCompression": {"trigger_tokens": 25_000, "sliding_window": {"target_tokens": 8_000}},
        }
    }


async def test_a_session_is_resumed_with_its_handle() -> None:
    opening = Opening("c", "gemini-3.8-live", "Kore", "de-DE", "", handle="h1")
    setup = (await setup_of(opening))["setup"]

    assert setup["sessionResumption"] == {"handle": "h1"}
    assert "systemInstruction" not in setup


@pytest.mark.parametrize(
    ("instruction", "text"),
    [("Be brief.", f"Be brief.\n\n{profiles.speak('de-DE')}"), ("", profiles.speak("de-DE"))],
)
def test_native_audio_is_asked_for_its_language_in_words(instruction: str, text: str) -> None:
    config = setup(Opening("c", "m", "Kore", "de-DE", instruction), NATIVE)

    assert config.speech_config is not None
    assert config.speech_config.language_code is None
    assert config.system_instruction == text


async def test_all_sessions_share_one_tls_context() -> None:
    owner = Owner()
    async with scripted() as upstream:
        gemini = upstream.gemini()
        lines = [gemini.dial(OPENING, session, owner) for session in (1, 2)]
        await owner.until(Opened, 2)
        contexts = {line._socket.transport.get_extra_info("sslcontext") for line in lines if line._socket}
        for line in lines:
            line.abort()

    assert len(contexts) == 1


async def test_a_base_url_with_a_slash_at_its_end_gives_one_slash() -> None:
    owner = Owner()
    async with scripted() as upstream:
        line = upstream.gemini(url=f"{upstream.url}/tenant/").dial(OPENING, 1, owner)
        await owner.until(Opened)
        line.abort()

    assert upstream.requests[0].path.startswith("/tenant/ws/")


async def test_an_unknown_model_is_treated_as_the_newest_and_warned_of_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    gemini = Gemini(SecretStr("k"))
    for session in range(2):
        gemini.dial(Opening("c", "gemini-9-live", "Puck", "en-US", ""), session, Owner()).abort()

    assert caplog.messages == ["! no profile for model gemini-9-live: treated as gemini-3.8-live"]
