"""Engines over SQLite files, with transactions that begin when we say so."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection

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


def sqlite_engine(path: Path, pragmas: tuple[str, ...]) -> Engine:
    """An engine over one file, made readable by its owner alone. Errors never quote values.

    A transaction may bring execution options: `reads` (it writes nothing) and `synchronous` (SQLite's own).
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

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        if "synchronous" in options:
            driver: sqlite3.Connection = connection.connection.driver_connection  # type: ignore[assignment]
            driver.execute(f"PRAGMA synchronous={options['synchronous']}")
        connection.exec_driver_sql("BEGIN" if options.get("reads", False) else "BEGIN IMMEDIATE")

    return engine
