"""One unit of work: a transaction, and the parts of the store within it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property

from sqlalchemy import Connection

from storage.crypto.vault import Vault
from storage.errors import is_of_the_store
from storage.repositories.clients import Clients
from storage.repositories.counters import Counters
from storage.repositories.entries import Entries
from storage.repositories.erasure_notices import ErasureNotices
from storage.repositories.inbox import PORTION, Inbox
from storage.repositories.outbox import Outbox
from storage.statements import Driver

log = logging.getLogger(__name__)


class UnitOfWork:
    """One transaction. Made by `Store.begin`, and of no use after it.

    `driver` runs the statements of every turn, `connection` all others.
    """

    def __init__(self, connection: Connection, driver: Driver, vault: Vault) -> None:
        self.connection = connection
        self.driver = driver
        self.vault = vault
        self._after_commit: list[Callable[[], None]] = []

    @cached_property
    def clients(self) -> Clients:
        return Clients(self)

    @cached_property
    def entries(self) -> Entries:
        return Entries(self)

    @cached_property
    def inbox(self) -> Inbox:
        return Inbox(self)

    @cached_property
    def outbox(self) -> Outbox:
        return Outbox(self)

    @cached_property
    def erasure_notices(self) -> ErasureNotices:
        return ErasureNotices(self)

    @cached_property
    def counters(self) -> Counters:
        return Counters(self)

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """A part that can fail alone: an exception undoes what was done in it, and goes on upwards."""
        promised = len(self._after_commit)
        self.driver.word("SAVEPOINT part")
        try:
            yield
        except BaseException as fault:
            del self._after_commit[promised:]
            try:
                self.driver.word("ROLLBACK TO SAVEPOINT part")
                self.driver.word("RELEASE SAVEPOINT part")
            except Exception:
                # A full disk undoes the whole transaction, savepoint and all: then that is the fault to be told.
                if not is_of_the_store(fault):
                    raise
            raise
        self.driver.word("RELEASE SAVEPOINT part")

    def after_commit(self, act: Callable[[], None]) -> None:
        """Have something done once all of this is kept, and only then."""
        self._after_commit.append(act)

    def committed(self) -> None:
        """All is kept: do what was promised for then. A failure can't undo the commit, so it is only logged."""
        for act in self._after_commit:
            try:
                act()
            except Exception as fault:
                log.warning("something promised for after the commit failed: %s", type(fault).__name__)

    def forget(self, now: datetime, most: int = PORTION) -> bool:
        """What has been kept for as long as it is needed goes: event keys, sent messages, erasure notices.

        Of keys and of messages `most` go at a time, so that nobody waits long. Whether there may be more.
        """
        gone = max(self.inbox.forget(now, most), self.outbox.forget(now, most))
        self.erasure_notices.forget(now)
        return gone == most

    def finish_erasure(self, client: str) -> None:
        """Destroy the key of a client whose erasure is committed but was cut off."""
        if self.vault.has(client):
            self.vault.destroy(client)
