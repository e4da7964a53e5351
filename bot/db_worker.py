"""Where asynchronous code asks for work on the store: to write, on the writer's thread; to read, beside it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from bot.fault_log import FaultLog
from bot.worker_thread import WorkerThread
from storage.errors import DatabaseFault
from storage.store import Store, UnitOfWork

T = TypeVar("T")

log = logging.getLogger(__name__)
_STORE = "store "


class DatabaseWorker:
    """The store as the event loop sees it, with the present instant from `now` (aware, UTC)."""

    def __init__(self, store: Store, worker: WorkerThread, now: Callable[[], datetime]) -> None:
        self.now = now
        self.send_log = store.send_log
        self.run = worker.run
        self.faults = FaultLog(log)
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
        with self._store.begin(read_only=True) as work:
            return deed(work)

    def store_failed(self, fault: Exception) -> None:
        """The store gave up: say so once, whichever part of the bot met with it."""
        if isinstance(fault, DatabaseFault):
            kind, what = str(fault.kind), str(fault)
        else:
            kind, what = type(fault).__name__, f"The store failed ({type(fault).__name__})."
        until = "Until then no update is taken and nobody is woken; nothing is lost, and it goes on by itself."
        self.faults.say(f"{_STORE}{kind}", f"{what} {until}")

    def store_works(self) -> None:
        """Something was written to the store: if it had given up, that is over."""
        if self.faults.over(_STORE):
            log.warning("The store can be written again: updates are taken, and whoever is due is woken.")

    def _in_transaction(self, deed: Callable[[UnitOfWork], T], durable: bool = True) -> T:
        with self._store.begin(durable=durable) as work:
            return deed(work)
