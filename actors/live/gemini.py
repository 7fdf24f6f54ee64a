"""The way to Gemini: the one file that calls google-genai.

    Gemini.dial ──▶ setup ──▶ connect: path, key, TLS, setup message, its answer ──▶ UpstreamSocket ──▶ GeminiLine
    Converter   ◀── a rare frame ── GeminiLine ── a rare message ──▶ Converter

The SDK makes a session; after that its socket is ours (`line`). `session.receive()` and `send_…` are not used on
it: they cost 45 and 30 µs a frame of sound (measured with google-genai 3.4), `receive` ends with every turn, and a
frame written beside the SDK's own sending overtakes it.

What this file leans on without a promise is `Client._api_client`, `AsyncSession._ws` and `AsyncSession._receive`;
`tests/test_gemini.py` asks the installed SDK for them. Declined: Vertex AI, and retrying, which the link decides.
"""

from __future__ import annotations

import logging
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar, cast

from google.genai import Client, types
from google.genai.errors import APIError
from google.genai.live import AsyncSession
from pydantic import SecretStr
from websockets.asyncio.client import ClientConnection

from actors.errors import DIAL_FAILED, GatewayError
from actors.live import profiles
from actors.live.faults import UNREADABLE, garbled
from actors.live.line import GeminiLine, Patience
from actors.live.profiles import Profile, TypedText
from actors.live.translate import translate
from actors.live.upstream_socket import WRITE_MARKS, UpstreamSocket
from actors.messages import FromModel, Garbled, Image, MicrophonePaused, Opening, Text
from actors.runtime import Mail

logger = logging.getLogger(__name__)

GOOGLE = "https://generativelanguage.googleapis.com"
"""Given always, so that the SDK neither looks for one in the environment nor doubles the slash before the path."""
MAX_SIZE = 16 * 1024 * 1024
"""Bytes of one server message. Google documents no limit; beyond the library's 1 MiB a session would be lost."""
MAX_QUEUE = 256
"""Frames received and not yet read. The reader never waits for anybody, so these are what one read brought."""
T = TypeVar("T")


class Gemini:
    """The Gemini Developer API, with a key: one client and one TLS context for all calls (an `Upstream`)."""

    def __init__(
        self,
        api_key: SecretStr,
        *,
        api_version: str = "v1beta",
        base_url: str | None = None,
        ca_file: Path | None = None,
        patience: Patience | None = None,
        dropped: Callable[[int], None] | None = None,
    ) -> None:
        """Nothing is dialled yet.

        `api_version` is pasted into the path as it is; google-genai 3.4 defaults to `v1`, on which Google does not
        document the Live API. `ca_file` is the only authority trusted, if given. `dropped` is told how many frames
        of sound were given up because a session did not take them in time.

        Raises:
            OSError: `ca_file` cannot be read, or holds no certificate.
        """
        self._patience = patience or Patience()
        self._dropped = dropped
        # At DEBUG websockets logs the headers of the upgrade, the key among them; never, whatever the root says.
        quiet = logging.getLogger(f"{__name__}.socket")
        quiet.setLevel(logging.INFO)
        arguments: dict[str, Any] = {
            "create_connection": UpstreamSocket,
            "compression": None,  # sound as base64 hardly shrinks
            "ping_interval": None,  # Gemini's pongs were seen 8–30 s late (sip-to-ai#14); the link watches speech
            "open_timeout": self._patience.open,
            "close_timeout": self._patience.close,
            "max_size": MAX_SIZE,
            "max_queue": MAX_QUEUE,
            "write_limit": WRITE_MARKS,
            "proxy": None,
            "logger": quiet,
        }
        if ca_file is not None:
            # `verify` is for the SDK's HTTP client, which is never used but would load a trust store of its own.
            arguments["ssl"] = arguments["verify"] = ssl.create_default_context(cafile=ca_file)
        self._client = Client(
            vertexai=False,
            api_key=api_key.get_secret_value(),
            http_options=types.HttpOptions(
                base_url=(base_url or GOOGLE).rstrip("/"), api_version=api_version, async_client_args=arguments
            ),
        )
        self._converter = Converter(self._client)
        self._strangers: set[str] = set()  # models without a profile, each warned of once

    def dial(self, opening: Opening, session: int, owner: Mail) -> GeminiLine:
        """Begin a session; must be called on the event loop."""
        profile = self._profile(opening.model)
        return GeminiLine(
            opening,
            session,
            owner=owner,
            connecting=self._connected(opening.model, setup(opening, profile)),
            converter=self._converter,
            profile=profile,
            patience=self._patience,
            dropped=self._dropped,
        )

    @asynccontextmanager
    async def _connected(self, model: str, config: types.LiveConnectConfig) -> AsyncIterator[UpstreamSocket]:
        async with self._client.aio.live.connect(model=model, config=config) as session:
            if session.setup_complete is None:  # the SDK takes any first message for an answer to the setup
                raise GatewayError(DIAL_FAILED, "the first message was not setupComplete")
            yield cast(UpstreamSocket, session._ws)

    def _profile(self, model: str) -> Profile:
        profile = profiles.find(model)
        if profile is None and model not in self._strangers:
            self._strangers.add(model)
            logger.warning("! no profile for model %s: treated as %s", model, profiles.NEWEST.prefix)
        return profile or profiles.NEWEST


class Converter:
    """The SDK's conversions without its waiting, for all sessions: between them it keeps nothing.

    Its coroutines wait for nothing but the socket. Over a stand-in that has its one frame at hand they run through
    in a single step, so rare frames keep their place among the sound without a task of their own.
    """

    def __init__(self, client: Client) -> None:
        self._frame = _Frame()
        self._sdk = AsyncSession(api_client=client._api_client, websocket=cast(ClientConnection, self._frame))

    def server_message(self, frame: bytes, session: int) -> tuple[FromModel, ...]:
        """What a frame of the model's side says; `Garbled` if it cannot be read."""
        self._frame.received = frame
        try:
            message = _at_once(self._sdk._receive())
        except APIError:
            return (Garbled(session, "an error object"),)
        except UNREADABLE as error:
            return (Garbled(session, garbled(error)),)
        return translate(message, session)

    def client_message(self, message: Image | Text | MicrophonePaused, profile: Profile) -> bytes:
        """The frame that says this to the model."""
        match message:
            case Image(data, mime):
                sending = self._sdk.send_realtime_input(video=types.Blob(data=data, mime_type=mime))
            case MicrophonePaused():
                sending = self._sdk.send_realtime_input(audio_stream_end=True)
            case Text(content) if profile.typed_text is TypedText.REALTIME_INPUT:
                sending = self._sdk.send_realtime_input(text=content)
            case Text(content):
                turn = types.Content(role="user", parts=[types.Part(text=content)])
                sending = self._sdk.send_client_content(turns=turn, turn_complete=True)
        _at_once(sending)
        return self._frame.sent.encode()


class _Frame:
    """Stands in for a socket: has one frame to give, and takes one."""

    received = b""
    sent = ""

    async def recv(self, decode: bool | None = None) -> bytes:
        return self.received

    async def send(self, text: str) -> None:
        self.sent = text


def _at_once(coroutine: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine that does not wait."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        return cast(T, done.value)
    coroutine.close()
    raise RuntimeError("the sdk waits in a conversion, expected one that runs through")


def setup(opening: Opening, profile: Profile) -> types.LiveConnectConfig:
    """The first message of a session. Absent values are left out: 3.1 refuses a `null` handle (strands#1999)."""
    instruction = opening.instruction
    if not profile.language_code:
        instruction = f"{instruction}\n\n{profiles.speak(opening.language)}".lstrip()
    return types.LiveConnectConfig(
        response_modalities=[types.Modality.AUDIO],
        system_instruction=instruction or None,
        speech_config=types.SpeechConfig(
            voice_config=types.VoiceConfig(prebuilt_voice_config=types.PrebuiltVoiceConfig(voice_name=opening.voice)),
            language_code=opening.language if profile.language_code else None,
        ),
        input_audio_transcription=types.AudioTranscriptionConfig(),
        output_audio_transcription=types.AudioTranscriptionConfig(),
        session_resumption=types.SessionResumptionConfig(handle=opening.handle),
        context_window_compression=types.ContextWindowCompressionConfig(
            trigger_tokens=profile.trigger_tokens,
            sliding_window=types.SlidingWindow(target_tokens=profile.target_tokens),
        ),
    )
