"""A reply can be awaited on the loop, waited for off it, and never blocks the loop."""

from __future__ import annotations

import asyncio
import concurrent.futures
import queue
import threading
from typing import Any

import pykka
import pytest

from actors.future import Reply, WouldBlockError

ON_BOTH_LOOPS = True
PATIENCE = 10.0
"""Seconds that a test waits for a thread before it gives up; nothing here takes them."""


class Boom(Exception):
    """What an actor may raise."""


def settled(value: object) -> Reply[Any]:
    reply: Reply[Any] = Reply()
    reply.set(value)
    return reply


def failed(error: BaseException) -> Reply[Any]:
    reply: Reply[Any] = Reply()
    reply.set_exception((type(error), error, error.__traceback__))
    return reply


# ── on the loop ──────────────────────────────────────────────────────────────────────────────────


async def test_a_blocking_get_on_the_loop_raises_at_once() -> None:
    reply: Reply[int] = Reply()

    with pytest.raises(WouldBlockError, match="expected `await`"):
        reply.get()
    with pytest.raises(WouldBlockError):
        reply.get(timeout=PATIENCE)


async def test_what_is_there_already_can_be_got_on_the_loop() -> None:
    assert settled("here").get() == "here"
    with pytest.raises(Boom):
        failed(Boom()).get()


async def test_a_reply_with_a_hook_is_never_got_on_the_loop_for_nobody_knows_what_it_waits_for() -> None:
    reply: Reply[int] = Reply()
    reply.set_get_hook(lambda timeout: 1)

    with pytest.raises(WouldBlockError):
        reply.get()


async def test_a_reply_can_be_awaited_before_it_is_there() -> None:
    reply: Reply[str] = Reply()
    asyncio.get_running_loop().call_soon(reply.set, "late")

    assert await reply == "late"


async def test_a_reply_can_be_awaited_when_it_is_there_and_again() -> None:
    reply = settled("here")

    assert await reply == "here"
    assert await reply == "here"
    assert await asyncio.gather(reply, reply) == ["here", "here"]


async def test_a_reply_settled_by_another_thread_wakes_the_loop() -> None:
    reply: Reply[int] = Reply()
    awaited = asyncio.ensure_future(_awaited(reply))
    await asyncio.to_thread(reply.set, 7)

    assert await asyncio.wait_for(awaited, PATIENCE) == 7


async def test_what_the_actor_raised_is_raised_where_it_is_awaited() -> None:
    with pytest.raises(Boom, match="inside"):
        await failed(Boom("inside"))


async def test_stop_iteration_reaches_the_awaiting_asker_as_another_error() -> None:
    """asyncio refuses to carry a `StopIteration` (PEP 479): the asker would wait for ever."""
    reply = failed(StopIteration("row"))

    with pytest.raises(RuntimeError, match="StopIteration") as caught:
        await asyncio.wait_for(_awaited(reply), PATIENCE)
    assert isinstance(caught.value.__cause__, StopIteration)


async def test_a_cancelled_asker_does_no_harm_to_the_reply() -> None:
    reply: Reply[str] = Reply()
    asker = asyncio.ensure_future(_awaited(reply))
    other = asyncio.ensure_future(_awaited(reply))
    await asyncio.wait([asker, other], timeout=0)  # both are waiting now
    asker.cancel()
    await asyncio.wait([asker])
    reply.set("for the other")

    assert asker.cancelled()
    assert await other == "for the other"


async def test_an_error_that_only_a_cancelled_asker_wanted_is_no_news() -> None:
    news: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: news.append(context))
    reply: Reply[str] = Reply()
    asker = asyncio.ensure_future(_awaited(reply))
    await asyncio.wait([asker], timeout=0)
    asker.cancel()
    await asyncio.wait([asker])
    failure = Boom()
    reply.set_exception((Boom, failure, None))
    with pytest.raises(Boom):
        await reply

    assert news == []


async def test_a_reply_with_a_hook_is_awaited_on_another_thread() -> None:
    """Pykka's `stop`, `map` and `join` make such: an opaque function that may block."""
    waited_on: list[int] = []
    reply: Reply[int] = Reply()
    mapped = reply.map(lambda value: waited_on.append(threading.get_ident()) or value + 1)
    asyncio.get_running_loop().call_soon(reply.set, 1)

    assert await asyncio.wait_for(_awaited(mapped), PATIENCE) == 2
    assert waited_on != [threading.get_ident()]


async def _awaited(reply: pykka.Future[Any]) -> Any:
    return await reply


# ── off the loop ─────────────────────────────────────────────────────────────────────────────────


def test_off_the_loop_get_waits_for_the_answer() -> None:
    reply: Reply[int] = Reply()
    asking = threading.Event()
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        got = pool.submit(lambda: (asking.set(), reply.get(timeout=PATIENCE))[1])
        asking.wait(PATIENCE)
        reply.set(5)

        assert got.result(PATIENCE) == 5


def test_off_the_loop_get_gives_up_after_its_timeout_as_pykkas_does() -> None:
    with pytest.raises(pykka.Timeout, match="0 seconds"):
        Reply[int]().get(timeout=0)


def test_a_timeout_error_of_the_actors_own_is_told_from_ours() -> None:
    with pytest.raises(TimeoutError, match="upstream"):
        failed(TimeoutError("upstream")).get(timeout=PATIENCE)


class LastInstant(concurrent.futures.Future[Any]):
    """Settled exactly between the end of the waiting and the look at what came of it."""

    def __init__(self, value: object) -> None:
        super().__init__()
        self._late = value

    def result(self, timeout: float | None = None) -> Any:
        if not self.done():
            self.set_result(self._late)
            raise TimeoutError
        return super().result(timeout)


def test_an_answer_of_the_last_instant_is_an_answer() -> None:
    reply: Reply[str] = Reply()
    reply._outcome = LastInstant("just in time")

    assert reply.get(timeout=0) == "just in time"


def test_get_returns_the_same_each_time() -> None:
    reply = settled(3)

    assert (reply.get(), reply.get(timeout=0)) == (3, 3)


def test_an_exception_without_arguments_is_the_one_being_handled() -> None:
    reply: Reply[int] = Reply()
    try:
        raise Boom("handled here")
    except Boom:
        reply.set_exception()

    with pytest.raises(Boom, match="handled here"):
        reply.get()


def test_setting_an_exception_where_there_is_none_is_said_to_the_asker() -> None:
    reply: Reply[int] = Reply()
    reply.set_exception()

    with pytest.raises(RuntimeError, match="no exception to set"):
        reply.get()


@pytest.mark.parametrize(
    "first",
    [
        lambda reply: reply.set(1),
        lambda reply: reply.set_exception((Boom, Boom(), None)),
        lambda reply: reply.set_get_hook(lambda timeout: 1),
    ],
)
@pytest.mark.parametrize(
    "second",
    [
        lambda reply: reply.set(2),
        lambda reply: reply.set_exception((Boom, Boom(), None)),
        lambda reply: reply.set_get_hook(lambda timeout: 2),
    ],
)
def test_a_reply_is_settled_once(first: Any, second: Any) -> None:
    reply: Reply[int] = Reply()
    first(reply)

    with pytest.raises(queue.Full):
        second(reply)


def test_pykkas_ways_to_combine_futures_work_with_replies() -> None:
    assert settled(1).map(lambda value: value + 1).get() == 2
    assert settled(1).join(settled(2)).get() == [1, 2]
    assert settled([1, 2]).filter(lambda value: value > 1).get() == [2]
    assert settled([1, 2]).reduce(lambda left, right: left + right).get() == 3
    assert pykka.get_all([settled(1), settled(2)]) == [1, 2]
