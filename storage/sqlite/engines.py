"""Engines over SQLite files, with transactions that begin when we say so."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.engine.interfaces import DBAPIConnection

from storage.errors import database_fault, is_of_the_store
from storage.statements import Driver

DATA_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "busy_timeout=10000",
    "secure_delete=ON",
    "temp_store=MEMORY",
)

KEY_PRAGMAS = (
    # No write-ahead log: it would keep erased keys. EXTRA also syncs the folder when the journal goes,
    # so that neither a made nor an erased key comes undone by a power cut.
    "journal_mode=DELETE",
    "synchronous=EXTRA",
    "busy_timeout=10000",
    "secure_delete=ON",
    "temp_store=MEMORY",
)
MOST_IDLE = 2
"""Connections kept open between transactions: one that writes, one that reads beside it."""


def sqlite_engine(path: Path, pragmas: tuple[str, ...]) -> Engine:
    """An engine over one file, made readable by its owner alone. Errors never quote values.

    Where the database or its disk fails, whatever the statement, a DatabaseFault is raised.
    A transaction may bring the execution option `reads`: it writes nothing.
    """
    if not path.exists():
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
    engine = create_engine(f"sqlite:///{path}", hide_parameters=True, pool_size=2, max_overflow=8)

    @event.listens_for(engine, "connect")
    def prepare(connection: DBAPIConnection, _: Any) -> None:
        # The driver's own guessing at when to begin is switched off.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in pragmas:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "handle_error")
    def name_the_fault(context: ExceptionContext) -> BaseException | None:
        error = context.original_exception
        return database_fault(error, path.parent) if is_of_the_store(error) else None

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        driver: Any = connection.connection.driver_connection
        if not driver.in_transaction:  # `Transactions` begins by itself
            reads = connection.get_execution_options().get("reads", False)
            connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")

    return engine


class Transactions:
    """Transactions over one engine, on connections that stay open: to open one costs more than a small transaction.

    Statements may go through the connection or through its driver; both are in the same transaction.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._idle: list[Connection] = []

    @contextmanager
    def begin(self, reads: bool = False, synchronous: str | None = None) -> Iterator[tuple[Connection, Driver]]:
        """One transaction, kept on leaving and undone by an exception.

        `reads`: it can write nothing, and sees the data as they are at its first statement.
        `synchronous`: SQLite's own word for how long a commit waits for the disk; None leaves it as it is.
        """
        connection = self._connection()
        driver = Driver(connection)
        try:
            if synchronous is not None:
                _set(connection, driver, "synchronous", synchronous)
            _set(connection, driver, "query_only", "ON" if reads else "OFF")
            driver.word("BEGIN" if reads else "BEGIN IMMEDIATE")
            yield connection, driver
            if connection.in_transaction():
                connection.commit()
            else:
                driver.commit()
        except BaseException:
            connection.close()  # which undoes what was not kept
            raise
        finally:
            driver.end()
        if len(self._idle) < MOST_IDLE:
            self._idle.append(connection)
        else:
            connection.close()

    def close(self) -> None:
        """Let go of the file."""
        while self._idle:
            self._idle.pop().close()
        self._engine.dispose()

    def _connection(self) -> Connection:
        try:
            return self._idle.pop()
        except IndexError:
            return self._engine.connect()


def _set(connection: Connection, driver: Driver, pragma: str, value: str) -> None:
    """Set a pragma, unless this connection has it so already."""
    if connection.info.get(pragma) != value:
        driver.word(f"PRAGMA {pragma}={value}")
        connection.info[pragma] = value
