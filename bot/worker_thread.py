"""The one thread on which all work with the store happens.

SQLite has one writer; a pool of them starves. One thread keeps every transaction short and in turn.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from itertools import count
from queue import PriorityQueue
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

FIRST, IN_TURN, LAST = range(3)


class WorkerThread:
    """Runs functions one after another, in the order they were asked for, off the event loop."""

    def __init__(self) -> None:
        self._jobs: PriorityQueue[tuple[int, int, Callable[[], None] | None]] = PriorityQueue()
        self._numbers = count()
        self._thread = threading.Thread(target=self._work, name="writer", daemon=True)
        self._thread.start()

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What the function returns or raises. Once begun it runs to its end, whoever stops waiting for it."""
        return await asyncio.wrap_future(self._ask(IN_TURN, lambda: function(*args, **kwargs)))

    async def run_first(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The same, before all that waits its turn: for what must be kept as soon as it has happened."""
        return await asyncio.wrap_future(self._ask(FIRST, lambda: function(*args, **kwargs)))

    def close(self) -> None:
        """Finish what was asked for, then end the thread."""
        self._jobs.put((LAST, next(self._numbers), None))
        self._thread.join()

    def _ask(self, rank: int, function: Callable[[], T]) -> Future[T]:
        future: Future[T] = Future()

        def job() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(function())
            except BaseException as fault:  # it belongs to whoever asked, whatever it is
                future.set_exception(fault)

        self._jobs.put((rank, next(self._numbers), job))
        return future

    def _work(self) -> None:
        while True:
            _, _, job = self._jobs.get()
            if job is None:
                return
            job()
