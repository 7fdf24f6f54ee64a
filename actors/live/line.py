"""One session with Gemini, from dialling to the end.

    its one task: connecting ──▶ Opened ──▶ recv ──┬─ plain sound ──▶ audio_frames ──▶ Speech
                                                   └─ the rest ──▶ Converter ──▶ Heard Said TurnEnded Garbled …
                  whatever ends it ──▶ classify ──▶ Lost
    send ──▶ audio_frames or Converter ──▶ Uplink ──▶ UpstreamSocket

The task dials and then reads, and does nothing else; no frame has a task of its own. It is left by an exception
always, and what that exception means is decided in one place, after the socket is closed. Silence towards the owner
is the first thing that `close` and `abort` do, so that an ending of ours is never told as a loss.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from actors.errors import LINK_LOST, OUR_FAULT, GatewayError
from actors.live.audio_frames import audio_frame, plain_speech
from actors.live.faults import classify
from actors.live.profiles import Profile
from actors.live.uplink import Uplink
from actors.live.upstream_socket import UpstreamSocket
from actors.messages import Audio, FromModel, Lost, Opened, Opening, Speech, ToModel
from actors.runtime import Mail

if TYPE_CHECKING:
    from actors.live.gemini import Converter


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for the model's side, in seconds."""

    open: float = 5.0
    """TCP, TLS and the upgrade."""
    setup: float = 8.0
    """All of it, to `setupComplete`, for which the SDK itself would wait for ever."""
    close: float = 1.0
    """For the answer to our goodbye."""
    stall: float = 5.0
    """For room to write in."""


class GeminiLine:
    """One session, being opened or open (a `Line`). Begins to dial when it is made, on the event loop."""

    def __init__(
        self,
        opening: Opening,
        session: int,
        *,
        owner: Mail,
        connecting: AbstractAsyncContextManager[UpstreamSocket],
        converter: Converter,
        profile: Profile,
        patience: Patience,
        dropped: Callable[[int], None] | None,
    ) -> None:
        self._model = opening.model
        self._session = session
        self._owner: Mail | None = owner  # None when it hears nothing more
        self._connecting = connecting
        self._converter = converter
        self._profile = profile
        self._patience = patience
        self._dropped = dropped
        self._socket: UpstreamSocket | None = None  # this and the uplink are there from `Opened` on
        self._uplink: Uplink | None = None
        self._stall: GatewayError | None = None  # why the task was cancelled, if not by the owner
        task = asyncio.get_running_loop().create_task(self._live(), name=f"upstream {opening.call}#{session}")
        task.add_done_callback(self._ended)
        self._task: asyncio.Task[None] | None = task

    def send(self, message: ToModel) -> None:
        """Say this to the model, after everything sent before it. Ignored while the session is not open."""
        if self._uplink is None or self._owner is None:
            return
        if isinstance(message, Audio):
            self._uplink.write(audio_frame(message.pcm), sound=len(message.pcm))
        else:
            self._uplink.write(self._converter.client_message(message, self._profile))

    def close(self) -> None:
        """Leave politely. A session that is still being dialled is left at once."""
        if self._socket is None or self._uplink is None:
            self.abort()
            return
        self._owner = None
        self._uplink.stop()
        self._socket.part(self._patience.close)

    def abort(self) -> None:
        """Leave at once: the task is cancelled, and a socket left that way is aborted."""
        self._owner = None
        self._cancel()

    async def _live(self) -> None:
        """Dial, be set up, and read until something ends it; that is raised."""
        async with AsyncExitStack() as stack:
            async with asyncio.timeout(self._patience.setup):
                socket = await stack.enter_async_context(self._connecting)
            self._socket, self._uplink = socket, self._writer(socket)
            self._tell(Opened(self._session, self._model))
            while True:
                self._hear(await socket.recv(decode=False))

    def _writer(self, socket: UpstreamSocket) -> Uplink:
        return Uplink(socket, patience=self._patience.stall, stalled=self._stalled, dropped=self._dropped)

    def _hear(self, frame: bytes) -> None:
        speech = plain_speech(frame)
        if speech is None:
            for message in self._converter.server_message(frame, self._session):
                self._tell(message)
            return
        for pcm in speech:
            if pcm:
                self._tell(Speech(self._session, pcm))

    def _stalled(self) -> None:
        self._stall = GatewayError(LINK_LOST, f"no room to write in for {self._patience.stall:g} s")
        self._cancel()

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def _ended(self, task: asyncio.Task[None]) -> None:
        """The socket is closed by now. What ended the session becomes mail, unless the owner ended it."""
        if self._uplink is not None:
            self._uplink.stop()
        error = self._stall if task.cancelled() else self._meaning(task)
        if error is not None:
            self._tell(Lost(self._session, error))
        # A finished task keeps its exception, and that our frames: without this the session would wait for the
        # garbage collector, which a process full of calls runs as seldom as it can.
        self._owner = self._task = None

    def _meaning(self, task: asyncio.Task[None]) -> GatewayError | None:
        cause = task.exception()
        if cause is None:
            return None
        error = classify(cause, during_setup=self._uplink is None)
        if error.kind is OUR_FAULT:  # no fault that is known: let whoever watches the loop see it
            context = {"message": "upstream session failed", "exception": cause, "task": task}
            task.get_loop().call_exception_handler(context)
        return error

    def _tell(self, message: FromModel) -> None:
        if self._owner is not None:
            self._owner.tell(message)
