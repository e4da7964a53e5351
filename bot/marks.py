"""What has reached the messenger, on its way into the books.

Until a message is marked, a crash would send it again. So a receipt is written at once, before anything else happens;
and marks go first on the writer's thread, wait for no disk, and all that wait for one transaction go in it together,
whichever chats they belong to.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from functools import partial

from bot.db_worker import DatabaseWorker
from bot.pauses import pause_after
from storage.send_log import Receipt
from storage.unit_of_work import UnitOfWork

log = logging.getLogger(__name__)

MOST_TRIES_AT_THE_END = 3


class Marks:
    """Marks parcels as carried."""

    def __init__(self, database: DatabaseWorker) -> None:
        self.faults = 0
        self.closing = False
        self._database = database
        self._waiting: dict[str, dict[int, int | None]] = {}
        self._written = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def add(self, client: str, parcel: int, message_id: int | None) -> asyncio.Task[None]:
        """Have a parcel marked. The task is done when all marks asked for by then are written."""
        with contextlib.suppress(OSError):  # a disk that is full; the mark itself is tried until it is written
            self._database.receipts.add(Receipt(client, parcel, message_id, self._database.now()))
        self._waiting.setdefault(client, {})[parcel] = message_id
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._write())
        return self._task

    async def _write(self) -> None:
        # Unmarked, all of it would be sent again and again: so it is tried until it is written.
        tries = 0
        while self._waiting:
            marks, self._waiting = self._waiting, {}
            try:
                await self._database.note(partial(self._carried, marks))
                tries = 0
            except Exception as fault:
                tries += 1
                self.faults += 1
                log.error("sent marks can't be written (%s), try %d", type(fault).__name__, tries)
                if self.closing and tries > MOST_TRIES_AT_THE_END:
                    raise
                for client, ids in marks.items():
                    self._waiting[client] = ids | self._waiting.get(client, {})
                await asyncio.sleep(min(pause_after(tries) / 10, 30.0))
        with contextlib.suppress(OSError):
            self._database.receipts.clear()

    def _carried(self, marks: dict[str, dict[int, int | None]], work: UnitOfWork) -> None:
        now = self._database.now()
        for client, ids in marks.items():
            work.outbox.carried(client, ids, now)
