"""An event loop with a virtual clock: when no task is ready, the clock jumps to the next timer.

Weeks pass in seconds, and everything happens in the same order for the same seed, as nothing depends on real time.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine, Mapping
from datetime import datetime, timedelta
from typing import Any, TypeVar

T = TypeVar("T")


class Deadlock(RuntimeError):
    """All tasks wait and no timer is set, so none can ever go on."""


class _VirtualSelector(selectors.SelectSelector):
    """Moves the clock on instead of waiting for files; in virtual time there are none to wait for."""

    def __init__(self) -> None:
        super().__init__()
        self.time = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise Deadlock
        self.time += max(0.0, timeout)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """`time()` is in seconds from 0, the beginning of the simulation."""

    def __init__(self) -> None:
        self._selector = _VirtualSelector()
        super().__init__(self._selector)
        # The loop's own resolution is finer than the precision of `time()` after some weeks: no timer would be due.
        self._clock_resolution = 1e-6

    def time(self) -> float:
        """The seconds that have passed."""
        return self._selector.time


class VirtualClock:
    """Instants in virtual time; second 0 of the loop is `start` (aware, UTC)."""

    def __init__(self, start: datetime) -> None:
        self.start = start

    def now(self) -> datetime:
        """The present instant."""
        return self.start + timedelta(seconds=asyncio.get_running_loop().time())

    def seconds(self, at: datetime) -> float:
        """The loop's time at an instant."""
        return (at - self.start).total_seconds()

    async def until(self, at: datetime) -> None:
        """Return at this instant; at once if it has passed."""
        await asyncio.sleep(max(0.0, self.seconds(at) - asyncio.get_running_loop().time()))


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end in virtual time. Tasks that are left are cancelled. Raises Deadlock."""
    loop = VirtualLoop()
    loop.set_exception_handler(_report_exception)
    try:
        return loop.run_until_complete(main)
    finally:
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()


def _report_exception(loop: asyncio.AbstractEventLoop, context: Mapping[str, Any]) -> None:
    """Report an exception as usual, but not the cancellation of tasks of a killed process."""
    if not isinstance(context.get("exception"), asyncio.CancelledError):
        loop.default_exception_handler(dict(context))
