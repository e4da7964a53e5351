"""Writes down what the messenger has accepted.

Until that is written, a crash would send the message again. So a line goes into the send log at once; and the
transaction that marks messages as sent goes first on the database thread, does not wait for the disk, and takes all
that wait for one, whichever chats they belong to.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from functools import partial

from bot.db_worker import DatabaseWorker
from bot.delivery.backoff import delay_after
from storage.repositories.outbox import OutboxMessage, Sent
from storage.store import UnitOfWork

log = logging.getLogger(__name__)

MOST_TRIES_AT_THE_END = 3


class Acknowledgements:
    """Marks messages as sent."""

    def __init__(self, database: DatabaseWorker) -> None:
        self.faults = 0
        self.closing = False
        self.tasks: asyncio.TaskGroup | None = None
        """The group in which the writing runs, so that it ends with the courier."""
        self._database = database
        self._waiting: list[tuple[Sent, asyncio.Future[OutboxMessage | None]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def write(self, client: str, message: int, message_id: int | None) -> OutboxMessage | None:
        """Mark one message as sent; return the next one that waits for the same client, None if none does.

        `message_id`: the id the messenger gave it. Tries until it is written: unmarked, it would be sent again.
        """
        sent = Sent(client, message, message_id, self._database.now())
        with contextlib.suppress(OSError):  # a full disk; the mark itself is tried until it is written
            self._database.send_log.add(sent)
        written: asyncio.Future[OutboxMessage | None] = asyncio.get_running_loop().create_future()
        self._waiting.append((sent, written))
        if self._writing is None or self._writing.done():
            self._writing = (self.tasks or asyncio).create_task(self._write())
        return await written

    async def _write(self) -> None:
        tries = 0
        while self._waiting:
            batch, self._waiting = self._waiting, []
            try:
                following = await self._database.note(partial(_mark, batch=[sent for sent, _ in batch]))
            except Exception as fault:
                tries += 1
                self.faults += 1
                self._database.store_failed(fault)
                if self.closing and tries > MOST_TRIES_AT_THE_END:
                    for _, written in batch:
                        written.cancel()
                    return
                self._waiting = [*batch, *self._waiting]
                await asyncio.sleep(min(delay_after(tries) / 10, 30.0))
                continue
            tries = 0
            for (_, written), after in zip(batch, following, strict=True):
                if not written.done():
                    written.set_result(after)
        with contextlib.suppress(OSError):
            self._database.send_log.clear()


def _mark(work: UnitOfWork, batch: list[Sent]) -> list[OutboxMessage | None]:
    for sent in batch:
        work.outbox.mark_sent(sent)
    return [work.outbox.next_for(sent.client) for sent in batch]
