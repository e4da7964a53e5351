"""The store of one installation: a file of sealed data and a file of wrapped keys, in one folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sqlalchemy import insert, select

from storage.crypto.keystore import KeyStore
from storage.crypto.operator_key import LENGTH, OperatorKey, new_key
from storage.crypto.vault import Vault
from storage.errors import DecryptionError, StoreRefused, database_fault, is_of_the_store
from storage.migrations import bring_up
from storage.send_log import SendLog
from storage.sqlite.engines import DATA_PRAGMAS, Transactions, sqlite_engine
from storage.tables import chats, pairing
from storage.unit_of_work import UnitOfWork

DATA_FILE = "companion.sqlite"
KEY_FILE = "keys.sqlite"
SEND_LOG_FILE, FORMER_SEND_LOG_FILE = "send.log", "receipts"


class Store:
    """All that is kept, opened. One thread at a time writes; others may read beside it."""

    def __init__(self, transactions: Transactions, vault: Vault, send_log: SendLog, folder: Path) -> None:
        self.send_log = send_log
        self._folder = folder
        self._transactions = transactions
        self._vault = vault

    @classmethod
    def open(cls, folder: Path, operator_key: bytes | None = None, *, sends: bool = False) -> Store:
        """Open what is kept in `folder`, or begin it there.

        Without `operator_key` (32 bytes), the key is read from `operator.key`, which is made on first use.
        Brings the schema up to date, and finishes erasures that were cut off. `sends`: this is the one process
        that sends what waits; it also takes in the send log, which a command beside it would take away too early.
        Raises StoreRefused, with a sentence for the operator, where anything is missing, wrong or unreadable.
        """
        try:
            with ExitStack() as on_refusal:
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                data, keys = folder / DATA_FILE, folder / KEY_FILE
                if _holds_something(data) and not _holds_something(keys):
                    raise StoreRefused(
                        f"There are data in {data}, but the key store {keys} is missing. "
                        "Put its newest backup back; without it nothing can be read."
                    )
                vault = Vault(KeyStore(keys), OperatorKey(folder, operator_key))
                on_refusal.callback(vault.close)
                vault.start(has_data=lambda: _holds_something(data))
                engine = sqlite_engine(data, DATA_PRAGMAS)
                on_refusal.callback(engine.dispose)
                bring_up(engine)
                if (folder / FORMER_SEND_LOG_FILE).exists():
                    (folder / FORMER_SEND_LOG_FILE).replace(folder / SEND_LOG_FILE)
                send_log = SendLog(folder / SEND_LOG_FILE)
                on_refusal.callback(send_log.close)
                store = cls(Transactions(engine), vault, send_log, folder)
                store._settle(sends)
                on_refusal.pop_all()
                return store
        except StoreRefused:
            raise
        except Exception as error:
            if is_of_the_store(error):
                raise StoreRefused(str(database_fault(error, folder))) from error
            raise

    @contextmanager
    def begin(self, immediate: bool = True, lasting: bool = True) -> Iterator[UnitOfWork]:
        """One transaction, kept on leaving and undone by an exception.

        Not `immediate`: for reading only. It waits for nobody and nobody waits for it, and it sees the data as they
        are when it first looks.

        Not `lasting`: it survives the end of the process, however sudden, and waits for no disk, so that a power
        cut can undo it together with whatever of that kind came after the last lasting one.

        Raises DatabaseFault where the database, its disk or its key failed, at whichever statement that was.
        """
        level = "FULL" if lasting else "NORMAL"
        with self._faults_named(), self._transactions.begin(not immediate, level) as (connection, driver):
            work = UnitOfWork(connection, driver, self._vault)
            yield work
        work.committed()

    def rotate(self, new: bytes | None = None) -> None:
        """Put a new operator's key (32 bytes; made if None) in the place of the old one. Data stay as they are.

        A bot that is running goes on, if its key stands in the file.
        """
        if new is not None and len(new) != LENGTH:
            raise StoreRefused(f"The operator's key must be {LENGTH} bytes long; the one given has {len(new)}.")
        with self._faults_named():
            self._vault.rotate(new_key() if new is None else new)

    def close(self) -> None:
        """Let go of the files."""
        self._vault.close()
        self._transactions.close()
        self.send_log.close()

    @contextmanager
    def _faults_named(self) -> Iterator[None]:
        """Raise whatever the store itself failed with as a DatabaseFault, and anything else as it is."""
        try:
            yield
        except Exception as error:
            if is_of_the_store(error) and (fault := database_fault(error, self._folder)) is not error:
                raise fault from error
            raise

    def _settle(self, sends: bool) -> None:
        """See that keys and data belong together, and finish what a crash cut off between the two."""
        with self.begin() as work:
            encrypted = work.connection.scalar(select(pairing.c.body))
            if encrypted is None:
                work.connection.execute(insert(pairing), {"id": 1, "body": self._vault.encrypt_pairing()})
            else:
                try:
                    self._vault.check_pairing(encrypted)
                except DecryptionError:
                    raise StoreRefused(
                        "The key store belongs to other data. Put the right keys.sqlite back beside these data."
                    ) from None
            for sent in self.send_log.all() if sends else ():
                work.outbox.sent(sent)
            work.clients.fill_channels()
            for client in work.erasure_notices.clients():
                work.finish_erasure(client)
            # No transaction that made a key can be under way: this one holds the lock they need.
            unsettled = self._vault.unsettled()
            if unsettled:
                kept = set(work.connection.scalars(select(chats.c.client).where(chats.c.client.in_(unsettled))))
                self._vault.destroy(*(client for client in unsettled if client not in kept))
                for client in kept:
                    self._vault.settle(client)
        if sends:
            self.send_log.clear()


def _holds_something(path: Path) -> bool:
    return path.exists() and path.stat().st_size > 0
