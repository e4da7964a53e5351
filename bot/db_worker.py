"""Where asynchronous code asks for work on the store: to write, on the writer's thread; to read, beside it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from bot.worker_thread import WorkerThread
from storage.store import Store
from storage.unit_of_work import UnitOfWork

T = TypeVar("T")


class DatabaseWorker:
    """The store as the event loop sees it, with the present instant from `now` (aware, UTC)."""

    def __init__(self, store: Store, worker: WorkerThread, now: Callable[[], datetime]) -> None:
        self.now = now
        self.send_log = store.send_log
        self.run = worker.run
        self._worker = worker
        self._store = store

    async def do(self, deed: Callable[[UnitOfWork], T]) -> T:
        """Do this in a transaction of its own, which is kept when this returns."""
        return await self._worker.run(self._in_transaction, deed)

    async def note(self, deed: Callable[[UnitOfWork], T]) -> T:
        """Note what has happened outside: before all that waits its turn, and without waiting for the disk.

        What is noted survives the end of the process. A power cut may undo the last notes.
        """
        return await self._worker.run_first(self._in_transaction, deed, False)

    async def read(self, deed: Callable[[UnitOfWork], T]) -> T:
        """Do this in a transaction that writes nothing, on another thread, so that nobody waits for it."""
        return await asyncio.to_thread(self._in_reading_transaction, deed)

    def _in_reading_transaction(self, deed: Callable[[UnitOfWork], T]) -> T:
        with self._store.begin(immediate=False) as work:
            return deed(work)

    def _in_transaction(self, deed: Callable[[UnitOfWork], T], lasting: bool = True) -> T:
        with self._store.begin(lasting=lasting) as work:
            return deed(work)
