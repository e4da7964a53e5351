"""Transactions and statements on the database, and how values are stored in it.

Running a small statement through SQLAlchemy takes about 40 µs of Python, through the driver alone 3 µs. So statements
that every turn runs are written in SQLAlchemy Core, compiled once (`Statement`) and run by the driver (`Driver`). All
other statements go through SQLAlchemy's connection, in the same transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Connection, Dialect, Engine, Insert, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.elements import ClauseElement

from storage.errors import Malformed

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MAX_IDLE_CONNECTIONS = 2
"""Connections kept open between transactions: one that writes, one that reads beside it."""

_MICROSECOND = timedelta(microseconds=1)
_INSERT: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


# --- values --------------------------------------------------------------------------


def to_micros(at: datetime) -> int:
    """Microseconds from 1970 (UTC) to `at`: exact and sortable. Raises TypeError for a time without a zone."""
    return (at - EPOCH) // _MICROSECOND


def from_micros(count: int) -> datetime:
    """The instant `count` microseconds after 1970, aware, in UTC."""
    return EPOCH + count * _MICROSECOND


def encode_json(value: Any) -> bytes:
    """A dataclass, mapping or sequence as JSON bytes."""
    return _encode(value)


def decode_json(decoder: msgspec.json.Decoder[Any], data: bytes) -> Any:
    """The value that `decoder` reads from JSON bytes. Raises Malformed.

    Fields missing in the data take their defaults; fields unknown to this release are skipped.
    """
    try:
        return decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        # The library's message may quote the data, so it is not passed on.
        raise Malformed from None


def mapping_as_dict(value: Any) -> Any:
    """For msgspec's `enc_hook`: a dict of any other Mapping. Raises TypeError for everything else."""
    if isinstance(value, Mapping):
        return dict(value.items())
    raise TypeError(type(value).__name__)


_encode = msgspec.json.Encoder(enc_hook=mapping_as_dict).encode


# --- statements ----------------------------------------------------------------------


class TransactionEnded(Exception):
    """A statement was run in a transaction that has ended."""


class Statement:
    """One statement, compiled at its first use with a dialect.

    `core` is the statement, or a function that builds it for a dialect's name. `columns` are those an insert fills.
    """

    __slots__ = ("_columns", "_compiled", "_core")

    def __init__(self, core: ClauseElement | Callable[[str], ClauseElement], *columns: str) -> None:
        self._core = core
        self._columns = columns
        self._compiled: dict[str, tuple[str, Callable[[Mapping[str, Any]], Any]]] = {}

    def compiled_for(self, dialect: Dialect) -> tuple[str, Callable[[Mapping[str, Any]], Any]]:
        """The SQL, and a function that turns values by name into the driver's parameters.

        The function raises KeyError where a value is missing.
        """
        compiled = self._compiled.get(dialect.name)
        if compiled is None:
            compiled = self._compiled[dialect.name] = self._compile(dialect)
        return compiled

    def _compile(self, dialect: Dialect) -> tuple[str, Callable[[Mapping[str, Any]], Any]]:
        core = self._core if isinstance(self._core, ClauseElement) else self._core(dialect.name)
        # `for_executemany`: without it an insert would return the new key, which no caller uses.
        compiled: Any = core.compile(
            dialect=dialect, column_keys=list(self._columns) or None, for_executemany=bool(self._columns)
        )
        fixed = {name: bind.value for name, bind in compiled.binds.items() if not bind.required}
        fixed = {name: value for name, value in fixed.items() if name not in self._columns}
        names = compiled.positiontup if compiled.positional else list(compiled.params)
        return str(compiled), _by_position(names, fixed) if compiled.positional else _by_name(names, fixed)


def _by_position(names: list[str], fixed: Mapping[str, Any]) -> Callable[[Mapping[str, Any]], Any]:
    if fixed:
        return lambda values: [fixed[name] if name in fixed else values[name] for name in names]
    return lambda values: [values[name] for name in names]


def _by_name(names: list[str], fixed: Mapping[str, Any]) -> Callable[[Mapping[str, Any]], Any]:
    return lambda values: {name: fixed[name] if name in fixed else values[name] for name in names}


def insert_or_skip(dialect: str, table: Table) -> Insert:
    """An insert that does nothing where a row with the same key exists; its `rowcount` tells which.

    `dialect` is `sqlite` or `postgresql`.
    """
    statement: Insert = _INSERT[dialect](table).on_conflict_do_nothing()
    return statement


def insert_or_update(dialect: str, table: Table, *columns: str) -> Insert:
    """An insert that updates `columns` where a row with the same primary key exists."""
    new = _INSERT[dialect](table)
    statement: Insert = new.on_conflict_do_update(
        index_elements=list(table.primary_key), set_={column: new.excluded[column] for column in columns}
    )
    return statement


class Driver:
    """Runs statements of one transaction on the driver's connection. Errors are SQLAlchemy's, and never quote values.

    Values are those the driver itself takes and returns: integers, text, bytes, booleans, None.
    """

    __slots__ = ("_closed", "_dialect", "_driver", "_errors")

    def __init__(self, connection: Connection) -> None:
        self._dialect = connection.dialect
        self._driver: Any = connection.connection.driver_connection
        self._errors: Any = self._dialect.loaded_dbapi.Error
        self._closed = False

    def execute(self, statement: Statement, values: Mapping[str, Any]) -> int:
        """Run a statement that changes rows. Returns how many it changed."""
        changed: int = self._run(statement, values).rowcount
        return changed

    def execute_many(self, statement: Statement, rows: Iterable[Mapping[str, Any]]) -> None:
        """Run a statement once for each of these sets of values."""
        text, parameters = statement.compiled_for(self._dialect)
        self._run_text(text, [parameters(values) for values in rows], many=True)

    def fetch_one(self, statement: Statement, values: Mapping[str, Any]) -> tuple[Any, ...] | None:
        """The first row of a query, None if there is none."""
        row: tuple[Any, ...] | None = self._run(statement, values).fetchone()
        return row

    def fetch_all(self, statement: Statement, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        found: list[tuple[Any, ...]] = self._run(statement, values).fetchall()
        return found

    def iterate(self, statement: Statement, values: Mapping[str, Any]) -> Iterator[tuple[Any, ...]]:
        """The rows of a query, fetched one at a time. Raises TransactionEnded if the transaction ends meanwhile."""
        cursor = self._run(statement, values)
        while (row := cursor.fetchone()) is not None:
            yield row
            if self._closed:
                raise TransactionEnded

    def execute_text(self, text: str) -> None:
        """Run a statement without values that controls the transaction, such as SAVEPOINT."""
        self._run_text(text, ())

    def commit(self) -> None:
        """Commit the transaction."""
        try:
            self._driver.commit()
        except self._errors as error:
            raise self._sqlalchemy_error(error, "COMMIT") from error

    def close(self) -> None:
        """Refuse every further statement: the transaction has ended."""
        self._closed = True

    def _run(self, statement: Statement, values: Mapping[str, Any]) -> Any:
        text, parameters = statement.compiled_for(self._dialect)
        return self._run_text(text, parameters(values))

    def _run_text(self, text: str, parameters: Any, many: bool = False) -> Any:
        if self._closed:
            raise TransactionEnded
        cursor = self._driver.cursor()
        try:
            if many:
                cursor.executemany(text, parameters)
            else:
                cursor.execute(text, parameters)
        except self._errors as error:
            raise self._sqlalchemy_error(error, text) from error
        return cursor

    def _sqlalchemy_error(self, error: Exception, text: str) -> BaseException:
        """SQLAlchemy's error of the same name as the driver's."""
        return DBAPIError.instance(text, None, error, self._errors, hide_parameters=True, dialect=self._dialect)


# --- transactions --------------------------------------------------------------------


class ConnectionPool:
    """Runs transactions on connections that stay open: opening one costs more than a small transaction.

    Statements may go through the connection or through its driver; both are in the same transaction.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._idle: list[Connection] = []

    @contextmanager
    def begin(self, read_only: bool = False, synchronous: str | None = None) -> Iterator[tuple[Connection, Driver]]:
        """One transaction, committed on leaving and rolled back by an exception.

        `read_only`: it can't write, and sees the data as they are at its first statement.
        `synchronous`: SQLite's level of waiting for the disk at the commit (`FULL`, `NORMAL`); None changes nothing.
        """
        connection = self._connection()
        driver = Driver(connection)
        try:
            if synchronous is not None:
                _set_pragma(connection, driver, "synchronous", synchronous)
            _set_pragma(connection, driver, "query_only", "ON" if read_only else "OFF")
            driver.execute_text("BEGIN" if read_only else "BEGIN IMMEDIATE")
            yield connection, driver
            if connection.in_transaction():
                connection.commit()
            else:
                driver.commit()
        except BaseException:
            connection.close()  # rolls the transaction back
            raise
        finally:
            driver.close()
        if len(self._idle) < MAX_IDLE_CONNECTIONS:
            self._idle.append(connection)
        else:
            connection.close()

    def close(self) -> None:
        """Close all connections."""
        while self._idle:
            self._idle.pop().close()
        self._engine.dispose()

    def _connection(self) -> Connection:
        try:
            return self._idle.pop()
        except IndexError:
            return self._engine.connect()


def _set_pragma(connection: Connection, driver: Driver, pragma: str, value: str) -> None:
    """Set a pragma, unless this connection has that value already."""
    if connection.info.get(pragma) != value:
        driver.execute_text(f"PRAGMA {pragma}={value}")
        connection.info[pragma] = value
