"""The event loop is woken once for all that other threads finish at about the same time."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from bot.landing import Landing

MANY = 200
PATIENCE_S = 10


class CountingLoop(asyncio.SelectorEventLoop):
    """Counts how often other threads wake it."""

    woken = 0

    def call_soon_threadsafe(
        self, callback: Callable[..., object], *args: Any, **more: Any
    ) -> asyncio.Handle:
        self.woken += 1
        return super().call_soon_threadsafe(callback, *args, **more)


def run(test: "Callable[[CountingLoop], Any]") -> None:
    loop = CountingLoop()
    try:
        loop.run_until_complete(asyncio.wait_for(test(loop), PATIENCE_S))
    finally:
        loop.close()


def waiting(
    loop: asyncio.AbstractEventLoop, landing: Landing, many: int
) -> "tuple[list[Future[None]], list[asyncio.Task[None]]]":
    """Return what is to be done elsewhere, and who waits for it by the next turn of the loop."""
    done: list[Future[None]] = [Future() for _ in range(many)]
    return done, [loop.create_task(landing.wait_for(each)) for each in done]


def finish(done: "list[Future[None]]") -> None:
    for number, each in enumerate(done):
        if number % 2:
            each.set_exception(ValueError("done too"))
        else:
            each.set_result(None)


def test_all_that_is_done_at_once_wakes_the_loop_once() -> None:
    async def test(loop: CountingLoop) -> None:
        done, waiters = waiting(loop, Landing(), MANY)
        await asyncio.sleep(0)
        finish(done)  # the loop has no turn meanwhile, as where another thread is faster than it
        assert loop.woken == 1
        await asyncio.gather(*waiters)
        assert loop.woken == 1

    run(test)


def test_each_later_one_wakes_it_anew() -> None:
    async def test(loop: CountingLoop) -> None:
        landing = Landing()
        for number in range(1, 4):
            done, waiters = waiting(loop, landing, 2)
            await asyncio.sleep(0)
            finish(done)
            await asyncio.gather(*waiters)
            assert loop.woken == number

    run(test)


def test_what_is_done_already_is_waited_for_no_longer() -> None:
    async def test(_loop: CountingLoop) -> None:
        done: Future[None] = Future()
        done.set_result(None)
        await Landing().wait_for(done)

    run(test)


def test_who_has_given_up_harms_nobody() -> None:
    async def test(loop: CountingLoop) -> None:
        done, waiters = waiting(loop, Landing(), 3)
        await asyncio.sleep(0)
        waiters[0].cancel()
        await asyncio.sleep(0)
        finish(done)
        await asyncio.gather(*waiters[1:])
        assert waiters[0].cancelled()

    run(test)


def test_who_gives_up_between_the_end_and_the_waking_harms_nobody() -> None:
    async def test(loop: CountingLoop) -> None:
        done, waiters = waiting(loop, Landing(), 2)
        await asyncio.sleep(0)
        finish(done)
        waiters[0].cancel()
        await waiters[1]
        assert waiters[0].cancelled()

    run(test)


def test_a_loop_that_is_closed_harms_nobody() -> None:
    landing, left = Landing(), []

    async def leave(loop: CountingLoop) -> None:
        done, waiters = waiting(loop, landing, 2)
        await asyncio.sleep(0)
        left.extend(done)
        for each in waiters:
            each.cancel()

    async def wait(loop: CountingLoop) -> None:
        done, waiters = waiting(loop, landing, 2)
        await asyncio.sleep(0)
        finish(done)
        await asyncio.gather(*waiters)

    run(leave)
    finish(left)
    assert not landing._landed, "what nobody waits for is kept for ever"
    run(wait)
