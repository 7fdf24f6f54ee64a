"""The emulator as google-genai sees it: the real SDK over TLS."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest
from google import genai
from google.genai import errors, types
from google.genai.live import AsyncSession

from actors.live.emulator.options import Options
from actors.live.emulator.server import Emulator
from tests.emulator_caller import silence, tone
from tests.emulator_listening import PATIENCE, listening, trusting

NEW, OLD = "gemini-3.8-live", "gemini-2.5-flash-native-audio-preview-09-2025"
CONFIG: dict[str, Any] = {
    "response_modalities": ["AUDIO"],
    "input_audio_transcription": {},
    "output_audio_transcription": {},
}


@pytest.fixture
async def emulator() -> AsyncIterator[Emulator]:
    async with listening() as emulator:
        yield emulator


@pytest.fixture
async def faithful() -> AsyncIterator[Emulator]:
    """At the pace of the service: an answer lasts as long as its sound."""
    async with listening(Options(answer_delay=0.0)) as emulator:
        yield emulator


def client(emulator: Emulator, *, version: str = "v1beta", base_url: str | None = None) -> genai.Client:
    options = types.HttpOptions(
        base_url=base_url or emulator.url, api_version=version, async_client_args={"ssl": trusting(emulator)}
    )
    return genai.Client(api_key="any-word", http_options=options)


async def speak(session: AsyncSession, pcm: bytes) -> None:
    for start in range(0, len(pcm), 640):
        blob = types.Blob(data=pcm[start : start + 640], mime_type="audio/pcm;rate=16000")
        await session.send_realtime_input(audio=blob)


async def turn(session: AsyncSession) -> list[types.LiveServerMessage]:
    async with asyncio.timeout(PATIENCE):
        return [message async for message in session.receive()]


async def until(session: AsyncSession, field: str) -> types.LiveServerMessage:
    """The next message with this field set, or with it in its content."""
    async with asyncio.timeout(PATIENCE):
        while True:
            async for message in session.receive():
                if getattr(message, field, None) or getattr(message.server_content, field, None):
                    return message


def said(messages: list[types.LiveServerMessage]) -> str:
    contents = [message.server_content for message in messages if message.server_content]
    return "".join(
        content.output_transcription.text or "" for content in contents if content and content.output_transcription
    )


def sound(messages: list[types.LiveServerMessage]) -> bytes:
    return b"".join(message.data or b"" for message in messages)


@pytest.mark.parametrize("model", [OLD, NEW])
async def test_a_spoken_turn(emulator: Emulator, model: str) -> None:
    async with client(emulator).aio.live.connect(model=model, config=CONFIG) as session:
        await speak(session, tone(1) + silence(1))
        messages = await turn(session)

    usage = messages[-1].usage_metadata
    assert session.setup_complete is not None
    assert said(messages) == "You said 1.0 seconds of speech."
    assert len(sound(messages)) == pytest.approx(48_000 * 1.2, abs=2_000)
    assert usage is not None and usage.response_token_count == 30


@pytest.mark.parametrize("model", [OLD, NEW])
async def test_typed_turns_one_after_the_other(emulator: Emulator, model: str) -> None:
    async with client(emulator).aio.live.connect(model=model, config=CONFIG) as session:
        await session.send_client_content(turns=types.Content(role="user", parts=[types.Part(text="grüß dich")]))
        first = await turn(session)
        await session.send_realtime_input(text="and good night")
        second = await turn(session)

    assert said(first) == 'You wrote "grüß dich".'
    assert said(second) == 'You wrote "and good night".'
    assert sound(first) and sound(second)


async def test_an_interruption(faithful: Emulator) -> None:
    async with client(faithful).aio.live.connect(model=NEW, config=CONFIG) as session:
        await speak(session, tone(5) + silence(0.9))
        await until(session, "output_transcription")
        await speak(session, tone(0.2))
        interrupted = await until(session, "interrupted")
        end = await turn(session)

    assert interrupted.server_content is not None
    assert [message.server_content.turn_complete for message in end if message.server_content] == [True]
    assert faithful.calls[-1].said["generationComplete"] == 0


@pytest.mark.parametrize(
    ("model", "config", "code", "reason"),
    [
        ("gemini-9-live", {}, 1008, "models/gemini-9-live is not found for API version v1beta"),
        (NEW, {"thinking_config": {"thinking_budget": 0}}, 1007, "Request contains an invalid argument."),
        (NEW, {"proactivity": {"proactive_audio": False}}, 1007, "Request contains an invalid argument."),
        (OLD, {"session_resumption": {"handle": "lost"}}, 1008, "Requested entity was not found."),
    ],
)
async def test_a_setup_that_is_refused(
    emulator: Emulator, model: str, config: dict[str, Any], code: int, reason: str
) -> None:
    with pytest.raises(errors.APIError) as refused:
        async with client(emulator).aio.live.connect(model=model, config=CONFIG | config):
            raise AssertionError("the setup was not refused")

    assert refused.value.code == code
    assert reason in str(refused.value)


async def test_a_resumption(emulator: Emulator) -> None:
    live = client(emulator).aio.live
    async with live.connect(model=NEW, config=CONFIG | {"session_resumption": {}}) as session:
        await session.send_realtime_input(text="remember me")
        first = (await turn(session))[-1].usage_metadata
        update = (await until(session, "session_resumption_update")).session_resumption_update
        assert update is not None and update.resumable and update.new_handle
        resumed = CONFIG | {"session_resumption": {"handle": update.new_handle}}

        with pytest.raises(errors.APIError) as refused:
            async with live.connect(model=NEW, config=resumed):
                raise AssertionError("the old socket is still open")

    async with live.connect(model=NEW, config=resumed) as session:
        await session.send_realtime_input(text="do you")
        second = (await turn(session))[-1].usage_metadata

    assert refused.value.code == 1011
    assert first is not None and second is not None
    assert (second.prompt_token_count or 0) > (first.total_token_count or 0)


async def test_everything_the_sdk_can_put_into_a_setup_is_understood(emulator: Emulator) -> None:
    tool = types.FunctionDeclaration(
        name="weather", parameters=types.Schema(type=types.Type.OBJECT, properties={"city": types.Schema(min_length=1)})
    )
    config = types.LiveConnectConfig(
        response_modalities=[types.Modality.AUDIO],
        temperature=0.5,
        top_k=40,
        top_p=0.9,
        max_output_tokens=100,
        seed=1,
        media_resolution=types.MediaResolution.MEDIA_RESOLUTION_LOW,
        speech_config=types.SpeechConfig(
            language_code="en-US",
            voice_config=types.VoiceConfig(prebuilt_voice_config=types.PrebuiltVoiceConfig(voice_name="Kore")),
        ),
        system_instruction="be kind",
        tools=[types.Tool(function_declarations=[tool]), types.Tool(google_search=types.GoogleSearch())],
        session_resumption=types.SessionResumptionConfig(),
        context_window_compression=types.ContextWindowCompressionConfig(
            trigger_tokens=25_000, sliding_window=types.SlidingWindow(target_tokens=8_000)
        ),
        input_audio_transcription=types.AudioTranscriptionConfig(language_codes=["en-US"]),
        output_audio_transcription=types.AudioTranscriptionConfig(),
        realtime_input_config=types.RealtimeInputConfig(
            automatic_activity_detection=types.AutomaticActivityDetection(
                disabled=False,
                start_of_speech_sensitivity=types.StartSensitivity.START_SENSITIVITY_HIGH,
                end_of_speech_sensitivity=types.EndSensitivity.END_SENSITIVITY_LOW,
                prefix_padding_ms=20,
                silence_duration_ms=500,
            ),
            activity_handling=types.ActivityHandling.NO_INTERRUPTION,
            turn_coverage=types.TurnCoverage.TURN_INCLUDES_ALL_INPUT,
        ),
        proactivity=types.ProactivityConfig(proactive_audio=True),
        history_config=types.HistoryConfig(initial_history_in_client_content=True),
        safety_settings=[
            types.SafetySetting(
                category=types.HarmCategory.HARM_CATEGORY_HARASSMENT, threshold=types.HarmBlockThreshold.BLOCK_NONE
            )
        ],
        labels={"team": "voice"},
    )

    async with client(emulator).aio.live.connect(model=NEW, config=config) as session:
        assert session.setup_complete is not None


@pytest.mark.parametrize("version", ["v1", "v1beta", "v1alpha"])
@pytest.mark.parametrize("prefix", ["", "/", "/some/prefix", "/some/prefix/"])
async def test_every_version_and_any_prefix_lead_here(emulator: Emulator, version: str, prefix: str) -> None:
    live = client(emulator, version=version, base_url=emulator.url + prefix).aio.live

    async with live.connect(model=NEW, config=CONFIG) as session:
        assert session.setup_complete is not None


async def test_it_is_quiet_about_a_whole_call(emulator: Emulator, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="parley"), caplog.at_level(logging.INFO, logger="aiohttp"):
        async with client(emulator).aio.live.connect(model=NEW, config=CONFIG) as session:
            await session.send_realtime_input(text="a secret")
            await turn(session)

    assert [record for record in caplog.records if record.name.startswith(("parley", "aiohttp"))] == []
