"""Where asynchronous code asks for work on the store: one transaction at a time, on the writer's thread."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from bot.writer import Writer
from storage.store import Store
from storage.work import Work

T = TypeVar("T")


class Desk:
    """The store as the event loop sees it, with the present instant from `now` (aware, UTC)."""

    def __init__(self, store: Store, writer: Writer, now: Callable[[], datetime]) -> None:
        self.now = now
        self.receipts = store.receipts
        self.run = writer.run
        self._writer = writer
        self._store = store

    async def do(self, deed: Callable[[Work], T]) -> T:
        """Do this in a transaction of its own, which is kept when this returns."""
        return await self._writer.run(self._in_transaction, deed)

    async def note(self, deed: Callable[[Work], T]) -> T:
        """Note what has happened outside: before all that waits its turn, and without waiting for the disk.

        What is noted survives the end of the process. A power cut may undo the last notes.
        """
        return await self._writer.run_first(self._in_transaction, deed, False)

    def _in_transaction(self, deed: Callable[[Work], T], lasting: bool = True) -> T:
        with self._store.begin(lasting=lasting) as work:
            return deed(work)
