"""The store of one installation: a file of sealed data and a file of wrapped keys, in one folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sqlalchemy import Engine, insert, select
from sqlalchemy.exc import DatabaseError

from storage.crypto.keystore import KeyStore
from storage.crypto.operator_key import LENGTH, OperatorKey, new_key
from storage.crypto.vault import Vault
from storage.errors import DecryptionError, StoreRefused
from storage.migrations import bring_up
from storage.send_log import Receipts
from storage.sqlite.engines import DATA_PRAGMAS, sqlite_engine
from storage.tables import chats, pairing
from storage.unit_of_work import UnitOfWork

DATA_FILE = "companion.sqlite"
KEY_FILE = "keys.sqlite"
RECEIPTS_FILE = "receipts"


class Store:
    """All that is kept, opened. Used from one thread at a time, but for `receipts`."""

    def __init__(self, engine: Engine, vault: Vault, receipts: Receipts) -> None:
        self.receipts = receipts
        self._engine = engine
        self._vault = vault

    @classmethod
    def open(cls, folder: Path, operator_key: bytes | None = None, *, carries: bool = False) -> Store:
        """Open what is kept in `folder`, or begin it there.

        Without `operator_key` (32 bytes), the key is read from `operator.key`, which is made on first use.
        Brings the schema up to date, and finishes erasures that were cut off. The one process that `carries` what
        waits to the messenger finishes marks, too: a command beside it would throw away receipts just written.
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
                receipts = Receipts(folder / RECEIPTS_FILE)
                on_refusal.callback(receipts.close)
                store = cls(engine, vault, receipts)
                store._settle(carries)
                on_refusal.pop_all()
                return store
        except OSError as error:
            raise StoreRefused(f"The files in {folder} can't be read or written: {error.strerror}.") from error
        except DatabaseError as error:
            raise StoreRefused(f"The files in {folder} can't be read as a database: {error.orig}.") from error

    @contextmanager
    def begin(self, immediate: bool = True, lasting: bool = True) -> Iterator[UnitOfWork]:
        """One transaction, kept on leaving and undone by an exception. Not `immediate`: for reading only.

        Not `lasting`: it survives the end of the process, however sudden, and waits for no disk, so that a power
        cut can undo it together with whatever of that kind came after the last lasting one.
        """
        options = {"reads": not immediate, "synchronous": "FULL" if lasting else "NORMAL"}
        with self._engine.connect() as connection, connection.execution_options(**options).begin():
            work = UnitOfWork(connection, self._vault)
            yield work
        work.committed()

    def rotate(self, new: bytes | None = None) -> None:
        """Put a new operator's key (32 bytes; made if None) in the place of the old one. Data stay as they are.

        A bot that is running goes on, if its key stands in the file.
        """
        if new is not None and len(new) != LENGTH:
            raise StoreRefused(f"The operator's key must be {LENGTH} bytes long; the one given has {len(new)}.")
        self._vault.rotate(new_key() if new is None else new)

    def close(self) -> None:
        """Let go of the files."""
        self._vault.close()
        self._engine.dispose()
        self.receipts.close()

    def _settle(self, carries: bool) -> None:
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
            for receipt in self.receipts.all() if carries else ():
                work.outbox.carried(receipt.client, {receipt.parcel: receipt.message}, receipt.at)
            for client in work.partings.clients():
                work.finish_erasure(client)
            # No transaction that made a key can be under way: this one holds the lock they need.
            unsettled = self._vault.unsettled()
            if unsettled:
                kept = set(work.connection.scalars(select(chats.c.client).where(chats.c.client.in_(unsettled))))
                self._vault.destroy(*(client for client in unsettled if client not in kept))
                for client in kept:
                    self._vault.settle(client)
        if carries:
            self.receipts.clear()


def _holds_something(path: Path) -> bool:
    return path.exists() and path.stat().st_size > 0
