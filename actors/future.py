"""A reply that can be awaited on the loop and waited for off it.

    ref.ask(message, block=False) ──▶ Reply ──▶ await reply          on the loop
                                            └─▶ reply.get(timeout)   on any other thread

Pykka's own futures block whatever thread asks them, the loop's included, for ever: the actor that should answer
lives on that loop. A `Reply` refuses to block there, at once.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import queue
import sys
from collections.abc import Generator
from types import TracebackType
from typing import Any, TypeVar

import pykka

T = TypeVar("T")
ExcInfo = tuple[type[BaseException] | None, BaseException | None, TracebackType | None]


class WouldBlockError(RuntimeError):
    """Somebody on the loop's thread wanted to wait for an actor that lives there."""


class Reply(pykka.Future[T]):
    """Pykka's `Future`, settled by the actor's thread, read from anywhere."""

    def __init__(self) -> None:
        super().__init__()
        self._outcome: concurrent.futures.Future[Any] = concurrent.futures.Future()

    def get(self, *, timeout: float | None = None) -> Any:
        """Wait for the reply, off the loop.

        Raises:
            WouldBlockError: on a loop's thread, unless the reply is there already.
            pykka.Timeout: after `timeout` seconds.
            BaseException: whatever the actor raised.
        """
        if not self._outcome.done() and asyncio._get_running_loop() is not None:
            raise WouldBlockError("get() would block the event loop, expected `await`")
        if self._get_hook is not None:
            return super().get(timeout=timeout)
        try:
            return self._outcome.result(timeout)
        except TimeoutError:
            if self._outcome.done():  # the actor's own TimeoutError, or an answer in the last instant
                return self._outcome.result()
            raise pykka.Timeout(f"{timeout} seconds") from None

    def set(self, value: T | None = None) -> None:
        """Settle with a value; `queue.Full` when settled already, as Pykka has it."""
        self._refuse_twice()
        self._outcome.set_result(value)

    def set_exception(self, exc_info: ExcInfo | None = None) -> None:
        """Settle with an exception, by default the one being handled."""
        self._refuse_twice()
        error = (exc_info or sys.exc_info())[1]
        if error is None:
            error = RuntimeError("no exception to set")
        elif isinstance(error, StopIteration):  # no coroutine can raise it (PEP 479): `await` would wait for ever
            wrapped = RuntimeError("the actor raised StopIteration")
            wrapped.__cause__ = error
            error = wrapped
        self._outcome.set_exception(error)

    def set_get_hook(self, func: Any) -> None:
        """Take the value from `func(timeout)` when it is asked for; Pykka's `stop` and `map` need it."""
        self._refuse_twice()
        super().set_get_hook(func)

    def __await__(self) -> Generator[Any, None, Any]:
        loop = asyncio.get_running_loop()
        if self._get_hook is not None:  # an opaque function that may block: not on this thread
            return loop.run_in_executor(None, self.get).__await__()
        # Shielded: an asker that is cancelled must not settle the reply under the actor's hands.
        return asyncio.shield(asyncio.wrap_future(self._outcome)).__await__()

    def _refuse_twice(self) -> None:
        if self._outcome.done() or self._get_hook is not None:
            raise queue.Full
