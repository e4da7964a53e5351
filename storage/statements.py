"""Statements written once in SQLAlchemy Core, and run by the database's own driver.

Running a small statement through SQLAlchemy takes about 40 µs of Python, the driver alone 3 µs. So the statements of
every turn are `Statement`s; all others go through `Work.connection`, in the same transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, Dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.elements import ClauseElement


class TransactionOver(Exception):
    """Something was asked of a transaction that has ended."""


class Statement:
    """One statement, compiled at its first use with a dialect.

    `core` is the statement, or makes it for a dialect by name. `columns` are those an insert fills.
    """

    __slots__ = ("_columns", "_compiled", "_core")

    def __init__(self, core: ClauseElement | Callable[[str], ClauseElement], *columns: str) -> None:
        self._core = core
        self._columns = columns
        self._compiled: dict[str, tuple[str, Callable[[Mapping[str, Any]], Any]]] = {}

    def of(self, dialect: Dialect) -> tuple[str, Callable[[Mapping[str, Any]], Any]]:
        """The text, and what makes the parameters out of the values by name. A value left out raises KeyError."""
        found = self._compiled.get(dialect.name)
        if found is None:
            core = self._core if isinstance(self._core, ClauseElement) else self._core(dialect.name)
            # `for_executemany`: an insert returns no key, which nobody asks for.
            compiled: Any = core.compile(
                dialect=dialect, column_keys=list(self._columns) or None, for_executemany=bool(self._columns)
            )
            fixed = {name: bind.value for name, bind in compiled.binds.items() if not bind.required}
            fixed = {name: value for name, value in fixed.items() if name not in self._columns}
            names = compiled.positiontup if compiled.positional else list(compiled.params)
            found = (str(compiled), _in_order(names, fixed) if compiled.positional else _by_name(names, fixed))
            self._compiled[dialect.name] = found
        return found


def _in_order(names: list[str], fixed: Mapping[str, Any]) -> Callable[[Mapping[str, Any]], Any]:
    if fixed:
        return lambda values: [fixed[name] if name in fixed else values[name] for name in names]
    return lambda values: [values[name] for name in names]


def _by_name(names: list[str], fixed: Mapping[str, Any]) -> Callable[[Mapping[str, Any]], Any]:
    return lambda values: {name: fixed[name] if name in fixed else values[name] for name in names}


class Driver:
    """The driver's side of a transaction. Errors are SQLAlchemy's, and never quote values.

    Values are what the driver itself takes and gives: whole numbers, text, bytes, truth values, None.
    """

    __slots__ = ("_dialect", "_driver", "_errors", "_over")

    def __init__(self, connection: Connection) -> None:
        self._dialect = connection.dialect
        self._driver: Any = connection.connection.driver_connection
        self._errors: Any = self._dialect.loaded_dbapi.Error
        self._over = False

    def run(self, statement: Statement, values: Mapping[str, Any]) -> int:
        """Run a statement that changes rows. How many it changed."""
        changed: int = self._execute(statement, values).rowcount
        return changed

    def run_each(self, statement: Statement, rows: Iterable[Mapping[str, Any]]) -> None:
        """Run a statement once with each of these values."""
        text, parameters = statement.of(self._dialect)
        self._ask(text, [parameters(values) for values in rows], many=True)

    def first(self, statement: Statement, values: Mapping[str, Any]) -> tuple[Any, ...] | None:
        """The first row found, if there is one."""
        row: tuple[Any, ...] | None = self._execute(statement, values).fetchone()
        return row

    def all(self, statement: Statement, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """All rows found."""
        found: list[tuple[Any, ...]] = self._execute(statement, values).fetchall()
        return found

    def each(self, statement: Statement, values: Mapping[str, Any]) -> Iterator[tuple[Any, ...]]:
        """All rows found, fetched one at a time, within the transaction."""
        cursor = self._execute(statement, values)
        while (row := cursor.fetchone()) is not None:
            yield row
            if self._over:
                raise TransactionOver

    def word(self, text: str) -> None:
        """A word about the transaction itself, such as SAVEPOINT."""
        self._ask(text, ())

    def commit(self) -> None:
        """Keep what was done."""
        try:
            self._driver.commit()
        except self._errors as error:
            raise self._named(error, "COMMIT") from error

    def end(self) -> None:
        """The transaction has ended: nothing can be asked any more."""
        self._over = True

    def _execute(self, statement: Statement, values: Mapping[str, Any]) -> Any:
        text, parameters = statement.of(self._dialect)
        return self._ask(text, parameters(values))

    def _ask(self, text: str, parameters: Any, many: bool = False) -> Any:
        if self._over:
            raise TransactionOver
        cursor = self._driver.cursor()
        try:
            if many:
                cursor.executemany(text, parameters)
            else:
                cursor.execute(text, parameters)
        except self._errors as error:
            raise self._named(error, text) from error
        return cursor

    def _named(self, error: Exception, text: str) -> BaseException:
        """An error of the driver as SQLAlchemy's of the same name."""
        return DBAPIError.instance(text, None, error, self._errors, hide_parameters=True, dialect=self._dialect)
