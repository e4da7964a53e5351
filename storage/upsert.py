"""`insert … on conflict`: the one statement that differs between the databases."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Insert, Table
from sqlalchemy.dialects import postgresql, sqlite

_INSERT: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
_made: dict[tuple[str, Table, tuple[str, ...] | None], Insert] = {}


def insert_or_skip(database: Connection | str, table: Table) -> Insert:
    """An insert that does nothing where a row with the same key stands; its `rowcount` tells which.

    `database`: a connection, or the name of its dialect.
    """
    return _cached(database, table, None)


def insert_or_update(database: Connection | str, table: Table, *columns: str) -> Insert:
    """An insert that changes `columns` where a row with the same primary key stands."""
    return _cached(database, table, columns)


def _cached(database: Connection | str, table: Table, columns: tuple[str, ...] | None) -> Insert:
    name = database if isinstance(database, str) else database.dialect.name
    statement = _made.get((name, table, columns))
    if statement is None:
        new = _INSERT[name](table)
        if columns is None:
            statement = new.on_conflict_do_nothing()
        else:
            statement = new.on_conflict_do_update(
                index_elements=list(table.primary_key), set_={column: new.excluded[column] for column in columns}
            )
        _made[name, table, columns] = statement
    return statement
