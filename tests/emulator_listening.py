"""An emulator that listens, for tests that dial it over TLS."""

from __future__ import annotations

import math
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from actors.live.emulator.options import Options
from actors.live.emulator.server import Emulator

QUICK = Options(speed=math.inf, answer_delay=0.0, playback_delay=0.0)
PATH = "/ws/google.ai.generativelanguage.{}.GenerativeService.BidiGenerateContent"
PATIENCE = 10.0
"""Seconds after which a test that waits for the emulator has failed."""


@asynccontextmanager
async def listening(options: Options = QUICK) -> AsyncIterator[Emulator]:
    emulator = Emulator(options)
    await emulator.start()
    try:
        yield emulator
    finally:
        await emulator.stop()


def trusting(emulator: Emulator) -> ssl.SSLContext:
    return ssl.create_default_context(cadata=emulator.ca_pem.decode())
