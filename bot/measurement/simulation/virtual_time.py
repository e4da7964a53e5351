"""An event loop whose clock jumps: when nothing is ready, it is at once the time of the next timer.

Weeks pass in seconds, and the same seed gives the same order of everything: nothing in it waits for the world.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine, Mapping
from datetime import datetime, timedelta
from typing import Any, TypeVar

T = TypeVar("T")


class NothingLeft(RuntimeError):
    """Everybody waits, and no timer is set: what is waited for can never come."""


class _Jumping(selectors.SelectSelector):
    """Instead of waiting for files it moves the clock on. In simulated time there are none to wait for."""

    def __init__(self) -> None:
        super().__init__()
        self.time = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise NothingLeft
        self.time += max(0.0, timeout)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """`time()` is in seconds from 0, the beginning of the simulation."""

    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)
        # Finer than the numbers themselves after some weeks, the loop's own would never find a timer due.
        self._clock_resolution = 1e-6

    def time(self) -> float:
        """The seconds that have passed."""
        return self._jumping.time


class Clock:
    """Instants in simulated time; the loop's second 0 is `start` (aware, UTC)."""

    def __init__(self, start: datetime) -> None:
        self.start = start

    def now(self) -> datetime:
        """The present instant."""
        return self.start + timedelta(seconds=asyncio.get_running_loop().time())

    def seconds(self, at: datetime) -> float:
        """The loop's time at an instant."""
        return (at - self.start).total_seconds()

    async def until(self, at: datetime) -> None:
        """Return at that instant, at once if it has passed."""
        await asyncio.sleep(max(0.0, self.seconds(at) - asyncio.get_running_loop().time()))


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run to the end in virtual time. What is left over is dropped, as a killed process drops it."""
    loop = VirtualLoop()
    loop.set_exception_handler(_unless_dropped)
    try:
        return loop.run_until_complete(main)
    finally:
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()


def _unless_dropped(loop: asyncio.AbstractEventLoop, context: Mapping[str, Any]) -> None:
    """Say what the loop has to say, but for tasks that went with a killed process."""
    if not isinstance(context.get("exception"), asyncio.CancelledError):
        loop.default_exception_handler(dict(context))
