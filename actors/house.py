"""The running house: everything built, opened and closed in order.

    Settings ──▶ House.open: upstream ▸ tree ▸ door            House.close: door drains ▸ callers ▸ tree ▸ door
                     └─ no key: the emulator, a child process

It does not know when it is to end: a signal, a root supervisor that gave up and an emulator that ended are for its
owner to notice. Callers may finish what is being said, unless the owner is in a `hurry`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import structlog
from pydantic import SecretStr
from pykka import ActorDeadError

from actors.call.terms import Terms
from actors.door.door import Door, Listening, Vestibule
from actors.door.pages import Pages
from actors.live.child import KEY, emulator
from actors.live.gemini import Gemini
from actors.messages import Bucket
from actors.metrics import Metrics
from actors.phases import Drain, Due
from actors.rate_limiter import Limits
from actors.replies import Notice
from actors.runtime import Address, Life, born
from actors.settings import Settings
from actors.store.memory import Quotas, Rate
from actors.supervision import Count, Dismiss, Find, ToAll
from actors.supervisor import SupervisorActor
from actors.telemetry import Reporter
from actors.tree import CALLERS, RATE_LIMITER, drawn, house
from actors.vitals import Vitals

log = structlog.get_logger("parley")
ROOT = "house"
CLOSING = 2.0
"""Seconds of the drain that are kept for stopping the tree and closing sockets."""
LOOK_EVERY = 0.05
"""Seconds between two looks at how many callers are left."""
EMULATED = Notice("EMULATOR", "No Gemini key is set: you are talking to the built-in emulator.")


class House:
    """A tree and a door. `gave_up` is set when the root supervisor cannot go on."""

    def __init__(self, settings: Settings, root: Path, *, version: str) -> None:
        self._settings, self._root, self._version = settings, root, version
        self._quotas = Quotas()
        self._ended = asyncio.Event()
        self.metrics = Metrics()
        self.vitals = Vitals(self.metrics)
        self.gave_up = asyncio.Event()
        self.failed = asyncio.Event()
        """The emulator that we talk to has ended."""
        self.hurry = asyncio.Event()
        """Set it, and the drain is over."""

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Door]:
        """The house with its door open; drained and closed at the end of the block.

        Raises:
            CannotListen: the door's port, or that for metrics, is taken.
            NoEmulator: there is no key, and the emulator did not start.
            Mistakes: the persona cannot be read.
        """
        settings = self._settings
        terms = _terms(settings, version=self._version)
        if settings.gemini_api_key is not None:
            base_url, ca_file = settings.google_gemini_base_url, settings.upstream_ca_file
            gemini = self._gemini(settings.gemini_api_key, base_url=base_url, ca_file=ca_file)
            async with self._inhabited(gemini, terms) as door:
                yield door
            return
        async with emulator(self._root / "server.py") as child:
            watch = asyncio.create_task(child.process.wait())
            watch.add_done_callback(lambda _: self.failed.set())
            gemini = self._gemini(SecretStr(KEY), base_url=child.url, ca_file=child.ca_file)
            try:
                async with self._inhabited(gemini, terms) as door:
                    yield door
            finally:
                watch.cancel()

    @asynccontextmanager
    async def _inhabited(self, gemini: Gemini, terms: Terms) -> AsyncIterator[Door]:
        root = self._build()
        callers = await root.ask(Find(CALLERS), block=False)
        vestibule = Vestibule(
            callers=callers,
            limiter=await root.ask(Find(RATE_LIMITER), block=False),
            upstream=gemini,
            terms=terms,
            metrics=self.metrics,
            origins=self._settings.origins,
            pages=Pages(self._root / "web"),
            max_calls=self._settings.max_calls,
            max_per_address=self._settings.max_connections_per_ip,
            proxies=self._settings.proxies,
            ready=self._facts,
        )
        door = Door(vestibule)
        try:
            await door.open(_listening(self._settings))
            yield door
        finally:
            door.draining = True
            await self._drain(callers)
            root.tell(Dismiss())
            await self._within(self._ended.wait(), CLOSING / 2)
            await self._within(door.close(), CLOSING / 2)

    def _gemini(self, key: SecretStr, *, base_url: str | None, ca_file: Path | None) -> Gemini:
        dropped = self.metrics.frames_dropped.labels("up", "upstream_slow").inc
        version = self._settings.gemini_api_version
        return Gemini(key, api_version=version, base_url=base_url, ca_file=ca_file, dropped=dropped)

    def _build(self) -> Address:
        report = Reporter(self.metrics)
        plan = house(_limits(self._settings), quotas=self._quotas, report=report)
        for line in drawn(plan):
            log.debug("house", child=line)
        life = Life(SupervisorActor, name=ROOT)
        arguments = {
            "plan": plan,
            "report": report,
            "gave_up": lambda _: self.gave_up.set(),
            "farewell": self._ended.set,
        }
        born(SupervisorActor, life, arguments)
        return life.ref

    async def _drain(self, callers: Address) -> None:
        """Let calls reach a quiet point, for as long as there is time and nobody hurries us."""
        seconds = max(0.0, self._settings.drain_seconds - CLOSING)
        callers.tell(ToAll(Drain(seconds)))
        emptied = asyncio.create_task(self._emptied(callers))
        hurried = asyncio.create_task(self.hurry.wait())
        await asyncio.wait((emptied, hurried), timeout=seconds + LOOK_EVERY, return_when=asyncio.FIRST_COMPLETED)
        if hurried.done():
            callers.tell(ToAll(Due.DRAINED))  # their time is up
            await self._within(emptied, CLOSING / 2)
        emptied.cancel()
        hurried.cancel()

    async def _emptied(self, callers: Address) -> None:
        with suppress(ActorDeadError):  # the root has given up: nobody is left to be counted
            while True:
                if not await callers.ask(Count(), block=False):
                    return
                await asyncio.sleep(LOOK_EVERY)

    @staticmethod
    async def _within(what: Any, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await what
        except TimeoutError:
            return

    def _facts(self) -> Mapping[str, Any]:
        return {
            "calls": self._quotas.slots,
            "maxCalls": self._settings.max_calls,
            "upstream": "emulator" if self._settings.gemini_api_key is None else self.metrics.last_dial,
            "redis": "none",
            "database": "none",
            "loopLagMs": round(self.vitals.loop_lag * 1000, 1),
        }


def _terms(settings: Settings, *, version: str) -> Terms:
    return Terms(
        server=f"parley/{version}",
        model=settings.gemini_live_model,
        voice=settings.voice,
        language=settings.language,
        instruction=settings.instruction(),
        lead=settings.playout_lead_ms / 1000,
        idle=settings.idle_seconds,
        longest=settings.max_call_seconds,
        limits={bucket: rate.limit for bucket, rate in _rates(settings).items()},
        greeting=EMULATED if settings.gemini_api_key is None else None,
    )


def _rates(settings: Settings) -> dict[Bucket, Rate]:
    return {
        Bucket.AUDIO: Rate(settings.audio_per_second, 1.0),
        Bucket.MESSAGES: Rate(settings.messages_per_minute, 60.0),
        Bucket.MEDIA: Rate(settings.media_per_minute, 60.0),
    }


def _limits(settings: Settings) -> Limits:
    return Limits(_rates(settings), settings.max_calls)


def _listening(settings: Settings) -> Listening:
    return Listening(settings.host, settings.port, settings.admin, settings.tls())
