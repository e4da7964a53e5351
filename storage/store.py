"""The store of one installation, in one folder: encrypted data, wrapped keys, and the send log. `Store` opens them.

A `UnitOfWork` is one transaction on the data.
"""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from functools import cached_property
from pathlib import Path

from sqlalchemy import insert, select

from storage.crypto.keystore import KeyStore
from storage.crypto.operator_key import LENGTH, OperatorKey, new_key
from storage.crypto.vault import Vault
from storage.database import ConnectionPool, from_micros, to_micros
from storage.errors import DecryptionError, StoreRefused, is_store_failure, to_database_fault
from storage.migrations import upgrade_to_head
from storage.repositories.chats import Chats
from storage.repositories.clients import Clients
from storage.repositories.counters import Counters
from storage.repositories.entries import Entries
from storage.repositories.erasure_notices import ErasureNotices
from storage.repositories.inbox import MAX_DELETED, Inbox
from storage.repositories.outbox import Outbox, Sent
from storage.session import Session
from storage.sqlite.engines import DATA_PRAGMAS, sqlite_engine
from storage.tables import chats, pairing

log = logging.getLogger(__name__)

DATA_FILE = "companion.sqlite"
KEY_FILE = "keys.sqlite"
SEND_LOG_FILE, FORMER_SEND_LOG_FILE = "send.log", "receipts"

_NO_MESSAGE_ID = "-"


class UnitOfWork(Session):
    """One transaction, begun by `Store.begin`, with the repositories that work within it."""

    @cached_property
    def chats(self) -> Chats:
        return Chats(self)

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
        """A part of the transaction that can fail alone: an exception rolls it back, and is raised again."""
        callbacks_before = len(self.callbacks)
        self.driver.execute_text("SAVEPOINT part")
        try:
            yield
        except BaseException as fault:
            del self.callbacks[callbacks_before:]
            try:
                self.driver.execute_text("ROLLBACK TO SAVEPOINT part")
                self.driver.execute_text("RELEASE SAVEPOINT part")
            except Exception:
                # On a full disk SQLite rolls back the whole transaction with its savepoint: then `fault` is raised.
                if not is_store_failure(fault):
                    raise
            raise
        self.driver.execute_text("RELEASE SAVEPOINT part")

    def run_callbacks(self) -> None:
        """Run what was to be done after the commit. A failure can't undo the commit, so it is only logged."""
        for callback in self.callbacks:
            try:
                callback()
            except Exception as fault:
                log.warning("a callback after the commit failed: %s", type(fault).__name__)

    def delete_expired(self, now: datetime, most: int = MAX_DELETED) -> bool:
        """Delete expired event keys, sent messages and erasure notices. Returns whether there may be more.

        At most `most` keys and `most` messages are deleted, so that other transactions do not wait long.
        """
        deleted = max(self.inbox.delete_expired(now, most), self.outbox.delete_expired(now, most))
        self.erasure_notices.delete_expired(now)
        return deleted == most


class SendLog:
    """A file of the messages that the messenger has accepted and that may not be marked as sent in the database yet.

    A transaction has to wait for its turn and for another thread. A line is written to this file as soon as the
    messenger answers, and survives the end of the process; the next process reads it when it opens the store. So a
    crash in between does not send a message again. The file holds numbers only. It is emptied whenever everything in
    it is marked in the database. Raises OSError where it can't be opened or written.
    """

    def __init__(self, path: Path) -> None:
        # Unbuffered and appending: each line reaches the operating system at once, in one piece, at the end.
        self._file = os.fdopen(os.open(path, os.O_CREAT | os.O_RDWR | os.O_APPEND, 0o600), "a+b", buffering=0)

    def add(self, sent: Sent) -> None:
        """Write one line, in one write. Raises OSError if there is no room for it; then nothing of it remains."""
        message_id = _NO_MESSAGE_ID if sent.message_id is None else sent.message_id
        line = f"{sent.client} {sent.message} {message_id} {to_micros(sent.at)}\n".encode()
        written = self._file.write(line) or 0
        if written < len(line):
            self._file.truncate(self._file.seek(0, os.SEEK_END) - written)  # or the next line would continue this one
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def read_all(self) -> list[Sent]:
        """The content of the file. A line that was cut off or changed is skipped: its message is sent once more."""
        self._file.seek(0)
        whole_lines = self._file.read().split(b"\n")[:-1]
        return [sent for line in whole_lines if (sent := _read_line(line)) is not None]

    def clear(self) -> None:
        """Empty the file, once everything in it is marked in the database."""
        self._file.truncate(0)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class Store:
    """The open store. Only one thread at a time may write; others may read meanwhile."""

    def __init__(self, connections: ConnectionPool, vault: Vault, send_log: SendLog, folder: Path) -> None:
        self.send_log = send_log
        self._folder = folder
        self._connections = connections
        self._vault = vault

    @classmethod
    def open(cls, folder: Path, operator_key: bytes | None = None, *, sends: bool = False) -> Store:
        """Open the store in `folder`, or create it there.

        Without `operator_key` (32 bytes), the key is read from `operator.key`, which is created with a new store.
        Migrates the schema, and finishes interrupted erasures. `sends`: this is the one process that sends messages;
        it also reads and empties the send log, which a command beside the bot must not do.
        Raises StoreRefused, with a sentence for the operator, where something is missing, wrong or unreadable.
        """
        try:
            with ExitStack() as on_refusal:
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                data, keys = folder / DATA_FILE, folder / KEY_FILE
                if _is_filled(data) and not _is_filled(keys):
                    raise StoreRefused(
                        f"There are data in {data}, but the key store {keys} is missing. "
                        "Put its newest backup back; without it nothing can be read."
                    )
                vault = Vault(KeyStore(keys), OperatorKey(folder, operator_key))
                on_refusal.callback(vault.close)
                vault.open(has_data=lambda: _is_filled(data))
                engine = sqlite_engine(data, DATA_PRAGMAS)
                on_refusal.callback(engine.dispose)
                upgrade_to_head(engine)
                if (folder / FORMER_SEND_LOG_FILE).exists():
                    (folder / FORMER_SEND_LOG_FILE).replace(folder / SEND_LOG_FILE)
                send_log = SendLog(folder / SEND_LOG_FILE)
                on_refusal.callback(send_log.close)
                store = cls(ConnectionPool(engine), vault, send_log, folder)
                store._recover(sends)
                on_refusal.pop_all()
                return store
        except StoreRefused:
            raise
        except Exception as error:
            if is_store_failure(error):
                raise StoreRefused(str(to_database_fault(error, folder))) from error
            raise

    @contextmanager
    def begin(self, *, read_only: bool = False, durable: bool = True) -> Iterator[UnitOfWork]:
        """One transaction, committed on leaving and rolled back by an exception.

        `read_only`: it neither waits for a writing transaction nor delays one, and sees the data as they are at its
        first statement.

        Not `durable`: the commit does not wait for the disk. It survives the end of the process, but a power cut may
        undo it, together with all that was committed since the last durable transaction.

        Raises DatabaseFault if the database, its disk or the key store fails.
        """
        synchronous = "FULL" if durable else "NORMAL"
        with self._database_faults(), self._connections.begin(read_only, synchronous) as (connection, driver):
            work = UnitOfWork(connection, driver, self._vault)
            yield work
        work.run_callbacks()

    def rotate(self, new: bytes | None = None) -> None:
        """Replace the operator's key with `new` (32 bytes; None for a random one). The data do not change.

        A running bot continues to work if its key is read from the file.
        """
        if new is not None and len(new) != LENGTH:
            raise StoreRefused(f"The operator's key must be {LENGTH} bytes long; the one given has {len(new)}.")
        with self._database_faults():
            self._vault.rotate(new_key() if new is None else new)

    def close(self) -> None:
        """Close all files."""
        self._vault.close()
        self._connections.close()
        self.send_log.close()

    @contextmanager
    def _database_faults(self) -> Iterator[None]:
        """Raise every failure of the database or its disk as a DatabaseFault, and other exceptions unchanged."""
        try:
            yield
        except Exception as error:
            if is_store_failure(error) and (fault := to_database_fault(error, self._folder)) is not error:
                raise fault from error
            raise

    def _recover(self, sends: bool) -> None:
        """Check that keys and data belong together, and finish what a crash interrupted. Raises StoreRefused."""
        with self.begin() as work:
            token = work.connection.scalar(select(pairing.c.body))
            if token is None:
                work.connection.execute(insert(pairing), {"id": 1, "body": self._vault.pairing_token()})
            else:
                try:
                    self._vault.check_pairing_token(token)
                except DecryptionError:
                    raise StoreRefused(
                        "The key store belongs to other data. Put the right keys.sqlite back beside these data."
                    ) from None
            for sent in self.send_log.read_all() if sends else ():
                work.outbox.mark_sent(sent)
            work.clients.fill_channels()
            for client in work.erasure_notices.clients():
                work.finish_erasure(client)
            # This transaction holds the write lock, so no other one can be between creating a key and its row.
            unconfirmed = self._vault.unconfirmed()
            if unconfirmed:
                found = set(work.connection.scalars(select(chats.c.client).where(chats.c.client.in_(unconfirmed))))
                self._vault.destroy_keys(*(client for client in unconfirmed if client not in found))
                for client in found:
                    self._vault.confirm(client)
        if sends:
            self.send_log.clear()


def _is_filled(path: Path) -> bool:
    return path.exists() and path.stat().st_size > 0


def _read_line(line: bytes) -> Sent | None:
    try:
        client, message, message_id, at = line.decode().split(" ")
        number = None if message_id == _NO_MESSAGE_ID else int(message_id)
        return Sent(client, int(message), number, from_micros(int(at)))
    except (ValueError, OverflowError):
        return None
