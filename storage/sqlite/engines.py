"""SQLAlchemy engines over SQLite files, with explicit transactions."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.engine.interfaces import DBAPIConnection

from storage.errors import is_store_failure, to_database_fault

DATA_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "busy_timeout=10000",
    "secure_delete=ON",
    "temp_store=MEMORY",
)

KEY_PRAGMAS = (
    # No write-ahead log: it would keep erased keys. EXTRA also syncs the folder when the journal is deleted,
    # so that a power cut undoes neither a new key nor an erasure.
    "journal_mode=DELETE",
    "synchronous=EXTRA",
    "busy_timeout=10000",
    "secure_delete=ON",
    "temp_store=MEMORY",
)


def sqlite_engine(path: Path, pragmas: tuple[str, ...]) -> Engine:
    """An engine over one file, which is created readable by its owner alone. Errors never quote values.

    Whichever statement fails because of the database or its disk, a DatabaseFault is raised.
    The execution option `read_only` marks a transaction that writes nothing.
    """
    if not path.exists():
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
    engine = create_engine(f"sqlite:///{path}", hide_parameters=True, pool_size=2, max_overflow=8)

    @event.listens_for(engine, "connect")
    def prepare(connection: DBAPIConnection, _: Any) -> None:
        # Without this, Python's sqlite3 decides by itself when a transaction begins.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in pragmas:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "handle_error")
    def raise_database_fault(context: ExceptionContext) -> BaseException | None:
        error = context.original_exception
        return to_database_fault(error, path.parent) if is_store_failure(error) else None

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        driver: Any = connection.connection.driver_connection
        if not driver.in_transaction:  # `ConnectionPool` begins transactions itself
            read_only = connection.get_execution_options().get("read_only", False)
            connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")

    return engine
